"""What of a source a bundle is measured on: the part that it has not learned from.

A source whose fingerprint says that the bundle was trained on it gives its test pictures only; so does a source that
names its own test pictures; any other source is new to the model and gives everything. Whether that is true is looked
at afterwards, picture by picture (`leaks`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from handwriter_models.classifier import Classifier
from training.answers import Answers, answers_of
from training.recipes import DataOptions, Recipe, recipe_from_table
from training.samples import Numbers, Samples
from training.sources import read_source

Unreadable = list[tuple[str, str]]


class HeldOut(Protocol):
    """Pictures with the labels of their own source, and how to have them answered."""

    @property
    def source(self) -> str:
        """Where they come from."""

    @property
    def names(self) -> list[str]:
        """Label names of the source."""

    @property
    def labels(self) -> Numbers:
        """Index into `names`, (n,)."""

    @property
    def unreadable(self) -> Unreadable:
        """Files that could not be read, with the reason."""

    def answers(self, classifier: Classifier, wanted: NDArray[np.bool_]) -> Answers:
        """To the wanted pictures (n,), all of labels that the classifier knows, with its label numbers."""


@dataclass(frozen=True)
class Handwriting:
    """Prepared pictures in memory."""

    samples: Samples
    unreadable: Unreadable

    @property
    def source(self) -> str:
        """Where they come from."""
        return self.samples.source

    @property
    def names(self) -> list[str]:
        """Label names of the source."""
        return self.samples.names

    @property
    def labels(self) -> Numbers:
        """Index into `names`, (n,)."""
        return self.samples.labels

    def answers(self, classifier: Classifier, wanted: NDArray[np.bool_]) -> Answers:
        """As `HeldOut` says."""
        chosen = self.samples.take(wanted)
        numbers = numbers_in(classifier, self.names)[chosen.labels]
        return answers_of(classifier, replace(chosen, labels=numbers, names=list(classifier.labels)))


def held_out(classifier: Classifier, source: str, data: Path | None) -> HeldOut:
    """What of `source` the bundle is measured on."""
    recipe = recipe_of(classifier)
    options, seed = (recipe.data, recipe.train.seed) if recipe else (DataOptions(), 0)
    if classifier.config.preprocessing.name == "photograph":
        from training.held_out_photographs import held_out_photographs

        return held_out_photographs(classifier, source, options, seed)
    splits = read_source(source, data, options, seed)
    trained_on_it = splits.fingerprint() == classifier.config.data.get("fingerprint")
    samples = splits.test if trained_on_it or splits.own_test else splits.everything()
    return Handwriting(samples, splits.unreadable)


def recipe_of(classifier: Classifier) -> Recipe | None:
    """The recipe that the bundle was trained by, where it tells."""
    return recipe_from_table(classifier.config.recipe) if classifier.config.recipe else None


def numbers_in(classifier: Classifier, names: list[str]) -> Numbers:
    """The classifier's number of each label, matched by name; -1 for a label that it does not have."""
    known = {name: number for number, name in enumerate(classifier.labels)}
    return np.array([known.get(name, -1) for name in names], np.int64)
