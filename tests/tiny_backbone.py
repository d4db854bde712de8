"""Weights for a small network of torchvision that never saw a picture, and yet tells pictures apart."""

from __future__ import annotations

from pathlib import Path

import safetensors.torch
import torch
from torch import nn

from handwriter_models.backbone_networks import built
from tests.small_photos import photo, save
from training.recipes import Recipe, read_recipe

NAME = "mobilenet_v3_small"


def write_weights(path: Path) -> Path:
    """Random weights whose BatchNorm knows the random network's own statistics: else every vector is nearly zero."""
    network = built(NAME, 3).train()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the mean of all batches
    with torch.no_grad():
        network(torch.randn(16, 3, 64, 64, generator=torch.Generator().manual_seed(1)))
    safetensors.torch.save_file(network.state_dict(), path)
    return path


def write_two_tones(root: Path, count: int = 8) -> Path:
    """Two labels that any network tells apart: bright pictures and dark ones."""
    for number in range(count):
        save(root / "밝다" / f"{number}.jpg", photo(number, (64, 64)).point(lambda value: 170 + value // 3))
        save(root / "dark" / f"{number}.jpg", photo(100 + number, (64, 64)).point(lambda value: value // 4))
    return root


def small_recipe(*changes: str) -> Recipe:
    """The shipped recipe on the small network, with one view and few epochs."""
    common = ["backbone.views=1", "train.epochs=8", "head.hidden=8", "train.batch=8"]
    return read_recipe("frozen-mobilenet-v2", [f"backbone.name={NAME}", *common, *changes])
