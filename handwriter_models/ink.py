"""The one preparation of handwriting: any picture of one character → 28x28, white ink on black, as MNIST has it.

Training, evaluation, the demo and the API all call `prepare`, so that a network never meets a picture that was made
ready in another way than those it learned from. MNIST's own rule (LeCun et al. 1998: the longest side scaled into 20,
the centre of mass in the middle of 28) is kept; before it stand the steps that a photograph or a canvas needs: one
channel out of the colours, paper and its light taken away, ruled lines and specks dropped, the strokes of one character
kept, and the width of the stroke brought into the range in which people write MNIST digits. A picture that already
looks like MNIST comes out as it went in.

It does not find several characters in a scene, and it does not straighten or de-slant: networks learn that better.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from handwriter_models.cleaning import keep_one_character, remove_ruled_lines

SIDE = 28
BOX = 20
# Width of strokes, in pixels of the 28x28 picture: what lies between is left as it is (98 % of MNIST); what lies
# outside is brought well inside, to the thinner or thicker of what is usual.
NARROWEST, WIDEST = 1.35, 4.3
THINNER, THICKER = 2.1, 3.3
_LARGEST = 512  # longer sides are reduced first: strokes stay many pixels wide and the time stays bounded
_SMALL = 64  # up to here a picture is a finished scan of one character, not a photograph of paper
_CLOSING = 27  # pixels of a picture reduced to 64: wider than any stroke
_LEAST_CONTRAST = 0.06  # of the full range; a pencil on grey paper has about 0.15

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Ink:
    """A prepared character.

    Attributes:
        pixels: uint8 of shape (28, 28), ink 255 on paper 0.
        blank: there is no ink; `pixels` is all zero.
        stroke: width of the strokes in pixels of the 28x28 picture, as drawn, before it was restored.
    """

    pixels: Bytes
    blank: bool
    stroke: float


def prepare(picture: Image.Image | NDArray[Any]) -> Ink:
    """The character in `picture` (RGB or grey, any size, either polarity) as an `Ink`."""
    grey = _reduced(_grey(picture))
    small = max(grey.shape) <= _SMALL
    strength = _lift_scan(grey) if small else _lift_photograph(grey)
    if strength is None:
        return _blank()
    if not small:
        mask = (strength > 0.5).astype(np.uint8)
        strength = strength * keep_one_character(remove_ruled_lines(mask))
    cropped = _cropped(strength)
    return _blank() if cropped is None else _scaled(cropped)


def prepare_many(pictures: NDArray[np.uint8]) -> Bytes:
    """`prepare` for an array of shape (n, height, width): uint8 of shape (n, 28, 28)."""
    ready = np.zeros((len(pictures), SIDE, SIDE), np.uint8)
    for number, picture in enumerate(pictures):
        ready[number] = prepare(picture).pixels
    return ready


def _blank() -> Ink:
    return Ink(np.zeros((SIDE, SIDE), np.uint8), blank=True, stroke=0.0)


def _grey(picture: Image.Image | NDArray[Any]) -> Floats:
    """One channel in 0..1: of a coloured picture the direction of colour with most contrast (first PCA axis)."""
    pixels = np.asarray(picture)
    if pixels.ndim == 3 and pixels.shape[2] < 3:  # grey with an axis of its own, with or without alpha
        pixels = pixels[..., 0]
    if pixels.ndim == 2:
        return np.asarray(pixels / np.float32(255), np.float32)
    red_green_blue = pixels[..., :3]
    sample = red_green_blue[:: max(1, pixels.shape[0] // 64), :: max(1, pixels.shape[1] // 64)].reshape(-1, 3)
    sample = sample.astype(np.float32)
    if float(np.ptp(sample, axis=1).mean()) < 2:
        return np.asarray(red_green_blue[..., 1] / np.float32(255), np.float32)
    # `bias`: the unbiased covariance of a single pixel is not a number.
    axis = np.linalg.eigh(np.cov(sample.T, bias=True))[1][:, -1].astype(np.float32)
    axis *= np.sign(axis.sum()) or 1.0
    grey = cv2.transform(red_green_blue.astype(np.float32), axis[None] / (255 * np.abs(axis).sum()))
    return np.asarray(grey - min(0.0, float(grey.min())), np.float32)


def _reduced(grey: Floats) -> Floats:
    height, width = grey.shape
    factor = _LARGEST / max(height, width)
    if factor >= 1:
        return grey
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.float32)


def _ring(grey: NDArray[Any]) -> NDArray[Any]:
    return np.concatenate([grey[0], grey[-1], grey[1:-1, 0], grey[1:-1, -1]])


def _threshold(grey: Floats) -> float:
    """Otsu's threshold (1979) of values in their own range."""
    low, high = float(grey.min()), float(grey.max())
    if high - low < 1e-6:
        return low
    levels = ((grey - low) * (255 / (high - low))).astype(np.uint8)
    return low + (high - low) * (cv2.threshold(levels, 0, 255, cv2.THRESH_OTSU)[0] + 0.5) / 255


