"""Perceptual hashes of a picture and of its fifteen turned, mirrored and inverted variants, from one cosine transform.

The plain hash is `imagehash.phash` bit for bit: 32 x 32 grey values, DCT-II along both axes, the 8 x 8 lowest
frequencies against their median. Mirroring a picture changes the sign of every second column (or row) of its
transform, turning it by 90° transposes it, and inverting it changes all signs but that of the mean, so no variant has
to be drawn or transformed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.fft

SIDE, LOW = 32, 8
Array = np.ndarray[Any, Any]
# In this order the hashes of a picture are stored: the eight symmetries of the square, then the same inverted.
_SYMMETRIES = (
    ("near", False, False, False),
    ("flipped", False, False, True),
    ("flipped", False, True, False),
    ("rotated", False, True, True),
    ("flipped+rotated", True, False, False),
    ("rotated", True, False, True),
    ("rotated", True, True, False),
    ("flipped+rotated", True, True, True),
)
VARIANTS = tuple(name for name, *_ in _SYMMETRIES) + tuple(
    "inverted" if name == "near" else f"{name}+inverted" for name, *_ in _SYMMETRIES
)
# A picture turned left matches one turned right with the roles exchanged, so one of the two is enough to find a pair.
NEEDED = tuple(number for number in range(len(VARIANTS)) if number % 8 != 6)
_MEAN_OF_WHITE = 4 * SIDE * SIDE * 255.0  # the first coefficient of a white picture, in the transform's own scale
_ALTERNATING = np.where(np.arange(LOW) % 2, -1.0, 1.0)
_ONES = np.ones(LOW)
_SIGNS = [np.outer(rows, columns) for rows in (_ONES, _ALTERNATING) for columns in (_ONES, _ALTERNATING)]


def hashes(pixels: Array) -> Array:
    """uint64 (n, 16) for uint8 (n, 32, 32): a row for a picture, a column for each of `VARIANTS`."""
    rows = scipy.fft.dct(pixels.astype(np.float64), axis=1)[:, :LOW]
    low = scipy.fft.dct(rows, axis=2)[:, :, :LOW]
    inverted = -low
    inverted[:, 0, 0] += _MEAN_OF_WHITE
    mirrored = np.stack([plain * signs for plain in (low, inverted) for signs in _SIGNS], axis=1)
    middle = np.sort(mirrored.reshape(-1, 8, LOW * LOW), axis=2)[:, :, 31:33].mean(axis=2)  # quicker than a partition
    upright = mirrored > middle[:, :, None, None]  # transposing changes the order of the bits, not the median
    lying = upright.transpose(0, 1, 3, 2)[:, [0, 2, 1, 3, 4, 6, 5, 7]]
    bits = np.concatenate([upright[:, :4], lying[:, :4], upright[:, 4:], lying[:, 4:]], axis=1)
    packed: Array = np.packbits(bits.reshape(-1, 16, LOW * LOW), axis=2).view(">u8")[:, :, 0].astype(np.uint64)
    return packed


def turned(pictures: Array, variant: int) -> Array:
    """The pictures (…, side, side) mirrored and turned as `VARIANTS[variant]` says, not inverted."""
    _, transposed, rows, columns = _SYMMETRIES[variant % 8]
    result = np.swapaxes(pictures, -1, -2) if transposed else pictures
    result = result[..., ::-1, :] if rows else result
    return result[..., ::-1] if columns else result


def variant_of(pixels: Array, variant: int) -> Array:
    """The uint8 picture(s) (…, side, side) turned, mirrored or inverted as `VARIANTS[variant]` says."""
    result = turned(pixels, variant)
    return 255 - result if variant >= 8 else result
