"""One bundle on two sources, side by side: what it does at home, and what is left of that elsewhere.

Labels are matched by name. Pictures of a label that the bundle or the other source lacks are left out on both sides, so
that the two figures speak of the same task, and the result names every label left out with its pictures. The bundle
still answers with all its labels: taking some off its list would make the task easier than it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handwriter_models.classifier import load
from handwriter_models.errors import UserError
from training.evaluate import Evaluation, OnLeaks, evaluated
from training.held_out import HeldOut, held_out


@dataclass(frozen=True)
class Comparison:
    """Both evaluations on the shared labels; `left_out` has by source the pictures of each label that is not shared."""

    home: Evaluation
    away: Evaluation
    sources: tuple[str, str]
    shared: list[str]
    left_out: dict[str, dict[str, int]]

    def metrics(self) -> dict[str, Any]:
        """The metrics of the first source, with those of the second below `on`."""
        home, away = self.sources
        labels = {"labels": self.shared, "left_out": self.left_out}
        return {**self.home.metrics(), "source": home, "shared": labels, "on": {**self.away.metrics(), "source": away}}


def compare(bundle: str, sources: tuple[str, str], data: Path | None, on_leaks: OnLeaks = "refuse") -> Comparison:
    """The bundle on two sources, measured on the labels that both have and the bundle knows.

    Raises:
        UserError: no label is shared, or there are leaks that are to be refused.
    """
    if sources[0] == sources[1]:
        raise UserError(f"--on names the same source, {sources[0]}", "give another one")
    classifier = load(bundle)
    parts = [held_out(classifier, source, data) for source in sources]
    counts = [_pictures(part) for part in parts]
    shared = [name for name in classifier.labels if all(name in one for one in counts)]
    if not shared:
        raise UserError(
            f"{sources[0]} and {sources[1]} share no label that model {classifier.name!r} knows",
            f"labels are matched by name: {_some(counts[0])} and {_some(counts[1])}",
        )
    left_out = {
        source: {name: number for name, number in one.items() if name not in shared}
        for source, one in zip(sources, counts, strict=True)
    }
    both = [evaluated(classifier, part, _of(part, shared), on_leaks) for part in parts]
    return Comparison(both[0], both[1], sources, shared, left_out)


def _pictures(part: HeldOut) -> dict[str, int]:
    """Pictures by label, of the labels that have any."""
    counts = np.bincount(part.labels, minlength=len(part.names))
    return {name: int(count) for name, count in zip(part.names, counts, strict=False) if count}


def _of(part: HeldOut, names: list[str]) -> NDArray[np.bool_]:
    numbers = [number for number, name in enumerate(part.names) if name in names]
    return np.isin(part.labels, numbers)


def _some(counts: dict[str, int]) -> str:
    return ", ".join(list(counts)[:5]) + (", …" if len(counts) > 5 else "")