def _ink_is_dark(grey: Floats) -> bool:
    """Whether the paper is the lighter of the two classes: it holds the border, or else most of the picture."""
    light = grey > _threshold(grey)
    border = float(_ring(light).mean())
    return border > 0.5 if abs(border - 0.5) > 0.15 else float(light.mean()) > 0.5


def _lift_scan(grey: Floats) -> Floats | None:
    """Ink strength 0..1 of a small finished scan: even paper, so that an MNIST digit stays as it is."""
    residual = grey.max() - grey if _ink_is_dark(grey) else grey - grey.min()
    paper = float(np.median(_ring(residual)))
    residual = np.clip(residual - paper, 0, None)
    strongest = float(residual.max())
    return None if strongest < _LEAST_CONTRAST else np.asarray(residual / strongest, np.float32)


def _lift_photograph(grey: Floats) -> Floats | None:
    """Ink strength 0..1 of a canvas or photograph: the paper's own light is estimated and taken away."""
    flat = _without_slope(grey)
    dark = flat if _ink_is_dark(flat) else flat.max() - flat
    residual = np.clip(_paper(dark) - dark, 0, None)
    threshold = _threshold(residual)
    ink = residual > threshold
    share = float(ink.mean())
    if not 0 < share < 0.7:
        return None
    strongest = float(np.median(residual[ink]))
    sample = residual[::3, ::3]  # a ninth of the paper tells its noise as well
    bare = sample[sample <= threshold]
    noise = 1.4826 * float(np.median(np.abs(bare - np.median(bare)))) if len(bare) else 0.0
    if strongest < max(_LEAST_CONTRAST, 5 * noise):
        return None
    middle = float(np.clip(threshold, 0.3 * strongest, 0.6 * strongest))
    return np.asarray(np.clip(0.5 + (residual - middle) / (0.6 * strongest), 0, 1), np.float32)


def _without_slope(grey: Floats) -> Floats:
    """The picture less the tilted surface that fits most of it: light that falls from one side is not polarity."""
    low = np.asarray(cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA), np.float32)
    slope = _robust_fit(np.stack([*(term.ravel() for term in _slopes(32, 32)), np.ones(1024)], axis=1), low.ravel())
    height, width = grey.shape
    surface = sum(slope[i] * term for i, term in enumerate(_slopes(height, width)))
    return np.asarray(grey - surface, np.float32)


def _slopes(height: int, width: int) -> tuple[Floats, Floats, Floats]:
    """Rows, columns and their product as surfaces in -1..1, taken at the middle of each pixel."""
    rows = ((np.arange(height, dtype=np.float32) + 0.5) * (2 / height) - 1)[:, None].repeat(width, axis=1)
    columns = ((np.arange(width, dtype=np.float32) + 0.5) * (2 / width) - 1)[None].repeat(height, axis=0)
    return rows, columns, rows * columns


def _robust_fit(terms: NDArray[Any], values: Floats) -> NDArray[Any]:
    """Coefficients of least absolute deviation, by reweighting: ink and shadows have no say."""
    weights = np.ones(len(values))
    for _ in range(8):
        weighted = terms.T * weights
        fitted = np.linalg.solve(weighted @ terms, weighted @ values)
        weights = 1 / np.maximum(np.abs(values - terms @ fitted), 1e-3)
    return np.asarray(fitted)


