"""Whether two pictures whose hashes are near are copies: their miniatures of 32 x 32 grey values are compared.

Photographs: the correlation of their pixels, also with a twentieth of either cut off at any side, for a cropped copy's
hash is far from its original's while its pixels agree. Strangers within 16 bits reached 0.69 on real photographs, crops
of a twentieth stayed above 0.89.
Drawings (two tones, or very small: scans, line art, MNIST) hash alike when they are not alike at all, and correlate,
too: there, ink must lie where ink lies.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from curation.phash import SIDE

Array = np.ndarray[Any, Any]
NEAR, FAR = 0.6, 0.85  # correlations asked of photographs whose hashes are within the radius, and of those beyond
SAME_INK = 0.06  # of a drawing's ink may lie elsewhere in its copy
FLAT = 2.5  # grey levels by which two pictures without contrast may differ on average
_SHARE = 0.95
_BATCH = 256


def agreement(one: Array, other: Array, cropped: bool) -> Array:
    """Float (n,): the correlation of uint8 (n, 32, 32) pairs, over crops too when `cropped`; 1 for flat ones."""
    best = np.empty(len(one), np.float32)
    for start in range(0, len(one), _BATCH):
        a, b = one[start : start + _BATCH], other[start : start + _BATCH]
        scores = _correlation(a, b)
        if cropped:
            scores = np.maximum(scores, np.maximum(_best_window(a, b), _best_window(b, a)))
        scores[np.abs(a.astype(np.int16) - b).mean(axis=(1, 2)) <= FLAT] = 1
        best[start : start + _BATCH] = scores
    return best


def misplaced_ink(one: Array, other: Array) -> Array:
    """Float (n,): of uint8 (n, 32, 32) pairs of drawings, the share of ink that the other has not in the same place.

    Ink is what differs from a picture's most frequent tone, whichever of the two it is.
    """
    first, second = (picture.astype(np.float32) for picture in (one, other))
    paper = np.median(first, axis=(1, 2), keepdims=True)
    ink = np.abs(first - paper).sum(axis=(1, 2))
    misplaced: Array = np.abs(first - second).sum(axis=(1, 2)) / np.maximum(ink, 1)
    return misplaced


def _correlation(one: Array, other: Array) -> Array:
    a, b = _normal(one), _normal(other)
    product: Array = np.einsum("ij,ij->i", a, b)
    return product


def _normal(pictures: Array) -> Array:
    flat = pictures.reshape(len(pictures), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    normal: Array = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)
    return normal


def _best_window(whole: Array, part: Array) -> Array:
    """The best correlation of `part` with nine windows of `whole`."""
    normal = _normal(part)
    best = np.full(len(whole), -1, np.float32)
    for down in (0, 0.5, 1):
        for right in (0, 0.5, 1):
            windows = np.stack([_window(picture, right, down) for picture in whole])
            best = np.maximum(best, np.einsum("ij,ij->i", _normal(windows), normal))
    return best


def _window(picture: Array, right: float, down: float) -> Array:
    """A window of 95 %, enlarged to the whole size again."""
    lost = SIDE * (1 - _SHARE)
    middle = (_SHARE - 1) / 2
    matrix = np.array([[_SHARE, 0, lost * right + middle], [0, _SHARE, lost * down + middle]], np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(picture, matrix, (SIDE, SIDE), flags=flags, borderMode=cv2.BORDER_REPLICATE)
