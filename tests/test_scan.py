"""A scan reads what is new, survives everything, and tells what it could not read and why."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import pytest
from PIL import Image

from curation.dataset import Dataset
from curation.scan import Summary, scan
from handwriter_models.errors import UserError
from tests.small_photos import jpeg, pets, photo, save

ROOT = Path(__file__).resolve().parents[1]


def scanned(root: Path) -> tuple[Summary, dict[str, str]]:
    """The summary, and labels by path."""
    with Dataset(root) as dataset:
        summary = scan(dataset.pictures)
        return summary, {row.path: row.label for row in dataset.pictures.rows()}


def test_folders_are_labels_and_other_files_are_passed_over(tmp_path: Path) -> None:
    pets(tmp_path, 2)
    (tmp_path / "dog" / "notes.txt").write_text("x")
    (tmp_path / "dog" / ".hidden.jpg").write_bytes(jpeg(photo(1)))
    save(tmp_path / "dog" / "deeper" / "dog 9.JPG", photo(50))
    summary, labels = scanned(tmp_path)
    assert labels == {
        "dog/deeper/dog 9.JPG": "dog",
        "dog/dog 0.jpg": "dog",
        "dog/dog 1.jpg": "dog",
        "고양이/cat 0.jpg": "고양이",
        "고양이/cat 1.jpg": "고양이",
    }
    assert (summary.images, summary.read, summary.unreadable) == (5, 5, [])


@pytest.mark.parametrize("names", [("train", "validation", "test"), ("training", "val"), ("Train", "Test")])
def test_folders_of_parts_are_seen_as_such(tmp_path: Path, names: tuple[str, ...]) -> None:
    for place, name in enumerate(names):
        save(tmp_path / name / "dog" / f"{place}.jpg", photo(place))
    with Dataset(tmp_path) as dataset:
        scan(dataset.pictures)
        found = {(row.label, row.given) for row in dataset.pictures.rows()}
    assert found == {("dog", part) for part in ("train", "validation", "test")[: len(names)]} or found == {
        ("dog", "train"),
        ("dog", "test"),
    }


def test_classes_named_train_and_bus_are_classes(tmp_path: Path) -> None:
    for place, name in enumerate(("train", "bus")):
        save(tmp_path / name / f"{place}.jpg", photo(place))
    assert set(scanned(tmp_path)[1].values()) == {"train", "bus"}


def test_second_scan_reads_only_what_is_new_or_changed(tmp_path: Path) -> None:
    pets(tmp_path, 3)
    assert scanned(tmp_path)[0].read == 6
    assert scanned(tmp_path)[0].read == 0
    save(tmp_path / "dog" / "new.jpg", photo(77))
    save(tmp_path / "dog" / "dog 1.jpg", photo(78, (320, 200)))
    (tmp_path / "dog" / "dog 2.jpg").unlink()
    summary, labels = scanned(tmp_path)
    assert (summary.read, summary.gone, summary.images) == (2, 1, 6)
    assert "dog/dog 2.jpg" not in labels
    save(tmp_path / "dog" / "dog 2.jpg", photo(1002))
    assert "dog/dog 2.jpg" in scanned(tmp_path)[1]


def test_measures_are_those_of_the_picture(tmp_path: Path) -> None:
    data = jpeg(photo(3, (320, 240)))
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.jpg").write_bytes(data)
    turned = photo(3, (320, 240)).getexif()
    turned[0x0112] = 6
    photo(3, (320, 240)).save(tmp_path / "a" / "2.jpg", exif=turned)
    Image.new("RGBA", (40, 30), (0, 0, 0, 0)).save(tmp_path / "a" / "3.png")
    with Dataset(tmp_path) as dataset:
        scan(dataset.pictures)
        first, second, third = dataset.pictures.rows()
    assert (first.sha256, first.format, first.width, first.height) == (sha256(data).hexdigest(), "JPEG", 320, 240)
    assert (second.width, second.height) == (240, 320)
    assert (third.brightness, third.contrast, third.entropy, third.blur) == (1.0, 0.0, 0.0, 0.0)
    assert 0.2 < first.brightness < 0.8 < first.entropy


UNREADABLE = {
    "cut.jpg": jpeg(photo(1))[:2000],
    "empty.png": b"",
    "page.jpg": b"<!doctype html><html></html>",
    "drawing.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "phone.heic": b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00",
    "bomb.png": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x01\x86\xa0\x00\x01\x86\xa0\x08\x02\x00\x00\x00",
}


def test_unreadable_files_are_listed_with_the_reason_and_stop_nothing(tmp_path: Path) -> None:
    pets(tmp_path, 2)
    for name, data in UNREADABLE.items():
        (tmp_path / "dog" / name).write_bytes(data)
    summary, labels = scanned(tmp_path)
    reasons = {Path(path).name: why for path, why in summary.unreadable}
    assert reasons.keys() == UNREADABLE.keys()
    assert all(reasons.values())
    assert len(labels) == summary.images == 4
    again, _ = scanned(tmp_path)
    assert (again.read, sorted(again.unreadable)) == (0, sorted(summary.unreadable))


NAMES = [
    "new\nline.jpg",
    "quo'te\".jpg",
    "한글 고양이.jpg",
    "\u202egpj.exe.jpg",
    "a" * 251 + ".jpg",
    "-rf.jpg",
    "%s{}.jpg",
]


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_are_scanned_like_others(tmp_path: Path, name: str) -> None:
    save(tmp_path / "[bold]dog" / name, photo(1))
    assert scanned(tmp_path)[1] == {f"[bold]dog/{name}": "[bold]dog"}


def test_name_that_is_not_text_is_told_and_left_alone(tmp_path: Path) -> None:
    pets(tmp_path, 1)
    with (tmp_path / "dog" / os.fsdecode(b"\xff\xfe.jpg")).open("wb") as file:
        file.write(jpeg(photo(5)))
    summary, labels = scanned(tmp_path)
    assert len(labels) == 2
    assert "not UTF-8" in summary.unreadable[0][1]


def test_links_inside_count_and_links_out_do_not(tmp_path: Path) -> None:
    root, outside = tmp_path / "data", tmp_path / "secret.jpg"
    save(outside, photo(9))
    pets(root, 1)
    (root / "dog" / "out.jpg").symlink_to(outside)
    (root / "dog" / "nowhere.jpg").symlink_to(root / "gone.jpg")
    (root / "loop").symlink_to(root, target_is_directory=True)
    (root / "dog" / "in.jpg").symlink_to(root / "dog" / "dog 0.jpg")
    summary, labels = scanned(root)
    assert set(labels) == {"dog/dog 0.jpg", "dog/in.jpg", "고양이/cat 0.jpg"}
    assert {path for path, _ in summary.unreadable} == {"dog/out.jpg", "dog/nowhere.jpg", "loop"}


def test_named_pipe_does_not_hold_the_scan(tmp_path: Path) -> None:
    pets(tmp_path, 1)
    os.mkfifo(tmp_path / "dog" / "pipe.jpg")
    summary = scanned(tmp_path)[0]
    assert (summary.images, [path for path, _ in summary.unreadable]) == (2, ["dog/pipe.jpg"])


def test_same_bytes_under_two_labels_are_two_files(tmp_path: Path) -> None:
    for label in ("cat", "dog"):
        save(tmp_path / label / "1.jpg", photo(1))
    assert scanned(tmp_path)[1] == {"cat/1.jpg": "cat", "dog/1.jpg": "dog"}


@pytest.mark.parametrize("make", [lambda root: None, lambda root: (root / "a").mkdir()])
def test_folder_without_pictures_is_told(tmp_path: Path, make: object) -> None:
    make(tmp_path)  # type: ignore[operator]
    with pytest.raises(UserError, match="there are no pictures in"):
        scanned(tmp_path)


KILLED = """
import sys; sys.path[0] = sys.argv[2]
from pathlib import Path
from curation.dataset import Dataset
from curation.scan import scan
with Dataset(Path(sys.argv[1])) as dataset:
    scan(dataset.pictures, lambda done, of: print(done, flush=True), count=1)
