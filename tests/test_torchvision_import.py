"""torchvision is usable beside a CPU-only torch through the one door, whichever build of it is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import torch

from handwriter_models.torchvision_import import torchvision

ROOT = Path(__file__).resolve().parents[1]


def test_models_transforms_and_datasets_work() -> None:
    with torch.device("meta"):
        assert torchvision.models.resnet34().fc.out_features == 1000
    assert torchvision.transforms.v2.functional.resize(torch.zeros(1, 8, 8), [4, 4]).shape == (1, 4, 4)
    assert torchvision.datasets.MNIST.mirrors


def test_both_operators_are_declared() -> None:
    assert hasattr(torch.ops.torchvision, "nms")
    assert hasattr(torch.ops.torchvision, "qnms")


def test_import_in_a_fresh_process_is_silent() -> None:
    code = (
        "from handwriter_models.torchvision_import import torchvision; print(torchvision.models.mobilenet_v2.__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "mobilenet_v2\n", "")
