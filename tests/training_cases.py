"""What the tests of training share: a tiny recipe, made-up samples, a folder of drawn digits, the command itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from training.recipes import Recipe, recipe_from_table
from training.samples import Samples

ROOT = Path(__file__).resolve().parent.parent

# Everything that has a state of its own is in it: dropout, BatchNorm, average, augmentation, a moving rate, bf16.
TINY = """
name = "tiny"
description = "for tests"
network = { name = "compact", arguments = { members = 2, widths = [4, 6, 8], dropout = 0.1 } }
data = { validation = 0.1 }
augment = { rotate = 5, shift = 1 }
rejection = { score = "max_probability", target = 0.9 }

[train]
optimizer = "adamw"
rate = 1e-2
batch = 64
epochs = 6
schedule = "one-cycle"
weight_decay = 0.01
label_smoothing = 0.05
ema = 0.9
precision = "bf16"
clip = 1.0
seed = 3
"""


def small_recipe(**train: object) -> Recipe:
    """A recipe for the perceptron with `train` fields changed."""
    network = {"name": "mlp", "arguments": {"hidden": [16]}}
    return recipe_from_table({"name": "small", "network": network, "train": {"batch": 16, "epochs": 2, **train}})


def stripes(count: int = 80, seed: int = 0) -> Samples:
    """Two labels anyone can learn: bars that stand, bars that lie; `groups` are ten made-up writers."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    images = random.integers(0, 40, (count, 28, 28)).astype(np.uint8)
    for number, label in enumerate(labels):
        place = int(random.integers(6, 20))
        bar = (slice(4, 24), slice(place, place + 3))
        images[number][bar if label else bar[::-1]] = 250
    return Samples(images, labels.astype(np.int64), np.arange(count) % 10, ["lying", "standing"], "stripes")


def write_digit(path: Path, text: str = "3", turn: float = 0.0, size: int = 44) -> Path:
    """A picture file of a printed character; `size` in points."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.new("L", (60, 60), 255)
    ImageDraw.Draw(picture).text((16, 6), text, fill=0, font=ImageFont.load_default(size))
    picture.rotate(turn, fillcolor=255).save(path)
    return path


def write_folder(root: Path, labels: str = "37", count: int = 6) -> Path:
    """label/picture with `count` pictures of each digit in `labels`, no two of them equal when they are prepared."""
    for label in labels:
        for number in range(count):
            write_digit(root / label / f"{number}.png", label, turn=2.0 * number - 5, size=44 - number)
    return root


def start_training(*arguments: object, cache: Path) -> subprocess.Popen[str]:
    """`python training …` as a process, one thread, quiet about warnings only if there are none."""
    command = [sys.executable, "-W", "error", str(ROOT / "training"), *map(str, arguments)]
    environment = {**os.environ, "HANDWRITER_CACHE": str(cache), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=cache
    )
