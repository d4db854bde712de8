"""Trains a model of hands and writes it as a bundle: an embedding for people to come, or a classifier of known ones.

`hand`: a compact network learns to tell the training hands apart, each a class. Its last layer is then replaced by the
linear map that makes pictures of one hand alike and hands differ (`whitened`), and the calibration is found on
hands that no weight has seen. Which hands were learned is forgotten, but for their names in `data`.
`resnet34`: torchvision's ResNet-34 from random weights on some known writers, as the first of this project's
predecessors had it; measured on other pictures of the same writers. The two are comparable: its writers are test
hands of the embedding.

The loop is that of every other training here; the two recipes stand below because `training fit` cannot run them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from handwriter_models.bundle import BundleConfig, NetworkConfig, Preprocessing, write_bundle
from handwriter_models.errors import UserError
from handwriter_models.networks import Compact, arguments_as_json, build
from training.augment import build as build_augmentation
from training.inference import PREPROCESSING, network_input
from training.loop import Material, Trainer
from training.progress import messages, training_progress
from training.recipes import Recipe, recipe_from_table
from training.samples import Images, Samples
from training.stopwatch import Stopwatch
from training.writer_card import write_writer_card
from training.writer_data import Hands, Parts, held_out
from training.writer_model import HAND, WRITER, HandModel
from training.writer_scoring import Calibration, Floats, calibrate, whitened
from training.writer_trials import Draws, measured, questions

METHODS = (HAND, "resnet34")
TRAITS = 64
# Slight: slant, size and width of the stroke are what tells hands apart, and must not be bent away.
_AUGMENT = {"rotate": 3, "shear": 0.03, "scale": 0.03, "shift": 1}
_TRAIN: dict[str, Any] = {
    "optimizer": "adamw",
    "schedule": "one-cycle",
    "weight_decay": 0.02,
    "label_smoothing": 0.1,
    "precision": "bf16",
    "clip": 1.0,
}
_RECIPES: dict[str, dict[str, Any]] = {
    HAND: {
        "name": "hand",
        "network": {"name": "compact", "arguments": {"members": 1, "widths": [24, 48, 96], "dropout": 0.1}},
        "train": {**_TRAIN, "rate": 1e-2, "batch": 256},
        "augment": _AUGMENT,
    },
    "resnet34": {
        "name": "writer",
        "network": {"name": "resnet34", "arguments": {"channels": 1}},
        "train": {**_TRAIN, "rate": 1e-3, "batch": 32},
        "augment": _AUGMENT,
    },
}
_EPOCHS = {HAND: {"mnist": 6, "omniglot": 60}, "resnet34": {"mnist": 20, "omniglot": 20}}
_TEST, _CALIBRATION = 0.3, 0.15  # shares of a known writer's pictures


@dataclass(frozen=True)
class WriterOrder:
    """What to train: the hands, the method with its recipe, how many known `writers`, and where the bundle goes."""

    parts: Parts
    method: str
    recipe: Recipe
    out: Path
    writers: int = 20
    device: str = "cpu"


def writer_recipe(method: str, source: str, overrides: dict[str, Any]) -> Recipe:
    """The recipe of a method for a source, with `train` fields changed; None leaves a field as it is."""
    if method not in _RECIPES:
        raise UserError(f"unknown method {method!r}", f"there are: {', '.join(METHODS)}")
    table, epochs = _RECIPES[method], _EPOCHS[method].get(source, 10)
    changes = {name: value for name, value in overrides.items() if value is not None}
    return recipe_from_table({**table, "train": {**table["train"], "epochs": epochs, **changes}})


def fit_writers(order: WriterOrder) -> dict[str, Any]:
    """Trains, calibrates, measures and writes the bundle; its metrics."""
    if order.out.is_dir() and any(order.out.iterdir()) and not (order.out / "config.json").is_file():
        raise UserError(f"--out {order.out} holds other things than a bundle", "give a new folder")
    watch = Stopwatch()
    make = _fit_hand if order.method == HAND else _fit_known
    config, network, table = make(order, watch)
    metrics = {"by_pictures": table, "seconds": watch.seconds}
    config = replace(config, metrics=metrics)
    write_bundle(order.out, config, network.state_dict(), write_writer_card(config))
    return metrics


def _fit_hand(order: WriterOrder, watch: Stopwatch) -> tuple[BundleConfig, nn.Module, dict[str, Any]]:
    parts = order.parts
    learned, checked = held_out(parts.train, 0.03, parts.seed)
    trained = cast(Compact, _trained(order, learned, checked, watch))
    with watch.stage("calibrate"):
        network, between = with_traits(trained, learned)
        scoring = {"temperature": 1.0, "exponent": 0.0, "offset": 0.0, "between": between}
        config = _config(order, HAND, [f"trait {number + 1}" for number in range(len(between))], scoring)
        plans = [Draws(strangers=strangers, seed=parts.seed + 1) for strangers in (False, True)]
        model = HandModel(config, network)
        trials = [one.trial for plan in plans for one in questions(model, parts.validation, plan)]
        config = calibrated(config, calibrate(trials))
    return config, network, _measured(config, network, parts.test, watch)


def _fit_known(order: WriterOrder, watch: Stopwatch) -> tuple[BundleConfig, nn.Module, dict[str, Any]]:
    learned, checked, tested = known_writers(order.parts, order.writers)
    network = _trained(order, learned, checked, watch)
    with watch.stage("calibrate"):
        scoring = {"temperature": 1.0, "exponent": 0.0, "offset": 0.0}
        config = _config(order, WRITER, learned.names, scoring)
        config = replace(config, data={**config.data, "test": picture_print(tested.images)})
        asked = questions(HandModel(config, network), checked, Draws())
        config = calibrated(config, calibrate([one.trial for one in asked]))
        # Answers about one picture then are calibrated for whoever loads the bundle as a plain classifier, too.
        config = replace(config, temperature=config.recipe["scoring"]["temperature"])
    return config, network, _measured(config, network, tested, watch)


def _measured(config: BundleConfig, network: nn.Module, test: Hands, watch: Stopwatch) -> dict[str, Any]:
    model = HandModel(config, network)
    with watch.stage("evaluate"):
        asked = list(questions(model, test, Draws()))
        strangers = list(questions(model, test, Draws(strangers=True))) if model.takes_new_writers else []
        return measured(model, asked, strangers)


def known_writers(parts: Parts, count: int) -> tuple[Hands, Hands, Hands]:
    """`count` test hands of one room, their pictures to learn from, to calibrate with and to measure on."""
    room = np.flatnonzero(parts.test.rooms == parts.test.rooms[0])
    if not 2 <= count <= len(room):
        raise UserError(f"--writers {count}", f"{parts.source} has 2 to {len(room)} writers for this")
    chosen = np.sort(np.random.default_rng(parts.seed).permutation(room)[:count])
    rest, tested = held_out(parts.test.of(chosen), _TEST, parts.seed)
    learned, checked = held_out(rest, _CALIBRATION, parts.seed)
    return learned, checked, tested


def picture_print(images: Images) -> str:
    """sha256 of pictures in order: tells later that the same ones are set apart again."""
    return hashlib.sha256(np.ascontiguousarray(images).tobytes()).hexdigest()


def _trained(order: WriterOrder, learned: Hands, checked: Hands, watch: Stopwatch) -> nn.Module:
    """The recipe's network after its epochs, in evaluation mode; classes are the hands."""
    recipe, count = order.recipe, len(learned.names)
    messages.print(f"{order.parts.source}: {len(learned.hands):,} pictures of {count} hands to learn from")
    torch.manual_seed(recipe.train.seed)
    network = build(recipe.network.name, {**recipe.network.arguments, "outputs": count})
    material = Material(_samples(learned), _samples(checked), build_augmentation(recipe.augment), {})
    with _Scratch(order.out) as folder:
        trainer = Trainer(network, recipe, material, folder, order.device)
        with training_progress(trainer.steps, 0, recipe.train.epochs, len(learned.hands)) as progress:
            trainer.train(progress)
    watch.seconds["train"] = round(sum(epoch.seconds for epoch in trainer.history), 3)
    trainer.network.load_state_dict(trainer.weights)
    finished: nn.Module = trainer.network.eval().to("cpu").to(memory_format=torch.contiguous_format)
    return finished


