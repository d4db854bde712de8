"""How good the answers are: one plain object, the same for `fit`, `evaluate`, the bundle and its card.

Averages are over the labels that occur, as scikit-learn's. Rejection does not change them: a picture counts by its
best label, and the share of true pictures that were refused stands beside it, with the accuracy of the rest. Bundles
of an earlier version have fewer keys; whoever reads metrics bears that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from handwriter_models.learning.confusion import Confusion
from handwriter_models.learning.intervals import METHOD, wilson
from handwriter_models.learning.ranking import aurc, average_precision, ranks_of_truth, rejection_curve, roc_auc

Floats = NDArray[np.floating]
Numbers = NDArray[np.int64]
BINS = 15
_TOP = (2, 3, 5)
_PAIRS = 20
_MOST_ROWS = 10_000  # labels of which each has its metrics stored: two megabytes
_SHARES = (1.0, 0.99, 0.98, 0.95, 0.9, 0.8, 0.7, 0.5)  # answered, at which the accuracy is told
_LEAST = 1e-12  # a probability of zero would cost an infinite log loss


def measure(
    labels: Numbers,
    probabilities: Floats,
    rejected: NDArray[np.bool_],
    names: list[str],
    temperature: float = 1.0,
    confidence: Floats | None = None,
) -> dict[str, Any]:
    """All metrics of answers (n, labels) to pictures with the actual `labels` (n,); at least one picture.

    `temperature` is the one in the probabilities: it is taken out for the values before it. `confidence` orders the
    rejection curve, the highest probability by default.
    """
    predicted = probabilities.argmax(axis=1)
    hits = predicted == labels
    confusion = Confusion.of(labels, predicted, len(names))
    before = at_temperature(probabilities, temperature)
    per_label = _per_label(labels, probabilities, confusion, names)
    best = probabilities.max(axis=1) if confidence is None else confidence
    return {
        "accuracy": _rounded(hits.mean()),
        "accuracy_interval": wilson(int(hits.sum()), len(hits)),
        "interval_method": METHOD,
        **_averages(confusion),
        "top": _top(labels, probabilities),
        "roc_auc": _mean(row["roc_auc"] for row in per_label.values()),
        "average_precision": _mean(row["average_precision"] for row in per_label.values()),
        "per_label": _stored(per_label),
        "labels": names,
        "confusion": confusion.to_json(),
        "confused": confused_pairs(confusion, names),
        "ece": _rounded(expected_calibration_error(labels, probabilities)),
        "ece_before_temperature": _rounded(expected_calibration_error(labels, before)),
        "nll": _rounded(log_loss(labels, probabilities)),
        "nll_before_temperature": _rounded(log_loss(labels, before)),
        "brier": _rounded(brier(labels, probabilities)),
        "rejection": _rejection(hits, best),
        "refused": _rounded(rejected.mean()),
        "accuracy_of_answered": _rounded(hits[~rejected].mean()) if not rejected.all() else None,
        "n": len(labels),
    }


def _rounded(value: float) -> float:
    return round(float(value), 6)


def _maybe(value: float | None) -> float | None:
    return None if value is None else _rounded(value)


def _mean(values: Any) -> float | None:  # noqa: ANN401 - of floats and None
    known = [value for value in values if value is not None]
    return _rounded(sum(known) / len(known)) if known else None


def _averages(confusion: Confusion) -> dict[str, dict[str, float]]:
    right, actual, predicted = confusion.right, confusion.of_actual, confusion.of_predicted
    shares = {
        "precision": right / np.maximum(predicted, 1),
        "recall": right / np.maximum(actual, 1),
        "f1": 2 * right / np.maximum(actual + predicted, 1),
    }
    present = actual + predicted > 0
    return {
        name: {"weighted": _rounded(np.average(share, weights=actual)), "macro": _rounded(share[present].mean())}
        for name, share in shares.items()
    }


def _per_label(labels: Numbers, probabilities: Floats, confusion: Confusion, names: list[str]) -> dict[str, Any]:
    """Of each label that is actual or predicted; the shares with their intervals."""
    rows: dict[str, Any] = {}
    hits, actual, predicted = confusion.right, confusion.of_actual, confusion.of_predicted
    for label in np.flatnonzero(actual + predicted).tolist():
        right, count, guessed = int(hits[label]), int(actual[label]), int(predicted[label])
        truth, score = labels == label, probabilities[:, label]
        rows[names[label]] = {
            "precision": _rounded(right / guessed if guessed else 0.0),
            "recall": _rounded(right / count if count else 0.0),
            "f1": _rounded(2 * right / (count + guessed)),
            "n": count,
            "precision_interval": wilson(right, guessed),
            "recall_interval": wilson(right, count),
            "roc_auc": _maybe(roc_auc(truth, score)),
            "average_precision": _maybe(average_precision(truth, score)),
        }
    return rows


def _stored(rows: dict[str, Any]) -> dict[str, Any]:
    """All rows; of very many those with the lowest F1, in the order of the labels."""
    if len(rows) <= _MOST_ROWS:
        return rows
    kept = set(sorted(rows, key=lambda name: rows[name]["f1"])[:_MOST_ROWS])
    return {name: row for name, row in rows.items() if name in kept}


def _top(labels: Numbers, probabilities: Floats) -> dict[str, float]:
    """By k, as text: the share of pictures whose label is among the k most probable ones."""
    ranks = ranks_of_truth(labels, probabilities)
    return {str(k): _rounded((ranks < k).mean()) for k in _TOP if k < probabilities.shape[1]}


def _rejection(hits: NDArray[np.bool_], confidence: Floats) -> dict[str, Any]:
    _, accuracy = rejection_curve(hits, confidence)
    places = [max(1, round(share * len(hits))) - 1 for share in _SHARES]
    points = [{"answered": s, "accuracy": _rounded(accuracy[p])} for s, p in zip(_SHARES, places, strict=True)]
    return {"aurc": _rounded(aurc(accuracy)), "curve": points}


def confused_pairs(confusion: Confusion, names: list[str], most: int = _PAIRS) -> list[dict[str, Any]]:
    """The commonest mistakes, most frequent first; `share` is that of the actual label's pictures."""
    pictures = confusion.of_actual
    return [
        {
            "actual": names[actual],
            "predicted": names[predicted],
            "count": count,
            "share": _rounded(count / pictures[actual]),
        }
        for actual, predicted, count in confusion.mistakes(most)
    ]


