"""Pictures that look like nothing but differ as photographs do: soft patches of colour, another for every seed."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image


def photo(seed: int, size: tuple[int, int] = (160, 120)) -> Image.Image:
    """The same for the same seed."""
    patches = np.random.default_rng(seed).integers(0, 256, (7, 9, 3), np.uint8)
    return Image.fromarray(patches).resize(size, Image.Resampling.BICUBIC)


def jpeg(picture: Image.Image, quality: int = 90) -> bytes:
    """As a file's bytes."""
    out = BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()


def save(path: Path, picture: Image.Image, quality: int = 90) -> Path:
    """Writes it and makes the folders above."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(jpeg(picture, quality))
    return path


def pets(root: Path, count: int = 6) -> Path:
    """A folder with `count` different pictures of two classes each."""
    for number in range(count):
        save(root / "고양이" / f"cat {number}.jpg", photo(number))
        save(root / "dog" / f"dog {number}.jpg", photo(1000 + number))
    return root