class _Scratch:
    """Where the loop saves its state. It is not taken up again: these trainings are minutes long."""

    def __init__(self, out: Path) -> None:
        self.out = out

    def __enter__(self) -> Path:
        from training.checkpoint import run_folder

        return run_folder(self.out)

    def __exit__(self, *_: object) -> None:
        from training.checkpoint import remove_checkpoint, run_folder

        remove_checkpoint(run_folder(self.out))


def _samples(hands: Hands) -> Samples:
    return Samples(hands.images, hands.hands, np.full(len(hands.hands), -1, np.int64), hands.names, "hands")


def with_traits(trained: Compact, learned: Hands) -> tuple[Compact, list[float]]:
    """The network with traits in place of its classes, and the variance of hands along each."""
    layers = list(cast(nn.Sequential, trained.members[0]))
    features = _features(nn.Sequential(*layers[:-1]), learned.images)
    traits = min(TRAITS, features.shape[1], len(learned.names) - 1)
    matrix, bias, between = whitened(features, learned.hands, traits)
    widths = [layer.out_channels for layer in layers if isinstance(layer, nn.Conv2d)][::2]
    network = cast(Compact, build("compact", {"members": 1, "widths": widths, "outputs": traits}))
    state: dict[str, Tensor] = dict(trained.state_dict())
    head = f"members.0.{len(layers) - 1}"
    state[f"{head}.weight"] = torch.from_numpy(matrix.T.copy()).float()
    state[f"{head}.bias"] = torch.from_numpy(bias).float()
    network.load_state_dict(state)
    return network.eval(), [round(float(value), 6) for value in between]