def _paper(dark: Floats) -> Floats:
    """The paper without its dark ink: a closing wider than any stroke, at low resolution, smoothed."""
    height, width = dark.shape
    factor = _SMALL / max(height, width)
    size = (max(8, round(width * factor)), max(8, round(height * factor)))
    low = cv2.resize(dark, size, interpolation=cv2.INTER_AREA)
    # Odd reflection goes on with the slope of the light, so that a closing leaves a slope as it is up to the edge.
    around = np.pad(low, _CLOSING, mode="reflect", reflect_type="odd")
    closed = cv2.morphologyEx(around, cv2.MORPH_CLOSE, np.ones((_CLOSING, _CLOSING), np.uint8))
    smooth = cv2.GaussianBlur(closed, (0, 0), 3)[_CLOSING:-_CLOSING, _CLOSING:-_CLOSING]
    return np.asarray(cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _cropped(strength: Floats) -> Floats | None:
    present = strength > 0.2
    rows, columns = np.flatnonzero(present.any(axis=1)), np.flatnonzero(present.any(axis=0))
    if not len(rows):
        return None
    return strength[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def stroke_width(mask: NDArray[Any]) -> float:
    """Mean width of the strokes of a 0/1 mask in its pixels, from the mean of the distance transform.

    Across a stroke of width w the distance to the paper runs 1 … w/2 … 1, so its mean is (w + 2) / 4.
    """
    inside = np.ascontiguousarray(mask, np.uint8)
    area = int(np.count_nonzero(inside))
    if not area:
        return 0.0
    padded = cv2.copyMakeBorder(inside, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    total = float(cv2.distanceTransform(padded, cv2.DIST_L2, 3).sum())
    return max(1.0, 4 * total / area - 2)


def _scaled(character: Floats) -> Ink:
    """The cropped character in the 20-box of a 28x28 picture, its stroke width restored when out of range."""
    longest = max(character.shape)
    finish = 4 if longest <= 5 * BOX else 8  # pixels of working resolution for one of the result
    box = BOX * finish
    working = _resized(character, box / longest)
    width = stroke_width(working > 0.5) / finish
    # A scan coarser than the box does not show how wide its strokes are: thinning would close loops, not open them.
    if NARROWEST <= width <= WIDEST or (width > WIDEST and longest < BOX):
        exact = abs(longest - BOX) <= 1
        ready = _centred(character, 1) if exact else _centred(working, finish)
        return Ink(ready, blank=False, stroke=width)
    wanted = THINNER if width < NARROWEST else THICKER
    backbone = max(BOX - width, 2.0)  # the longest side of the strokes' middle line
    factor = min((BOX - wanted) / backbone, 3.0)
    working = _resized(character, factor * box / longest)
    grown = _with_width(working, (wanted - width * factor) / 2 * finish)
    return Ink(_centred(grown, finish), blank=False, stroke=width)


def _resized(character: Floats, factor: float) -> Floats:
    height, width = character.shape
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(np.clip(cv2.resize(character, size, interpolation=method), 0, 1), np.float32)


def _with_width(character: Floats, growth: float) -> Floats:
    """Strokes grown (or thinned, when negative) by `growth` pixels on each side, with a soft edge."""
    margin = max(2, int(np.ceil(growth)) + 2)
    padded = cv2.copyMakeBorder(character, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=0)
    # A stroke thinner than a pixel is never half covered: take what is there.
    mask = (padded > min(0.5, 0.5 * float(padded.max()))).astype(np.uint8)
    outside = cv2.distanceTransform(1 - mask, cv2.DIST_L2, 5)
    inside = cv2.distanceTransform(mask, cv2.DIST_L2, 5)
    if growth < 0:  # never thin a fine part of the character away
        growth = max(growth, 1.0 - float(np.percentile(inside[_ridge(inside)], 20)))
    soft = np.clip(0.5 + growth - np.where(mask > 0, 0.5 - inside, outside - 0.5), 0, 1).astype(np.float32)
    cropped = _cropped(soft)
    return character if cropped is None else cropped


def _ridge(inside: NDArray[Any]) -> NDArray[np.bool_]:
    """The middle line of the strokes: where the distance to the paper is greatest among the neighbours."""
    return np.asarray((inside > 0) & (inside >= cv2.dilate(inside, np.ones((3, 3), np.uint8))))


def _centred(character: Floats, finish: int) -> Bytes:
    """28x28, the centre of mass in the middle of pixel 14 as MNIST has it, as far as the character stays inside."""
    side = SIDE * finish
    centre = 14.5 * finish
    if max(character.shape) > side:
        character = _resized(character, side / max(character.shape))
    height, width = character.shape
    mass = float(character.sum())
    middle_row = float((character.sum(axis=1) * np.arange(height)).sum()) / mass + 0.5
    middle_column = float((character.sum(axis=0) * np.arange(width)).sum()) / mass + 0.5
    top = min(max(round(centre - middle_row), 0), side - height)
    left = min(max(round(centre - middle_column), 0), side - width)
    canvas = np.zeros((side, side), np.float32)
    canvas[top : top + height, left : left + width] = character
    if finish > 1:
        canvas = np.asarray(cv2.resize(canvas, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.float32)
        canvas /= max(float(canvas.max()), 1e-6)
    return np.round(canvas * 255).astype(np.uint8)
