"""A search tries settings on vectors, goes on where it stopped, and leaves a recipe that can be fitted."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from handwriter_models.bundle import read_config
from handwriter_models.errors import UserError
from tests.called import called
from tests.test_training_heads import clouds
from tests.tiny_backbone import NAME, small_recipe, write_two_tones, write_weights
from training.figures_style import png
from training.frozen import named_weights
from training.recipes import read_recipe
from training.search import SearchOrder, search
from training.search_report import draw, importance, table, write_recipe
from training.search_space import WORST, Task, changed, chosen, folds_of, judged


class Lowest:
    """Always the first choice or the least number."""

    def suggest_categorical(self, name: str, choices: list[object], /) -> object:
        return choices[0]

    def suggest_float(self, name: str, low: float, high: float, /, *, log: bool = False) -> float:
        return low

    def suggest_int(self, name: str, low: int, high: int, /) -> int:
        return low


def small_task() -> Task:
    cloud = clouds(60)
    folds = folds_of(cloud.labels.numpy(), np.arange(60), seed=0)
    return Task(cloud.values, cloud.labels, torch.from_numpy(folds), 3)


def test_groups_stay_whole_and_labels_are_spread_over_the_folds() -> None:
    labels, groups = np.arange(90) % 3, np.arange(90) // 5
    folds = folds_of(labels, groups, seed=1)
    assert set(folds) == {0, 1, 2}
    assert all(len(set(folds[groups == group])) == 1 for group in range(18))
    assert all(set(labels[folds == fold]) == {0, 1, 2} for fold in range(3))


def test_label_of_two_pictures_still_makes_folds() -> None:
    labels = np.array([0] * 10 + [1] * 2)
    assert set(folds_of(labels, np.arange(12), seed=0)) == {0, 1}


def test_every_choice_is_a_field_of_a_recipe() -> None:
    recipe = small_recipe()
    settings = chosen(Lowest(), views=2)
    found = changed(recipe, settings)
    for name, value in settings.items():
        section, _, field = name.partition(".")
        assert getattr(getattr(found, section), field) == value
    assert found.augment == recipe.augment
    assert "backbone.views" not in chosen(Lowest(), views=0)


def test_good_settings_are_judged_better_than_poor_ones() -> None:
    good = small_recipe("head.hidden=16", "train.epochs=12", "train.rate=5e-3", "train.batch=16")
    poor = small_recipe("head.hidden=16", "train.epochs=1", "train.rate=1e-6", "train.batch=64")
    (loss, accuracies), (worse, _) = judged(small_task(), good), judged(small_task(), poor)
    assert loss < 0.5 * worse
    assert len(accuracies) == 3
    assert min(accuracies) > 0.9


def test_training_that_breaks_is_a_number_and_not_the_end() -> None:
    task = small_task()
    broken = replace(task, values=torch.full_like(task.values, float("nan")))
    assert judged(broken, small_recipe()) == (WORST, [0.0])


def test_search_goes_on_where_it_stopped_and_its_recipe_can_be_fitted(tmp_path: Path) -> None:
    source, out = write_two_tones(tmp_path / "tones"), tmp_path / "search"
    weights = str(write_weights(tmp_path / "small.safetensors"))
    order = SearchOrder(str(source), small_recipe(), out, trials=3, processes=2, start=weights)
    first = search(order)
    assert 3 <= len(first.trials) <= 4  # two processes may end one each at the same moment
    assert [row["loss"] for row in first.trials] == sorted(row["loss"] for row in first.trials)
    assert first.trials[0]["accuracy"] == 1.0
    enough = len(first.trials)
    again = search(replace(order, trials=enough))
    assert again.trials == first.trials
    assert len(search(replace(order, trials=enough + 1, processes=1)).trials) == enough + 1
    with pytest.raises(UserError, match="another recipe"):
        search(replace(order, recipe=small_recipe("backbone.views=0")))
    write_recipe(first.recipe, first.trials[0], out / "best.toml")
    assert read_recipe(str(out / "best.toml")).as_json() == first.recipe.as_json()
    assert read_recipe(str(out / "best.toml")).backbone.name == NAME
    assert first.recipe.backbone.weights == weights, "not those of the recipe, which --weights took the place of"
    assert not (out / "vectors.safetensors").exists()
    assert table(first.trials, {}).row_count == enough
    assert importance(first.study) == {}  # too few to say


def test_best_recipe_names_the_weights_of_the_search_from_every_folder(tmp_path: Path) -> None:
    write_two_tones(tmp_path / "tones")
    write_weights(tmp_path / "작은.safetensors")
    small = ["--set", f"backbone.name={NAME}", "--set", "backbone.views=0"]
    search = ["search", "tones", "--recipe", "frozen-mobilenet-v2", *small, "--trials", "1", "--processes", "1"]
    done = called("training", *search, "--weights", "작은.safetensors", "--out", "found", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    best, elsewhere = tmp_path / "found" / "best.toml", tmp_path / "elsewhere"
    assert read_recipe(str(best)).backbone.weights == str(tmp_path / "작은.safetensors")
    elsewhere.mkdir()
    fitted = called("training", "fit", tmp_path / "tones", "--recipe", best, "--out", "bundle", folder=elsewhere)
    assert fitted.returncode == 0, fitted.stderr
    digest = hashlib.sha256((tmp_path / "작은.safetensors").read_bytes()).hexdigest()
    parent = read_config(elsewhere / "bundle").parent
    assert parent == {"name": NAME, "weights": digest[:12]}
    # a bundle gives its network, too, and one that is bundled keeps its name
    begun = called("training", *search, "--weights", elsewhere / "bundle", "--out", "again", folder=tmp_path)
    assert begun.returncode == 0, begun.stderr
    assert read_recipe(str(tmp_path / "again" / "best.toml")).backbone.weights == str(elsewhere / "bundle")
    assert [named_weights(name) for name in ("imagenet", "none", "digits")] == ["imagenet", "none", "digits"]


def test_plot_is_drawn_though_a_trial_broke() -> None:
    trials = [{"trial": number, "loss": 0.5 - number / 50} for number in range(9)] + [{"trial": 9, "loss": WORST}]
    assert png(draw(trials, {"train.rate": 0.7, "head.hidden": 0.3})).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sampler": "magic"}, "magic"),
        ({"trials": 0}, "0 trials"),
        ({"recipe": read_recipe("mlp-digits")}, "mlp-digits"),
    ],
)
def test_wrong_use_is_told_before_any_work(tmp_path: Path, changes: dict[str, object], said: str) -> None:
    order = replace(SearchOrder("nowhere", small_recipe(), tmp_path / "out"), **changes)  # type: ignore[arg-type]
    with pytest.raises(UserError, match=said):
        search(order)
    assert not (tmp_path / "out").exists()


def test_folder_with_something_else_in_the_place_of_the_trials_is_told(tmp_path: Path) -> None:
    out = tmp_path / "search"
    out.mkdir()
    (out / "search.db").write_text(json.dumps({"not": "a database"}) * 100)
    weights = str(write_weights(tmp_path / "small.safetensors"))
    order = SearchOrder(str(write_two_tones(tmp_path / "tones")), small_recipe(), out, start=weights)
    with pytest.raises(UserError, match=r"search\.db"):
        search(order)
