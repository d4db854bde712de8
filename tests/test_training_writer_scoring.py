"""The two-covariance model agrees with its definition, and the calibration repairs what was spoiled."""

from __future__ import annotations

import numpy as np
from scipy.stats import multivariate_normal

from training.writer_scoring import Calibration, Trial, calibrate, log_likelihoods, whitened

BETWEEN = np.array([4.0, 1.0, 0.25])


def drawn(writers: int, pictures: int, seed: int) -> np.ndarray:
    """Vectors of the model itself, (writers, pictures, traits)."""
    random = np.random.default_rng(seed)
    hands = random.normal(size=(writers, 1, 3)) * np.sqrt(BETWEEN)
    return hands + random.normal(size=(writers, pictures, 3))


def trial(seed: int, writers: int = 10, count: int = 5, strangers: bool = False) -> Trial:
    vectors = drawn(2 * writers, 5 + count, seed)
    asked = vectors[writers:] if strangers else vectors[:writers]
    query = asked[:, 5:].mean(axis=1)
    logs, strange = log_likelihoods(BETWEEN, vectors[:writers, :5].mean(axis=1), np.full(writers, 5), query, count)
    return Trial(logs, strange, np.full(writers, -1) if strangers else np.arange(writers), count)


def test_likelihood_ratio_is_that_of_the_joint_normal_distribution() -> None:
    known, query = np.array([0.7]), np.array([-0.4, 0.1])  # one trait: n = 3 pictures with this mean, k = 2 others
    both = np.array([0.5, 0.7, 0.9, *query])
    covariance = np.ones((5, 5)) * 2.0 + np.eye(5)

    def density(values: np.ndarray, part: slice) -> float:
        return float(multivariate_normal.logpdf(values[part], cov=covariance[part, part]))

    wanted = density(both, slice(0, 5)) - density(both, slice(0, 3)) - density(both, slice(3, 5))
    logs, strange = log_likelihoods(
        np.array([2.0]), known[:, None], np.array([3]), query.mean(keepdims=True)[:, None], 2
    )
    assert np.isclose(logs[0, 0] - strange[0], wanted)


def test_more_pictures_of_a_hand_make_its_answer_surer() -> None:
    means = np.array([[1.0, 0, 0], [-1.0, 0, 0]])
    query = np.array([[1.0, 0, 0]])
    best = [
        Calibration().probabilities(log_likelihoods(BETWEEN, means, np.array([5, 5]), query, count)[0], count)[0, 0]
        for count in (1, 5, 20)
    ]
    assert 0.5 < best[0] < best[1] < best[2] < 1


def test_whitened_pictures_of_one_hand_have_variance_one_and_traits_fall() -> None:
    vectors = drawn(200, 30, seed=1)
    mixed = vectors.reshape(-1, 3) @ np.array([[2.0, 1, 0], [0, 1.5, 1], [0, 0, 1.2]]) + 7
    hands = np.repeat(np.arange(200), 30)
    matrix, bias, between = whitened(mixed, hands, 3)
    back = (mixed @ matrix + bias).reshape(200, 30, 3)
    rest = (back - back.mean(axis=1, keepdims=True)).reshape(-1, 3)
    assert np.allclose(rest.T @ rest / (200 * 29), np.eye(3), atol=0.05)
    assert np.allclose(back.reshape(-1, 3).mean(axis=0), 0, atol=1e-9)
    assert np.allclose(between, BETWEEN, rtol=0.3)


def test_true_model_is_left_as_it_is() -> None:
    found = calibrate([trial(seed, count=count) for seed in range(40) for count in (1, 5)])
    assert abs(found.temperature - 1) < 0.2
    assert abs(found.exponent) < 0.15
    assert found.offset == 0


def test_boasting_logarithms_are_cooled_by_the_number_of_pictures() -> None:
    trials = [trial(seed, count=count) for seed in range(40) for count in (1, 5)]
    boasting = [Trial(one.logs * 3 * one.count**0.5, one.strange, one.truth, one.count) for one in trials]
    found = calibrate(boasting)
    assert abs(found.temperature - 3) < 0.6
    assert abs(found.exponent - 0.5) < 0.15


def test_strangers_are_told_from_known_hands() -> None:
    trials = [trial(seed, count=20, strangers=strangers) for seed in range(40) for strangers in (False, True)]
    found = calibrate(trials)
    means = [found.stranger(one.logs, one.strange, one.count).mean() for one in trials]
    assert np.mean(means[1::2]) > 0.55 > 0.45 > np.mean(means[::2])


def test_probability_of_a_stranger_rises_with_the_offset() -> None:
    one = trial(1)
    low, high = (Calibration(offset=offset).stranger(one.logs, one.strange, one.count) for offset in (-2.0, 2.0))
    assert (low < high).all()
