"""How long a new head on a frozen ResNet-50 takes, beside the usual loop and fastai, and how true it is.

`python benchmarks/frozen.py`. 400 pictures to learn and 100 to check, made here, in five classes; ResNet-50 has random
weights, which cost as much as real ones. Our time is that of the command's own stages up to a trained head (reading,
the network's vectors, the head); reading, drawing and writing the bundle stand beside it. A peer's time is its training
alone. Where shared/ is at hand, real photographs and MobileNetV2's real weights tell the accuracy.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks.table import Figure, print_table

HERE = Path(__file__).resolve().parent
LABELS = ("bird", "dog", "insect", "reptile", "vehicle")
TRAIN, CHECK, EPOCHS, LONG = 400, 100, 3, 30
STAGES = ("read", "features", "head")  # to a trained head; `load` is that of the network's file, not counted for peers


def make_pictures(folder: Path) -> None:
    """Pictures of 320 x 240, each unlike the others; the tint tells the class, so that there is something to learn."""
    import numpy as np
    from PIL import Image

    chance = np.random.default_rng(0)
    counts = {"train": TRAIN, "validation": CHECK // 2, "test": CHECK // 2}
    for part, count in counts.items():
        for number in range(count):
            label = number % len(LABELS)
            coarse = chance.integers(0, 200, (9, 12, 3))
            coarse[..., label % 3] += 18 * (label + 1) // 2
            picture = Image.fromarray(coarse.astype(np.uint8)).resize((320, 240), Image.Resampling.BICUBIC)
            place = folder / part / LABELS[label]
            place.mkdir(parents=True, exist_ok=True)
            out = BytesIO()
            picture.save(out, "JPEG", quality=90)
            (place / f"{number:04d}.jpg").write_bytes(out.getvalue())


def ours(folder: Path, out: Path, *options: str) -> dict[str, Any]:
    """`python training fit` and its metrics, with the seconds of the whole command."""
    command = [sys.executable, "training", "fit", str(folder), "--out", str(out), "--restart", "--json", *options]
    started = time.monotonic()
    done = subprocess.run(command, cwd=HERE.parent, capture_output=True, text=True, check=False, timeout=1800)
    if done.returncode:
        raise RuntimeError(done.stderr[-1500:])
    result: dict[str, Any] = json.loads(done.stdout)
    return result | {"wall": time.monotonic() - started}


def to_a_head(metrics: dict[str, Any]) -> float:
    """Seconds of the stages until the head is trained."""
    return float(sum(metrics["seconds"].get(stage, 0.0) for stage in STAGES))


def peer(python: Path | str, name: str, folder: Path) -> dict[str, Any]:
    """What a peer prints."""
    command = [str(python), str(HERE / "peer_frozen.py"), name, str(folder), str(EPOCHS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=3600)
    if done.returncode:
        raise RuntimeError(done.stderr[-1500:])
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def time_figures(folder: Path, python: Path | None) -> list[Figure]:
    """First run, second run from the cache, thirty epochs, and the peers."""
    base = ["--recipe", "frozen-resnet50", "--weights", "none", "--set", "backbone.views=0", "--set", "head.patience=0"]
    out = folder.parent / "bundle"
    first = ours(folder, out, *base, "--epochs", str(EPOCHS))
    second = ours(folder, out, *base, "--epochs", str(EPOCHS))
    cached = ours(folder, out, *base, "--epochs", str(LONG))
    loop = peer(sys.executable, "plain", folder)
    long = to_a_head(first) - first["seconds"]["head"] + cached["seconds"]["head"]
    figures = [
        Figure("usual loop, 3 epochs", f"{loop['seconds']:.1f} s"),
        Figure("ours, 3 epochs: to a head (whole command)", f"{to_a_head(first):.1f} s ({first['wall']:.1f} s)"),
        Figure("ours again, from the cache", f"{to_a_head(second):.2f} s ({second['wall']:.1f} s)"),
        _ratio("usual loop / ours, 3 epochs", loop["seconds"], to_a_head(first), 10),
        _ratio("usual loop / ours, 30 epochs (the loop's time ten times its 3)", 10 * loop["seconds"], long, 90),
        _ratio("usual loop / ours from the cache, 3 epochs", loop["seconds"], to_a_head(second), 300),
    ]
    if python is None:
        print("fastai is left out: name a Python that has it by --peers", file=sys.stderr)
        return figures
    theirs = peer(python, "fastai", folder)
    figures.insert(1, Figure("fastai's vision_learner, 3 epochs", f"{theirs['seconds']:.1f} s"))
    return [*figures, _ratio("fastai / ours, 3 epochs", theirs["seconds"], to_a_head(first), 15)]


def _ratio(what: str, theirs: float, ours: float, wanted: float) -> Figure:
    ratio = theirs / ours
    return Figure(what, f"{ratio:.0f}" if ratio >= 20 else f"{ratio:.1f}", f"≥ {wanted:g}", ratio >= wanted)


def main(python: Path | None) -> bool:
    """Prints everything."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HANDWRITER_CACHE"] = f"{folder}/cache"
        pictures = Path(folder) / "pictures"
        make_pictures(pictures)
        figures = time_figures(pictures, python)
    return print_table("A new head on a frozen ResNet-50", figures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", default="", help="a Python that has fastai")
    named = Path(parser.parse_args().peers or "~/peers/fastai/bin/python").expanduser()
    sys.exit(not main(named if named.exists() else None))
