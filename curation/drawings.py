"""Whether two drawings are one: handwriting, line art, screenshots and text, compared stroke by stroke.

Most of a drawing is paper, and paper agrees with paper: two different digits correlate at 0.95 and more. So the paper
is taken off, and what is left, the ink, must lie in the same places: as a whole (the distance of the two inks), and
everywhere (no place may differ by much). A word in a screenshot, or the slant of a 1, changes one place only.
Compression blurs the ink of a small picture more than that of a large one, so small ones are granted more. Measured on
pairs of different MNIST digits, of strokes of 180 writers and of screenshots that share their frame, beside copies
saved as JPEG of quality 35 to 90, at 28 to 1280 pixels; `benchmarks/drawings.py` prints how many are found and
confused.
"""

from __future__ import annotations

import zlib
from typing import Any

import cv2
import numpy as np

from curation.ground import BAND
from curation.phash import SIDE as SMALL
from curation.phash import turned

Array = np.ndarray[Any, Any]
SIDE, COARSE = 64, 16
_FAINT = 8  # tones: a picture without more ink than this is blank
_FLAT = 2.5  # tones by which two blank pictures may differ on average
_SPECK = 3  # and at any place: a page's number is more
_ALIKE = 0.35  # the distance of the inks of two objects, by the length of one; blurred and smaller copies have less
_STILL, _SOFT = 0.02, 1.2  # what is soft is nearer to its like, and compression changes it less
_ROUGH, _FINE = 0.2, 0.45  # and it changes more of what is fine, as a page of text
_BATCH = 512


def packed(miniature: Array) -> bytes:
    """As it is stored: 32 x 32 values as they are, 64 x 64 deflated (two thirds of them are the same paper)."""
    if len(miniature) == SMALL:
        return miniature.tobytes()
    data = zlib.compress(miniature.tobytes(), 1)
    return data + b"\0" if len(data) == SMALL * SMALL else data  # the length tells the two apart


def unpacked(stored: bytes) -> Array:
    """What `packed` made: uint8 (32, 32), or (64, 64) of a drawing."""
    if len(stored) == SMALL * SMALL:
        return np.frombuffer(stored, np.uint8).reshape(SMALL, SMALL)
    return np.frombuffer(zlib.decompressobj().decompress(stored, SIDE * SIDE), np.uint8).reshape(SIDE, SIDE)


