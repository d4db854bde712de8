"""How near a frozen ResNet-50 comes to what the processor can compute, by engine, and what eight bits cost.

`python benchmarks/extraction.py`. The limit is the rate of plain bfloat16 matrix products of torch, measured in the
same run before and after each engine; a picture is 8.2 GFLOP. Weights are random, which costs as much. Where shared/
is at hand, MobileNetV2's real weights and real photographs tell what the head loses (five labels, three folds,
strangers left out).
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks.suspicion import STRANGERS, what_of
from benchmarks.table import Figure, print_table

if TYPE_CHECKING:
    from curation.accelerate import Vectors
    from curation.backbones import Bytes

GIGAFLOP = 8.2  # of a picture of 224 x 224 through ResNet-50; a multiplication and an addition are two
BATCH, ROUNDS, SIDE, PRODUCTS = 32, 9, 2048, 16  # as many products as take about as long as a batch
WEIGHTS = "weights/mobilenet_v2_imagenet_1001.safetensors"


def matrix_rate() -> float:
    """GFLOP a second of bfloat16 products of large square matrices."""
    import torch

    one, other = (torch.randn(SIDE, SIDE).to(torch.bfloat16) for _ in range(2))
    one @ other
    started = time.perf_counter()
    for _ in range(PRODUCTS):
        one @ other
    return PRODUCTS * 2 * SIDE**3 / (time.perf_counter() - started) / 1e9


def rate(vectors: Vectors, pictures: Bytes) -> tuple[float, float]:
    """Pictures a second, and the share of the limit: medians over rounds, the limit measured around each."""
    vectors(pictures)
    rates, shares = [], []
    for _ in range(ROUNDS):
        before = matrix_rate()
        started = time.perf_counter()
        vectors(pictures)
        found = len(pictures) / (time.perf_counter() - started)
        limit = (before + matrix_rate()) / 2 / GIGAFLOP
        rates.append(found)
        shares.append(found / limit)
    return median(rates), median(shares)


def speed_figures() -> list[Figure]:
    """torch, OpenVINO in bfloat16, OpenVINO in eight bits."""
    import numpy as np

    from curation.accelerate import accelerated, quantized
    from curation.backbones import backbone

    network = backbone("resnet50", "none")
    pictures = np.random.default_rng(0).integers(0, 256, (BATCH, 224, 224, 3), np.uint8)
    plain, share = rate(network.vectors, pictures)
    quick, quick_share = rate(accelerated(network).vectors, pictures)
    small, _ = rate(quantized(network, pictures).vectors, pictures)
    return [
        Figure("torch, bfloat16: pictures a second", f"{plain:.1f}"),
        Figure("… of the matrix rate", f"{share:.0%}", "≥ 85 %", share >= 0.85),
        Figure("OpenVINO, bfloat16: pictures a second", f"{quick:.1f}"),
        Figure("… of the matrix rate", f"{quick_share:.0%}", "≥ 100 %", quick_share >= 1),
        Figure("OpenVINO, int8: pictures a second", f"{small:.1f}"),
        Figure("… of OpenVINO in bfloat16", f"{small / quick:.2f}", "≥ 1.8", small / quick >= 1.8),
    ]


def accuracy_figures(shared: Path) -> list[Figure]:
    """A head on the vectors of each engine, judged by the network's own folds."""
    import numpy as np
    import torch

    from curation.accelerate import accelerated, quantized
    from curation.backbones import backbone
    from handwriter_models.images import read_picture
    from training.recipes import read_recipe
    from training.search_space import Task, folds_of, judged

    files = [path for path in sorted((shared / "data/photos").glob("*/*.jpg")) if what_of(path) not in STRANGERS]
    names = sorted({path.parent.name for path in files})
    labels = np.array([names.index(path.parent.name) for path in files], np.int64)
    network = backbone("mobilenet_v2_tf", str(shared / WEIGHTS))
    pictures = np.stack([network.prepare(read_picture(path)) for path in files])
    folds = torch.from_numpy(folds_of(labels, np.arange(len(files)), seed=1))
    recipe = read_recipe("frozen-mobilenet-v2", ["backbone.views=0"])
    figures = []
    for title, engine in (
        ("torch, bfloat16", network),
        ("OpenVINO, bfloat16", accelerated(network)),
        ("OpenVINO, int8", quantized(network, pictures[:: max(1, len(pictures) // 128)])),
    ):
        values = torch.from_numpy(np.concatenate([engine.vectors(part) for part in np.array_split(pictures, 6)]))
        loss, right = judged(Task(values.unsqueeze(1), torch.from_numpy(labels), folds, len(names)), recipe)
        said = f"{np.mean(right):.1%} (loss {loss:.3f})"
        figures.append(Figure(f"MobileNetV2, {title}: accuracy of a head, {len(files)} photographs", said))
    return figures


def main(shared: Path | None) -> bool:
    """Prints everything."""
    figures = speed_figures()
    if shared is not None:
        figures += accuracy_figures(shared)
    else:
        print("accuracy is left out: --data names the folder with photos/", file=sys.stderr)
    return print_table("Vectors of a frozen network", figures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="a folder with photos/; weights/ lies beside it")
    found = parser.parse_args().data
    sys.exit(not main(found.parent if found else None))
