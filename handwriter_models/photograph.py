"""The one preparation of photographs: the shorter side resized, the middle cut out, as torchvision's presets do it.

Curation's features, training, evaluation and the demo all call it, so that a network never meets a picture that was
made ready in another way than those it learned from. Handwriting has its own (`ink`).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from handwriter_models.bundle_config import Preprocessing

Bytes = NDArray[np.uint8]
ENOUGH = 1024  # pixels of a longer side: more than any network looks at, and twice what `ink` keeps


@dataclass(frozen=True)
class Photograph:
    """What is done to a photograph. Sizes in pixels; mean and std of values from 0 to 1, by channel."""

    resize: int
    crop: int
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    bicubic: bool = False

    @property
    def id(self) -> str:
        """Short text that differs when the preparation does."""
        numbers = sha256(repr((self.mean, self.std)).encode()).hexdigest()[:4]
        return f"resize{self.resize}crop{self.crop}{'bicubic' if self.bicubic else ''}-{numbers}"

    def __call__(self, picture: Image.Image) -> Bytes:
        """RGB → uint8 (crop, crop, 3)."""
        size = tuple(max(self.crop, side * self.resize // min(picture.size)) for side in picture.size)
        way = Image.Resampling.BICUBIC if self.bicubic else Image.Resampling.BILINEAR
        left, top = (round((side - self.crop) / 2) for side in size)
        # The middle is cut out before it is resized: only what is seen costs time.
        across, down = (old / new for old, new in zip(picture.size, size, strict=True))
        seen = (left * across, top * down, (left + self.crop) * across, (top + self.crop) * down)
        return np.asarray(picture.convert("RGB").resize((self.crop, self.crop), way, box=seen))

    def preprocessing(self) -> Preprocessing:
        """The same as a bundle stores it."""
        return Preprocessing("photograph", self.crop, self.mean, self.std, self.resize, self.bicubic)


def photograph_of(parts: Preprocessing) -> Photograph:
    """The preparation that a bundle stores; a bundle that names no `resize` means an eighth more than `size`."""
    if not isinstance(parts.mean, tuple) or not isinstance(parts.std, tuple):
        raise ValueError(f"{parts.name} is no preparation of photographs")
    return Photograph(parts.resize or round(parts.size * 8 / 7), parts.size, parts.mean, parts.std, parts.bicubic)
