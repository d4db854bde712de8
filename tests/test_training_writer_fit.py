"""A model of hands from end to end on made-up hands: trained, saved, loaded, measured, and refused when spoiled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handwriter_models.errors import UserError
from tests.writer_scene import made_up_hands, made_up_parts, tiny_order
from training.samples import Numbers
from training.writer_evaluate import _test
from training.writer_fit import fit_writers, known_writers, writer_recipe
from training.writer_model import HandModel, load_hand_model
from training.writer_trials import Draws, measured, questions

PLAIN = {"optimizer": "sgd", "momentum": 0.0, "ema": 0.0}  # no second and third copy of 21 million weights to save


@pytest.fixture(scope="module")
def hand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("hand") / "hand"
    fit_writers(tiny_order("hand", out))
    return out


def spoiled(hand: Path, to: Path, field: str, value: object) -> Path:
    """The bundle with one field of its scoring changed."""
    to.mkdir()
    (to / "model.safetensors").write_bytes((hand / "model.safetensors").read_bytes())
    document = json.loads((hand / "config.json").read_text("utf-8"))
    document["recipe"]["scoring"][field] = value
    (to / "config.json").write_text(json.dumps(document), "utf-8")
    return to


def table_of(model: HandModel, **plan: Any) -> dict[str, Any]:
    return measured(model, list(questions(model, made_up_hands(40, 30, seed=9), Draws(draws=10, asked=2, **plan))))


def test_hands_never_seen_are_told_apart_and_more_pictures_help(hand: Path) -> None:
    table = table_of(load_hand_model(hand), writers=10)
    assert table["1"]["chance"] == 0.1
    assert table["1"]["top1"] > 0.3
    assert table["10"]["top1"] > table["1"]["top1"]
    assert table["1"]["top5"] > table["1"]["top1"]
    assert table["1"]["top1_interval"][0] < table["1"]["top1"] < table["1"]["top1_interval"][1]


def test_shuffled_hands_come_out_at_chance(hand: Path) -> None:
    model, hands = load_hand_model(hand), made_up_hands(40, 30, seed=9)
    shuffled: Numbers = np.random.default_rng(0).permutation(hands.hands)
    mixed = type(hands)(hands.images, shuffled, hands.names, hands.rooms)
    table = measured(model, list(questions(model, mixed, Draws(writers=10, draws=20))))
    assert abs(table["5"]["top1"] - 0.1) < 0.05


def test_strangers_are_seldom_named(hand: Path) -> None:
    model, hands = load_hand_model(hand), made_up_hands(40, 30, seed=9)
    asked, strangers = (list(questions(model, hands, Draws(writers=10, strangers=kind))) for kind in (False, True))
    assert all((one.trial.truth == -1).all() for one in strangers)
    row = measured(model, asked, strangers)["10"]
    assert row["strangers_named"] < row["sure"]


def test_bundle_keeps_no_picture_and_names_its_parts(hand: Path) -> None:
    model = load_hand_model(hand)
    assert model.config.data["hands"]["test"] == made_up_parts().test.names
    assert sorted(path.name for path in hand.iterdir()) == ["README.md", "config.json", "model.safetensors"]
    assert "not forensic evidence" in (hand / "README.md").read_text("utf-8")


def test_same_seed_gives_the_same_weights(tmp_path: Path) -> None:
    first, again = tmp_path / "first", tmp_path / "again"
    for out in (first, again):
        fit_writers(tiny_order("hand", out, epochs=1))
    assert (first / "model.safetensors").read_bytes() == (again / "model.safetensors").read_bytes()


def test_classifier_of_known_writers_is_measured_on_other_pictures(tmp_path: Path) -> None:
    metrics = fit_writers(tiny_order("resnet34", tmp_path / "known", epochs=1, batch=64, **PLAIN))
    model = load_hand_model(tmp_path / "known")
    assert not model.takes_new_writers
    assert metrics["by_pictures"]["1"]["writers"] == 4
    assert "strangers_named" not in metrics["by_pictures"]["1"]
    tested = _test(model, made_up_parts())
    assert {image.tobytes() for image in tested.images}.isdisjoint(
        {image.tobytes() for image in known_writers(made_up_parts(), 4)[0].images}
    )


def test_evaluation_refuses_hands_that_may_have_been_learned(hand: Path) -> None:
    parts = made_up_parts()
    swapped = type(parts)(parts.test, parts.validation, parts.train, parts.source, parts.seed)
    with pytest.raises(UserError, match="does not give the test that was set apart"):
        _test(load_hand_model(hand), swapped)


@pytest.mark.parametrize(
    ("field", "value"), [("temperature", 0), ("offset", "x"), ("between", [1.0]), ("between", [-1]), ("more", 1)]
)
def test_spoiled_scoring_is_refused(hand: Path, tmp_path: Path, field: str, value: object) -> None:
    with pytest.raises(UserError, match=r"recipe\.scoring"):
        load_hand_model(spoiled(hand, tmp_path / "bad", field, value))


def test_bundle_of_another_kind_is_refused() -> None:
    with pytest.raises(UserError, match="not of hands"):
        load_hand_model("handwriter_models/bundled/digits")


def test_unknown_method_is_refused() -> None:
    with pytest.raises(UserError, match="unknown method 'magic'"):
        writer_recipe("magic", "mnist", {})


def test_hand_without_enough_pictures_is_refused(hand: Path) -> None:
    model = load_hand_model(hand)
    with pytest.raises(UserError, match="a hand has 3 pictures"):
        list(questions(model, made_up_hands(6, 3), Draws()))
