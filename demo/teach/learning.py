"""From a session's pictures to a head, in milliseconds, and to what may be said about it, honestly.

The head is learned from all pictures. How good it is is told by other heads, each of which has not seen the pictures
that it answers: k-fold cross-validation, one group left out at a time when there are few. Pictures of one burst and
near copies stay in one fold, because a head that has seen a picture's neighbour in a film knows the picture. Where a
class has a single burst, that is cut into pieces, and the estimate says that it is too good.

The same held-out answers give the temperature and the probability below which an answer is "neither". Functions of
their arguments only; who calls them when is `teacher`'s affair.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from demo.teach.samples import Sample, groups_of
from handwriter_models.learning.calibration import fit_temperature, probability_threshold
from handwriter_models.learning.heads import Vectors
from handwriter_models.learning.linear import LinearOptions, linear_head
from handwriter_models.networks import Head

HEAD = LinearOptions(penalty=0.5)
FOLDS = 5
_ONE_BY_ONE = 12  # groups up to which each is left out by itself
_ACCEPTED = 0.95  # share of true pictures that are answered
_STRICTEST = 0.9  # a few faultless answers would ask for a certainty that the next true picture does not reach
_PIECES = 4  # of a class's only burst
Numbers = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Lesson:
    """A session's pictures at one moment.

    Attributes:
        version: of the session.
        classes: ids of the classes that have pictures, in order; `labels` are places in it.
        labels: (n,).
        samples: n of them.
    """

    version: int
    classes: tuple[str, ...]
    labels: Numbers = field(repr=False)
    samples: tuple[Sample, ...] = field(repr=False)

    @property
    def counts(self) -> Numbers:
        """Pictures by class."""
        return np.bincount(self.labels, minlength=len(self.classes))

    def vectors(self, places: Numbers | None = None) -> Vectors:
        """Of some pictures, or of all."""
        chosen = np.arange(len(self.labels)) if places is None else places
        values = np.stack([self.samples[place].vectors for place in chosen.tolist()])
        return Vectors(torch.from_numpy(values), torch.from_numpy(self.labels[chosen]))


@dataclass(frozen=True)
class Estimate:
    """Held-out answers.

    Attributes:
        version: of the session whose pictures these are.
        classes: ids, as the lesson has them.
        labels: place of the actual class of each picture that was answered, (n,).
        probabilities: (n, classes), at `temperature`.
        groups: number of each picture's group, (n,).
        folds: how many heads answered.
        single: ids of classes that have one burst only: about those the estimate is too good.
        temperature: of the head.
        threshold: the highest probability must reach it.
    """

    version: int
    classes: tuple[str, ...]
    labels: Numbers = field(repr=False)
    probabilities: Floats = field(repr=False)
    groups: Numbers = field(repr=False)
    folds: int
    single: tuple[str, ...]
    temperature: float
    threshold: float


class OutdatedError(Exception):
    """There are newer pictures: nobody wants this estimate any more."""


def learned(lesson: Lesson, places: Numbers | None = None) -> Head:
    """The head of all pictures, or of those at some places; two classes at least."""
    return linear_head(lesson.vectors(places), len(lesson.classes), HEAD)


def logits_of(head: Head, vectors: torch.Tensor) -> torch.Tensor:
    """(n, dimension) → (n, classes)."""
    with torch.inference_mode():
        logits: torch.Tensor = head(vectors)
    return logits


def estimate(lesson: Lesson, outdated: Callable[[], bool] = lambda: False) -> Estimate | None:
    """The held-out answers; None while fewer than two classes have two pictures each. Raises `OutdatedError`."""
    tested = lesson.counts[lesson.labels] >= 2
    if len(np.unique(lesson.labels[tested])) < 2:
        return None
    groups, single = _divisible(lesson, groups_of(lesson.samples))
    folds = _folds(lesson.labels, groups)
    logits = np.zeros((len(lesson.labels), len(lesson.classes)))
    for fold in np.unique(folds).tolist():
        if outdated():
            raise OutdatedError
        test = np.flatnonzero((folds == fold) & tested)
        if len(test):
            head = learned(lesson, np.flatnonzero(folds != fold))
            logits[test] = logits_of(head, lesson.vectors(test).values[:, 0]).numpy()
    labels, answers = lesson.labels[tested], logits[tested]
    temperature = fit_temperature(answers, labels)
    probabilities = torch.softmax(torch.from_numpy(answers / temperature), 1).numpy()
    threshold = min(_STRICTEST, probability_threshold(probabilities.max(axis=1), _ACCEPTED))
    return Estimate(
        version=lesson.version,
        classes=lesson.classes,
        labels=labels,
        probabilities=probabilities,
        groups=groups[tested],
        folds=len(np.unique(folds[tested])),
        single=tuple(lesson.classes[label] for label in single),
        temperature=temperature,
        threshold=threshold,
    )


def _divisible(lesson: Lesson, groups: Numbers) -> tuple[Numbers, list[int]]:
    """Groups such that each class of several pictures has two at least, and the classes whose only one was cut."""
    result, single, free = groups.copy(), [], int(groups.max()) + 1
    for label in np.flatnonzero(lesson.counts >= 2).tolist():
        own = np.flatnonzero(lesson.labels == label)
        if len(np.unique(groups[own])) > 1:
            continue
        single.append(label)
        for number, piece in enumerate(np.array_split(own, min(_PIECES, len(own)))):
            result[piece] = free + number
        free += _PIECES
    return result, single


def _folds(labels: Numbers, groups: Numbers) -> Numbers:
    """The fold of each picture: groups stay whole, each class is spread evenly; the largest groups come first."""
    names, sizes = np.unique(groups, return_counts=True)
    if len(names) <= _ONE_BY_ONE:
        return np.searchsorted(names, groups)
    held = np.zeros((FOLDS, int(labels.max()) + 1), np.int64)  # pictures by fold and class
    result = np.zeros(len(labels), np.int64)
    for place in np.argsort(-sizes, kind="stable").tolist():
        members = np.flatnonzero(groups == names[place])
        own = np.bincount(labels[members], minlength=held.shape[1])
        fold = min(range(FOLDS), key=lambda number: (int(held[number][own > 0].sum()), int(held[number].sum())))
        held[fold] += own
        result[members] = fold
    return result


def answer(head: Head, found: Estimate | None, vector: NDArray[np.float32]) -> tuple[list[float], bool]:
    """Probabilities in the order of the head's classes, and whether the picture is "neither"; `vector` (1, d)."""
    temperature = found.temperature if found else 1.0
    values = torch.softmax(logits_of(head, torch.from_numpy(vector)) / temperature, 1)[0].tolist()
    return values, bool(found and max(values) < found.threshold)
