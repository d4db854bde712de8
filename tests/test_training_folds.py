"""Cross-validation: groups stay whole, every picture is measured once, the table adds up."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from handwriter_models.errors import UserError
from tests.conftest import small_config, write_small_bundle
from tests.training_cases import small_recipe, stripes, write_folder
from training.commands import app
from training.folds import FoldsOrder, cross_validate, groups_of
from training.refit import cross_validate_bundle

LABELS = np.arange(60) % 3
NAMES = ["가", "나", "다"]


def certain(test: np.ndarray, right: bool = True) -> np.ndarray:
    answers = np.full((len(test), 3), 0.05)
    answers[np.arange(len(test)), (LABELS[test] + (not right)) % 3] = 0.9
    return answers


def test_groups_stay_whole_and_every_picture_is_a_test_picture_once() -> None:
    groups = np.arange(60) // 3
    seen = []

    def fit_and_answer(train: np.ndarray, test: np.ndarray) -> np.ndarray:
        assert not set(groups[train]) & set(groups[test])
        assert set(LABELS[test]) == {0, 1, 2}
        seen.extend(test.tolist())
        return certain(test)

    table = cross_validate((LABELS, NAMES), groups, 5, 0, fit_and_answer)
    assert sorted(seen) == list(range(60))
    assert (table["mean"]["accuracy"], table["std"]["accuracy"], table["groups"]) == (1.0, 0.0, 20)
    assert table["together"]["n"] == 60
    assert json.loads(json.dumps(table, allow_nan=False)) == table


def test_mean_and_deviation_are_those_of_the_folds() -> None:
    calls = []

    def half(train: np.ndarray, test: np.ndarray) -> np.ndarray:
        calls.append(test)
        return certain(test, right=len(calls) > 1)

    table = cross_validate((LABELS, NAMES), np.arange(60), 4, 0, half)
    assert [fold["accuracy"] for fold in table["folds"]] == [0.0, 1.0, 1.0, 1.0]
    assert table["mean"]["accuracy"] == 0.75
    assert table["std"]["accuracy"] == 0.5


def test_same_seed_gives_the_same_folds() -> None:
    def folds(seed: int) -> list[list[int]]:
        found: list[list[int]] = []
        cross_validate(
            (LABELS, NAMES), np.arange(60), 3, seed, lambda _, test: found.append(test.tolist()) or certain(test)
        )
        return found

    assert folds(1) == folds(1)
    assert folds(1) != folds(2)


@pytest.mark.parametrize(("k", "hint"), [(1, "--folds 2"), (10, "--folds 9")])
def test_more_folds_than_a_label_has_groups_are_refused(k: int, hint: str) -> None:
    with pytest.raises(UserError) as caught:
        cross_validate((LABELS, NAMES), np.arange(60) // 7, k, 0, lambda _, test: certain(test))
    assert hint in caught.value.hint


def test_equal_pictures_are_one_group_where_writers_are_unknown() -> None:
    samples = stripes(20)
    assert len(np.unique(groups_of(samples))) == 10, "ten writers"
    twice = samples.take(np.arange(20) // 2)
    unknown = type(twice)(twice.images, twice.labels, np.full(20, -1), twice.names, "x")
    assert np.array_equal(groups_of(unknown)[::2], groups_of(unknown)[1::2])


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    recipe = small_recipe(epochs=1).as_json()
    return str(write_small_bundle(tmp_path / "small", small_config(recipe=recipe)))


def test_recipe_of_a_bundle_is_fitted_anew_on_every_fold(bundle: str, tmp_path: Path) -> None:
    root = write_folder(tmp_path / "in", "37", count=8)
    runner = CliRunner()
    result = runner.invoke(app, ["evaluate", bundle, str(root), "--folds", "2", "--device", "cpu", "--json"])
    assert result.exit_code == 0, result.output
    table = json.loads(result.stdout)
    assert sum(fold["n"] for fold in table["folds"]) == table["together"]["n"] == 16
    assert table["recipe"] == "small"
    read = runner.invoke(app, ["evaluate", bundle, str(root), "--folds", "2", "--device", "cpu"])
    assert "mean ±" in read.stdout


def test_bundle_without_a_recipe_cannot_be_fitted_again(tmp_path: Path) -> None:
    bundle = str(write_small_bundle(tmp_path / "small"))
    with pytest.raises(UserError, match="has no recipe"):
        cross_validate_bundle(FoldsOrder(bundle, "sklearn-digits", 3))
