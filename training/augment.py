"""Pictures bent anew each time they are seen: one batch, one tensor operation each, from one generator.

Options (all optional; a missing one does nothing): `rotate` (degrees), `shear`, `scale` (share), `shift` (pixels),
`elastic` (pixels; Simard et al. 2003), `thickness` (share of pictures made bolder or finer), `blur` (share of pictures
seen at low resolution). Each picture draws its own strength between nothing and the whole, so the plain picture is
always among what is learned.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from handwriter_models.errors import UserError

Augment = Callable[[Tensor, Generator], Tensor]
OPTIONS = ("rotate", "shear", "scale", "shift", "elastic", "thickness", "blur")


def build(options: Mapping[str, Any]) -> Augment:
    """A function from uint8 (n, h, w) to float (n, 1, h, w) in 0..1; without options only the type changes."""
    for name, value in options.items():
        if name not in OPTIONS:
            raise UserError(f"unknown augmentation {name!r}", f"there are: {', '.join(OPTIONS)}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 90:
            raise UserError(f"augmentation {name!r} is {value!r}", "give a number from 0 to 90")
    settings = {name: float(options.get(name, 0)) for name in OPTIONS}
    if not any(settings.values()):
        return lambda pictures, _: pictures.float().div(255).unsqueeze(1)
    return lambda pictures, generator: _augmented(pictures, settings, generator)


def _augmented(pictures: Tensor, settings: Mapping[str, float], generator: Generator) -> Tensor:
    values = pictures.float().div(255).unsqueeze(1)
    values = F.grid_sample(values, _grid(values, settings, generator), padding_mode="zeros", align_corners=False)
    values = _thickened(values, settings["thickness"], generator)
    return _coarsened(values, settings["blur"], generator)


def _uniform(count: int, generator: Generator, low: float = -1, high: float = 1) -> Tensor:
    return torch.rand(count, generator=generator) * (high - low) + low


def _grid(values: Tensor, settings: Mapping[str, float], generator: Generator) -> Tensor:
    """Where each pixel is read, shape (n, h, w, 2) in -1..1: an affine map and a smooth bend."""
    count, _, height, width = values.shape
    strength = torch.rand(count, generator=generator)
    angle = _uniform(count, generator) * math.radians(settings["rotate"]) * strength
    slant = _uniform(count, generator) * settings["shear"] * strength
    larger = 1 + _uniform(count, generator) * settings["scale"] * strength
    wider = 1 + _uniform(count, generator) * settings["scale"] * strength
    shift = torch.rand(count, 2, generator=generator).mul(2).sub(1) * (2 * settings["shift"] / width)
    cosine, sine = angle.cos(), angle.sin()
    rows = [torch.stack([cosine * wider, (slant - sine) * wider, shift[:, 0]], 1)]
    rows += [torch.stack([sine * larger, cosine * larger, shift[:, 1]], 1)]
    grid = F.affine_grid(torch.stack(rows, 1), [count, 1, height, width], align_corners=False)
    if not settings["elastic"]:
        return grid
    bend = torch.randn(count, 2, 5, 5, generator=generator) * (2 * settings["elastic"] / width)
    bend = F.interpolate(bend * strength[:, None, None, None], (height, width), mode="bicubic", align_corners=True)
    return grid + bend.permute(0, 2, 3, 1)


def _thickened(values: Tensor, share: float, generator: Generator) -> Tensor:
    """A share of the pictures blended with their dilation (bolder) or erosion (finer)."""
    count = len(values)
    amount = torch.rand(count, generator=generator)[:, None, None, None] * 0.7
    pick = torch.rand(count, generator=generator)
    bolder = (pick < share / 2).nonzero().squeeze(1)
    finer = ((pick >= share / 2) & (pick < share)).nonzero().squeeze(1)
    result = values.clone()
    result[bolder] = torch.lerp(values[bolder], F.max_pool2d(values[bolder], 3, 1, 1), amount[bolder])
    result[finer] = torch.lerp(values[finer], -F.max_pool2d(-values[finer], (2, 2), 1, 1)[..., 1:, 1:], amount[finer])
    return result


def _coarsened(values: Tensor, share: float, generator: Generator) -> Tensor:
    """A share of the pictures seen through a coarser raster."""
    pick = torch.rand(len(values), generator=generator) < share
    side = int(torch.randint(9, 20, (1,), generator=generator))
    if pick.any():
        small = F.interpolate(values[pick], (side, side), mode="area")
        values[pick] = F.interpolate(small, values.shape[-2:], mode="bilinear", align_corners=False)
    return values
