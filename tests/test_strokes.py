"""Drawn digits and scribbles: what the digits model learns beyond MNIST."""

import numpy as np
import pytest

from handwriter_models import ink
from training import strokes
from training.stroke_styles import DIGITS


@pytest.mark.parametrize("digit", range(10))
def test_each_digit_is_drawn_in_several_styles_and_never_twice_alike(digit: int) -> None:
    random = np.random.default_rng(digit)
    drawn = [strokes.paint(strokes.drawn_digit(digit, random), 0.08, 120, random) for _ in range(6)]
    assert len(DIGITS[digit]) >= 4
    assert len({picture.tobytes() for picture in drawn}) == 6
    assert all(not ink.prepare(picture).blank for picture in drawn)


def test_the_same_seed_draws_the_same_strokes() -> None:
    one, other = (strokes.bent(strokes.drawn_digit(4, r), r) for r in map(np.random.default_rng, (7, 7)))
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_bending_keeps_every_stroke_and_its_points() -> None:
    random = np.random.default_rng(0)
    before = strokes.drawn_digit(5, random)
    after = strokes.bent(before, random)
    assert [len(stroke) for stroke in after] == [len(stroke) for stroke in before]
    assert all(np.isfinite(stroke).all() and np.abs(stroke).max() < 3 for stroke in after)


@pytest.mark.parametrize("pen", [0.01, 0.1, 0.33])
def test_painted_strokes_stay_on_the_paper(pen: float) -> None:
    random = np.random.default_rng(1)
    for _ in range(40):
        paper = strokes.paint(strokes.bent(strokes.scribble(random), random), pen, 140, random)
        edge = np.concatenate([paper[0], paper[-1], paper[:, 0], paper[:, -1]])
        assert paper.min() < 200
        assert (edge < 128).mean() < 0.02


def test_a_traced_digit_painted_again_is_the_same_digit() -> None:
    random = np.random.default_rng(2)
    paper = strokes.paint([np.array([[0.0, 0.0], [0.8, 0.0], [0.3, 1.0]])], 0.1, 200, random)
    scan = ink.prepare(paper).pixels
    again = ink.prepare(strokes.paint(strokes.trace(scan), 0.1, 200, random)).pixels
    common = np.minimum(scan, again).sum() / np.maximum(scan, again).sum(dtype=float)
    assert common > 0.55
