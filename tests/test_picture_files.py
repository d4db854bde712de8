"""Which files are pictures: one answer by name and content, everything else counted, in each command."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from curation.walk import Entry, walk
from handwriter_models.errors import UserError
from handwriter_models.picture_files import picture_files
from tests.called import called
from tests.shared_data import shared_folder
from tests.small_photos import jpeg, pets, photo
from tests.training_cases import small_recipe, write_digit, write_folder
from training.datasets import photographs
from training.fit import Order, fit
from training.folder import read_folder
from training.recipes import DataOptions
from training.sources import read_source
from training.writer_answer import usable_pictures

NAMES = ["a.mpo", "b.jp2", "c.jxl", "d.tga", "e.psd", "f.jfif", "g.jpg_large", "h.jpg?w=200", "IMG_1", "j.dat", "k.PNG"]
NO_PICTURES = {
    "README.txt": b"about these pictures",
    "Thumbs.db": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(900),
    "desktop.ini": b"[.ShellClassInfo]\r\n",
    "annotations.json": b"{}",
    "film.mp4": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(90),
    "notes": b"",
}


def oddly_named(root: Path) -> Path:
    """Two classes; in each every odd name on a drawn digit, and files that are no pictures."""
    for label in ("3", "7"):
        for number, name in enumerate(NAMES):
            path = write_digit(root / label / f"{number}.png", label, turn=number)
            path.rename(path.with_name(name))
        for name, data in NO_PICTURES.items():
            (root / label / name).write_bytes(data)
        (root / label / ".DS_Store").write_bytes(b"Bud1")
        (root / label / ".hidden.png").write_bytes(b"")
    return root


def test_every_command_takes_the_same_files_and_counts_the_rest(tmp_path: Path) -> None:
    root, pictures, others = oddly_named(tmp_path / "set"), 2 * len(NAMES), 2 * len(NO_PICTURES)
    found = picture_files([root])
    assert (len(found.pictures), found.others, found.obstacles) == (pictures, others, [])
    done = called("handwriter_models", "predict", root, "--json")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, pictures)
    assert f"no pictures: {others}" in done.stderr
    assert len(usable_pictures([root])[0]) == pictures
    result = fit(Order(str(root), small_recipe(epochs=1), tmp_path / "bundle"))
    splits = json.loads((result.bundle / "config.json").read_text("utf-8"))["data"]["splits"]
    assert (sum(splits.values()), result.unreadable) == (pictures, [])
    for command in ("scan", "stats"):
        done = called("curation", command, root, "--json")
        told = json.loads(done.stdout)
        assert (done.returncode, told["images"], told["unreadable"], told["others"]) == (0, pictures, 0, others)
        assert f"{others} that are no pictures" in done.stderr


def test_what_training_on_photographs_passes_over_is_counted(tmp_path: Path) -> None:
    root = pets(tmp_path / "set")
    (root / "dog" / "README.txt").write_text("about")
    done = called("training", "fit", root, "--recipe", "frozen-resnet50", "--weights", tmp_path / "none.safetensors")
    assert done.returncode == 2, "there are no such weights; the folder was read before"
    assert "no pictures: 1" in done.stderr


UNREADABLE: dict[str, Callable[[], bytes]] = {
    "cut.jpg_large": lambda: jpeg(photo(1))[:900],
    "drawing": lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "raw.bin": lambda: b"II*\0\x10\0\0\0CR\x02\0" + bytes(64),
    "page.png": lambda: b"<!doctype html>",
}


def test_pictures_that_cannot_be_read_are_named_whatever_they_are_called_and_end_with_3(tmp_path: Path) -> None:
    root = pets(tmp_path / "set")
    for name, make in UNREADABLE.items():
        (root / "dog" / name).write_bytes(make())
    for command in ("scan", "stats"):
        done = called("curation", command, root, "--json")
        assert done.returncode == 3
        faults = {Path(one["path"]).name: one["reason"] for one in json.loads(done.stdout)["faults"]}
        assert faults.keys() == UNREADABLE.keys()
        assert all(faults.values())
    done = called("handwriter_models", "predict", root, "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 3
    assert {Path(one["path"]).name for one in lines if one["error"]} == UNREADABLE.keys()
    for name, make in UNREADABLE.items():
        (write_folder(tmp_path / "ink", "37", count=4) / "3" / name).write_bytes(make())
    result = fit(Order(str(tmp_path / "ink"), small_recipe(epochs=1), tmp_path / "bundle"))
    assert UNREADABLE.keys() == {Path(path).name for path, _ in result.unreadable}


def test_stats_tells_of_what_a_scan_could_not_reach(tmp_path: Path) -> None:
    root = pets(tmp_path / "set")
    (root / "dog" / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    assert called("curation", "scan", root).returncode == 3
    done = called("curation", "stats", root)
    assert (done.returncode, "dog/gone.jpg" in done.stdout) == (3, True)
    done = called("curation", "split", root)
    assert (done.returncode, "1 files cannot be read" in done.stderr) == (0, True)
    (root / "dog" / "gone.jpg").unlink()
    assert called("curation", "scan", root).returncode == called("curation", "stats", root).returncode == 0


def test_export_ends_with_3_when_a_picture_has_changed_since_the_scan(tmp_path: Path) -> None:
    root = pets(tmp_path / "set")
    assert called("curation", "scan", root).returncode == 0
    (root / "dog" / "dog 1.jpg").unlink()
    done = called("curation", "export", root, tmp_path / "out", "--json")
    assert (done.returncode, json.loads(done.stdout)["missed"]) == (3, 1)


def test_loose_pictures_beside_the_classes_are_named_by_every_kind_of_training(tmp_path: Path) -> None:
    root = oddly_named(tmp_path / "set")
    write_digit(root / "stray.png", "3").rename(root / "stray")
    (root / "README.md").write_text("about")
    result = fit(Order(str(root), small_recipe(epochs=1), tmp_path / "bundle"))
    assert [Path(path).name for path, _ in result.unreadable] == ["stray"]


def linked(root: Path) -> tuple[Path, set[str]]:
    """Two classes of four pictures, one of them a link to another picture; and the links that nobody may follow."""
    write_folder(root, "37", count=4)
    (root / "3" / "3.png").unlink()
    (root / "3" / "inside.png").symlink_to(root / "7" / "0.png")
    outside = write_digit(root.parent / "outside" / "1.png", "3")
    links = {"3/out.png": outside, "3/up": root, "7/folder": outside.parent, "7/nowhere.png": root / "gone.png"}
    links |= {"3/loop.png": root / "3" / "loop.png", "8": outside.parent}
    for name, target in links.items():
        (root / name).symlink_to(target)
    return root, set(links)


def test_no_command_follows_a_link_out_of_the_folder_or_back_up(tmp_path: Path) -> None:
    root, links = linked(tmp_path / "set")
    found = picture_files([root])
    assert len(found.pictures) == 8
    assert {Path(path).relative_to(root).as_posix() for path, _ in found.obstacles} == links
    for options in (["scan"], ["stats"]):
        told = json.loads(called("curation", *options, root, "--json").stdout)
        assert (told["images"], {one["path"] for one in told["faults"]}) == (8, links)
    ink, unreadable = read_folder(root)
    assert (len(ink["all"]), ink["all"].names) == (8, ["3", "7"])
    assert {Path(path).relative_to(root).as_posix() for path, _ in unreadable} == links
    with photographs(str(root), DataOptions(validation=0.25, test=0.25), 1) as read:
        assert (read.names, {path for path, _ in read.unreadable} & links) == (["3", "7"], links)
    done = called("handwriter_models", "predict", root, "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, len(lines), sum(line["error"] is not None for line in lines)) == (3, 14, 6)


def test_a_link_that_is_named_is_followed(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "set", "37", count=4)
    (tmp_path / "link").symlink_to(root)
    (tmp_path / "one.png").symlink_to(root / "3" / "0.png")
    assert len(picture_files([tmp_path / "link", tmp_path / "one.png"]).pictures) == 9


def test_a_folder_of_links_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1.png").symlink_to(write_digit(tmp_path / "1.png", "1"))
    with pytest.raises(UserError, match="no pictures in the folder") as caught:
        picture_files([tmp_path / "in"])
    assert "a link out of the folder" in caught.value.hint


def test_a_pipe_is_named_by_its_ending_or_counted_and_holds_nobody_up(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "set", "37", count=4)
    os.mkfifo(root / "3" / "pipe.jpg")
    os.mkfifo(root / "3" / "pipe")
    found = picture_files([root])
    assert (len(found.pictures), found.others) == (8, 1)
    assert [(Path(path).name, "no ordinary file" in why) for path, why in found.obstacles] == [("pipe.jpg", True)]
    assert [Path(path).name for path, _ in read_folder(root)[1]] == ["pipe.jpg"]


def test_an_export_that_was_never_split_has_the_same_labels_for_every_reader(tmp_path: Path) -> None:
    """All of it lies in train/, which is a part here and no class."""
    root = write_folder(tmp_path / "set", "37", count=5)
    assert called("curation", "scan", root).returncode == 0
    assert called("curation", "export", root, tmp_path / "out").returncode == 0
    assert [path.name for path in (tmp_path / "out").iterdir() if path.is_dir()] == ["train"]
    assert {found.label for found in walk(tmp_path / "out") if isinstance(found, Entry)} == {"3", "7"}
    assert {found.part for found in walk(tmp_path / "out") if isinstance(found, Entry)} == {"train"}
    with photographs(str(tmp_path / "out"), DataOptions(validation=0.2, test=0.2), 1) as read:
        assert (read.names, read.counts()) == (["3", "7"], {"train": 6, "validation": 2, "test": 2})
    ink = read_source(str(tmp_path / "out"), None, DataOptions(validation=0.2, test=0.2), 1)
    assert (ink.train.names, ink.counts()) == (["3", "7"], {"train": 6, "validation": 2, "test": 2})


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    for name in ("3", "7"):
        write_digit(tmp_path / "beside" / name / "1.png", name)
    write_digit(tmp_path / "beside" / "train" / "1.png", "4")
    write_digit(tmp_path / "alone" / "train" / "1.png", "4")
    (tmp_path / "alone" / "train" / "empty").mkdir()
    for root, labels in (("beside", {"3", "7", "train"}), ("alone", {"train"})):
        found = [one for one in walk(tmp_path / root) if isinstance(one, Entry)]
        assert ({one.label for one in found}, {one.part for one in found}) == (labels, {""})
    assert set(read_folder(tmp_path / "beside")[0]["all"].names) == {"3", "7", "train"}


def test_two_folders_of_one_part_are_read_both(tmp_path: Path) -> None:
    for part, count in (("train", 4), ("training", 3), ("test", 2)):
        write_folder(tmp_path / part, count=count)
    assert {part: len(one) for part, one in read_folder(tmp_path)[0].items()} == {"train": 14, "test": 4}


def test_folder_without_pictures_is_refused_with_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(UserError, match="no pictures in the folder") as caught:
        picture_files([tmp_path])
    assert "1 file" in caught.value.hint


def test_figures_of_a_model_that_lies_among_the_pictures_are_nobodys_samples(tmp_path: Path) -> None:
    root = oddly_named(tmp_path / "set")
    fit(Order(str(root), small_recipe(epochs=1), root / "model"))
    assert list((root / "model").rglob("*.png"))
    again = fit(Order(str(root), small_recipe(epochs=1), tmp_path / "again"))
    assert json.loads((again.bundle / "config.json").read_text("utf-8"))["labels"] == ["3", "7"]
    assert json.loads(called("curation", "scan", root, "--json").stdout)["images"] == 2 * len(NAMES)


def test_shared_odd_endings_are_all_taken(tmp_path: Path) -> None:
    with zipfile.ZipFile(shared_folder() / "data" / "cases" / "skipped-endings.zip") as archive:
        archive.extractall(tmp_path)
    assert len(picture_files([tmp_path]).pictures) == 14