def in_side(miniature: Array, side: int) -> Array:
    """The same in 32 x 32 or 64 x 64."""
    if len(miniature) > side:
        return cv2.resize(miniature, (side, side), interpolation=cv2.INTER_AREA)
    return miniature if len(miniature) == side else miniature.repeat(side // len(miniature), 0).repeat(2, 1)


def paper(miniatures: Array) -> Array:
    """float32 (n,): the mean tone of the pixels in the narrow band of tones in which most of each picture's lie."""
    some = [_paper(miniatures[start : start + _BATCH]) for start in range(0, len(miniatures), _BATCH)]
    return np.concatenate(some) if some else np.empty(0, np.float32)


def _paper(miniatures: Array) -> Array:
    count = len(miniatures)
    values = miniatures.reshape(count, -1) + 256 * np.arange(count)[:, None]
    histograms = np.bincount(values.ravel(), minlength=256 * count).reshape(count, 256)
    pixels = _in_bands(histograms)
    best = np.arange(count), pixels.argmax(axis=1)
    tones: Array = (_in_bands(histograms * np.arange(256))[best] / pixels[best]).astype(np.float32)
    return tones


def _in_bands(histograms: Array) -> Array:
    """The sums of each histogram within the band around each tone."""
    sums = np.zeros((len(histograms), 257 + 2 * BAND), np.int64)
    np.cumsum(histograms, axis=1, out=sums[:, BAND + 1 : BAND + 257])
    sums[:, BAND + 257 :] = sums[:, BAND + 256 : BAND + 257]
    bands: Array = sums[:, 2 * BAND + 1 :] - sums[:, : -2 * BAND - 1]
    return bands


def texture(detail: Array) -> float:
    """The mean Laplacian of what is no paper, as a share of the strongest ink; 0 for a blank picture."""
    ink = np.abs(detail.astype(np.float32) - paper(detail[None])[0])
    top = float(ink.max())
    if top <= _FAINT:
        return 0.0
    edges = np.abs(cv2.Laplacian(ink, cv2.CV_32F))[ink > 0.2 * top]
    return float(edges.mean()) / top


def coarse_ink(details: Array, tones: Array) -> Array:
    """float32 (n, 16, 16) of length 1 each: the ink of these pictures, zeros for blank ones; see `may_agree`."""
    step = SIDE // COARSE
    blocks = details.reshape(len(details), COARSE, step, COARSE, step).mean(axis=(2, 4), dtype=np.float32)
    blocks -= tones[:, None, None]
    lengths = np.linalg.norm(blocks, axis=(1, 2), keepdims=True)
    ink: Array = blocks / np.maximum(lengths, 1e-6)
    return ink


def may_agree(one: Array, other: Array, variant: int, sides: Array) -> Array:
    """Whether pairs are worth a look in detail, from `coarse_ink` of both: averaging brings two inks only nearer."""
    cosine = np.einsum("nij,nij->n", one, turned(other, variant)) * (-1 if variant >= 8 else 1)
    blank = (np.abs(one).max(axis=(1, 2), initial=0) == 0) | (np.abs(other).max(axis=(1, 2), initial=0) == 0)
    worth: Array = (np.sqrt(np.maximum(2 - 2 * cosine, 0)) <= 1.5 * _distance_allowed(sides) + 0.03) | blank
    return worth


def agree(one: Array, other: Array, sides: Array) -> Array:
    """Whether pairs of uint8 (n, 64, 64) show one drawing; `sides` is the length of the smaller of the two in pixels.

    The other may be darker or lighter as a whole.
    """
    fine = np.zeros(len(one), bool)
    for start in range(0, len(one), _BATCH):
        cut = slice(start, start + _BATCH)
        fine[cut] = _agree(one[cut], other[cut], sides[cut])
    return fine


def resemble(one: Array, other: Array) -> Array:
    """Whether pairs of uint8 (n, 64, 64) are alike on the whole: not so two pages of text with other words."""
    whole: Array = _apart(_ink(one), _ink(other))[1] <= _ALIKE
    return whole


def _apart(a: Array, b: Array) -> tuple[Array, Array]:
    """How far two inks are from each other at every place, the second made as strong as the first, and as a whole."""
    length = np.einsum("ij,ij->i", b, b)
    scale = np.clip(np.einsum("ij,ij->i", a, b) / np.maximum(length, 1e-6), 0.6, 1.67)
    apart = np.abs(a - scale[:, None] * b)
    return apart, np.linalg.norm(apart, axis=1) / np.maximum(np.linalg.norm(a, axis=1), 1e-6)


def _agree(one: Array, other: Array, sides: Array) -> Array:
    raw = np.abs(one.astype(np.int16) - other).mean(axis=(1, 2))
    a, b = (_ink(pictures) for pictures in (one, other))
    apart, whole = _apart(a, b)
    top = np.maximum(np.abs(a).max(axis=1), np.abs(b).max(axis=1))
    anywhere = apart.max(axis=1) / np.maximum(top, 1e-6)
    allowed = _distance_allowed(sides)
    alike = (top > _FAINT) & (whole <= allowed + _ROUGH) & (anywhere <= np.minimum(0.38, 0.085 + 11.5 / sides))
    for place in np.flatnonzero(alike):
        soft = min(texture(one[place]), texture(other[place]))
        alike[place] = whole[place] <= min(allowed[place] + _ROUGH * max(soft - _FINE, 0), _STILL + _SOFT * soft)
    blank = (raw <= _FLAT) & (np.abs(a - b).max(axis=1) <= _SPECK)
    fine: Array = np.where(top <= _FAINT, blank, alike)
    return fine


def _ink(pictures: Array) -> Array:
    flat = pictures.reshape(len(pictures), -1).astype(np.float32)
    ink: Array = flat - paper(pictures)[:, None]
    return ink


def _distance_allowed(sides: Array) -> Array:
    """The distance of two inks, by the length of one, that compression makes; below 28 pixels each pixel tells more."""
    allowed: Array = np.minimum(np.minimum(0.13, 0.012 + 3.4 / sides), 0.0055 * sides)
    return allowed
