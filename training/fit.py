"""From a source and a recipe to a bundle: read, train, calibrate, measure, draw, write.

Each stage is its own module; this one gives them their order, keeps the time, and decides when an unfinished training
is taken up again.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from handwriter_models.bundle import (
    BundleConfig,
    NetworkConfig,
    Preprocessing,
    Rejection,
    find_bundle,
    read_config,
    write_bundle,
)
from handwriter_models.classifier import Classifier
from handwriter_models.errors import UserError
from handwriter_models.learning.calibration import background_threshold, fit_temperature, probability_threshold
from handwriter_models.learning.card import write_card
from handwriter_models.learning.learned import with_parent
from handwriter_models.networks import arguments_as_json
from training.checkpoint import read_checkpoint, remove_checkpoint, run_folder
from training.distributed import ALONE, Ranks
from training.evaluate import answers_of, metrics_of
from training.figures import draw_figures
from training.inference import PREPROCESSING, logits_of, plain_pictures
from training.leaks import prints_of
from training.loop import Material, Trainer
from training.progress import messages, training_progress
from training.recipes import Recipe
from training.samples import Samples, Splits, join
from training.sources import label_groups, read_source
from training.start_weights import first_network
from training.stopwatch import Stopwatch


@dataclass(frozen=True)
class Order:
    """What a person asked for; `start` is a bundle whose weights the training begins with; `ranks` share the work."""

    source: str
    recipe: Recipe
    out: Path
    data: Path | None = None
    resume: bool = False
    restart: bool = False
    device: str = "cpu"
    start: str | None = None
    ranks: Ranks = ALONE


@dataclass(frozen=True)
class Result:
    """The bundle that was written, its metrics, and the files that could not be read."""

    bundle: Path
    metrics: dict[str, Any]
    unreadable: list[tuple[str, str]] = field(default_factory=list)


def fit(order: Order) -> Result:
    """Trains and writes the bundle `order.out`; an unfinished training beside it is resumed when that was asked.

    Of several ranks all must call it; only the first has metrics to return.
    """
    check_out(order)
    if order.recipe.data.pictures == "photographs":
        from training.photographs import fit_photographs

        return Result(order.out, *fit_photographs(order))
    watch = Stopwatch()
    with watch.stage("read"), order.ranks.first_alone():
        splits = read_source(order.source, order.data, order.recipe.data, order.recipe.train.seed)
        train = with_extras(splits.train, order)
    counts = ", ".join(f"{name} {count:,}" for name, count in {**splits.counts(), "train": len(train)}.items())
    messages.print(f"{order.source}: {counts} pictures")
    config = first_config(order, splits)
    identity = {"recipe": config.recipe, "fingerprint": config.data["fingerprint"], "start": order.start}
    finished = finished_metrics(order, config.recipe, config.data["fingerprint"])
    if finished is not None:
        return Result(order.out, finished, splits.unreadable)
    torch.manual_seed(order.recipe.train.seed)
    network = first_network(config, order.start)
    material = Material(train, splits.validation, augmentation_of(order.recipe), identity)
    trainer = Trainer(network, order.recipe, material, run_folder(order.out), order.device, order.ranks)
    take_up(order, trainer, identity)
    try:
        with training_progress(trainer.steps, trainer.done, order.recipe.train.epochs, len(train)) as progress:
            trainer.train(progress)
    except KeyboardInterrupt:
        messages.print(f"saved at step {trainer.done} of {trainer.steps}: the same command with --resume goes on")
        raise
    if not order.ranks.main:
        return Result(order.out, {})
    watch.seconds["train"] = round(sum(epoch.seconds for epoch in trainer.history), 3)
    metrics = _finish(order, config, trainer, splits, watch)
    return Result(order.out, metrics, splits.unreadable)


def check_out(order: Order) -> None:
    """`UserError` before any work when the result would have no place."""
    if order.resume and order.restart:
        raise UserError("--resume and --restart exclude each other", "give one of them")
    if order.out.exists() and not order.out.is_dir():
        raise UserError(f"--out {order.out} is a file", "give a folder")
    if order.out.is_dir() and any(order.out.iterdir()) and not (order.out / "config.json").is_file():
        raise UserError(f"--out {order.out} holds other things than a bundle", "give a new folder")
    if not order.resume and not order.restart and read_checkpoint(run_folder(order.out)):
        raise UserError(
            f"{order.out} has an unfinished training ({run_folder(order.out)})",
            "add --resume to go on with it, or --restart to begin again",
        )


def with_extras(train: Samples, order: Order) -> Samples:
    """The training pictures with those that the recipe adds."""
    if not order.recipe.data.extras:
        return train
    from training.additions import read_extras

    messages.print(f"extra training pictures: {', '.join(order.recipe.data.extras)} (made once, then kept)")
    return join([train, *read_extras(order.recipe.data.extras, train, order.data, order.recipe.train.seed)])


def augmentation_of(recipe: Recipe) -> Any:  # noqa: ANN401 - loop.Augment
    """How the loop changes pictures as they pass."""
    if not recipe.augment:
        return plain_pictures
    from training.augment import build as build_augmentation

    return build_augmentation(recipe.augment)


def first_config(order: Order, splits: Splits) -> BundleConfig:
    """All of the config that is known before training."""
    recipe, labels = order.recipe, splits.train.names
    outputs = len(labels) + (recipe.rejection.score == "background")
    given = recipe.network.arguments.get("outputs", outputs)
    if given != outputs:
        raise UserError(
            f"the recipe's network has {given!r} outputs, the labels of {order.source} need {outputs}",
            "leave 'outputs' out of the recipe",
        )
    arguments = arguments_as_json(recipe.network.name, {**recipe.network.arguments, "outputs": outputs})
    config = BundleConfig(
        name=recipe.name,
        kind="handwriting",
        labels=tuple(labels),
        network=NetworkConfig(recipe.network.name, arguments),
        preprocessing=Preprocessing(**PREPROCESSING),
        description=recipe.description,
        # The threshold is found after training; that there is one decides the number of outputs now.
        rejection=Rejection("background", 0.5) if recipe.rejection.score == "background" else None,
        recipe=recipe.as_json(),
        data={
            "source": public_name(order.source),
            "fingerprint": splits.fingerprint(),
            "splits": splits.counts(),
            "divided": "by writer" if (splits.validation.groups >= 0).all() else "by label",
            "learned": _learned(order, splits),
        },
        groups=label_groups(order.source),
    )
    return BundleConfig.from_json(config.to_json(), "the bundle's config")  # a name no bundle may have fails now


def _learned(order: Order, splits: Splits) -> dict[str, Any]:
    """What the evaluation will know these pictures by; validation chose temperature and threshold, so it counts."""
    start = read_config(find_bundle(order.start)).data.get("learned") if order.start else None
    return with_parent(prints_of(splits.train, splits.validation).learned(), start)


def public_name(source: str) -> str:
    """A folder by its own name: the path to it is nobody's business who gets the bundle."""
    return Path(source).resolve().name if Path(source).is_dir() else source


