"""One look at a picture's bytes: its size, a miniature to hash and compare, and measures of its quality.

Everything comes from one small grey decode, so that a scan costs little more than decoding. Sharpness is therefore
judged at that size: a picture that is only slightly soft at full size counts as sharp.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from typing import Any

import cv2
import numpy as np
from PIL import Image

from curation import phash
from curation.files import Print
from handwriter_models.images import Limits, reduced_picture

DECODED = 40  # pixels of the shorter side; at 32 hashes differ too much from those of the whole picture
TINY = 64  # pixels of the longer side
TWO_TONES = 0.9  # of the pixels lie near the darkest or the lightest tone; 1 of 167 photographs has as many
LIMITS = Limits(bytes=100 * 2**20, pixels=200_000_000, side=65_000)  # a person's own pictures may be large
Array = np.ndarray[Any, Any]


class Style(IntEnum):
    """What a picture's hash is worth: that of drawings and of tiny pictures tells less than that of photographs."""

    PHOTOGRAPH = 0
    TWO_TONES = 1
    TINY = 2


@dataclass(frozen=True)
class Look:
    """What one decode gave; `histogram` counts 256 grey values, `blur` is the variance of the Laplacian."""

    sha256: str
    format: str
    width: int
    height: int
    miniature: Array  # uint8 (32, 32)
    histogram: list[int]
    blur: float


def look(data: bytes, known_sha256: str = "") -> Look:
    """Decodes once; raises `PictureError` when the bytes are no picture."""
    reduced = reduced_picture(data, DECODED, LIMITS)
    grey = reduced.grey
    small = np.asarray(grey.resize((phash.SIDE, phash.SIDE), Image.Resampling.LANCZOS))
    edges = cv2.Laplacian(np.asarray(grey), cv2.CV_16S)
    spread = cv2.meanStdDev(edges)[1].item()
    name = known_sha256 or sha256(data).hexdigest()
    return Look(name, reduced.kind, reduced.width, reduced.height, small, grey.histogram(), spread**2)


def prints(looks: Sequence[Look]) -> list[Print]:
    """Hashes and measures of many looks at once: numpy costs as much for one as for fifty."""
    if not looks:
        return []
    hashes = phash.hashes(np.stack([one.miniature for one in looks]))
    measured = _measured(np.array([one.histogram for one in looks], np.float64))
    return [_print(one, row.tobytes(), values) for one, row, values in zip(looks, hashes, measured, strict=True)]


def _print(one: Look, hashes: bytes, values: tuple[float, float, float, float]) -> Print:
    brightness, contrast, entropy, two_tones = values
    tiny = max(one.width, one.height) <= TINY
    style = Style.TINY if tiny else Style.TWO_TONES if two_tones >= TWO_TONES else Style.PHOTOGRAPH
    return Print(
        sha256=one.sha256,
        format=one.format,
        width=one.width,
        height=one.height,
        hashes=hashes,
        miniature=one.miniature.tobytes(),
        style=style,
        blur=round(one.blur, 2),
        brightness=brightness,
        contrast=contrast,
        entropy=entropy,
    )


def _measured(histograms: Array) -> list[tuple[float, float, float, float]]:
    """Of each: mean and standard deviation from 0 to 1, entropy in bits, and the share of the two outer tones."""
    shares = histograms / histograms.sum(axis=1, keepdims=True)
    tones = np.arange(256) / 255
    mean = shares @ tones
    deviation = np.sqrt(np.maximum(shares @ tones**2 - mean**2, 0))
    entropy = -(shares * np.log2(np.where(shares > 0, shares, 1))).sum(axis=1)
    return [
        (round(float(a), 4), round(float(b), 4), round(float(c), 3), round(float(d), 3))
        for a, b, c, d in zip(mean, deviation, entropy, _two_tones(shares), strict=True)
    ]


def _two_tones(shares: Array) -> Array:
    """The share of pixels in the lowest and highest sixth of the range of tones that a picture uses."""
    sums = shares.cumsum(axis=1)
    low, high = (sums < 0.01).sum(axis=1), (sums < 0.99).sum(axis=1)
    sixth = np.maximum((high - low) // 6, 1)
    rows = np.arange(len(shares))
    below = sums[rows, np.minimum(low + sixth, 255)]
    above = 1 - sums[rows, np.maximum(high - sixth - 1, 0)]
    result: Array = below + above
    return result
