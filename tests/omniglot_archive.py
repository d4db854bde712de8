"""A made-up Omniglot for tests: archives with the official names, each character a few straight strokes of its own."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

HANDS = (1, 2, 3, 15)  # three for training, one for the test


def drawing(character: int, hand: int, side: int = 105) -> bytes:
    """The PNG file of a character: black strokes on white, a little different for each hand."""
    random = np.random.default_rng(character)
    points = random.integers(15, side - 15, (5, 2)) + np.random.default_rng((character, hand)).integers(-3, 4, (5, 2))
    picture = Image.new("1", (side, side), 1)
    ImageDraw.Draw(picture).line([tuple(point) for point in points.tolist()], fill=0, width=3)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def write_archive(path: Path, alphabets: dict[str, int], hands: Iterable[int] = HANDS) -> Path:
    """An archive with `alphabets`, the number of characters of each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as file:
        for alphabet, count in alphabets.items():
            for character in range(1, count + 1):
                for hand in hands:
                    name = f"{path.stem}/{alphabet}/character{character:02}/{character:04}_{hand:02}.png"
                    file.writestr(name, drawing(character, hand))
    return path


def write_member(path: Path, name: str, content: bytes) -> Path:
    """An archive with one member."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, content)
    return path
