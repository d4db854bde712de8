"""One look at a picture's bytes: its size, a miniature to hash and compare, and measures of its quality.

Everything comes from one small grey decode, so that a scan costs little more than decoding. Sharpness is therefore
judged at that size: a picture that is only slightly soft at full size counts as sharp. Drawings (handwriting, line
art, screenshots, pages of text) share most of their pixels, the paper, so they are compared in more detail; what is a
drawing is measured from its tones and its texture, whatever its size.
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

from curation import drawings, phash
from curation.files import Print
from curation.ground import Ground
from handwriter_models.images import Limits, Reduced, reduced_picture

DECODED = 40  # pixels of the shorter side; at 32 hashes differ too much from those of the whole picture
FINE = 512  # the same of what may be a drawing: reduced to less, letters turn into grey, and a page looks like cloth
PAPER = 0.36  # of the pixels on the ground; 8 of 10 photographs have less, handwriting at least 0.45
FEW_TONES = 0.95  # of the pixels lie in four bands of seven tones; 1 of 167 photographs has 0.94
TWO_TONES = 0.85  # of the pixels lie near the darkest or the lightest tone; 1 of 167 photographs has 0.95
SMOOTH = 0.15  # mean Laplacian of what is no paper; of soft handwriting below, of objects on a white ground above
SOFT_PAPER, SOFT = 0.22, 0.05  # the same of digits enlarged from 8 x 8 pixels; no photograph is as smooth
LIMITS = Limits(bytes=100 * 2**20, pixels=200_000_000, side=65_000)  # a person's own pictures may be large
SAMPLE = 128  # pixels of a side whose tones are counted
_BAND = np.ones(7, np.int64)
Array = np.ndarray[Any, Any]


class Style(IntEnum):
    """How the copies of a picture are told from its like: see `agreement` and `drawings`."""

    PHOTOGRAPH = 0
    DRAWING = 1
    OBJECT = 2  # something with texture on a plain ground


@dataclass(frozen=True)
class Look:
    """What one decode gave; `histogram` counts 256 grey values, `blur` is the variance of the Laplacian."""

    sha256: str
    format: str
    width: int
    height: int
    miniature: Array  # uint8 (32, 32)
    detail: Array | None  # uint8 (64, 64) of a drawing or an object
    style: Style
    histogram: list[int]
    blur: float


def look(data: bytes, known_sha256: str = "") -> Look:
    """Decodes once, a drawing in a JPEG twice; raises `PictureError` when the bytes are no picture."""
    reduced = reduced_picture(data, DECODED, LIMITS)
    grey = reduced.grey
    small = np.asarray(grey.resize((phash.SIDE, phash.SIDE), Image.Resampling.LANCZOS))
    pixels = np.asarray(grey)
    edges = cv2.Laplacian(pixels, cv2.CV_16S)
    spread = cv2.meanStdDev(edges)[1].item()
    histogram = grey.histogram()
    style, detail = _style(data, reduced, pixels, small)
    name = known_sha256 or sha256(data).hexdigest()
    return Look(name, reduced.kind, reduced.width, reduced.height, small, detail, style, histogram, spread**2)


def _style(data: bytes, reduced: Reduced, pixels: Array, miniature: Array) -> tuple[Style, Array | None]:
    """What the picture is, and it in detail unless it is a photograph; `pixels` are those of `reduced`."""
    ground = Ground(miniature)
    is_whole = pixels.size >= reduced.width * reduced.height
    on_ground = ground.share >= SOFT_PAPER
    if not on_ground and not (is_whole and _in_few_tones(_sample(pixels))):
        return Style.PHOTOGRAPH, None
    if not is_whole and min(pixels.shape) < FINE:  # a JPEG that was decoded smaller
        pixels = np.asarray(reduced_picture(data, FINE, LIMITS).grey)
    light = ground if on_ground and not ground.is_even else None
    detail = _detail(pixels, light)
    if drawings.texture(detail) < (SMOOTH if ground.share >= PAPER else SOFT):
        return Style.DRAWING, detail
    sample = _sample(pixels, light)
    if _in_few_tones(sample):
        return Style.DRAWING, detail
    if ground.share < PAPER:
        return Style.PHOTOGRAPH, None
    return (Style.DRAWING if _two_tones(sample) >= TWO_TONES else Style.OBJECT), detail


def _detail(pixels: Array, light: Ground | None) -> Array:
    """uint8 (64, 64) under even light; in float, for rounding between the passes makes turned copies differ."""
    side = (drawings.SIDE, drawings.SIDE)
    if min(pixels.shape) >= drawings.SIDE:
        detail = cv2.resize(pixels.astype(np.float32), side, interpolation=cv2.INTER_AREA)
    else:
        detail = np.asarray(Image.fromarray(pixels.astype(np.float32)).resize(side, Image.Resampling.LANCZOS))
    return _tones(light.levelled(detail) if light else detail)


def _sample(pixels: Array, light: Ground | None = None) -> Array:
    """Some of the pixels as they are, under even light: averages of black and white are grey."""
    some = pixels[:: max(1, len(pixels) // SAMPLE), :: max(1, pixels.shape[1] // SAMPLE)]
    return _tones(light.levelled(some)) if light else some


def _tones(picture: Array) -> Array:
    tones: Array = np.rint(np.clip(picture, 0, 255)).astype(np.uint8)
    return tones


def prints(looks: Sequence[Look]) -> list[Print]:
    """Hashes and measures of many looks at once: numpy costs as much for one as for fifty."""
    if not looks:
        return []
    hashes = phash.hashes(np.stack([one.miniature for one in looks]))
    measured = _measured(np.array([one.histogram for one in looks], np.float64))
    return [_print(one, row.tobytes(), values) for one, row, values in zip(looks, hashes, measured, strict=True)]


def _print(one: Look, hashes: bytes, values: tuple[float, float, float]) -> Print:
    brightness, contrast, entropy = values
    return Print(
        sha256=one.sha256,
        format=one.format,
        width=one.width,
        height=one.height,
        hashes=hashes,
        miniature=drawings.packed(one.miniature if one.detail is None else one.detail),
        style=one.style,
        blur=round(one.blur, 2),
        brightness=brightness,
        contrast=contrast,
        entropy=entropy,
    )


def _measured(histograms: Array) -> list[tuple[float, float, float]]:
    """Of each: mean and standard deviation from 0 to 1, and entropy in bits."""
    shares = histograms / histograms.sum(axis=1, keepdims=True)
    tones = np.arange(256) / 255
    mean = shares @ tones
    deviation = np.sqrt(np.maximum(shares @ tones**2 - mean**2, 0))
    entropy = -(shares * np.log2(np.where(shares > 0, shares, 1))).sum(axis=1)
    return [
        (round(float(a), 4), round(float(b), 4), round(float(c), 3))
        for a, b, c in zip(mean, deviation, entropy, strict=True)
    ]


def _in_few_tones(sample: Array) -> bool:
    """Whether four narrow bands of tones hold nearly all pixels."""
    counts = np.bincount(sample.ravel(), minlength=256)
    held = 0
    for _ in range(4):
        near = np.convolve(counts, _BAND, "same")
        best = int(near.argmax())
        held += int(near[best])
        counts[max(0, best - 3) : best + 4] = 0
    return held >= FEW_TONES * sample.size


def _two_tones(picture: Array) -> float:
    """The share of pixels in the lowest and highest sixth of the range of tones that a picture uses."""
    counts = np.bincount(picture.ravel(), minlength=256)
    sums = counts.cumsum() / picture.size
    low, high = int((sums < 0.01).sum()), int((sums < 0.99).sum())
    sixth = max((high - low) // 6, 1)
    return float(sums[min(low + sixth, 255)] + 1 - sums[max(high - sixth - 1, 0)])
