"""A new head on a frozen network: vectors from curation's cache, the head in seconds, both joined in one network.

The backbone looks at each picture once for each view, in evaluation mode, and never again while the dataset, the
weights and the recipe's changes of pictures stay the same. Another head, rate or label costs only the head's training.
Several ranks share the looking. The head takes less than a second and is not shared: each rank trains the same one.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from curation.backbone_weights import IMAGENET, NONE
from curation.backbones import Backbone, backbone
from curation.features import Features, Report, View, content_picture, features_of_views
from curation.listing import PictureRow
from curation.progress import Bar
from handwriter_models.bundle import bundled_names, find_bundle, read_config
from handwriter_models.errors import UserError
from handwriter_models.hub.refs import parse_reference
from handwriter_models.learning.heads import BrokenHeadError, TrainedHead, Vectors, train_head
from handwriter_models.networks import Transfer, arguments_as_json, build
from handwriter_models.paths import user_path
from handwriter_models.photograph import Photograph
from training.datasets import Photographs
from training.distributed import ALONE, Ranks
from training.progress import messages
from training.recipes import CLASSES, TRANSFER, BackboneChoice, Recipe
from training.views import changes_of, views_of


@dataclass(frozen=True)
class Seen:
    """A dataset as a frozen network sees it: vectors by part, and the rows that they belong to."""

    parts: dict[str, Vectors] = field(repr=False)
    rows: dict[str, list[PictureRow]] = field(repr=False)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    computed: int = 0


def chosen_backbone(choice: BackboneChoice, start: str | None, device: str) -> tuple[Backbone, dict[str, Any]]:
    """The recipe's backbone, and what a bundle tells of its parent.

    `start` stands before the recipe's weights: `imagenet`, `none`, a .safetensors file, or a bundle for photographs
    that has the same backbone.
    """
    weights = start or choice.weights
    if weights in (IMAGENET, NONE) or weights.endswith(".safetensors"):
        found = backbone(choice.name, weights, classes=choice.reads == CLASSES)
        return _photographic(found).on(device), {"name": choice.name, "weights": found.name[len(choice.name) + 1 :]}
    folder = find_bundle(weights)
    config = read_config(folder)
    theirs = config.network.arguments.get("backbone", config.network.name)
    if config.preprocessing.name != "photograph" or theirs != choice.name:
        kind = "photographs" if config.preprocessing.name == "photograph" else "handwriting"
        raise UserError(
            f"bundle {weights} is network {theirs!r} for {kind}, the recipe asks for backbone {choice.name!r}",
            f"--set backbone.name={theirs}" if kind == "photographs" else "give it to a recipe for handwriting",
        )
    reads = CLASSES if config.network.arguments.get("classes") else "vector"
    if reads != choice.reads:
        raise UserError(
            f"the head of bundle {weights} reads the {reads} of its network, the recipe asks for the {choice.reads}",
            f"--set backbone.reads={reads}",
        )
    parent = {
        "name": config.name,
        "fingerprint": config.data.get("fingerprint"),
        "recipe": config.recipe.get("name"),
    }
    return _photographic(backbone(str(folder))).on(device), parent


def named_weights(weights: str) -> str:
    """What a recipe calls these weights by, that means them from every folder: a whole path, a commit of the Hub."""
    if weights in (IMAGENET, NONE) or weights in bundled_names():
        return weights
    path, asked = user_path(weights), parse_reference(weights)
    if asked and not path.exists():
        return f"{asked.repo}@{find_bundle(weights).name}"  # the folder of a commit in the Hub's cache
    return str(path.absolute())


def _photographic(found: Backbone) -> Backbone:
    if isinstance(found.prepare, Photograph):
        return found
    raise UserError(f"{found.name} is a network for handwriting", "give a network of torchvision, such as resnet50")


def seen(dataset: Photographs, network: Backbone, recipe: Recipe, ranks: Ranks = ALONE) -> Seen:
    """The vectors of all parts; those of the training pictures in all of the recipe's views."""
    assert isinstance(network.prepare, Photograph)  # noqa: S101 - `chosen_backbone` has made sure
    views = views_of(changes_of(recipe.augment), network.prepare, recipe.backbone.views, recipe.train.seed)
    others = [*dataset.parts["validation"], *dataset.parts["test"]]
    started = time.perf_counter()
    train, by_train = _extracted(dataset, _on_engine(dataset, network, recipe), dataset.parts["train"], views, ranks)
    plain, by_plain = _extracted(dataset, network, others, views[:1], ranks)
    computed = [sum(counts) for counts in zip(by_train, by_plain, strict=True)]
    _say(computed, time.perf_counter() - started, len(views))
    rows = {part: _with_vectors(of, train if part == "train" else plain) for part, of in dataset.parts.items()}
    parts = {part: _vectors(dataset, of, train if part == "train" else plain) for part, of in rows.items()}
    unreadable = sorted({fault for one in (*train, *plain) for fault in one.unreadable})
    return Seen(parts, rows, unreadable, sum(computed))


