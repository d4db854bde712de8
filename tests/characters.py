"""Drawn characters for the tests of the demo, as strokes and as pictures: no data set is needed."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.make_examples import ink_mask, photograph, strokes_of, surface

__all__ = ["camera_film", "encoded", "picture_of", "strokes_of"]


def picture_of(name: str, width: float = 18, size: int = 280) -> Image.Image:
    """Black ink on white paper, as the canvas sends it."""
    return Image.fromarray((255 - ink_mask(name, width, size) * 255).astype("uint8")).convert("RGB")


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """The file of a picture."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def camera_film(folder: Path, character: str = "7") -> Path:
    """Frames of a hand-held sheet with a character on it, as Chromium's fake camera wants them (JPEGs in a row)."""
    random = np.random.default_rng(5)
    film = folder / "film.mjpeg"
    with film.open("wb") as file:
        for turn in (-3.0, -2.0, -1.0, 0.0, 1.0, 0.0, -1.0, -2.0):
            sheet = surface(480, (228, 222, 210), 0.3, random)
            paper = photograph(sheet, ink_mask(character, 9, 480, turn, 0.5), (30, 32, 60), 1.0)
            frame = Image.new("RGB", (640, 480), (96, 84, 74))
            frame.paste(paper, (80, 0))
            frame.save(file, "JPEG", quality=85)
    return film
