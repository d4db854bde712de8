"""Export as a whole: it stands complete or not at all, changes nothing of the dataset, says what it left out."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from curation.dataset import Dataset
from curation.export.order import FORMATS, Exported, export
from curation.export.place import MARK
from curation.records import Found, Job
from curation.scan import scan
from curation.verdicts import Action
from handwriter_models.errors import UserError
from tests.dataset_cases import kept
from tests.picture_files import picture

LABELS = ("강아지", "고양이")
ROOT = Path(__file__).parent.parent


def folder_of_pictures(root: Path, each: int = 4) -> Path:
    """A dataset as the crawler lays it out: two labels in 한글, JPEG and PNG."""
    for number, label in enumerate(LABELS):
        folder = root / "images" / label
        folder.mkdir(parents=True)
        for one in range(each):
            kind = "png" if one % 2 else "jpg"
            (folder / f"google_{one:04d}.{kind}").write_bytes(picture(number * 100 + one, kind, 48, 32 + one))
    return root


def crawled(root: Path, found: list[Found], label: str = "고양이") -> Path:
    """A dataset of which every picture has a source, through the crawler's own door."""
    job = Job(label, label, "google")
    with Dataset(root) as dataset:
        dataset.add(job, found)
        claims = dataset.claim(job, len(found), len(found))
        dataset.settle([kept(dataset, one, picture(number, "jpg", 40, 30)) for number, one in enumerate(claims)], [])
    return root


@contextmanager
def scanned(root: Path) -> Iterator[Dataset]:
    with Dataset(root) as dataset:
        scan(dataset.pictures)
        yield dataset


def exported(root: Path, out: Path, form: str, split: bool = False, copy: bool = False) -> Exported:
    """The dataset scanned, dealt out to the parts if asked for, and exported."""
    with scanned(root) as dataset:
        if split:
            rows = dataset.pictures.rows()
            parts = ("train", "train", "validation", "test")
            dataset.pictures.store_split({row.id: parts[number % 4] for number, row in enumerate(rows)})
        return export(dataset.pictures, out, form, copy)


def tree(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("form", FORMATS)
def test_export_changes_nothing_of_the_dataset_and_leaves_only_its_folder(form: str, tmp_path: Path) -> None:
    root = folder_of_pictures(tmp_path / "data")
    before = tree(root / "images")
    done: list[tuple[int, int]] = []
    with scanned(root) as dataset:
        came = export(dataset.pictures, tmp_path / "new" / "out", form, tell=lambda *one: done.append(one))
    assert tree(root / "images") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "new"]
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["out"]
    files = tree(tmp_path / "new" / "out")
    assert MARK not in files
    assert (came.files, came.bytes) == (len(files), sum(map(len, files.values())))
    assert came.pictures == {"train": {"강아지": 4, "고양이": 4}}
    assert came.count == 8
    assert done[-1] == (8, 8)


def test_dropped_pictures_are_not_exported(tmp_path: Path) -> None:
    root = folder_of_pictures(tmp_path / "data")
    with scanned(root) as dataset:
        row = dataset.pictures.rows()[0]
        dataset.pictures.judge([row.id], Action.DROP, "me")
        came = export(dataset.pictures, tmp_path / "out", "imagefolder")
    assert came.pictures == {"train": {"강아지": 3, "고양이": 4}}


@pytest.mark.parametrize("form", ["parquet", "webdataset", "html"])
def test_two_exports_are_the_same_to_the_byte(form: str, tmp_path: Path) -> None:
    root = folder_of_pictures(tmp_path / "data")
    exported(root, tmp_path / "one", form, split=True)
    exported(root, tmp_path / "two", form, split=True)
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_pictures_that_vanished_or_changed_are_left_out_and_told(tmp_path: Path) -> None:
    root = folder_of_pictures(tmp_path / "data")
    with scanned(root) as dataset:
        rows = dataset.pictures.rows()
        (root / rows[0].path).unlink()
        data = (root / rows[1].path).read_bytes()
        (root / rows[1].path).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))  # as long as before
        (root / rows[2].path).unlink()
        (root / rows[2].path).symlink_to("/etc/hostname")
        for form in ("imagefolder", "parquet", "webdataset", "html"):
            came = export(dataset.pictures, tmp_path / form, form)
            assert came.count == 5
            assert "scan saw: 3, such as " in came.warnings[0]
        # A table looks into no picture: only a change of size is seen.
        assert export(dataset.pictures, tmp_path / "csv", "csv").count == 6


def test_late_pictures_and_missing_labels_of_a_part_are_told(tmp_path: Path) -> None:
    root = folder_of_pictures(tmp_path / "data")
    with scanned(root) as dataset:
        rows = dataset.pictures.rows()
        dataset.pictures.store_split({row.id: "test" if row.label == "고양이" else "train" for row in rows[1:]})
        told = export(dataset.pictures, tmp_path / "out", "imagefolder").warnings
    assert any("after the split" in one and ": 1;" in one for one in told)
    assert any(one.startswith("test has no picture of 1 labels, such as '강아지'") for one in told)
    assert any("known licence: 8 of 8" in one for one in told)