def _extracted(
    dataset: Photographs, network: Backbone, rows: Sequence[PictureRow], views: Sequence[View], ranks: Ranks
) -> tuple[list[Features], list[int]]:
    """What each view found, and how many vectors each rank computed; all go into one cache, then all read it."""
    with Bar("looking at pictures") as bar:
        report = Report(bar.tell, lambda text: messages.print(text, markup=False))

        def found(some: Sequence[PictureRow]) -> list[Features]:
            return features_of_views(dataset.pictures, network, some, views, report, dataset.features)

        mine = found(rows[ranks.rank :: ranks.count])
        counts = ranks.gathered(sum(one.computed for one in mine))  # and so all are done
        return mine if ranks.count == 1 else found(rows), counts


def _on_engine(dataset: Photographs, network: Backbone, recipe: Recipe) -> Backbone:
    """The network on the recipe's engine; int8 finds its ranges on training pictures of every label."""
    if recipe.backbone.engine == "torch":
        return network
    from curation.accelerate import CALIBRATION, accelerated, quantized

    if recipe.backbone.engine == "openvino":
        return accelerated(network)
    rows = dataset.parts["train"]
    return quantized(network, _prepared(dataset, network, rows[:: max(1, len(rows) // CALIBRATION)]))


def _prepared(dataset: Photographs, network: Backbone, rows: Sequence[PictureRow]) -> NDArray[np.uint8]:
    made = []
    for row in rows:
        with contextlib.suppress(Exception):  # the extraction tells of them
            made.append(network.prepare(content_picture(dataset.pictures.root / row.path, row.sha256)))
    return np.stack(made) if made else np.zeros((0, 1), np.uint8)


def _say(computed: Sequence[int], seconds: float, views: int) -> None:
    """`computed` by rank."""
    if any(computed):
        rate = f"{sum(computed) / max(seconds, 1e-9):,.0f}/s"
        shared = f"; by process: {' + '.join(map(str, computed))}" if len(computed) > 1 else ""
        messages.print(
            f"{sum(computed):,} vectors computed in {seconds:.1f} s "
            f"({rate}; training pictures in {views} views{shared})"
        )
    else:
        messages.print(f"all vectors were in the cache ({seconds:.1f} s)")


def _with_vectors(rows: Sequence[PictureRow], found: Sequence[Features]) -> list[PictureRow]:
    """The rows that have a vector in every view."""
    known = set.intersection(*(set(one.contents) for one in found))
    return [row for row in rows if row.sha256 in known]


def _vectors(dataset: Photographs, rows: Sequence[PictureRow], found: Sequence[Features]) -> Vectors:
    contents = [row.sha256 for row in rows]
    values = torch.stack([torch.from_numpy(one.of(contents)) for one in found], 1)
    return Vectors(values, torch.from_numpy(dataset.labels(rows)))


def learned_head(found: Seen, outputs: int, recipe: Recipe, device: str) -> TrainedHead:
    """The head; says how it went, and why when it ended early."""
    train, validation = found.parts["train"], found.parts["validation"]
    started = time.perf_counter()
    try:
        trained = train_head(train, validation, outputs, (recipe.head, recipe.train), device)
    except BrokenHeadError as error:
        raise UserError(
            f"the head learned nothing: {error}", f"try a rate below {recipe.train.rate:g} (--rate)"
        ) from error
    best = trained.history[trained.best - 1]
    messages.print(
        f"head: {len(trained.history)} of {recipe.train.epochs} epochs in {time.perf_counter() - started:.2f} s, "
        f"kept epoch {trained.best}: validation {best.validation_accuracy:.2%} (loss {best.validation_loss:.4f})"
        + (f"; ended early: {trained.stopped}" if trained.stopped else "")
    )
    return trained


def arguments_of(network: Backbone, recipe: Recipe, outputs: int) -> dict[str, Any]:
    """Those of the joined network."""
    classes = network.dimension if recipe.backbone.reads == CLASSES else 0
    own = {"backbone": recipe.backbone.name, "hidden": recipe.head.hidden, "outputs": outputs, "classes": classes}
    return arguments_as_json(TRANSFER, own)


def joined(network: Backbone, head: nn.Module, recipe: Recipe, outputs: int) -> Transfer:
    """Backbone and head as the one network that a bundle holds, on the CPU."""
    whole = build(TRANSFER, arguments_of(network, recipe, outputs))
    assert isinstance(whole, Transfer)  # noqa: S101 - tells the type
    whole.backbone.load_state_dict(network.network.state_dict())
    whole.head.load_state_dict(head.state_dict())
    return whole.eval()


def told(recipe: Recipe, start: str | None) -> Recipe:
    """The recipe as a bundle stores it: with the weights that were given, without the path to them."""
    weights = start or recipe.backbone.weights
    return replace(recipe, backbone=replace(recipe.backbone, weights=Path(weights).name or weights))
