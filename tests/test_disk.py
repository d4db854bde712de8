"""A full disk, or one that may only be read, is told as what it is, and nothing that was there is lost."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from handwriter_models.disk import disk_fault, fault_of_folder
from handwriter_models.errors import UserError
from tests.called import called
from tests.small_photos import photo, save


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    try:
        mounted = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        pytest.skip(f"a small disk cannot be mounted here: {error}")
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(place)], check=False)
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path) -> Path:
    """Leaves no byte free; returns the file to remove for room."""
    path = disk / "fill"
    with path.open("wb", buffering=0) as file:
        for size in (2**16, 2**12, 1):
            try:
                while file.write(bytes(size)):
                    pass
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
    return path


def test_disk_that_is_full_after_a_scan_is_told_and_the_dataset_goes_on_when_there_is_room(small_disk: Path) -> None:
    root = small_disk / "고양이들"
    for number in range(6):
        save(root / "cat" / f"{number}.jpg", photo(number, (64, 64)))
    assert called("curation", "scan", root).returncode == 0
    before = called("curation", "stats", root, "--json").stdout
    filler = fill(small_disk)
    for words in (
        ("scan", root),
        ("groups", root),
        ("split", root),
        ("drop", root, "cat/1.jpg"),
        ("export", root, small_disk / "out"),
    ):
        done = called("curation", *words)
        assert (done.returncode, "is full" in done.stderr) == (2, True), done.stderr
        assert "make room" in done.stderr
    filler.unlink()
    assert called("curation", "stats", root, "--json").stdout == before
    assert called("curation", "split", root).returncode == 0


def test_every_command_that_writes_tells_a_full_disk(small_disk: Path, tmp_path: Path) -> None:
    save(tmp_path / "seven.png", photo(1, (64, 64)))
    fill(small_disk)
    common = ["training", "evaluate", "mlp-digits", "sklearn-digits"]
    for stage, *words in (
        [*common, "--figures", small_disk / "figures"],
        [
            "training",
            "fit",
            "sklearn-digits",
            "--recipe",
            "mlp-digits",
            "--epochs",
            "1",
            "--out",
            small_disk / "bundle",
        ],
        ["handwriter_models", "explain", tmp_path / "seven.png", "--out", small_disk / "heat"],
    ):
        done = called(stage, *words)
        assert done.returncode == 2, done.stderr
        assert "is full" in done.stderr or "No space left" in done.stderr
        assert "make room" in done.stderr
        assert "Traceback" not in done.stderr


def test_disk_that_may_only_be_read_is_told(small_disk: Path) -> None:
    root = small_disk / "d"
    save(root / "cat" / "1.jpg", photo(1, (64, 64)))
    assert called("curation", "scan", root).returncode == 0
    if subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], capture_output=True).returncode:
        pytest.skip("a disk cannot be made read-only here")
    done = called("curation", "scan", root)
    assert done.returncode == 2
    assert "may only be read" in done.stderr or "cannot be written to" in done.stderr
    assert "Traceback" not in done.stderr


def full() -> OSError:
    """What writing to a device that is always full raises."""
    try:
        with Path("/dev/full").open("wb", buffering=0) as file:
            file.write(b"x")
    except FileNotFoundError:
        pytest.skip("there is no /dev/full here")
    except OSError as error:
        return error
    raise AssertionError("/dev/full took a byte")


def wrapped(error: Exception) -> Exception:
    try:
        raise RuntimeError("a library's words") from error
    except RuntimeError as found:
        return found


def fail_after_a_full_disk() -> None:
    try:
        raise full()
    except OSError:
        raise KeyError("ours") from None


def test_cause_is_found_in_what_libraries_make_of_it() -> None:
    for error in (
        full(),
        wrapped(wrapped(full())),
        ExceptionGroup("tasks", [ValueError("x"), full()]),
        sqlite3.OperationalError("database or disk is full"),
        RuntimeError("I/O error: No space left on device (os error 28)"),
        OSError(errno.EDQUOT, os.strerror(errno.EDQUOT), "file"),
    ):
        fault = disk_fault(error)
        assert fault
        assert "is full" in fault.what
        assert fault.hint
    read_only = disk_fault(OSError(errno.EROFS, os.strerror(errno.EROFS), "한글.png"))
    assert read_only
    assert "한글.png may only be read" in read_only.what
    with pytest.raises(KeyError) as ours:
        fail_after_a_full_disk()
    assert disk_fault(ours.value) is None, "what was dealt with is not the cause"
    for other in (OSError(errno.EACCES, "no"), ValueError("disk"), UserError("No space left on device"), KeyError(28)):
        assert disk_fault(other) is None


def test_folder_is_tried_out(tmp_path: Path, small_disk: Path) -> None:
    assert fault_of_folder(tmp_path) is None
    assert fault_of_folder(small_disk) is None
    fill(small_disk)
    fault = fault_of_folder(small_disk)
    assert fault
    assert str(small_disk) in fault.what
