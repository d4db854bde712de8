"""Made-up hands that anyone can tell apart: each writes a bar with its own slant, length and width of stroke."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from training.samples import Images
from training.writer_data import Hands, Parts, divided
from training.writer_fit import WriterOrder, writer_recipe


def bars(slant: float, width: int, length: int, count: int, seed: int) -> Images:
    """`count` pictures of one hand, which wavers."""
    random = np.random.default_rng(seed)
    pictures = random.integers(0, 20, (count, 28, 28)).astype(np.uint8)  # no two alike
    for picture in pictures:
        turn = slant + random.normal(0, 0.06)
        middle = random.uniform(12, 16, 2)
        reach = np.array([np.sin(turn), np.cos(turn)]) * (length + random.normal(0, 0.5)) / 2
        ends = [tuple(int(value) for value in np.round(middle + side * reach)) for side in (-1, 1)]
        cv2.line(picture, ends[0], ends[1], 255, width, cv2.LINE_AA)
    return pictures


def made_up_hands(count: int = 30, pictures: int = 30, seed: int = 0) -> Hands:
    """Hands of one room."""
    random = np.random.default_rng(seed)
    traits = [
        (random.uniform(-1.4, 1.4), int(random.integers(1, 5)), int(random.integers(8, 22))) for _ in range(count)
    ]
    images = np.concatenate([bars(*trait, pictures, seed=number) for number, trait in enumerate(traits)])
    names = [f"손 {number}" for number in range(count)]
    return Hands(images, np.repeat(np.arange(count), pictures), names, np.zeros(count, np.int64))


def made_up_parts() -> Parts:
    """The same in three parts."""
    return divided(made_up_hands(), "made-up", seed=1)


def tiny_order(method: str, out: Path, **train: object) -> WriterOrder:
    """A training of seconds."""
    recipe = writer_recipe(method, "made-up", {"precision": "fp32", "epochs": 8, "batch": 32, "seed": 1, **train})
    if method == "hand":
        recipe.network.arguments["widths"] = [4, 6, 12]
    return WriterOrder(made_up_parts(), method, recipe, out, writers=4)


def write_pictures(folder: Path, images: Images) -> list[Path]:
    """Pictures as files, dark ink on white."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number}.png" for number in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(255 - image).save(path)
    return paths
