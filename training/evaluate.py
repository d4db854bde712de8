"""A bundle measured on a source: the same code measures a model right after its training and any bundle later.

A source whose fingerprint says that the bundle was trained on it gives its test pictures only; so does a source that
names its own test pictures; any other source is new to the model and gives everything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handwriter_models.classifier import Classifier, load
from handwriter_models.errors import UserError
from training.metrics import expected_calibration_error, measure
from training.recipes import DataOptions, recipe_from_table
from training.samples import Samples
from training.sources import read_source


@dataclass(frozen=True)
class Answers:
    """What a classifier says to samples: probabilities (n, labels), and whether it refuses (n,)."""

    samples: Samples
    probabilities: NDArray[np.float32]
    rejected: NDArray[np.bool_]


def answers_of(classifier: Classifier, samples: Samples) -> Answers:
    """The classifier's answers, with its own temperature and rule of rejection."""
    probabilities, background = classifier.scores(samples.images)
    rule = classifier.config.rejection
    rejected = rule.refuses(probabilities.max(axis=1), background) if rule else np.zeros(len(samples), bool)
    return Answers(samples, probabilities, rejected)


def metrics_of(classifier: Classifier, answers: Answers) -> dict[str, Any]:
    """The metrics object, with the calibration error before the temperature was applied beside the one after."""
    labels, names = answers.samples.labels, list(classifier.labels)
    uncalibrated = Classifier(replace(classifier.config, temperature=1.0), classifier.network)
    before = expected_calibration_error(labels, uncalibrated.scores(answers.samples.images)[0])
    metrics = measure(labels, answers.probabilities, answers.rejected, names)
    return {**metrics, "ece_before_temperature": round(before, 6)}


def evaluate_bundle(bundle: str, source: str, data: Path | None) -> tuple[Classifier, Answers, list[tuple[str, str]]]:
    """The bundle's answers to the part of `source` that it has not learned, and the files that could not be read."""
    classifier = load(bundle)
    options, seed = _division(classifier)
    splits = read_source(source, data, options, seed)
    trained_on_it = splits.fingerprint() == classifier.config.data.get("fingerprint")
    samples = splits.test if trained_on_it or splits.own_test else splits.everything()
    return classifier, answers_of(classifier, _with_labels_of(classifier, samples)), splits.unreadable


def _division(classifier: Classifier) -> tuple[DataOptions, int]:
    """The shares and the seed by which the bundle's own training divided its source."""
    if not classifier.config.recipe:
        return DataOptions(), 0
    recipe = recipe_from_table(classifier.config.recipe)
    return recipe.data, recipe.train.seed


def _with_labels_of(classifier: Classifier, samples: Samples) -> Samples:
    """The samples with label numbers of the bundle; labels are matched by name."""
    foreign = [name for name in samples.names if name not in classifier.labels]
    if foreign:
        raise UserError(
            f"label {foreign[0]!r} of {samples.source} is not a label of model {classifier.name!r}",
            f"its labels: {', '.join(classifier.labels)}",
        )
    numbers = np.asarray([classifier.labels.index(name) for name in samples.names], np.int64)
    return replace(samples, labels=numbers[samples.labels], names=list(classifier.labels))
