"""How good the answers are: one plain object, the same for `fit`, `evaluate`, the bundle and its card.

Averages come from scikit-learn, over the labels that occur. Rejection does not change them: a picture counts by its
best label, and the share of true pictures that were refused stands beside it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

Floats = NDArray[np.floating]
Numbers = NDArray[np.int64]
BINS = 15


def measure(labels: Numbers, probabilities: Floats, rejected: NDArray[np.bool_], names: list[str]) -> dict[str, Any]:
    """Accuracy, precision, recall, F1 (weighted and macro), by label, confusion (row: actual), ECE, share refused."""
    predicted = probabilities.argmax(axis=1)
    present = np.unique(np.concatenate([labels, predicted]))
    each = precision_recall_fscore_support(labels, predicted, labels=present, zero_division=0)
    averages = {
        kind: precision_recall_fscore_support(labels, predicted, labels=present, average=kind, zero_division=0)
        for kind in ("weighted", "macro")
    }
    result: dict[str, Any] = {"accuracy": _rounded((predicted == labels).mean())}
    for place, name in enumerate(("precision", "recall", "f1")):
        result[name] = {kind: _rounded(values[place]) for kind, values in averages.items()}
    result["per_label"] = {
        names[label]: {"precision": _rounded(p), "recall": _rounded(r), "f1": _rounded(f), "n": int(n)}
        for label, p, r, f, n in zip(present, *each, strict=True)
    }
    result["labels"] = names
    result["confusion"] = confusion_matrix(labels, predicted, labels=np.arange(len(names))).tolist()
    result["ece"] = _rounded(expected_calibration_error(labels, probabilities))
    result["refused"] = _rounded(rejected.mean())
    result["n"] = len(labels)
    return result


def _rounded(value: float) -> float:
    return round(float(value), 6)


def calibration_bins(labels: Numbers, probabilities: Floats) -> list[tuple[float, float, int]]:
    """Mean confidence, accuracy and count of each of the 15 bins of equal width that holds a picture."""
    confidence = probabilities.max(axis=1)
    hits = probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return [
        (float(confidence[bins == place].mean()), float(hits[bins == place].mean()), int((bins == place).sum()))
        for place in np.unique(bins)
    ]


def expected_calibration_error(labels: Numbers, probabilities: Floats) -> float:
    """Mean distance between confidence and accuracy over 15 bins, weighted by count (Naeini et al. 2015)."""
    bins = calibration_bins(labels, probabilities)
    return sum(abs(confidence - accuracy) * count for confidence, accuracy, count in bins) / len(labels)
