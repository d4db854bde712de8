"""What a search may choose, and how good a choice is: heads on vectors that are there, judged by three folds.

Only training pictures are used; validation and test pictures of the dataset stay unseen, so that a recipe found here
can be measured honestly afterwards. Groups of copies are never divided between folds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from handwriter_models.learning.heads import BrokenHeadError, Vectors, train_head
from training.recipes import Recipe

FOLDS = 3
WORST = 1e3  # the loss of a choice whose training broke: a number, so that samplers learn from it
Numbers = NDArray[np.int64]


class Chooser(Protocol):
    """The part of an Optuna trial that choices need."""

    def suggest_categorical(self, name: str, choices: list[Any], /) -> Any:  # noqa: ANN401
        """One of them."""

    def suggest_float(self, name: str, low: float, high: float, /, *, log: bool = False) -> float:
        """A number between."""

    def suggest_int(self, name: str, low: int, high: int, /) -> int:
        """A whole number from `low` to `high`."""


@dataclass(frozen=True)
class Task:
    """What every trial learns and answers.

    Attributes:
        values: float16, (n, views, dimension): the plain look first.
        labels: int64, (n,).
        folds: int64, (n,), from 0: the fold in which a picture is answered.
        outputs: the number of labels.
    """

    values: Tensor
    labels: Tensor
    folds: Tensor
    outputs: int

    def divided(self, views: int) -> Iterator[tuple[Vectors, Vectors]]:
        """For each fold the pictures to learn, in the plain and `views` changed looks, and those to answer."""
        for fold in range(int(self.folds.max()) + 1):
            inside = self.folds == fold
            yield (
                Vectors(self.values[~inside, : views + 1], self.labels[~inside]),
                Vectors(self.values[inside, :1], self.labels[inside]),
            )


def folds_of(labels: Numbers, groups: Numbers, seed: int) -> Numbers:
    """The fold of each picture, (n,): labels spread evenly, groups whole; fewer folds than three for tiny datasets."""
    from training.folds import fold_numbers

    fewest = min(len(np.unique(groups[labels == label])) for label in np.unique(labels))
    return fold_numbers(labels, groups, max(2, min(FOLDS, fewest)), seed)


def chosen(trial: Chooser, views: int) -> dict[str, Any]:
    """The settings of one trial, by `section.field` of a recipe; `views` is how many changed looks there are."""
    settings: dict[str, Any] = {
        "head.hidden": trial.suggest_categorical("head.hidden", [0, 32, 64, 128, 256, 512]),
        "head.mixup": trial.suggest_categorical("head.mixup", [0.0, 0.1, 0.2, 0.4, 0.8]),
        "head.balanced": trial.suggest_categorical("head.balanced", [True, False]),
        "train.rate": trial.suggest_float("train.rate", 1e-4, 3e-2, log=True),
        "train.weight_decay": trial.suggest_float("train.weight_decay", 1e-4, 1.0, log=True),
        "train.label_smoothing": trial.suggest_categorical("train.label_smoothing", [0.0, 0.05, 0.1, 0.2]),
        "train.batch": trial.suggest_categorical("train.batch", [16, 32, 64, 128]),
        "train.epochs": trial.suggest_categorical("train.epochs", [10, 20, 30, 60]),
    }
    if views:
        settings["backbone.views"] = trial.suggest_int("backbone.views", 0, views)
    return settings


def changed(recipe: Recipe, settings: Mapping[str, Any]) -> Recipe:
    """The recipe with these settings."""
    sections: dict[str, dict[str, Any]] = {}
    for name, value in settings.items():
        section, _, field = name.partition(".")
        sections.setdefault(section, {})[field] = value
    known = {field.name for field in fields(recipe)}
    return replace(
        recipe, **{name: replace(getattr(recipe, name), **values) for name, values in sections.items() if name in known}
    )


def judged(task: Task, recipe: Recipe) -> tuple[float, list[float]]:
    """Mean loss over the folds (cross-entropy, natural logarithm), and the accuracy of each fold."""
    losses, accuracies = [], []
    for train, validation in task.divided(recipe.backbone.views):
        try:
            trained = train_head(train, validation, task.outputs, (recipe.head, recipe.train))
        except BrokenHeadError:
            return WORST, [0.0]
        best = trained.history[trained.best - 1]
        losses.append(best.validation_loss)
        accuracies.append(best.validation_accuracy)
    loss = sum(losses) / len(losses)
    return (loss if math.isfinite(loss) else WORST), accuracies


def settled(values: Tensor) -> Tensor:
    """As it is kept in a file."""
    return values.to(torch.float16).contiguous()