"""


def test_killed_scan_goes_on_where_it_stopped(tmp_path: Path) -> None:
    for number in range(300):
        save(tmp_path / "a" / f"{number}.jpg", photo(number))
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path), str(ROOT)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        stored = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
    summary, labels = scanned(tmp_path)
    assert summary.read <= 300 - stored
    assert len(labels) == 300


WATCHED = """
import multiprocessing, sys, time; sys.path[0] = sys.argv[2]
from pathlib import Path
from curation.dataset import Dataset
from curation.scan import scan
from handwriter_models.errors import run_command
def tell(done, of):
    children = multiprocessing.active_children()
    print(*(child.pid for child in children), flush=True)
    if sys.argv[3] == "kill a worker":
        for child in children[:1]:
            child.kill()
    else:
        time.sleep(60)
run_command(lambda: scan(Dataset(Path(sys.argv[1])).pictures, tell, 2))
"""


def many(root: Path) -> Path:
    """More than threads would be used for."""
    for number in range(700):
        save(root / "a" / f"{number}.jpg", photo(number, (48, 36)))
    return root


@pytest.mark.skipif(sys.platform != "linux", reason="workers are threads there")
def test_workers_of_a_killed_scan_end_with_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WATCHED, str(many(tmp_path)), str(ROOT), "wait"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        pids = [int(pid) for pid in process.stdout.readline().split()]
        assert len(pids) == 2
        process.kill()
    for _ in range(100):
        if not any(Path(f"/proc/{pid}/exe").exists() for pid in pids):
            return
        time.sleep(0.05)
    pytest.fail("workers live on")


@pytest.mark.skipif(sys.platform != "linux", reason="workers are threads there")
def test_worker_that_dies_is_told_and_the_next_scan_goes_on(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WATCHED, str(many(tmp_path)), str(ROOT), "kill a worker"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2, done.stderr
    assert "has died, at a/" in done.stderr
    assert len(scanned(tmp_path)[1]) == 700


def test_two_scans_at_once_agree(tmp_path: Path) -> None:
    for number in range(200):
        save(tmp_path / "a" / f"{number}.jpg", photo(number))
    command = [sys.executable, "-c", KILLED, str(tmp_path), str(ROOT)]
    both = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert len(scanned(tmp_path)[1]) == 200


FULL = """
import resource, sys; sys.path[0] = sys.argv[2]
from pathlib import Path
from curation.dataset import Dataset
from curation.scan import scan
from handwriter_models.errors import run_command
dataset = Dataset(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))
run_command(lambda: scan(dataset.pictures))
"""


def test_full_disk_is_told_and_the_next_scan_goes_on(tmp_path: Path) -> None:
    for number in range(400):
        save(tmp_path / "a" / f"{number}.jpg", photo(number, (64, 48)))
    command = [sys.executable, "-c", FULL, str(tmp_path), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2, done.stderr
    assert "the disk of" in done.stderr
    assert len(scanned(tmp_path)[1]) == 400


def test_crawled_labels_are_those_of_the_keywords_not_of_the_folders(tmp_path: Path) -> None:
    with Dataset(tmp_path) as dataset:
        folder = dataset.folder_of("C++ / R#?")
        save(tmp_path / "images" / folder / "google_0001.jpg", photo(1))
        save(tmp_path / "stray.jpg", photo(2))
        scan(dataset.pictures)
        assert [row.label for row in dataset.pictures.rows()] == ["C++ / R#?"]


def test_moved_dataset_is_the_same_dataset(tmp_path: Path) -> None:
    pets(tmp_path / "one", 2)
    scanned(tmp_path / "one")
    shutil.move(tmp_path / "one", tmp_path / "two")
    assert scanned(tmp_path / "two")[0].read == 0
