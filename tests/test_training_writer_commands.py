"""`python training writer …` as a person uses it: five pictures, a question, an answer or "not sure"."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from handwriter_models.errors import INCOMPLETE, UserError
from tests.writer_scene import bars, tiny_order, write_pictures
from training.writer_commands import BUNDLED, app
from training.writer_fit import fit_writers

HANDS = {"지민": (0.9, 1, 18), "서준": (-0.9, 4, 10), "하은": (0.0, 2, 14)}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, three known writers, and new pictures of each."""
    root = tmp_path_factory.mktemp("writer")
    fit_writers(tiny_order("hand", root / "model", epochs=4))
    for name, traits in HANDS.items():
        write_pictures(root / "known" / name, bars(*traits, 8, seed=1))
        write_pictures(root / "new" / name, bars(*traits, 10, seed=2))
        told = run(root, "enroll", name, root / "known" / name, "--json")
        assert json.loads(told.stdout)["pictures"] == 8
    return root


def run(root: Path, command: str, *arguments: object) -> Result:
    options = ["--model", root / "model", "--writers", root / "writers.json"]
    return CliRunner().invoke(app, [command, *map(str, [*arguments, *options])])


@pytest.mark.parametrize("name", HANDS)
def test_new_pictures_are_given_to_their_writer(place: Path, name: str) -> None:
    told = run(place, "who", place / "new" / name, "--json")
    document = json.loads(told.stdout)
    assert told.exit_code == 0
    assert document["ranking"][0]["writer"] == name
    assert document["writer"] in (name, None)
    assert document["sure"] == (document["writer"] is not None)
    assert document["pictures"] == 10


def test_answer_for_people_says_that_it_is_a_toy(place: Path) -> None:
    told = run(place, "who", place / "new" / "지민")
    assert "지민" in told.stdout
    assert "not forensic evidence" in told.stdout


def test_picture_that_cannot_be_read_is_left_out_and_said(place: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    told = run(place, "who", place / "new" / "지민", bad, "--json")
    assert told.exit_code == INCOMPLETE
    assert json.loads(told.stdout)["pictures"] == 10
    assert "bad.png" in told.stderr


def test_pictures_known_already_are_not_asked_about(place: Path) -> None:
    told = run(place, "who", place / "known" / "지민")
    assert isinstance(told.exception, UserError)
    assert "known by" in told.exception.what


def test_forgotten_writer_is_not_in_the_ranking(place: Path) -> None:
    write_pictures(place / "known" / "Bo", bars(0.4, 3, 20, 5, seed=3))
    run(place, "enroll", "Bo", place / "known" / "Bo")
    assert run(place, "forget", "Bo", "--json").exit_code == 0
    ranking = json.loads(run(place, "who", place / "new" / "지민", "--json").stdout)["ranking"]
    assert sorted(row["writer"] for row in ranking) == sorted(HANDS)


@pytest.mark.parametrize("change", ["epochs", "epochs=", "=3"])
def test_change_that_is_none_is_refused(change: str) -> None:
    told = CliRunner().invoke(app, ["fit", "mnist", "--set", change])
    assert isinstance(told.exception, UserError)
    assert "FIELD=VALUE" in told.exception.what


def test_bundled_model_takes_new_writers() -> None:
    from training.writer_model import load_hand_model

    model = load_hand_model(BUNDLED)
    assert model.takes_new_writers
    assert sum(path.stat().st_size for path in BUNDLED.iterdir()) < 2_000_000
