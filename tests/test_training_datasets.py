"""Photographs come in parts that no copy straddles, whatever folder they lie in, and what cannot be is said."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from curation.dataset import Dataset
from handwriter_models.errors import UserError
from tests.small_photos import jpeg, pets, photo, save
from training.datasets import Photographs, photographs
from training.recipes import DataOptions

OPTIONS = DataOptions(validation=0.2, test=0.2, pictures="photographs")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDWRITER_CACHE", str(tmp_path / "cache"))


def parts_of(root: Path, seed: int = 0) -> tuple[Photographs, dict[str, list[str]]]:
    with photographs(str(root), OPTIONS, seed) as found:
        return found, {part: [row.path for row in rows] for part, rows in found.parts.items()}


def test_a_plain_folder_is_dealt_with_copies_together_and_keeps_its_split(tmp_path: Path) -> None:
    root = pets(tmp_path / "pets", 10)
    for number in range(10):  # each picture once more, smaller
        save(root / "dog" / f"copy {number}.jpg", photo(1000 + number, (120, 90)))
    found, parts = parts_of(root)
    assert found.names == ["dog", "고양이"]
    assert all(parts.values())
    for number in range(10):
        sides = {part for part, paths in parts.items() for path in paths if path.endswith((f"dog {number}.jpg", f"copy {number}.jpg"))}  # fmt: skip  # noqa: E501
        assert len(sides) == 1
    assert parts_of(root, seed=9)[1] == parts
    with Dataset(root) as dataset:
        assert len(dataset.pictures.split()) == 30


def test_a_read_only_folder_is_left_as_it_is(tmp_path: Path) -> None:
    root = pets(tmp_path / "pets")
    before = sorted(root.rglob("*"))
    root.chmod(0o555)
    try:
        found, parts = parts_of(root)
        assert parts_of(root)[1] == parts
    finally:
        root.chmod(0o755)
    assert sorted(root.rglob("*")) == before
    assert found.features.is_relative_to(tmp_path / "cache")


def test_parts_that_folders_give_stand_and_validation_comes_out_of_training(tmp_path: Path) -> None:
    pets(tmp_path / "train", 10)
    for label, seed in (("고양이", 500), ("dog", 600)):
        save(tmp_path / "test" / label / "a.jpg", photo(seed))
    found, parts = parts_of(tmp_path)
    assert sorted(parts["test"]) == ["test/dog/a.jpg", "test/고양이/a.jpg"]
    assert {part: len(paths) for part, paths in parts.items()} == {"train": 16, "validation": 4, "test": 2}
    assert all(path.startswith("train/") for path in parts["train"] + parts["validation"])
    assert "validation taken from train" in found.divided


def test_labels_that_are_numbers_stand_in_their_order(tmp_path: Path) -> None:
    for number, label in enumerate(("10", "9", "1")):
        for picture in range(4):
            save(tmp_path / label / f"{picture}.jpg", photo(50 * number + picture))
    found, _ = parts_of(tmp_path)
    assert found.names == ["1", "9", "10"]
    assert set(found.labels(found.parts["train"])) == {0, 1, 2}


def test_the_same_file_under_two_labels_is_left_out(tmp_path: Path) -> None:
    root = pets(tmp_path / "pets")
    shutil.copyfile(root / "dog" / "dog 0.jpg", root / "고양이" / "dog 0.jpg")
    _, parts = parts_of(root)
    assert not [path for paths in parts.values() for path in paths if path.endswith("dog 0.jpg")]


def test_files_that_are_no_pictures_are_listed(tmp_path: Path) -> None:
    root = pets(tmp_path / "pets")
    (root / "dog" / "cut.jpg").write_bytes(jpeg(photo(70))[:900])
    save(root / "stray.jpg", photo(71))
    found, parts = parts_of(root)
    assert {path for path, _ in found.unreadable} == {"dog/cut.jpg", "stray.jpg"}
    assert sum(map(len, parts.values())) == 12


def test_the_fingerprint_tells_labels_and_parts_apart(tmp_path: Path) -> None:
    root = pets(tmp_path / "pets")
    first = parts_of(root)[0].fingerprint()
    assert parts_of(root)[0].fingerprint() == first
    (root / "dog" / "dog 1.jpg").rename(root / "고양이" / "dog 1.jpg")
    assert parts_of(root)[0].fingerprint() != first


def one_class(root: Path) -> None:
    save(root / "dog" / "0.jpg", photo(0))
    save(root / "dog" / "1.jpg", photo(1))


def one_picture_a_class(root: Path) -> None:
    save(root / "dog" / "0.jpg", photo(0))
    save(root / "cat" / "1.jpg", photo(1))


def empty_class(root: Path) -> None:
    pets(root)
    (root / "bird").mkdir()


def label_only_in_the_test(root: Path) -> None:
    pets(root / "train")
    pets(root / "test")
    save(root / "test" / "bird" / "0.jpg", photo(77))


def nothing(root: Path) -> None:
    root.mkdir(exist_ok=True)


CASES = [
    (one_class, "only the label 'dog'"),
    (one_picture_a_class, "no picture is left"),
    (empty_class, "'bird'"),
    (label_only_in_the_test, "'bird'"),
    (nothing, "no pictures"),
]


@pytest.mark.parametrize(("make", "told"), CASES, ids=lambda case: getattr(case, "__name__", ""))
def test_what_nothing_can_be_learned_from_is_refused_in_words(make, told: str, tmp_path: Path) -> None:
    make(tmp_path / "set")
    with pytest.raises(UserError, match=told) as raised:
        parts_of(tmp_path / "set")
    assert raised.value.hint


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no folder"):
        parts_of(tmp_path / "absent")
