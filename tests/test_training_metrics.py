"""Metrics: against numbers worked out by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from training.metrics import expected_calibration_error, measure

NAMES = ["a", "b", "c"]
LABELS = np.array([0, 0, 0, 1])
#                    right            right            wrong            right
ANSWERS = np.array([[0.9, 0.1, 0.0], [0.8, 0.2, 0.0], [0.3, 0.7, 0.0], [0.4, 0.6, 0.0]])
REFUSED = np.array([False, True, False, False])


def test_averages_are_as_worked_out_by_hand() -> None:
    metrics = measure(LABELS, ANSWERS, REFUSED, NAMES)
    assert metrics["accuracy"] == 0.75
    assert metrics["precision"] == pytest.approx({"weighted": (3 * 1 + 1 * 0.5) / 4, "macro": 0.75})
    assert metrics["recall"] == pytest.approx({"weighted": 0.75, "macro": (2 / 3 + 1) / 2}, abs=1e-6)
    assert metrics["f1"] == pytest.approx({"weighted": (3 * 0.8 + 2 / 3) / 4, "macro": (0.8 + 2 / 3) / 2}, abs=1e-6)
    assert metrics["confusion"] == [[2, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert metrics["refused"] == 0.25
    assert metrics["n"] == 4


def test_label_without_pictures_is_no_part_of_the_averages() -> None:
    metrics = measure(LABELS, ANSWERS, REFUSED, NAMES)
    assert set(metrics["per_label"]) == {"a", "b"}
    assert metrics["per_label"]["a"]["n"] == 3


def test_metrics_are_plain_json() -> None:
    metrics = measure(LABELS, ANSWERS, REFUSED, NAMES)
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics


def test_calibration_error_is_as_worked_out_by_hand() -> None:
    # four bins of one picture each: |0.9-1|, |0.8-1|, |0.7-0|, |0.6-1|
    assert expected_calibration_error(LABELS, ANSWERS) == pytest.approx((0.1 + 0.2 + 0.7 + 0.4) / 4)


def test_certainty_belongs_to_the_last_bin() -> None:
    assert expected_calibration_error(np.array([0]), np.array([[1.0, 0.0]])) == 0
