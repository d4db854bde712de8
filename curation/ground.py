"""The paper under a drawing, or the ground behind an object: a smooth surface of tones.

Light falls unevenly on what is scanned or photographed, so paper is not one tone. Its tones are a quadratic surface
here, fitted to the light (or, for ink that is lighter, to the dark) tones of 8 x 8 blocks; blocks that ink fills are
left out step by step. Digits under light that falls to three tenths still have half of their pixels on it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from curation.phash import SIDE

Array = np.ndarray[Any, Any]
BAND = 6  # tones to either side of the ground's
_BLOCKS = 8
_WITHIN = SIDE // _BLOCKS
_STEPS = 2
_EASE, _MUCH = 0.1, 0.45  # of the pixels: uneven is a ground with so much more than an even one, which has less
_EVEN = 6  # tones over which a ground may differ and still be one tone


class Ground:
    """A surface: `share` of the pixels lie near it, `light` whether it is lighter than what lies beside it."""

    def __init__(self, miniature: Array) -> None:
        """Args: uint8 (32, 32)."""
        tones = miniature.reshape(1, -1).astype(np.float64)
        self.share, self.light, self._surface = _most(np.zeros((1, 6)), tones)
        if self.share >= _MUCH:
            return
        blocks = miniature.reshape(_BLOCKS, _WITHIN, _BLOCKS, _WITHIN).transpose(0, 2, 1, 3).reshape(_BLOCKS**2, -1)
        surfaces = _fitted(np.sort(blocks, axis=1)[:, (-4, 3)].T.astype(np.float64))
        share, light, surface = _most(surfaces, tones - surfaces @ _FINE.T)
        if share > self.share + _EASE:
            self.share, self.light, self._surface = share, light, surface

    @property
    def is_even(self) -> bool:
        """Whether it is one tone."""
        return bool(np.ptp(_COARSE @ self._surface) <= _EVEN)

    def tones(self, height: int, width: int) -> Array:
        """float64 (height, width)."""
        tones: Array = (_basis(height, width) @ self._surface).reshape(height, width)
        return tones

    def levelled(self, picture: Array) -> Array:
        """The picture in floats as under even light: as strong as where it is strongest (dark ink), or weakest."""
        here = self.tones(*picture.shape)
        if self.light:
            level: Array = picture * (here.max() / np.maximum(here, 1))
        else:
            level = 255 - (255 - picture) * ((255 - here).max() / np.maximum(255 - here, 1))
        return level


def _most(surfaces: Array, beside: Array) -> tuple[float, bool, Array]:
    """Of surfaces (n, 6) the one that most pixels are near: their share, whether ink is darker, and it, lifted to them.

    `beside` (n, 1024): how far each pixel is above each surface. Of two, the first is for dark ink, the second for
    light; where ink lies on the wrong side, or as much speaks for both, the other one is taken: most ink is dark.
    """
    counts = [np.bincount(some, minlength=512) for some in np.clip(beside + 256.5, 0, 511).astype(np.int16)]
    sums = np.zeros((len(counts), 513))
    np.cumsum(counts, axis=1, out=sums[:, 1:])
    near = sums[:, 2 * BAND + 1 :] - sums[:, : -2 * BAND - 1]
    best = near.argmax(axis=1)
    shares, lift = near[np.arange(len(near)), best] / beside.shape[1], best + BAND - 256
    apart = beside - lift[:, None]
    light = -np.minimum(apart + BAND, 0).sum(axis=1) >= np.maximum(apart - BAND, 0).sum(axis=1)
    which = 0
    if len(shares) == 2:
        which = int(shares[1] - _EASE * light[1] - _EASE / 2 > shares[0] - _EASE * (not light[0]))
    surface = surfaces[which]
    surface[0] += lift[which]
    return float(shares[which]), bool(light[which]), surface


def _fitted(tones: Array) -> Array:
    """The surfaces (2, 6) under the light and the dark tones (2, 64) of all blocks."""
    surfaces = tones @ _INVERSE
    for _ in range(_STEPS):
        above = (tones - surfaces @ _COARSE.T) * _SIGNS
        weights = np.where(above < -2 * BAND, 0.02, np.where((above > -BAND) & (above < 2 * BAND), 1, 0.3))
        normal = (weights @ _PRODUCTS).reshape(2, 6, 6) + _RIDGE
        surfaces = np.linalg.solve(normal, ((weights * tones) @ _COARSE)[..., None])[..., 0]
    return surfaces


@lru_cache(64)
def _basis(height: int, width: int) -> Array:
    """float64 (height * width, 6): 1, x, y, x², xy, y² from -1 to 1."""
    y, x = (2 * (np.arange(side) + 0.5) / side - 1 for side in (height, width))
    y, x = (grid.ravel() for grid in np.meshgrid(y, x, indexing="ij"))
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)


_COARSE, _FINE = _basis(_BLOCKS, _BLOCKS), _basis(SIDE, SIDE)
_INVERSE = np.linalg.pinv(_COARSE).T
_PRODUCTS = (_COARSE[:, :, None] * _COARSE[:, None, :]).reshape(-1, 36)
_SIGNS = np.array([[1.0], [-1.0]])
_RIDGE = 1e-3 * np.eye(6)