@torch.inference_mode()
def _features(body: nn.Module, images: Images) -> Floats:
    chunks = [torch.from_numpy(images[start : start + 500]) for start in range(0, len(images), 500)]
    values: Floats = torch.cat([body(network_input(chunk)).float() for chunk in chunks]).double().numpy()
    return values


def _config(order: WriterOrder, kind: str, labels: Sequence[str], scoring: dict[str, Any]) -> BundleConfig:
    recipe, parts = order.recipe, order.parts
    arguments = {**recipe.network.arguments, "outputs": len(labels)}
    return BundleConfig(
        name=order.out.name,
        kind=kind,
        labels=tuple(labels),
        network=NetworkConfig(recipe.network.name, arguments_as_json(recipe.network.name, arguments)),
        preprocessing=Preprocessing(**PREPROCESSING),
        description=_DESCRIPTIONS[kind],
        recipe={**recipe.as_json(), "scoring": scoring},
        data={
            "source": parts.source,
            "seed": parts.seed,
            "hands": {"train": parts.train.names, "validation": parts.validation.names, "test": parts.test.names},
        },
    )


def calibrated(config: BundleConfig, found: Calibration) -> BundleConfig:
    """The config with the calibration in it."""
    scoring = {**config.recipe["scoring"], **vars(found)}
    return replace(config, recipe={**config.recipe, "scoring": scoring})


_DESCRIPTIONS = {
    HAND: {
        "en": "Whose hand wrote these? Knows a new writer from five pictures. A toy, no evidence in any dispute.",
        "ko": "누가 쓴 글씨일까요? 새 사람은 글씨 다섯 장이면 알아요. 재미로 쓰는 것이며 필적 감정이 아니에요.",
    },
    WRITER: {
        "en": "Which of these known writers wrote it? A toy, no evidence in any dispute.",
        "ko": "아는 사람들 중 누가 쓴 글씨일까요? 재미로 쓰는 것이며 필적 감정이 아니에요.",
    },
}
