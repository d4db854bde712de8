"""What a dataset keeps for itself is no class for any reader of folders, and a class of such a name is never hidden."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from curation.dataset import Dataset
from curation.scan import scan
from curation.walk import Entry, walk
from handwriter_models.layout import OURS
from handwriter_models.picture_files import picture_files
from tests.called import called
from tests.small_photos import pets, photo, save
from tests.training_cases import small_recipe, write_digit, write_folder
from training.datasets import photographs
from training.fit import Order, fit
from training.recipes import DataOptions


def labels_learned(root: Path, out: Path) -> list[str]:
    """The labels of a bundle that has learned handwriting from the folder."""
    bundle = fit(Order(str(root), small_recipe(epochs=1), out)).bundle
    return list(json.loads((bundle / "config.json").read_text("utf-8"))["labels"])


def labels_of_photographs(root: Path) -> list[str]:
    with photographs(str(root), DataOptions(), 0) as found:
        return found.names


def dropped_digits(root: Path) -> Path:
    """A folder of two classes of which one picture each was dropped, with all else that curation makes."""
    write_folder(root, "37", count=6)
    assert called("curation", "drop", root, "3/0.png", "7/5.png").returncode == 0
    for name in ("features", "incoming/1", "reports"):
        write_digit(root / name / "page.png", "8")
    for name in ("thumbnails.db", "dataset.db.backup"):
        (root / name).write_bytes(b"x")
    return root


def test_dropped_pictures_and_curations_folders_are_no_classes_for_any_reader(tmp_path: Path) -> None:
    root = dropped_digits(tmp_path / "own")
    assert (root / "dropped" / "3" / "0.png").is_file()
    assert labels_learned(root, tmp_path / "bundle") == ["3", "7"]
    assert labels_of_photographs(root) == ["3", "7"]
    done = called("training", "evaluate", tmp_path / "bundle", root, "--json")
    assert done.returncode == 0, done.stderr
    found = picture_files([root])
    assert (len(found.pictures), found.others) == (10, 0)
    above = [path for path in picture_files([tmp_path]).pictures if "own" in path.parts]
    assert len(above) == 10, "nor for who reads the folder above"
    done = called("handwriter_models", "predict", root, "--json")
    assert len(done.stdout.splitlines()) == 10
    assert json.loads(called("curation", "scan", root, "--json").stdout)["images"] == 10


def test_restored_pictures_count_again(tmp_path: Path) -> None:
    root = dropped_digits(tmp_path / "own")
    assert called("curation", "restore", root, "--all").returncode == 0
    assert len(picture_files([root]).pictures) == 12


@pytest.mark.parametrize("name", sorted(OURS))
def test_class_of_such_a_name_is_learned_where_no_dataset_is(name: str, tmp_path: Path) -> None:
    root = write_folder(tmp_path / "set", "37", count=5)
    (root / "3").rename(root / name)
    assert labels_learned(root, tmp_path / "bundle") == sorted(["7", name])
    assert len(picture_files([root]).pictures) == 10


@pytest.mark.parametrize("name", sorted(OURS))
def test_curation_asks_before_it_would_hide_such_a_class(name: str, tmp_path: Path) -> None:
    root = pets(tmp_path / "set")
    (root / "dog").rename(root / name)
    done = called("curation", "scan", root)
    assert done.returncode == 2
    assert repr(name) in done.stderr
    assert "call the folder otherwise" in done.stderr
    assert not (root / "dataset.db").exists()
    (root / "images").mkdir()
    for folder in (name, "고양이"):
        (root / folder).rename(root / "images" / folder)
    assert json.loads(called("curation", "scan", root, "--json").stdout)["images"] == 12
    assert labels_of_photographs(root) == sorted([name, "고양이"])


def test_empty_folder_of_such_a_name_is_in_nobodys_way(tmp_path: Path) -> None:
    root = pets(tmp_path / "set")
    (root / "features").mkdir()
    (root / "features" / "old.npy").write_bytes(b"x")
    assert called("curation", "scan", root).returncode == 0


def test_class_called_images_beside_others_is_a_class(tmp_path: Path) -> None:
    root = pets(tmp_path / "set")
    (root / "dog").rename(root / "images")
    assert {one.label for one in walk(root) if isinstance(one, Entry)} == {"images", "고양이"}
    assert labels_of_photographs(root) == ["images", "고양이"]
    assert labels_learned(write_images(tmp_path / "ink"), tmp_path / "bundle") == ["7", "images"]


def write_images(root: Path) -> Path:
    write_folder(root, "37", count=5)
    return (root / "3").rename(root / "images").parent


@pytest.mark.parametrize("label", [*sorted(OURS), "images", "Dropped"])
def test_pictures_relabelled_to_such_a_name_stay_in_sight(label: str, tmp_path: Path) -> None:
    root = pets(tmp_path / "set")
    moved = [f"dog/dog {number}.jpg" for number in range(4)]
    for number in range(6, 9):
        save(root / "dog" / f"dog {number}.jpg", photo(1000 + number))
    assert called("curation", "relabel", root, *moved, "--to", label).returncode == 0
    with Dataset(root) as dataset:
        scan(dataset.pictures)
        rows = dataset.pictures.rows()
    assert sorted(row.label for row in rows if not row.dropped) == sorted([label] * 4 + ["dog"] * 5 + ["고양이"] * 6)
    assert labels_of_photographs(root) == sorted([label, "dog", "고양이"])


def test_new_label_never_shares_a_folder_with_one_that_differs_in_case(tmp_path: Path) -> None:
    root = tmp_path / "set"
    for number in range(4):
        save(root / "Cat" / f"{number}.jpg", photo(number))
        save(root / "dog" / f"{number}.jpg", photo(10 + number))
    assert called("curation", "relabel", root, "dog/0.jpg", "--to", "cat").returncode == 0
    folders = [path.name for path in root.iterdir() if path.is_dir()]
    assert len({name.casefold() for name in folders}) == len(folders) == 3
    assert json.loads(called("curation", "stats", root, "--json").stdout)["labels"] == {"Cat": 4, "dog": 3, "cat": 1}
