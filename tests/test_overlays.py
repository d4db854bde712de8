"""Heat is the lighter the hotter, a stroke orange or blue as it speaks for or against."""

from __future__ import annotations

import numpy as np

from handwriter_models.explain import Support
from handwriter_models.ink_strokes import InkStroke
from handwriter_models.overlays import overlay, stroke_overlay


def test_overlays_show_heat_lighter_and_strokes_in_the_colour_of_their_support() -> None:
    heat = np.zeros((28, 28), np.float32)
    heat[:, 14:] = 1
    shown = np.asarray(overlay(np.zeros((28, 28), np.uint8), heat)).astype(int)
    assert shown.shape == (280, 280, 3)
    assert shown[:, 250:].sum(axis=2).min() > shown[:, :30].sum(axis=2).max() + 200
    ink, share = np.full((28, 28), 255, np.uint8), np.zeros((28, 28), np.float32)
    shares = [share.copy() for _ in range(2)]
    shares[0][:, :9], shares[1][:, 19:] = 1, 1
    line = np.zeros((2, 2), np.float32)
    strokes = [Support(InkStroke(line, shares[0], ink), 0.8), Support(InkStroke(line, shares[1], ink), -0.8)]
    left, middle, right = np.asarray(stroke_overlay(ink, strokes)).astype(int)[140, [20, 140, 260]]
    assert left[0] - left[2] > 150  # orange: for
    assert right[2] - right[0] > 100  # blue: against
    assert np.ptp(middle) == 0
