"""After training: how far to trust the network's probabilities, and when to refuse an answer.

Temperature scaling (Guo et al. 2017, arXiv:1706.04599) divides all logits by one number, found on the validation
pictures; it changes no answer, only the confidence. The threshold of rejection is the one that still accepts the
recipe's share of true validation pictures. Neither ever looks at the test.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

Floats = NDArray[np.floating]
Numbers = NDArray[np.int64]
_COLDEST, _HOTTEST = 0.2, 10.0
# A few faultless validation pictures ask for temperature zero, and the first mistake is then made with full confidence.
# So the temperature is drawn to 1 as if by some ten pictures (log-normal prior); of thousands it moves nothing.
_PULL = 10.0


def fit_temperature(logits: Floats, labels: Numbers) -> float:
    """The temperature with the least log loss; `logits` (n, labels) without any background output."""

    def loss(log_temperature: float) -> float:
        scaled = logits.astype(np.float64) / math.exp(log_temperature)
        losses = -log_softmax(scaled, axis=1)[np.arange(len(labels)), labels]
        return float(losses.mean() + _PULL / len(labels) * log_temperature**2 / 2)

    found = minimize_scalar(loss, bounds=(math.log(_COLDEST), math.log(_HOTTEST)), method="bounded")
    return round(math.exp(found.x), 4)


def background_threshold(background: Floats, target: float) -> float:
    """The least background probability to refuse at, so that the share `target` of true pictures stays below it."""
    highest_accepted = float(np.quantile(background, target, method="higher"))
    return min(1.0, float(np.nextafter(np.float32(highest_accepted), np.float32(2))))


def probability_threshold(best: Floats, target: float) -> float:
    """The least probability of the best label to accept, so that the share `target` of true pictures reaches it."""
    return float(np.quantile(best, 1 - target, method="lower"))
