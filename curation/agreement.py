"""Whether two pictures whose hashes are near are copies: their miniatures of 32 x 32 grey values are compared.

Photographs: the correlation of their pixels, also with a twentieth of either cut off at any side, for a cropped copy's
hash is far from its original's while its pixels agree. Strangers within 16 bits reached 0.69 on real photographs, crops
of a twentieth stayed above 0.89.
Objects on a plain ground and printed pages share the ground, which is no agreement, so only what one of the two has
beside it is correlated. Strangers within 14 bits reached 0.86 (pages of text 0.79), crops of a twentieth stayed above
0.87. Drawings are compared in more detail by `drawings`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from curation.drawings import paper
from curation.phash import SIDE

Array = np.ndarray[Any, Any]
NEAR, FAR = 0.6, 0.85  # correlations asked of photographs whose hashes are within the radius, and of those beyond
OBJECT, CROPPED = 0.87, 0.9  # the same of objects, without their ground, and of their crops
HOPELESS = 0.35  # no crop of a twentieth correlates less with its original
GROUND = 10  # tones by which a pixel of the ground may differ from the ground's
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


def agreement_of_objects(one: Array, other: Array) -> tuple[Array, Array]:
    """Correlations of uint8 (n, 32, 32) pairs where either is not ground: (n,) as they lie, and the best of crops."""
    plain, best = np.empty(len(one), np.float32), np.empty(len(one), np.float32)
    for start in range(0, len(one), _BATCH):
        a, b = one[start : start + _BATCH], other[start : start + _BATCH]
        scores = _correlation_of_objects(a, b)
        plain[start : start + _BATCH] = scores
        for whole, part in ((a, b), (b, a)):
            worth = np.flatnonzero((scores < OBJECT) & (scores > HOPELESS))
            for window in _windows(whole[worth]):
                scores[worth] = np.maximum(scores[worth], _correlation_of_objects(window, part[worth]))
        best[start : start + _BATCH] = scores
    return plain, best


def _correlation_of_objects(one: Array, other: Array) -> Array:
    beside = (_off_ground(one) | _off_ground(other)).reshape(len(one), SIDE * SIDE)
    count = np.maximum(beside.sum(axis=1, keepdims=True), 1)
    a, b = (picture.reshape(len(picture), SIDE * SIDE) * beside.astype(np.float32) for picture in (one, other))
    a -= a.sum(axis=1, keepdims=True) / count * beside
    b -= b.sum(axis=1, keepdims=True) / count * beside
    lengths = np.maximum(np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1), 1e-6)
    product: Array = np.einsum("ij,ij->i", a, b) / lengths
    return product


def _off_ground(pictures: Array) -> Array:
    apart: Array = np.abs(pictures.astype(np.int16) - paper(pictures)[:, None, None]) > GROUND
    return apart


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
    for window in _windows(whole):
        best = np.maximum(best, np.einsum("ij,ij->i", _normal(window), normal))
    return best


def _windows(pictures: Array) -> Iterator[Array]:
    """Nine windows of uint8 (n, 32, 32) with 95 % of each side, enlarged to the whole size again."""
    for down in _WINDOWS:
        rows = down @ pictures.astype(np.float32)
        for right in _WINDOWS:
            yield np.rint(rows @ right.T).astype(np.uint8)


def _window(start: float) -> Array:
    """The matrix that takes 95 % of a row, from `start` (0 to 1) of what is lost, and interpolates it to its length."""
    places = np.clip((np.arange(SIDE) + 0.5) * _SHARE - 0.5 + SIDE * (1 - _SHARE) * start, 0, SIDE - 1)
    left = np.minimum(places.astype(int), SIDE - 2)
    matrix = np.zeros((SIDE, SIDE), np.float32)
    matrix[np.arange(SIDE), left] = 1 - (places - left)
    matrix[np.arange(SIDE), left + 1] = places - left
    return matrix


_WINDOWS = tuple(_window(start) for start in (0, 0.5, 1))