def test_folder_with_something_in_it_is_refused_and_kept(tmp_path: Path) -> None:
    root = folder_of_pictures(tmp_path / "data")
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="is not empty"):
        exported(root, out, "csv")
    assert tree(out) == {"mine.txt": b"mine"}
    (out / "mine.txt").rename(tmp_path / "file")
    assert exported(root, out, "csv").files == 1  # an empty folder is fine
    with pytest.raises(UserError, match="is a file"):
        exported(root, tmp_path / "file", "csv")
    with pytest.raises(UserError, match="cannot write"):
        exported(root, tmp_path / "file" / "below", "csv")


def test_unfinished_folder_of_somebody_else_is_refused_and_kept(tmp_path: Path) -> None:
    root = folder_of_pictures(tmp_path / "data")
    (tmp_path / "out.unfinished").mkdir()
    (tmp_path / "out.unfinished" / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="in the way"):
        exported(root, tmp_path / "out", "csv")
    assert tree(tmp_path / "out.unfinished") == {"mine.txt": b"mine"}
    (tmp_path / "there").mkdir()
    (tmp_path / "link.unfinished").symlink_to(tmp_path / "there")
    with pytest.raises(UserError, match="in the way"):
        exported(root, tmp_path / "link", "csv")


@pytest.mark.parametrize("where", [".", "images", "export", "../link/x"])
def test_folder_inside_the_dataset_is_refused(where: str, tmp_path: Path) -> None:
    root = folder_of_pictures(tmp_path / "data")
    (tmp_path / "link").symlink_to(root)
    with pytest.raises(UserError, match="inside the dataset"):
        exported(root, root / where, "csv")


def test_nothing_to_export_and_unknown_formats_are_told(tmp_path: Path) -> None:
    root = folder_of_pictures(tmp_path / "data", each=1)
    with pytest.raises(UserError, match="'zip' is not a format"):
        exported(root, tmp_path / "out", "zip")
    with scanned(root) as dataset:
        dataset.pictures.judge([row.id for row in dataset.pictures.rows()], Action.DROP, "me")
        with pytest.raises(UserError, match="no kept pictures"):
            export(dataset.pictures, tmp_path / "out", "parquet")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("form", ["imagefolder", "parquet", "webdataset", "csv", "html"])
def test_full_disk_is_told_and_leaves_nothing(form: str, tmp_path: Path) -> None:
    root = folder_of_pictures(tmp_path / "data", each=40)
    with scanned(root) as dataset:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))  # a write beyond this fails as on a full disk
        try:
            with pytest.raises(UserError, match="there is no room"):
                export(dataset.pictures, tmp_path / "out", form)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


KILLED = """
import os, signal, sys
from pathlib import Path
from curation.dataset import Dataset
from curation.export.order import export
def tell(done, all):
    if done == 3:
        print("three", flush=True)
        os.kill(os.getpid(), signal.SIGKILL if sys.argv[4] == "killed" else signal.SIGINT)
        sys.stdin.read()
with Dataset(Path(sys.argv[1])) as dataset:
    export(dataset.pictures, Path(sys.argv[2]), sys.argv[3], tell=tell)
"""


def stopped(root: Path, out: Path, form: str, how: str) -> int:
    command = [sys.executable, "-c", KILLED, str(root), str(out), form, how]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(command, input="", capture_output=True, text=True, env=environment)
    assert run.stdout == "three\n", run.stderr
    return run.returncode


@pytest.mark.parametrize("form", ["imagefolder", "webdataset"])
def test_killed_export_is_never_taken_for_a_finished_one_and_the_next_one_finishes(form: str, tmp_path: Path) -> None:
    root, out = folder_of_pictures(tmp_path / "data"), tmp_path / "out"
    with scanned(root):
        pass
    assert stopped(root, out, form, "killed") == -signal.SIGKILL
    assert not out.exists()
    assert (tmp_path / "out.unfinished" / MARK).is_file()
    (tmp_path / "out.unfinished" / "left.txt").write_text("from the dead")
    assert exported(root, out, form).count == 8
    assert "left.txt" not in tree(out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "out"]
    assert len(tree(root / "images")) == 8  # second names were taken away, not the pictures


def test_interrupted_export_leaves_nothing(tmp_path: Path) -> None:
    root = folder_of_pictures(tmp_path / "data")
    with scanned(root):
        pass
    stopped(root, tmp_path / "out", "imagefolder", "interrupted")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_two_exports_to_one_folder_do_not_mix(tmp_path: Path) -> None:
    root = folder_of_pictures(tmp_path / "data")
    refused: list[str] = []
    with scanned(root) as dataset:

        def meanwhile(done: int, _: int) -> None:
            if done == 1:
                with pytest.raises(UserError) as raised:
                    export(dataset.pictures, tmp_path / "out", "csv")
                refused.append(raised.value.what)

        assert export(dataset.pictures, tmp_path / "out", "imagefolder", tell=meanwhile).count == 8
    assert "another export is writing" in refused[0]
    assert (tmp_path / "out" / "train" / "metadata.jsonl").is_file()


def test_labels_have_the_same_numbers_in_every_format(tmp_path: Path) -> None:
    root = folder_of_pictures(tmp_path / "data")
    tables = []
    for form in ("imagefolder", "parquet", "webdataset"):
        exported(root, tmp_path / form, form)
        tables.append(json.loads((tmp_path / form / "labels.json").read_text("utf-8")))
    assert tables[0] == tables[1] == tables[2]
    assert [(one["number"], one["label"]) for one in tables[0]] == [(0, "강아지"), (1, "고양이")]