def finished_metrics(order: Order, recipe: dict[str, Any], fingerprint: str) -> dict[str, Any] | None:
    """The metrics that are there already, when the training to resume had reached its end on the same data."""
    if not order.resume or read_checkpoint(run_folder(order.out)) or not (order.out / "config.json").is_file():
        return None
    there = read_config(order.out)
    if (there.recipe, there.data.get("fingerprint")) != (recipe, fingerprint):
        return None
    messages.print(f"{order.out} is finished already", markup=False)
    return there.metrics


def take_up(order: Order, trainer: Trainer, identity: dict[str, Any]) -> None:
    """Goes on from the checkpoint when that was asked and there is one of this very training."""
    if order.restart and order.ranks.main:
        remove_checkpoint(trainer.folder)
    checkpoint = read_checkpoint(trainer.folder) if order.resume else None
    if checkpoint is None:
        if order.resume:
            messages.print(f"nothing to resume in {trainer.folder}: beginning from the start")
        return
    for part, value in identity.items():
        if checkpoint.values["identity"].get(part) != value:
            raise UserError(
                f"the unfinished training in {trainer.folder} has another {part}",
                "give the same source, recipe and options as before, or --restart",
            )
    trainer.load(checkpoint)
    messages.print(f"going on at step {trainer.done} of {trainer.steps}")


def _finish(order: Order, config: BundleConfig, trainer: Trainer, splits: Splits, watch: Stopwatch) -> dict[str, Any]:
    """Calibrates, measures and draws the trained network, writes the bundle and returns its metrics."""
    trainer.network.load_state_dict(trainer.weights)
    network = trainer.network.eval().to("cpu")
    with watch.stage("calibrate"):
        config = calibrated(config, network, order.recipe, splits.validation)
    with watch.stage("evaluate"):
        classifier = Classifier(config, network)
        answers = answers_of(classifier, splits.test)
        metrics = metrics_of(classifier, answers)
    with watch.stage("draw"):
        figures = draw_figures(answers, trainer.history)
    last = trainer.history[-1]
    metrics |= {"validation_accuracy": round(last.validation_accuracy, 6), "seconds": watch.seconds}
    config = replace(config, metrics=metrics, parent=_parent(order))
    with_history = replace(config, metrics={**metrics, "history": [asdict(epoch) for epoch in trainer.history]})
    order.out.parent.mkdir(parents=True, exist_ok=True)
    write_bundle(order.out, with_history, network.state_dict(), write_card(config, list(figures)), figures)
    remove_checkpoint(trainer.folder)
    return metrics


def calibrated(config: BundleConfig, network: nn.Module, recipe: Recipe, validation: Samples) -> BundleConfig:
    """The config with temperature and rejection found on the validation pictures."""
    logits = logits_of(network, validation.images)
    config = replace(config, temperature=fit_temperature(logits[:, : len(config.labels)], validation.labels))
    score, target, threshold = recipe.rejection.score, recipe.rejection.target, recipe.rejection.threshold
    if score == "none":
        return config
    config = replace(config, rejection=Rejection(score, threshold or 0.5))  # type: ignore[arg-type]
    if threshold:
        return config
    probabilities, background = Classifier(config, network).scores(validation.images)
    found = (
        background_threshold(background, target)
        if score == "background"
        else probability_threshold(probabilities.max(axis=1), target)
    )
    return replace(config, rejection=Rejection(score, found))  # type: ignore[arg-type]


def _parent(order: Order) -> dict[str, Any] | None:
    if order.start is None:
        return None
    start = read_config(find_bundle(order.start))
    source, fingerprint = start.data.get("source"), start.data.get("fingerprint")
    return {"name": start.name, "source": source, "fingerprint": fingerprint, "recipe": start.recipe.get("name")}
