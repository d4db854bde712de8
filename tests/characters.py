"""Drawn characters for the tests of the demo, as strokes and as pictures: no data set is needed."""

from __future__ import annotations

import io

from PIL import Image

from benchmarks.make_examples import ink_mask, strokes_of

__all__ = ["encoded", "picture_of", "strokes_of"]


def picture_of(name: str, width: float = 18, size: int = 280) -> Image.Image:
    """Black ink on white paper, as the canvas sends it."""
    return Image.fromarray((255 - ink_mask(name, width, size) * 255).astype("uint8")).convert("RGB")


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """The file of a picture."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()
