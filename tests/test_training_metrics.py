"""Metrics: against numbers worked out by hand, scikit-learn, and the classifier itself."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import (
    average_precision_score,
    precision_recall_fscore_support,
    roc_auc_score,
    roc_curve,
    top_k_accuracy_score,
)
from sklearn.metrics import log_loss as sklearn_log_loss

from handwriter_models.classifier import Classifier
from handwriter_models.learning.intervals import by_writer, wilson
from handwriter_models.learning.metrics import at_temperature, expected_calibration_error, measure, measure_groups
from handwriter_models.learning.ranking import average_precision, found_and_alarms, rejection_curve, roc_auc
from handwriter_models.networks import build
from tests.conftest import small_config
from tests.training_cases import stripes

NAMES = ["a", "b", "c"]
LABELS = np.array([0, 0, 0, 1])
#                    right            right            wrong            right
ANSWERS = np.array([[0.9, 0.1, 0.0], [0.8, 0.2, 0.0], [0.3, 0.7, 0.0], [0.4, 0.6, 0.0]])
REFUSED = np.array([False, True, False, False])


def made_up(count: int = 300, names: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and probabilities that lean towards them."""
    random = np.random.default_rng(0)
    labels = random.integers(0, names, count)
    probabilities = random.dirichlet(np.ones(names), count)
    probabilities[np.arange(count), labels] += 0.3
    return labels, probabilities / probabilities.sum(axis=1, keepdims=True)


