"""What is said to a person about what was learned: how many of ten, between which bounds, and what to mend.

Figures come from the held-out answers only. The bounds count groups, not pictures: twenty frames of one burst are
hardly more evidence than one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from demo.teach.learning import Estimate
from handwriter_models.learning.confusion import Confusion
from handwriter_models.learning.intervals import wilson
from handwriter_models.learning.metrics import confused_pairs

FEW = 5  # pictures of a class, below which more are asked for
_UNEVEN = 3  # times as many pictures has the largest class
_CONFUSED, _LEAST_CONFUSED = 0.2, 2  # share and number of a class's pictures that are taken for another
_TOLD = 3  # pairs of classes
Json = dict[str, Any]


def told(found: Estimate) -> Json:
    """The estimate as numbers and as an English sentence."""
    hits = found.probabilities.argmax(axis=1) == found.labels
    right, count = int(hits.sum()), len(hits)
    interval = _interval(found)
    tenths = round(10 * right / count)
    near = "nearly all" if tenths == 10 and right < count else "all" if right == count else f"about {tenths} of 10"
    text = f"{near} right, from {count} pictures; between {interval[0]:.2f} and {interval[1]:.2f}"
    if found.single:
        text += "; too good where a class has one burst only"
    groups = len(np.unique(found.groups))
    return {
        "right": right,
        "of": count,
        "groups": groups,
        "folds": found.folds,
        "accuracy": round(right / count, 4),
        "interval": interval,
        "single": list(found.single),
        "text": text,
    }


def _interval(found: Estimate) -> list[float]:
    """At 95 %, each group counted once, by the share of its pictures that are right."""
    hits = found.probabilities.argmax(axis=1) == found.labels
    _, place = np.unique(found.groups, return_inverse=True)
    shares = np.bincount(place, hits) / np.bincount(place)
    return wilson(float(shares.sum()), len(shares)) or [0.0, 1.0]


def warnings(counts: Mapping[str, int], found: Estimate | None) -> list[Json]:
    """What stands in the way of a good answer, the worst first; classes by id.

    Codes: `few_classes`, `empty`, `few`, `uneven`, `single` (one burst only), `confused` (with `count` and `of`).
    """
    taught = {name: count for name, count in counts.items() if count}
    most = max(taught.values(), default=0)
    lists = {
        "empty": [name for name in counts if name not in taught],
        "few": [name for name, count in taught.items() if count < FEW],
        "uneven": [name for name, count in taught.items() if FEW <= count < most / _UNEVEN],
        "single": [name for name in found.single if name in counts] if found else [],
    }
    said: list[Json] = [] if len(taught) >= 2 else [{"code": "few_classes", "classes": []}]
    said += [{"code": code, "classes": names} for code, names in lists.items() if names]
    return said + (_confused(found, counts) if found else [])


def _confused(found: Estimate, counts: Mapping[str, int]) -> list[Json]:
    confusion = Confusion.of(found.labels, found.probabilities.argmax(axis=1), len(found.classes))
    sums = dict(zip(found.classes, confusion.of_actual.tolist(), strict=True))
    return [
        {
            "code": "confused",
            "classes": [pair["actual"], pair["predicted"]],
            "count": pair["count"],
            "of": sums[pair["actual"]],
        }
        for pair in confused_pairs(confusion, list(found.classes), _TOLD)
        if pair["count"] >= _LEAST_CONFUSED and pair["share"] >= _CONFUSED
        if pair["actual"] in counts and pair["predicted"] in counts
    ]
