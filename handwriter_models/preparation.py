"""From a picture to what a network takes, for both kinds of bundle: one object that says how and in which shape.

`ink` and `photograph` do the work; here they get one face, so that a classifier need not know which kind it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from handwriter_models.bundle_config import Preprocessing
from handwriter_models.ink import prepare
from handwriter_models.photograph import Photograph, photograph_of


@dataclass(frozen=True)
class Prepared:
    """A prepared picture, uint8 of the preparation's shape; `blank`: there is nothing on it to recognise."""

    pixels: NDArray[np.uint8]
    blank: bool = False


class Preparation(Protocol):
    """How pictures become a network's input."""

    shape: tuple[int, ...]

    def __call__(self, picture: Image.Image) -> Prepared:
        """RGB → a prepared picture."""

    def inputs(self, batch: Tensor) -> Tensor:
        """uint8 (n, *shape) → float (n, channels, size, size), normalised."""


class InkPreparation:
    """Handwriting: one channel."""

    def __init__(self, parts: Preprocessing) -> None:
        self.shape: tuple[int, ...] = (parts.size, parts.size)
        mean, std = cast(float, parts.mean), cast(float, parts.std)
        self._scale, self._shift = 1 / 255 / std, mean / std

    def __call__(self, picture: Image.Image) -> Prepared:
        """As `ink.prepare`."""
        ink = prepare(picture)
        return Prepared(ink.pixels, ink.blank)

    def inputs(self, batch: Tensor) -> Tensor:
        """uint8 (n, 28, 28) → float (n, 1, 28, 28)."""
        return batch.unsqueeze(1).float().mul_(self._scale).sub_(self._shift)


class PhotographPreparation:
    """Photographs: three channels, in the order of memory that convolutions like best."""

    def __init__(self, way: Photograph) -> None:
        self.way = way
        self.shape: tuple[int, ...] = (way.crop, way.crop, 3)
        self._mean, self._std = (torch.tensor(values).view(1, -1, 1, 1) * 255 for values in (way.mean, way.std))

    def __call__(self, picture: Image.Image) -> Prepared:
        """As `Photograph` prepares it."""
        return Prepared(self.way(picture))

    def inputs(self, batch: Tensor) -> Tensor:
        """uint8 (n, size, size, 3) → float (n, 3, size, size), on the batch's device."""
        place = partial(Tensor.to, device=batch.device)
        return batch.permute(0, 3, 1, 2).float().sub_(place(self._mean)).div_(place(self._std))


def preparation_of(parts: Preprocessing) -> Preparation:
    """The preparation that a bundle's config names."""
    return InkPreparation(parts) if parts.name == "ink" else PhotographPreparation(photograph_of(parts))
