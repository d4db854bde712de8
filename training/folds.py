"""k-fold cross-validation: every picture is a test picture once, of a model that has seen nothing like it.

One split says how good one model is on a few pictures; k of them say how much of that is luck. Groups (writers,
duplicates) stay whole, each label is spread evenly as far as that allows (scikit-learn's StratifiedGroupKFold). How a
model is fitted is not known here: `fit_and_answer` does it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from handwriter_models.errors import UserError
from handwriter_models.learning.metrics import measure
from training.leaks import prints_of
from training.samples import Samples

Numbers = NDArray[np.int64]
FitAndAnswer = Callable[[Numbers, Numbers], NDArray[np.floating]]
SHOWN = ("accuracy", "f1", "ece", "nll", "brier", "roc_auc")


@dataclass(frozen=True)
class FoldsOrder:
    """What a person asked for: the recipe of `bundle` fitted `folds` times on `source`."""

    bundle: str
    source: str
    folds: int
    data: Path | None = None
    device: str = "cpu"


def cross_validate(
    samples_labels: tuple[Numbers, list[str]], groups: Numbers, k: int, seed: int, fit_and_answer: FitAndAnswer
) -> dict[str, Any]:
    """Metrics by fold, with mean and standard deviation (n - 1) over the folds, and those of all answers together.

    Args:
        samples_labels: the label number of each picture (n,), and the labels' names.
        groups: the group of each picture (n,), from 0; groups are never divided.
        k: folds, at least 2.
        seed: of the division.
        fit_and_answer: takes places of training and of test pictures; fits on the former and gives the probabilities of
            the latter (test, labels).

    Raises:
        UserError: a label has too few groups for k folds.
    """
    labels, names = samples_labels
    _check(labels, names, groups, k)
    answers = np.zeros((len(labels), len(names)), np.float64)
    folds = []
    numbers = fold_numbers(labels, groups, k, seed)
    for number in range(k):
        train, test = np.flatnonzero(numbers != number), np.flatnonzero(numbers == number)
        answers[test] = fit_and_answer(train, test)
        folds.append({"fold": number + 1, "train": len(train), **_row(labels[test], answers[test], names)})
    columns = {name: np.array([fold[name] for fold in folds], float) for name in SHOWN if _known(folds, name)}
    return {
        "k": k,
        "seed": seed,
        "groups": len(np.unique(groups)),
        "folds": folds,
        "mean": {name: round(float(values.mean()), 6) for name, values in columns.items()},
        "std": {name: round(float(values.std(ddof=1)), 6) for name, values in columns.items()},
        "together": measure(labels, answers, np.zeros(len(labels), bool), names),
    }


def groups_of(samples: Samples) -> Numbers:
    """What must stay together, numbered from 0: the writers where all are known, else pictures of equal pixels."""
    if (samples.groups >= 0).all():
        return np.unique(samples.groups, return_inverse=True)[1]
    return np.unique(np.asarray(prints_of(samples).sha256s), return_inverse=True)[1]


def fold_numbers(labels: Numbers, groups: Numbers, k: int, seed: int) -> Numbers:
    """The fold of each picture, (n,), from 0: labels spread evenly, groups whole."""
    numbers = np.zeros(len(labels), np.int64)
    splitter = StratifiedGroupKFold(k, shuffle=True, random_state=seed)
    for number, (_, inside) in enumerate(splitter.split(np.zeros(len(labels)), labels, groups)):
        numbers[inside] = number
    return numbers


def _check(labels: Numbers, names: list[str], groups: Numbers, k: int) -> None:
    if k < 2:
        raise UserError(f"{k} folds are none", "give --folds 2 or more; 5 and 10 are usual")
    for label, name in enumerate(names):
        count = len(np.unique(groups[labels == label]))
        if count < k:
            raise UserError(
                f"label {name!r} has {count} groups of pictures (writers, or pictures of their own) for {k} folds",
                f"give --folds {count}, or more pictures" if count > 1 else "add pictures of it",
            )


def _row(labels: Numbers, answers: NDArray[np.floating], names: list[str]) -> dict[str, Any]:
    found = measure(labels, answers, np.zeros(len(labels), bool), names)
    return {"n": found["n"], **{name: found[name] for name in SHOWN if name != "f1"}, "f1": found["f1"]["macro"]}


def _known(folds: list[dict[str, Any]], name: str) -> bool:
    return all(fold[name] is not None for fold in folds)
