"""Photographs changed a little: mirrored, slanted, nearer or farther, in another light; each from a seed of its own.

Options (all optional; a missing one does nothing): `flip` (share of pictures that are mirrored), `rotate` and `shear`
(degrees), `scale` (share: 0.2 means 0.8 to 1.2), `colour` (share by which brightness, contrast and saturation change).
What becomes of a picture follows from the seed alone, so a frozen network's vectors of changed pictures can be kept:
view number k of a content is always the same one. Handwriting has its own ways to be bent (`augment`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from curation.features import View
from handwriter_models.errors import UserError
from handwriter_models.photograph import Photograph

_MOST = {"flip": 1.0, "rotate": 180.0, "shear": 60.0, "scale": 0.9, "colour": 1.0}
_VERSION = 1  # of how a picture is changed: a new one makes vectors of the old one stale
Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Changes:
    """How far a picture may be changed; see the module for the units."""

    flip: float = 0.0
    rotate: float = 0.0
    shear: float = 0.0
    scale: float = 0.0
    colour: float = 0.0

    @property
    def id(self) -> str:
        """Short text that differs when the changes do."""
        return sha256(repr((_VERSION, self)).encode()).hexdigest()[:6]

    def __call__(self, picture: Image.Image, way: Photograph, seed: int) -> Bytes:
        """RGB → uint8 (crop, crop, 3); the same for the same picture and seed."""
        chance = np.random.default_rng(seed)
        flipped = chance.random() < self.flip
        turn, slant, larger = (chance.uniform(-1, 1, 3) * (self.rotate, self.shear, self.scale)).tolist()
        light = (1 + chance.uniform(-1, 1, 3) * self.colour).tolist()
        moved = _moved(picture, way, _inverse(flipped, turn, slant, 1 + larger))
        for enhance, factor in zip(
            (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color), light, strict=True
        ):
            moved = enhance(moved).enhance(factor) if factor != 1 else moved
        return np.asarray(moved)


def changes_of(options: Mapping[str, Any]) -> Changes:
    """The changes that a recipe's `augment` asks for; `UserError` names what it does not know."""
    for name, value in options.items():
        if name not in _MOST:
            raise UserError(f"unknown change of photographs {name!r}", f"there are: {', '.join(_MOST)}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MOST[name]:
            raise UserError(f"augment.{name} is {value!r}", f"give a number from 0 to {_MOST[name]:g}")
    return Changes(**{name: float(value) for name, value in options.items()})


def views_of(changes: Changes, way: Photograph, count: int, seed: int) -> list[View]:
    """The plain look and `count` changed ones; a view's id tells all that its pixels follow from."""
    return [View("", lambda picture, _: way(picture)), *(_view(changes, way, k, seed) for k in range(1, count + 1))]


def _view(changes: Changes, way: Photograph, number: int, seed: int) -> View:
    def prepare(picture: Image.Image, content: str) -> Bytes:
        return changes(picture, way, seed_of(seed, content, number))

    return View(f"view{number}-{changes.id}-{seed}", prepare)


def seed_of(*parts: object) -> int:
    """A number that follows from the parts, whatever they are."""
    return int.from_bytes(sha256(" ".join(map(str, parts)).encode()).digest()[:8])


def _inverse(flipped: bool, turn: float, slant: float, larger: float) -> NDArray[np.float64]:
    """From a place in the changed picture to one in the picture, both from their middles: (2, 2)."""
    cosine, sine = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    turned = np.array([[cosine, -sine], [sine, cosine]])
    slanted = np.array([[1.0, math.tan(math.radians(slant))], [0.0, 1.0]])
    inverse: NDArray[np.float64] = np.linalg.inv(turned @ slanted * larger)
    return inverse * [[-1.0], [1.0]] if flipped else inverse


def _moved(picture: Image.Image, way: Photograph, inverse: NDArray[np.float64]) -> Image.Image:
    """Made small first, which blends pixels as the plain look does; beyond the edges it is the network's grey."""
    shorter = min(picture.size)
    width, height = (max(1, round(side * way.resize / shorter)) for side in picture.size)
    small = picture.convert("RGB").resize((width, height), Image.Resampling.BILINEAR)
    shift = np.array([width, height]) / 2 - inverse @ [way.crop / 2, way.crop / 2]
    rows = (*inverse[0].tolist(), float(shift[0]), *inverse[1].tolist(), float(shift[1]))
    grey = tuple(round(value * 255) for value in way.mean)
    return small.transform(
        (way.crop, way.crop), Image.Transform.AFFINE, rows, Image.Resampling.BILINEAR, fillcolor=grey
    )
