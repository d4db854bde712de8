"""Temperature and thresholds: right on made-up networks whose true answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from handwriter_models.learning.calibration import background_threshold, fit_temperature, probability_threshold
from handwriter_models.learning.metrics import expected_calibration_error


def honest_logits(count: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose softmax is the true distribution of the labels."""
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, (count, 4))
    labels = (softmax(logits, axis=1).cumsum(axis=1) < random.random((count, 1))).sum(axis=1)
    return logits, labels


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_temperature_undoes_a_known_exaggeration(factor: float) -> None:
    logits, labels = honest_logits()
    temperature = fit_temperature(logits * factor, labels)
    assert temperature == pytest.approx(factor, rel=0.05)
    assert expected_calibration_error(labels, softmax(logits * factor / temperature, axis=1)) < 0.012


def test_faultless_validation_does_not_freeze_the_temperature() -> None:
    labels = np.arange(30) % 3
    assert fit_temperature(np.eye(3)[labels] * 20, labels) == pytest.approx(1, abs=0.1)
    assert fit_temperature(np.eye(3)[labels] * 4, labels) > 0.5


def test_background_threshold_accepts_the_target_share() -> None:
    background = np.random.default_rng(0).random(1000).astype(np.float32) ** 4
    threshold = background_threshold(background, 0.98)
    assert 0.979 <= (background < threshold).mean() <= 0.982


def test_thresholds_of_a_network_without_doubt_accept_all() -> None:
    assert (np.zeros(9, np.float32) < background_threshold(np.zeros(9, np.float32), 0.98)).all()
    assert background_threshold(np.ones(9, np.float32), 0.98) == 1.0
    assert (np.ones(9, np.float32) >= probability_threshold(np.ones(9, np.float32), 0.98)).all()


def test_probability_threshold_accepts_the_target_share() -> None:
    best = np.random.default_rng(0).random(1000).astype(np.float32)
    assert 0.979 <= (best >= probability_threshold(best, 0.98)).mean() <= 0.982
