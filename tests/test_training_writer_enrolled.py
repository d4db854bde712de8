"""Writers made known: kept whole or refused, no picture twice, nobody lost, and taken away again on request."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from handwriter_models.bundle import BundleConfig, NetworkConfig
from handwriter_models.errors import UserError
from handwriter_models.networks import build
from tests.writer_scene import bars
from training.samples import Images
from training.writer_answer import answer, unseen
from training.writer_enrolled import enroll, forget, read_writers
from training.writer_model import HandModel


@pytest.fixture(scope="module")
def model() -> HandModel:
    """An embedding that nobody has trained: enough for what is not about figures."""
    arguments = {"members": 1, "widths": [4, 4, 4], "dropout": 0.1, "outputs": 3}
    scoring = {"temperature": 1.0, "exponent": 0.0, "offset": 0.0, "between": [3.0, 2.0, 1.0]}
    config = BundleConfig(
        "h", "hand", ("1", "2", "3"), NetworkConfig("compact", arguments), recipe={"scoring": scoring}
    )
    torch.manual_seed(0)
    return HandModel(config, build("compact", arguments).eval(), "a" * 64)


def pictures(seed: int = 0, count: int = 5) -> Images:
    return bars(0.3, 2, 14, count, seed)


def test_new_writer_is_known_after_five_pictures_and_read_back_alike(tmp_path: Path, model: HandModel) -> None:
    path = tmp_path / "writers.json"
    made, added = enroll(path, model, "지민", pictures())
    back = read_writers(path, model)["지민"]
    assert added == 5
    assert back.pictures == made.pictures
    assert np.array_equal(back.mean, model.vectors(pictures()).mean(axis=0))
    assert "지민" in path.read_text("utf-8")


def test_later_pictures_add_to_a_writer_as_if_given_at_once(tmp_path: Path, model: HandModel) -> None:
    for part in (pictures(0), pictures(1, 3)):
        enroll(tmp_path / "twice.json", model, "Ada", part)
    enroll(tmp_path / "once.json", model, "Ada", np.concatenate([pictures(0), pictures(1, 3)]))
    twice, once = (read_writers(tmp_path / f"{name}.json", model)["Ada"] for name in ("twice", "once"))
    assert twice.pictures == once.pictures
    assert np.allclose(twice.mean, once.mean)


def test_same_picture_counts_once(tmp_path: Path, model: HandModel) -> None:
    path = tmp_path / "writers.json"
    enroll(path, model, "Ada", pictures())
    writer, added = enroll(path, model, "Ada", pictures())
    assert (added, len(writer.pictures)) == (0, 5)
    with pytest.raises(UserError, match="1 different picture of 'Bo'"):
        enroll(path, model, "Bo", np.repeat(pictures(1, 1), 6, axis=0))


def test_too_few_pictures_change_nothing(tmp_path: Path, model: HandModel) -> None:
    path = tmp_path / "writers.json"
    enroll(path, model, "Ada", pictures())
    before = path.read_bytes()
    with pytest.raises(UserError, match="4 different pictures of 'Bo'"):
        enroll(path, model, "Bo", pictures(1, 4))
    assert path.read_bytes() == before


def test_one_picture_has_one_writer(tmp_path: Path, model: HandModel) -> None:
    enroll(tmp_path / "w.json", model, "Ada", pictures())
    with pytest.raises(UserError, match="5 of these pictures are already known as those of 'Ada'"):
        enroll(tmp_path / "w.json", model, "Bo", pictures())


def test_forgotten_writer_leaves_nothing_behind(tmp_path: Path, model: HandModel) -> None:
    path = tmp_path / "w.json"
    for number, name in enumerate(("Ada", "Bo")):
        enroll(path, model, name, pictures(number))
    forget(path, model, "Ada")
    assert list(read_writers(path, model)) == ["Bo"]
    assert "Ada" not in path.read_text("utf-8")
    with pytest.raises(UserError, match="nobody is known as 'Ada'"):
        forget(path, model, "Ada")


def test_file_of_another_model_is_refused(tmp_path: Path, model: HandModel) -> None:
    enroll(tmp_path / "w.json", model, "Ada", pictures())
    other = HandModel(model.config, model.network, "b" * 64)
    with pytest.raises(UserError, match="made known to another model"):
        read_writers(tmp_path / "w.json", other)


@pytest.mark.parametrize(
    "row",
    [
        {"mean": [1, 2], "pictures": ["0" * 32]},
        {"mean": [1, 2, "3"], "pictures": ["0" * 32]},
        {"mean": [1, 2, 3], "pictures": []},
        {"mean": [1, 2, 3], "pictures": ["0" * 32, "0" * 32]},
        {"mean": [1, 2, 3], "pictures": ["0"]},
        {"mean": [1, 2, 3]},
        [],
    ],
)
def test_spoiled_writer_is_refused(tmp_path: Path, model: HandModel, row: object) -> None:
    path = tmp_path / "w.json"
    path.write_text(json.dumps({"format": 1, "model": model.fingerprint, "writers": {"Ada": row}}), "utf-8")
    with pytest.raises(UserError, match="writer 'Ada'"):
        read_writers(path, model)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 1}', '{"format": 2, "model": "", "writers": {}}'])
def test_spoiled_file_is_refused_and_left_as_it_is(tmp_path: Path, model: HandModel, content: str) -> None:
    path = tmp_path / "w.json"
    path.write_text(content, "utf-8")
    with pytest.raises(UserError, match=r"w\.json"):
        enroll(path, model, "Ada", pictures())
    assert path.read_text("utf-8") == content


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 201])
def test_name_that_cannot_be_shown_is_refused(tmp_path: Path, model: HandModel, name: str) -> None:
    with pytest.raises(UserError, match="the writer's name"):
        enroll(tmp_path / "w.json", model, name, pictures())


def test_picture_that_a_writer_is_known_by_is_not_asked_about(tmp_path: Path, model: HandModel) -> None:
    enroll(tmp_path / "w.json", model, "Ada", pictures())
    writers = read_writers(tmp_path / "w.json", model)
    mixed = np.concatenate([pictures()[:2], pictures(7, 1), pictures(7, 1)])
    kept, left_out = unseen(mixed, ["a", "b", "c", "d"], writers)
    assert np.array_equal(kept, pictures(7, 1))
    assert [name for name, _ in left_out] == ["a", "b", "d"]
    with pytest.raises(UserError, match="each of these pictures"):
        unseen(pictures(), list("abcde"), writers)


def test_nobody_to_choose_among_is_said(tmp_path: Path, model: HandModel) -> None:
    enroll(tmp_path / "w.json", model, "Ada", pictures())
    with pytest.raises(UserError, match="1 writer is known"):
        answer(model, read_writers(tmp_path / "w.json", model), pictures(1))


def test_two_writers_alike_give_no_name(tmp_path: Path, model: HandModel) -> None:
    path = tmp_path / "w.json"
    for number, name in enumerate(("Ada", "Bo")):
        enroll(path, model, name, pictures(number))
    said = answer(model, read_writers(path, model), pictures(9, 2))
    assert said.writer is None
    assert said.reason
    assert np.isclose(sum(value for _, value in said.ranking), 1)
