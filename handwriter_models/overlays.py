"""Explanations as pictures: the heat over the picture, and strokes in the colour of what they do for the label.

Colours are told apart with every kind of colour vision: the heat goes from dark violet to light yellow, growing lighter
all the way (inferno, of Smith and van der Walt), strokes from blue (against the label) over grey to orange (for it).
They are a few numbers here, because drawing must not wait for matplotlib.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

if TYPE_CHECKING:
    from handwriter_models.explain import Support

_INFERNO = ((0, 0, 4), (40, 11, 84), (101, 21, 110), (159, 42, 99), (212, 72, 66), (245, 125, 21), (250, 193, 39),
            (252, 255, 164))  # fmt: skip
_AGAINST, _NEITHER, _FOR = (86, 160, 255), (150, 150, 150), (255, 150, 20)
_SIDE = 280  # pixels of the longer side at least: a picture of 28 is too small to look at
_HEAT = 0.6  # how much of the colour is heat, the rest is the picture
_LEAST = 0.1  # where no stroke supports more, none gets its full colour


def overlay(pixels: NDArray[np.uint8], heat: NDArray[np.float32]) -> Image.Image:
    """The prepared picture, uint8 (h, w) or (h, w, 3), under the heat (h, w) in 0..1; at least 280 pixels long."""
    base, warmth = _enlarged(pixels), np.clip(_enlarged(heat), 0, 1)
    colours = _between(_INFERNO, warmth)
    grey = base if base.ndim == 2 else base @ np.array([0.299, 0.587, 0.114], np.float32)
    return _picture((1 - _HEAT) * grey[..., None] + _HEAT * colours)


def stroke_overlay(pixels: NDArray[np.uint8], strokes: Sequence[Support]) -> Image.Image:
    """The prepared ink, uint8 (h, w), each stroke in its colour; the strongest support has the full colour."""
    strongest = max([_LEAST, *(abs(one.support) for one in strokes)])
    grey = np.array(_NEITHER, np.float32)
    colours = np.tile(grey, (*pixels.shape, 1))
    for one in strokes:
        place = np.array((one.support / strongest + 1) / 2, np.float32)
        colours += one.stroke.share[..., None] * (_between((_AGAINST, _NEITHER, _FOR), place) - grey)
    return _picture(_enlarged(colours) * (_enlarged(pixels)[..., None] / 255))


def _between(anchors: Sequence[tuple[int, int, int]], values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Colours (…, 3) for values in 0..1, linear between the anchors."""
    places = np.linspace(0, 1, len(anchors))
    channels = [np.interp(values, places, [anchor[channel] for anchor in anchors]) for channel in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def _enlarged(pixels: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
    factor = -(-_SIDE // max(pixels.shape[:2]))
    values = pixels.astype(np.float32)
    size = (pixels.shape[1] * factor, pixels.shape[0] * factor)
    return values if factor == 1 else np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_LINEAR), np.float32)


def _picture(colours: NDArray[np.floating]) -> Image.Image:
    return Image.fromarray(np.clip(np.round(colours), 0, 255).astype(np.uint8))
