"""Corrections become a dataset that curation and training take as it is; the folder is bounded and safe to share."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest
from PIL import Image

from curation import tasks
from curation.dataset import Dataset
from curation.links import USUAL
from demo.feedback import NONE, Correction, Feedback, Room
from handwriter_models.errors import UserError
from handwriter_models.metadata import has_position, without_metadata
from tests.characters import encoded, picture_of
from tests.test_metadata import PLACED, SECRET

SEVEN = encoded(picture_of("7"))


def picture(shade: int) -> bytes:
    return encoded(Image.new("RGB", (40, 30), (shade, 0, 0)))


def correction(data: bytes, right: str, said: str = "1") -> Correction:
    return Correction(data, "digits", said, right)


def test_correction_is_a_picture_under_the_right_label_with_its_story(tmp_path: Path) -> None:
    store = Feedback(tmp_path / "되먹임")
    path = store.store(correction(SEVEN, "7"))
    assert (tmp_path / "되먹임" / path).read_bytes() == SEVEN
    store.close()
    with Dataset(tmp_path / "되먹임") as dataset:
        (source,) = dataset.sources()
        assert dataset.unaccounted() == []
    assert (source.label, source.engine, source.keyword, source.title) == ("7", "feedback", "digits", "said '1'")
    assert (source.path, source.sha256, source.width) == (path, sha256(SEVEN).hexdigest(), 280)
    assert source.ended_at


def test_curation_takes_the_folder_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = Feedback(tmp_path)
    for number, right in enumerate(["7", "7", "고양이", ""]):
        store.store(correction(picture(40 * number), right))
    store.close()
    assert tasks.scan(tmp_path, USUAL, 1, as_json=True) == 0
    capsys.readouterr()
    tasks.stats(tmp_path, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["labels"] == {"7": 2, "고양이": 1, NONE: 1}
    assert told["engines"] == {"feedback": 4}


def test_same_bytes_are_stored_once_even_under_another_label_and_after_a_restart(tmp_path: Path) -> None:
    store = Feedback(tmp_path)
    first = store.store(correction(SEVEN, "7"))
    assert store.store(correction(SEVEN, "7")) == first
    assert store.store(correction(SEVEN, "2")) == first
    store.close()
    again = Feedback(tmp_path)
    assert again.store(correction(SEVEN, "3")) == first
    again.close()
    assert len(list((tmp_path / "images").rglob("*.png"))) == 1


@pytest.mark.parametrize("name", PLACED)
def test_where_a_picture_was_taken_is_not_stored(name: str, tmp_path: Path) -> None:
    store = Feedback(tmp_path)
    path = store.store(correction(PLACED[name], "7"))
    assert store.store(correction(without_metadata(PLACED[name]).data, "7")) == path
    store.close()
    stored = (tmp_path / path).read_bytes()
    assert not has_position(stored)
    assert SECRET not in stored
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or SECRET not in file.read_bytes()


def test_full_dataset_refuses_and_what_is_there_stays(tmp_path: Path) -> None:
    store = Feedback(tmp_path, Room(bytes=len(SEVEN) + 10))
    store.store(correction(SEVEN, "7"))
    with pytest.raises(UserError, match="no room") as refused:
        store.store(correction(picture(1), "7"))
    assert refused.value.status == 507
    assert store.store(correction(SEVEN, "7")), "what is there already needs no room"
    store.close()
    few = Feedback(tmp_path, Room(pictures=1))  # counted anew after a restart
    with pytest.raises(UserError, match="no room"):
        few.store(correction(picture(2), "7"))
    few.close()


@pytest.mark.parametrize(("data", "status"), [(b"", 400), (b"text", 415), (SEVEN[:500], 400)])
def test_what_is_no_picture_leaves_nothing_behind(tmp_path: Path, data: bytes, status: int) -> None:
    store = Feedback(tmp_path)
    with pytest.raises(UserError) as refused:
        store.store(correction(data, "7"))
    assert refused.value.status == status
    store.close()
    assert [path for path in tmp_path.rglob("*") if path.suffix in (".png", ".part")] == []


def test_bytes_that_were_lost_with_a_killed_server_can_be_sent_again(tmp_path: Path) -> None:
    from curation.records import Found, Job

    with Dataset(tmp_path) as dead:
        dead.add(Job("7", "digits", "feedback"), [Found(f"sha256:{sha256(SEVEN).hexdigest()}/00000000")])
    store = Feedback(tmp_path)
    assert store.store(correction(SEVEN, "7"))
    store.close()
    with Dataset(tmp_path) as dataset:
        assert [row.reason for row in dataset.refusals()] == ["unreachable"]