def test_averages_are_as_worked_out_by_hand() -> None:
    metrics = measure(LABELS, ANSWERS, REFUSED, NAMES)
    assert metrics["accuracy"] == 0.75
    assert metrics["precision"] == pytest.approx({"weighted": (3 * 1 + 1 * 0.5) / 4, "macro": 0.75})
    assert metrics["recall"] == pytest.approx({"weighted": 0.75, "macro": (2 / 3 + 1) / 2}, abs=1e-6)
    assert metrics["f1"] == pytest.approx({"weighted": (3 * 0.8 + 2 / 3) / 4, "macro": (0.8 + 2 / 3) / 2}, abs=1e-6)
    assert metrics["confusion"] == [[2, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert metrics["confused"] == [
        {"actual": "a", "predicted": "b", "count": 1, "share": pytest.approx(1 / 3, abs=1e-6)}
    ]
    assert (metrics["refused"], metrics["accuracy_of_answered"]) == (0.25, pytest.approx(2 / 3, abs=1e-6))
    assert metrics["nll"] == pytest.approx(-np.log([0.9, 0.8, 0.3, 0.6]).mean(), abs=1e-6)
    assert metrics["brier"] == pytest.approx((2 * 0.1**2 + 2 * 0.2**2 + 2 * 0.7**2 + 2 * 0.4**2) / 4)
    assert metrics["n"] == 4


def test_label_without_pictures_is_no_part_of_the_averages() -> None:
    metrics = measure(LABELS, ANSWERS, REFUSED, NAMES)
    assert set(metrics["per_label"]) == {"a", "b"}
    assert metrics["per_label"]["a"]["n"] == 3


@pytest.mark.parametrize("labels", [LABELS, np.zeros(4, int)], ids=["two labels", "one label only"])
def test_metrics_are_plain_json_whatever_is_missing(labels: np.ndarray) -> None:
    metrics = measure(labels, ANSWERS, np.ones(4, bool), NAMES)
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics
    assert metrics["accuracy_of_answered"] is None
    assert (metrics["roc_auc"] is None) == (labels.max() == 0)


def test_ranking_agrees_with_scikit_learn() -> None:
    labels, probabilities = made_up()
    metrics = measure(labels, probabilities, np.zeros(300, bool), list("abcdef"))
    assert metrics["roc_auc"] == pytest.approx(roc_auc_score(labels, probabilities, multi_class="ovr"), abs=1e-6)
    for k, share in metrics["top"].items():
        assert share == pytest.approx(top_k_accuracy_score(labels, probabilities, k=int(k)), abs=1e-6)
    assert set(metrics["top"]) == {"2", "3", "5"}
    assert metrics["nll"] == pytest.approx(sklearn_log_loss(labels, probabilities), abs=1e-6)


def test_averages_and_curves_agree_with_scikit_learn_where_labels_are_missing_and_scores_are_equal() -> None:
    labels, probabilities = made_up()
    labels[labels == 4] = 0  # predicted, never there
    probabilities = np.round(probabilities, 1)  # many equal scores
    probabilities[:, 5] *= 0.01  # there, never predicted
    metrics = measure(labels, probabilities, np.zeros(300, bool), list("abcdef"))
    predicted = probabilities.argmax(axis=1)
    for kind in ("weighted", "macro"):
        theirs = precision_recall_fscore_support(labels, predicted, average=kind, zero_division=0)[:3]
        assert [metrics[name][kind] for name in ("precision", "recall", "f1")] == pytest.approx(theirs, abs=1e-6)
    for label in (0, 5):
        truth, score = labels == label, probabilities[:, label]
        assert average_precision(truth, score) == pytest.approx(average_precision_score(truth, score))
        assert roc_auc(truth, score) == pytest.approx(roc_auc_score(truth, score))
        found, alarms = found_and_alarms(truth, score)
        false, true, _ = roc_curve(truth, score, drop_intermediate=False)
        assert [*found / found[-1]] == pytest.approx(true[1:])
        assert [*alarms / alarms[-1]] == pytest.approx(false[1:])


def test_top_k_stops_below_the_number_of_labels() -> None:
    assert set(measure(LABELS, ANSWERS, REFUSED, NAMES)["top"]) == {"2"}


def test_equal_probabilities_count_as_the_answer_does() -> None:
    equal = np.full((3, 3), 1 / 3)
    metrics = measure(np.array([0, 1, 2]), equal, np.zeros(3, bool), NAMES)
    assert metrics["accuracy"] == pytest.approx(1 / 3, abs=1e-6)
    assert metrics["top"]["2"] == pytest.approx(2 / 3, abs=1e-6)


def test_wilson_interval_is_that_of_the_textbook() -> None:
    assert wilson(8, 10) == pytest.approx([0.490162, 0.943318], abs=1e-6)
    assert wilson(10, 10) == pytest.approx([0.722467, 1.0], abs=1e-6)
    assert wilson(0, 0) is None
    row = measure(LABELS, ANSWERS, REFUSED, NAMES)["per_label"]["a"]
    assert row["recall_interval"] == wilson(2, 3)
    assert row["precision_interval"] == wilson(2, 2)


def test_interval_by_writer_is_wider_when_writers_differ() -> None:
    hits = np.repeat([True, True, True, False, True, False], 50)
    writers = np.repeat(np.arange(6), 50)
    low, high = by_writer(hits, writers) or (0, 0)
    narrow = wilson(200, 300) or [0, 0]
    assert high - low > 3 * (narrow[1] - narrow[0])
    assert by_writer(hits, np.where(writers == 0, -1, writers)) is None, "one writer is unknown"
    assert by_writer(hits, np.zeros(300, np.int64)) is None, "one writer tells nothing about others"


def test_calibration_error_is_as_worked_out_by_hand() -> None:
    # four bins of one picture each: |0.9-1|, |0.8-1|, |0.7-0|, |0.6-1|
    assert expected_calibration_error(LABELS, ANSWERS) == pytest.approx((0.1 + 0.2 + 0.7 + 0.4) / 4)


def test_certainty_belongs_to_the_last_bin() -> None:
    assert expected_calibration_error(np.array([0]), np.array([[1.0, 0.0]])) == 0


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_temperature_is_taken_out_as_if_the_network_had_been_asked_again(temperature: float) -> None:
    def scores(one: float) -> np.ndarray:
        config = small_config(temperature=one)
        return Classifier(config, network).scores(stripes(20).images)[0]

    network = build("compact", small_config().network.arguments)
    assert np.allclose(at_temperature(scores(temperature), temperature), scores(1.0), atol=1e-5)


def test_rejection_curve_does_not_depend_on_the_order_of_equals() -> None:
    hits = np.array([True, False, True, True])
    confidence = np.array([0.9, 0.9, 0.5, 0.4])
    answered, accuracy = rejection_curve(hits, confidence)
    assert answered.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert accuracy.tolist() == pytest.approx([0.5, 0.5, 2 / 3, 0.75])
    turned = rejection_curve(hits[::-1], confidence[::-1])[1]
    assert turned.tolist() == pytest.approx(accuracy.tolist())


def test_rejection_is_told_at_fixed_shares() -> None:
    labels, probabilities = made_up()
    rejection = measure(labels, probabilities, np.zeros(300, bool), list("abcdef"))["rejection"]
    whole, *_, half = rejection["curve"]
    assert (whole["answered"], half["answered"]) == (1.0, 0.5)
    assert half["accuracy"] > whole["accuracy"] > 1 - rejection["aurc"] - 0.5


def test_groups_are_summed_and_labels_judged_within_them() -> None:
    groups = {"a": "letter", "b": "letter", "1": "digit"}
    probabilities = np.array([[0.3, 0.3, 0.4], [0.1, 0.7, 0.2], [0.2, 0.1, 0.7], [0.5, 0.2, 0.3]])
    found = measure_groups(np.array([0, 0, 2, 2]), probabilities, ["a", "b", "1"], groups)
    # the first is a letter by its sum although "1" is its best label, and "a" is the better letter
    assert (found["group_accuracy"], found["accuracy"], found["within"]) == (0.75, 0.25, 0.75)
    assert found["each"]["letter"] == {
        "n": 2, "group_accuracy": 1.0, "group_interval": wilson(2, 2), "accuracy": 0.0, "within": 0.5
    }  # fmt: skip
    assert found["each"]["digit"]["within"] == 1.0
