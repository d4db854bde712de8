"""How probable it is that pictures come from a hand known by a few others: the two-covariance model, calibrated.

A picture's vector is taken as x = y + e: y is the hand, normal with variance `between` (one number a trait), and e is
what differs from picture to picture, normal with variance 1 (the network's last layer is made so, see `whitened`).
Then everything has a closed form (Brümmer & de Villiers 2010, "The speaker partitioning problem", Odyssey): what n
pictures tell of a hand, how well k others fit it, and how well they fit a hand never seen. Five pictures of a new
person are therefore enough, nothing is trained, and fewer pictures give flatter answers by themselves.

The model is not quite true (pictures of one hand are not independent), so all logarithms are divided by
temperature · k ** exponent, both found on hands that no weight has learned from. Plain numpy; no network here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_softmax, logsumexp, softmax

from training.samples import Numbers

Floats = NDArray[np.float64]
_RIDGE = 1e-3  # share of the mean variance added to each trait: few pictures make some directions seem noiseless


@dataclass(frozen=True)
class Calibration:
    """Logarithms are divided by `temperature` · k ** `exponent`; `offset` is added to the stranger's."""

    temperature: float = 1.0
    exponent: float = 0.0
    offset: float = 0.0

    def scaled(self, logs: Floats, count: int) -> Floats:
        """Log-likelihoods of `count` pooled pictures, ready for a softmax."""
        divided: Floats = logs / (self.temperature * count**self.exponent)
        return divided

    def probabilities(self, logs: Floats, count: int) -> Floats:
        """(m, writers) → the same, each row summing to 1: if it is one of them, which."""
        answer: Floats = softmax(self.scaled(logs, count), axis=1)
        return answer

    def stranger(self, logs: Floats, strange: Floats, count: int) -> Floats:
        """(m,): the probability that it is none of the writers, at even odds before anything was seen."""
        known = logsumexp(self.scaled(logs, count), axis=1) - math.log(logs.shape[1])
        answer: Floats = expit(self.scaled(strange, count) + self.offset - known)
        return answer


@dataclass(frozen=True)
class Trial:
    """Questions about pooled pictures: `count` in each, whose answers are the columns `truth` of `logs`.

    `truth` is -1 and only `strange` counts where the hand is not among the columns.
    """

    logs: Floats
    strange: Floats
    truth: Numbers
    count: int


def log_likelihoods(
    between: Floats, means: Floats, counts: NDArray[np.integer], query: Floats, count: int
) -> tuple[Floats, Floats]:
    """How well pooled pictures fit each known hand, and how well a hand that nobody knows.

    Args:
        between: variance of hands, (traits,).
        means: mean vector of each known hand's pictures, (writers, traits).
        counts: how many pictures each of those means is of, (writers,).
        query: mean vectors of the pictures asked about, (m, traits).
        count: how many pictures each of the queries is of.

    Returns:
        Log-likelihoods (m, writers) and (m,), both without the same constant.
    """
    remaining = 1 / (1 / between + counts[:, None])  # variance of a hand after its pictures were seen
    expected = remaining * counts[:, None] * means
    spread = remaining + 1 / count
    logs = _log_normal(query[:, None] - expected, spread)
    return logs, _log_normal(query, between + 1 / count)


def _log_normal(difference: Floats, variance: Floats) -> Floats:
    values: Floats = -0.5 * (difference**2 / variance + np.log(variance)).sum(axis=-1)
    return values


def whitened(features: Floats, hands: Numbers, traits: int) -> tuple[Floats, Floats, Floats]:
    """The linear map after which pictures of one hand have variance 1 and hands differ most along the first traits.

    Args:
        features: (n, dimension).
        hands: who made each, (n,).
        traits: how many directions to keep.

    Returns:
        matrix (dimension, traits), bias (traits,), and `between` (traits,): x → x @ matrix + bias.
    """
    _, place, counts = np.unique(hands, return_inverse=True, return_counts=True)
    middle = features.mean(axis=0)
    means = np.zeros((len(counts), features.shape[1]))
    np.add.at(means, place, features)
    means /= counts[:, None]
    rest = features - means[place]
    within = rest.T @ rest / max(1, len(features) - len(counts))
    within += _RIDGE * np.trace(within) / len(within) * np.eye(len(within))
    among = (means - middle).T @ (means - middle) / len(counts) - within / counts.mean()
    values, vectors = np.linalg.eigh(within)
    unit = vectors / np.sqrt(values)
    strengths, directions = np.linalg.eigh(unit.T @ among @ unit)
    best = np.argsort(-strengths)[:traits]
    matrix = unit @ directions[:, best]
    return matrix, -middle @ matrix, np.maximum(strengths[best], 1e-3)


def calibrate(trials: Sequence[Trial]) -> Calibration:
    """Temperature and exponent with the least log loss on trials of known hands; then the offset on all trials.

    Without trials of strangers the offset stays 0.
    """
    known = _joined([trial for trial in trials if (trial.truth >= 0).all()])
    strangers = _joined([trial for trial in trials if (trial.truth < 0).all()])

    def loss(values: Floats) -> float:
        found = Calibration(math.exp(values[0]), float(values[1]))
        each = [log_softmax(found.scaled(trial.logs, trial.count), axis=1) for trial in known]
        right = [rows[np.arange(len(rows)), trial.truth] for rows, trial in zip(each, known, strict=True)]
        return -float(np.concatenate(right).mean())

    bounds = [(math.log(0.2), math.log(50)), (-0.5, 1.0)]
    best = minimize(loss, np.zeros(2), method="Nelder-Mead", bounds=bounds)
    found = Calibration(round(math.exp(best.x[0]), 4), round(float(best.x[1]), 4))
    return replace(found, offset=_offset(found, known, strangers)) if strangers else found


def _joined(trials: Sequence[Trial]) -> list[Trial]:
    """One trial for all of the same shape: a search asks them a hundred times."""
    alike: dict[tuple[int, int], list[Trial]] = {}
    for trial in trials:
        alike.setdefault((trial.count, trial.logs.shape[1]), []).append(trial)
    joined = []
    for (count, _), same in alike.items():
        logs, strange = (
            np.concatenate(parts) for parts in zip(*((one.logs, one.strange) for one in same), strict=True)
        )
        joined.append(Trial(logs, strange, np.concatenate([one.truth for one in same]), count))
    return joined


def _offset(found: Calibration, known: Sequence[Trial], strangers: Sequence[Trial]) -> float:
    """The offset with the least log loss when half of all hands are strangers."""

    def loss(values: Floats) -> float:
        shifted = replace(found, offset=float(values[0]))
        sides = [
            [shifted.stranger(trial.logs, trial.strange, trial.count) for trial in side] for side in (known, strangers)
        ]
        outside = np.concatenate(sides[1]).clip(1e-12, 1)
        inside = (1 - np.concatenate(sides[0])).clip(1e-12, 1)
        return -float(np.log(outside).mean() + np.log(inside).mean())

    return round(float(minimize(loss, np.zeros(1), method="Nelder-Mead").x[0]), 4)
