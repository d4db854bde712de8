"""How well probabilities order the pictures: ROC and precision-recall by label, and accuracy against what is answered.

Unlike accuracy these do not ask for the best label only: a label that is never the best one may still be ranked well.
Curves are returned for figures; what stays in the metrics are their areas. A label without pictures, or the only one
with pictures, has no such area: None, never NaN.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]


def found_and_alarms(truth: Flags, score: Floats) -> tuple[Numbers, Numbers]:
    """How many true and how many false pictures reach each score that occurs, from the highest to the lowest."""
    order = np.argsort(-score, kind="stable")
    last = np.append(np.flatnonzero(np.diff(score[order])), len(order) - 1)  # of each run of equals
    found: Numbers = np.cumsum(truth[order])[last]
    return found, last + 1 - found


def roc_auc(truth: Flags, score: Floats) -> float | None:
    """Area under the ROC curve: how often a true picture is scored above a false one, ties counting half."""
    positives = int(truth.sum())
    negatives = len(truth) - positives
    if not positives or not negatives:
        return None
    found, alarms = found_and_alarms(truth, score)
    return float(np.trapezoid([0, *found], [0, *alarms])) / (positives * negatives)


def average_precision(truth: Flags, score: Floats) -> float | None:
    """Mean precision over the recalls that are reached, without interpolation."""
    if truth.all() or not truth.any():
        return None
    found, alarms = found_and_alarms(truth, score)
    return float((np.diff(found, prepend=0) * found / (found + alarms)).sum() / truth.sum())


def ranks_of_truth(labels: Numbers, probabilities: Floats) -> Numbers:
    """How many labels come before the actual one, (n,); 0 is a right answer. Of equals the first comes first."""
    own = probabilities[np.arange(len(labels)), labels][:, None]
    earlier = np.arange(probabilities.shape[1])[None, :] < labels[:, None]
    before: Numbers = ((probabilities > own) | ((probabilities == own) & earlier)).sum(axis=1)
    return before


def rejection_curve(hits: Flags, confidence: Floats) -> tuple[Floats, Floats]:
    """Share answered and accuracy among it, each (n,), when only the 1, 2 … n most confident pictures are answered.

    Pictures of equal confidence share their hits evenly, so that the order of the pictures does not matter.
    """
    _, place = np.unique(-confidence.astype(np.float64), return_inverse=True)
    even = (np.bincount(place, hits) / np.bincount(place))[np.sort(place)]
    count = np.arange(1, len(hits) + 1)
    return count / len(hits), np.cumsum(even) / count


def aurc(accuracy: Floats) -> float:
    """Area under the risk-coverage curve (Geifman & El-Yaniv 2017): mean error over all shares answered."""
    return float(1 - accuracy.mean())
