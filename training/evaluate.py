"""A bundle measured on a source: the same code measures a model right after its training and any bundle later.

Pictures are compared with what the bundle remembers of its training (`leaks`), and not measured silently when they
share something: the refusal is the default, for a figure that is too good is worse than none.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from handwriter_models.classifier import Classifier, load
from handwriter_models.errors import UserError
from handwriter_models.learning.intervals import METHOD_BY_WRITER, by_writer
from handwriter_models.learning.metrics import measure, measure_groups
from training.answers import Answers, answers_of
from training.held_out import HeldOut, Unreadable, held_out, numbers_in
from training.leaks import counted, leaks_between, report

__all__ = ["Answers", "Evaluation", "OnLeaks", "answers_of", "evaluate_bundle", "evaluated", "metrics_of"]
_NAMED = 60  # labels in a message
OnLeaks = Literal["refuse", "measure", "leave out"]


@dataclass(frozen=True)
class Evaluation:
    """A bundle measured: its answers, files that could not be read, and how many pictures were left out as leaks."""

    classifier: Classifier
    answers: Answers
    unreadable: Unreadable
    left_out: int = 0

    def metrics(self) -> dict[str, Any]:
        """The metrics object."""
        left_out = {"left_out_as_leaks": self.left_out} if self.left_out else {}
        return metrics_of(self.classifier, self.answers) | left_out


def metrics_of(classifier: Classifier, answers: Answers) -> dict[str, Any]:
    """The metrics object: of labels, of their groups where there are some, and what was checked for leaks."""
    samples, config, names = answers.samples, classifier.config, list(classifier.labels)
    given = (samples.labels, answers.probabilities)
    metrics = measure(*given, answers.rejected, names, answers.temperature, answers.confidence)
    by_writers = by_writer(answers.hits, samples.groups)
    if by_writers:
        metrics |= {"accuracy_interval_by_writer": by_writers, "writers": len(np.unique(samples.groups))}
        metrics["interval_method"] += f"; by writer: {METHOD_BY_WRITER}"
    if config.groups:
        metrics["by_group"] = measure_groups(*given, names, config.groups)
    return metrics | report(config.data.get("learned"), answers.known_by(), answers.hits)


def evaluate_bundle(bundle: str, source: str, data: Path | None, on_leaks: OnLeaks = "refuse") -> Evaluation:
    """The bundle's answers to the part of `source` that it has not learned.

    Raises:
        UserError: a label that the bundle does not have, or pictures or writers that it has learned from.
    """
    classifier = load(bundle)
    part = held_out(classifier, source, data)
    known = set(classifier.labels)
    foreign = [name for name in part.names if name not in known]
    if foreign:
        more = f" and {len(known) - _NAMED:,} more" if len(known) > _NAMED else ""
        raise UserError(
            f"label {foreign[0]!r} of {source} is not a label of model {classifier.name!r}",
            f"its labels: {', '.join(classifier.labels[:_NAMED])}{more}",
        )
    return evaluated(classifier, part, np.ones(len(part.labels), bool), on_leaks)


def evaluated(classifier: Classifier, part: HeldOut, wanted: NDArray[np.bool_], on_leaks: OnLeaks) -> Evaluation:
    """The classifier's answers to the wanted pictures whose labels it knows, after the look for leaks."""
    known = numbers_in(classifier, part.names)[part.labels] >= 0
    if not (wanted & known).any():
        raise UserError(f"{part.source} has no picture to measure model {classifier.name!r} on", "give another source")
    answers = part.answers(classifier, wanted & known)
    kept = _without_leaks(classifier, answers, on_leaks)
    return Evaluation(classifier, kept, part.unreadable, len(answers) - len(kept))


def _without_leaks(classifier: Classifier, answers: Answers, on_leaks: OnLeaks) -> Answers:
    """The answers to measure: all, or those to pictures that share nothing with the training data.

    Raises:
        UserError: there are leaks and they are to be refused, or nothing would be left.
    """
    learned, prints = classifier.config.data.get("learned"), answers.known_by()
    if on_leaks == "measure" or learned is None or prints is None:
        return answers
    leaks = leaks_between(learned, prints)
    if not leaks:
        return answers
    reasons = ", ".join(f"{why}: {count}" for why, count in counted(leaks)["why"].items())
    what = f"{len(leaks)} of {len(answers)} pictures of {answers.samples.source} are known to model"
    if len(leaks) == len(answers):
        raise UserError(f"{what} {classifier.name!r} from its training ({reasons})", "give another source, or --leaky")
    if on_leaks == "refuse":
        raise UserError(
            f"{what} {classifier.name!r} from its training ({reasons})",
            "--leave-out-leaks measures on the others, --leaky on all; the result says so",
        )
    return answers.take(np.setdiff1d(np.arange(len(answers)), [leak.picture for leak in leaks]))
