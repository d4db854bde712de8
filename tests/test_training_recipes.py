"""Recipes: what a person may write, and what each wrong line is answered with."""

from __future__ import annotations

from pathlib import Path

import pytest

from handwriter_models.errors import UserError
from training.recipes import read_recipe, recipe_from_table, recipe_names

SEEDS = [("mlp-digits", "mlp", 5e-3, 100, 12), ("cnn-digits", "cnn", 1e-3, 512, 30)]


@pytest.mark.parametrize(("name", "network", "rate", "batch", "epochs"), SEEDS)
def test_seeds_recipes_are_as_the_seeds_describe(name: str, network: str, rate: float, batch: int, epochs: int) -> None:
    recipe = read_recipe(name)
    assert (recipe.name, recipe.network.name, recipe.train.optimizer) == (name, network, "adam")
    assert (recipe.train.rate, recipe.train.batch, recipe.train.epochs) == (rate, batch, epochs)
    assert recipe.rejection.score == "max_probability"
    assert set(recipe.description) == {"en", "ko"}


@pytest.mark.parametrize("name", recipe_names())
def test_each_recipe_survives_being_stored_in_a_bundle(name: str) -> None:
    recipe = read_recipe(name)
    assert recipe_from_table(recipe.as_json()) == recipe


def test_changes_apply_in_order_and_take_toml_values() -> None:
    changes = [
        "train.epochs=5",
        "train.rate=1",
        "train.epochs=7",
        "train.optimizer=sgd",
        "network.arguments.hidden=[8]",
    ]
    recipe = read_recipe("mlp-digits", [*changes, "name=mine"])
    assert (recipe.train.epochs, recipe.train.rate, recipe.train.optimizer, recipe.name) == (7, 1.0, "sgd", "mine")
    assert recipe.network.arguments["hidden"] == [8]


def test_recipe_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "내 요리.toml"
    path.write_text('description = "mine"\n[train]\nepochs = 3\n', encoding="utf-8")
    recipe = read_recipe(str(path))
    assert (recipe.name, recipe.train.epochs, recipe.description) == ("내 요리", 3, {"en": "mine"})


WRONG_CHANGES = [
    ("train.epocs=5", "epocs"),
    ("training.epochs=5", "training"),
    ("train.epochs=five", "'five'"),
    ("train.epochs=2.5", "2.5"),
    ("train.epochs=true", "True"),
    ("train.epochs=0", "0"),
    ("train.rate=nan", "nan"),
    ("train.rate=-1", "-1"),
    ("train.optimizer=adamax", "adamax"),
    ("train.optimizer=3", "3"),
    ("data.extras=[1]", "[1]"),
    ("data.extras=redrawn", "'redrawn'"),
    ("network=mlp", "'mlp'"),
    ("augment=7", "7"),
    ("rejection.score=maybe", "maybe"),
    ("train.rate", "train.rate"),
    ("=5", "=5"),
    ("train.rate.deep.er=5", "train.rate.deep.er=5"),
    ("name=5", "5"),
    ("description=5", "5"),
]


@pytest.mark.parametrize(("change", "named"), WRONG_CHANGES)
def test_wrong_change_is_refused_and_named(change: str, named: str) -> None:
    with pytest.raises(UserError) as caught:
        read_recipe("mlp-digits", [change])
    assert named in caught.value.what
    assert caught.value.hint


def test_unknown_recipe_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UserError, match="'mlp-digit'") as caught:
        read_recipe("mlp-digit")
    assert "mlp-digits" in caught.value.hint


@pytest.mark.parametrize("content", [b"train = [", b"name = \xff"])
def test_file_that_is_not_toml_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"broken\.toml is not TOML"):
        read_recipe(str(path))