def measure_groups(
    labels: Numbers, probabilities: Floats, names: list[str], groups: Mapping[str, str]
) -> dict[str, Any]:
    """How often the group is right, by the sum of its labels' probabilities, and the label within it.

    `within`: the best label of the actual group is the actual label, as if the group had been told.
    """
    kinds = list(dict.fromkeys(groups[name] for name in names))
    group_of = np.array([kinds.index(groups[name]) for name in names])
    actual = group_of[labels]
    sums = np.stack([probabilities[:, group_of == kind].sum(axis=1) for kind in range(len(kinds))], axis=1)
    found = sums.argmax(axis=1) == actual
    own = np.where(group_of[None, :] == actual[:, None], probabilities, -1.0)
    within = own.argmax(axis=1) == labels
    hits = probabilities.argmax(axis=1) == labels

    def row(chosen: NDArray[np.bool_]) -> dict[str, Any]:
        return {
            "n": int(chosen.sum()),
            "group_accuracy": _rounded(found[chosen].mean()),
            "group_interval": wilson(int(found[chosen].sum()), int(chosen.sum())),
            "accuracy": _rounded(hits[chosen].mean()),
            "within": _rounded(within[chosen].mean()),
        }

    each = {kind: row(actual == number) for number, kind in enumerate(kinds) if (actual == number).any()}
    return {**row(np.ones(len(labels), bool)), "each": each}


def at_temperature(probabilities: Floats, temperature: float) -> Floats:
    """softmax(logits) out of softmax(logits / temperature): no need to ask the network again."""
    if temperature == 1.0:
        return probabilities
    logs = np.log(np.maximum(probabilities.astype(np.float64), np.finfo(np.float32).tiny))
    scaled: Floats = softmax(logs * temperature, axis=1)
    return scaled


def log_loss(labels: Numbers, probabilities: Floats) -> float:
    """Mean negative log likelihood of the actual labels (natural logarithm, probabilities of at least 1e-12)."""
    own = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.maximum(own, _LEAST)).mean())


def brier(labels: Numbers, probabilities: Floats) -> float:
    """Mean squared distance from the truth over all labels, 0 to 2 (Brier 1950, the form for many classes)."""
    own = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    squares = np.einsum("ij,ij->i", probabilities, probabilities, dtype=np.float64)  # without a copy in float64
    return float((squares - 2 * own + 1).mean())


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
