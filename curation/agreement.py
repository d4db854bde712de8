"""Whether two pictures whose hashes are near are copies: their miniatures of 32 x 32 grey values are compared.

Photographs: the correlation of their pixels, also with a twentieth of either cut off at any side, for a cropped copy's
hash is far from its original's while its pixels agree. Strangers within 16 bits reached 0.69 on real photographs, crops
of a twentieth stayed above 0.89.
Pictures in two tones (scans, line art) correlate sooner, so more is asked of them. Tiny ones (MNIST) hash alike when
they are not alike at all, and correlate, too: there, ink must lie where ink lies.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from curation.phash import SIDE

Array = np.ndarray[Any, Any]
NEAR, FAR = 0.6, 0.85  # correlations asked of photographs whose hashes are within the radius, and of those beyond
STRICT = 0.95  # where one of the two has two tones; of 5 840 characters of Omniglot no two different ones reach 0.9
HOPELESS = 0.35  # no crop of a twentieth correlates less with its original
SAME_INK = 0.06  # of a drawing's ink may lie elsewhere in its copy
FLAT = 2.5  # grey levels by which two pictures without contrast may differ on average
_SHARE = 0.95
_BATCH = 512


def agreement(one: Array, other: Array, cropped: bool) -> Array:
    """Float (n,): the correlation of uint8 (n, 32, 32) pairs, over crops too when `cropped`; 1 for flat ones."""
    best = np.empty(len(one), np.float32)
    for start in range(0, len(one), _BATCH):
        a, b = one[start : start + _BATCH], other[start : start + _BATCH]
        scores = _correlation(a, b)
        if cropped:
            worth = scores > HOPELESS
            a_some, b_some = a[worth], b[worth]
            scores[worth] = np.maximum(scores[worth], _best_window(a_some, b_some))
            scores[worth] = np.maximum(scores[worth], _best_window(b_some, a_some))
        scores[np.abs(a.astype(np.int16) - b).mean(axis=(1, 2)) <= FLAT] = 1
        best[start : start + _BATCH] = scores
    return best


def misplaced_ink(one: Array, other: Array) -> Array:
    """Float (n,): of uint8 (n, 32, 32) pairs, the share of ink that the other has not in the same place.

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
    flat = pictures.reshape(len(pictures), SIDE * SIDE).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    normal: Array = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)
    return normal


def _best_window(whole: Array, part: Array) -> Array:
    """The best correlation of `part` with nine windows of `whole`, each enlarged to the whole size again."""
    normal = _normal(part)
    best = np.full(len(whole), -1, np.float32)
    for down in _WINDOWS:
        rows = down @ whole.astype(np.float32)
        for right in _WINDOWS:
            best = np.maximum(best, np.einsum("ij,ij->i", _normal(rows @ right.T), normal))
    return best


def _window(start: float) -> Array:
    """The matrix that takes 95 % of a row, from `start` (0 to 1) of what is lost, and interpolates it to its length."""
    places = np.clip((np.arange(SIDE) + 0.5) * _SHARE - 0.5 + SIDE * (1 - _SHARE) * start, 0, SIDE - 1)
    left = np.minimum(places.astype(int), SIDE - 2)
    matrix = np.zeros((SIDE, SIDE), np.float32)
    matrix[np.arange(SIDE), left] = 1 - (places - left)
    matrix[np.arange(SIDE), left + 1] = places - left
    return matrix


_WINDOWS = tuple(_window(start) for start in (0, 0.5, 1))
