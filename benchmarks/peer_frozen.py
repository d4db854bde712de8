"""The peers of `frozen.py`, run by a Python that has them: PEER FOLDER EPOCHS. Prints a JSON line.

FOLDER holds train/ and validation/ with a folder for each label. Each peer trains a new head on ResNet-50 with random
weights (the time is the same with real ones) and prints the seconds of its training with validation after each epoch,
and its last validation accuracy. Imports and building the network are not counted.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module  # not `import`: fastai is not among our requirements
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parent.parent)

Found = tuple[float, float]
BATCH = 32


def plain(folder: Path, epochs: int) -> Found:
    """The loop of most tutorials: parameters frozen, `model.train()`, every picture through the network again."""
    import torch
    from torch import nn

    from handwriter_models.torchvision_import import torchvision

    way = torchvision.transforms.v2
    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    usual = [way.ToImage(), way.ToDtype(torch.float32, scale=True), way.Normalize(mean, std)]
    change = way.Compose([way.RandomResizedCrop(224), way.RandomHorizontalFlip(), *usual])
    same = way.Compose([way.Resize(256), way.CenterCrop(224), *usual])
    torch.manual_seed(0)
    network = torchvision.models.resnet50(weights=None)
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    folders = torchvision.datasets.ImageFolder
    train, validation = folders(folder / "train", change), folders(folder / "validation", same)
    network.fc = nn.Sequential(nn.Linear(2048, 128), nn.ReLU(), nn.Linear(128, len(train.classes)))
    loaders = [
        torch.utils.data.DataLoader(part, BATCH, shuffle=shuffled, num_workers=2)
        for part, shuffled in ((train, True), (validation, False))
    ]
    optimizer = torch.optim.Adam(network.fc.parameters(), 1e-3)
    started = time.monotonic()
    accuracy = 0.0
    for _ in range(epochs):
        network.train()
        for pictures, labels in loaders[0]:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(network(pictures), labels)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        network.eval()
        with torch.no_grad():
            hits = [network(pictures).argmax(1).eq(labels).sum().item() for pictures, labels in loaders[1]]
        accuracy = sum(hits) / len(validation)
    return time.monotonic() - started, accuracy


def fastai(folder: Path, epochs: int) -> Found:
    """`vision_learner` with the backbone frozen, as fastai's second lesson shows it."""
    import_module("handwriter_models.torchvision_import")
    vision: Any = import_module(f"{fastai.__name__}.vision.all")
    from handwriter_models.torchvision_import import torchvision

    vision.set_seed(0)
    usual = {"item_tfms": vision.Resize(224), "batch_tfms": vision.aug_transforms(), "bs": BATCH}
    loaders = vision.ImageDataLoaders.from_folder(folder, train="train", valid="validation", **usual)
    learner = vision.vision_learner(loaders, torchvision.models.resnet50, pretrained=False, metrics=vision.accuracy)
    learner.freeze()
    started = time.monotonic()
    with learner.no_bar(), learner.no_logging():
        learner.fit_one_cycle(epochs)
    return time.monotonic() - started, float(learner.recorder.values[-1][-1])


if __name__ == "__main__":
    peer = {"plain": plain, "fastai": fastai}[sys.argv[1]]
    seconds, accuracy = peer(Path(sys.argv[2]), int(sys.argv[3]))
    print(json.dumps({"seconds": seconds, "accuracy": accuracy}))
