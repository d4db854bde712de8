"""Evaluation: on what a bundle has not learned, by label name, with the bundle's own rule of rejection."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from handwriter_models.bundle import Rejection
from handwriter_models.classifier import Classifier
from handwriter_models.errors import UserError
from handwriter_models.networks import build
from tests.conftest import small_config, write_small_bundle
from tests.training_cases import small_recipe, stripes, write_folder
from training.commands import app
from training.evaluate import answers_of, evaluate_bundle
from training.fit import Order, fit


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDWRITER_CACHE", str(tmp_path / "cache"))


def test_source_that_was_learned_gives_its_test_part_only(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "in", "37", count=10)
    bundle = str(fit(Order(str(root), small_recipe(), tmp_path / "bundle")).bundle)
    assert len(evaluate_bundle(bundle, str(root), None)[1].samples) == 4
    (root / "3" / "0.png").unlink()
    assert len(evaluate_bundle(bundle, str(root), None)[1].samples) == 19, "another folder now: all of it is new"


def test_labels_are_matched_by_name_not_by_place(tmp_path: Path) -> None:
    bundle = str(write_small_bundle(tmp_path / "small"))
    _, answers, _ = evaluate_bundle(bundle, str(write_folder(tmp_path / "in", "37")), None)
    assert set(answers.samples.labels) == {3, 7}
    assert answers.samples.names == list("0123456789")


def test_label_that_the_bundle_does_not_know_is_refused(tmp_path: Path) -> None:
    bundle = str(write_small_bundle(tmp_path / "small"))
    with pytest.raises(UserError, match=r"label 'x' of .* is not a label of model 'small'"):
        evaluate_bundle(bundle, str(write_folder(tmp_path / "in", "3x")), None)


@pytest.mark.parametrize(("score", "background"), [("background", True), ("max_probability", False)])
def test_rejection_is_the_bundles_own(score: str, background: bool) -> None:
    def refused(threshold: float) -> float:
        config = small_config(background, rejection=Rejection(score, threshold))  # type: ignore[arg-type]
        classifier = Classifier(config, build(config.network.name, config.network.arguments))
        return float(answers_of(classifier, stripes(20)).rejected.mean())

    assert (refused(0.0), refused(1.0)) == ((1.0, 0.0) if background else (0.0, 1.0))
    no_rule = small_config(False)
    assert not answers_of(Classifier(no_rule, build("compact", no_rule.network.arguments)), stripes(20)).rejected.any()


def test_command_prints_json_and_draws_figures(tmp_path: Path) -> None:
    bundle, figures = write_small_bundle(tmp_path / "small"), tmp_path / "figures"
    arguments = ["evaluate", str(bundle), "sklearn-digits", "--json", "--figures", str(figures)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    metrics = json.loads(result.stdout)
    assert metrics["n"] == 1797
    assert np.sum(metrics["confusion"]) == 1797
    assert {path.name for path in figures.iterdir()} >= {"confusion.png", "examples.png", "mistakes.png"}


def test_command_prints_a_summary_a_person_can_read(tmp_path: Path) -> None:
    bundle, root = write_small_bundle(tmp_path / "small"), write_folder(tmp_path / "in")
    (root / "3" / "broken.png").write_bytes(b"broken")
    result = CliRunner().invoke(app, ["evaluate", str(bundle), str(root)])
    assert result.exit_code == 3
    assert "of 12 pictures" in result.stdout
    assert "broken.png" in result.stderr


def test_recipes_are_listed() -> None:
    runner = CliRunner()
    assert "cnn-digits" in runner.invoke(app, ["recipes"]).stdout
    listed = json.loads(runner.invoke(app, ["recipes", "--json"]).stdout)
    assert {"mlp-digits", "cnn-digits", "digits"} <= {recipe["name"] for recipe in listed}


def test_unknown_device_is_refused() -> None:
    result = CliRunner().invoke(app, ["fit", "sklearn-digits", "--recipe", "mlp-digits", "--device", "abacus"])
    assert isinstance(result.exception, UserError)
    assert "'abacus'" in result.exception.what
