"""Sources: MNIST's files, scikit-learn's digits, folders of pictures, and what each fault is answered with."""

from __future__ import annotations

import gzip
import shutil
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from handwriter_models.errors import UserError
from tests.shared_data import shared_folder
from tests.training_cases import write_digit, write_folder
from training.recipes import DataOptions
from training.samples import Splits
from training.sources import read_source

OPTIONS = DataOptions(validation=0.2, test=0.2)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDWRITER_CACHE", str(tmp_path / "cache"))


def read(source: object, data: Path | None = None) -> Splits:
    return read_source(str(source), data, OPTIONS, seed=1)


def idx(array: np.ndarray) -> bytes:
    kind = {"uint8": 0x08, "int32": 0x0C}[array.dtype.name]
    head = bytes([0, 0, kind, array.ndim]) + b"".join(side.to_bytes(4, "big") for side in array.shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


def write_mnist(root: Path, count: int = 40, packed: bool = True, writers: bool = False) -> Path:
    """A made-up MNIST of `count` pictures a part: a bright bar, labels in turn, and ten writers."""
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    pictures = np.zeros((count, 28, 28), np.uint8)
    pictures[:, 4:24, 12:16] = 255
    labels = (np.arange(count) % 10).astype(np.uint8)
    for prefix in ("train", "t10k"):
        for name, array in ((f"{prefix}-images-idx3-ubyte", pictures), (f"{prefix}-labels-idx1-ubyte", labels)):
            path = raw / (f"{name}.gz" if packed else name)
            path.write_bytes(gzip.compress(idx(array)) if packed else idx(array))
    if writers:
        table = np.zeros((count + 7, 8), np.int32)
        table[:count, 0], table[:count, 2] = labels, np.arange(count) // 4
        (root / "qmnist").mkdir()
        for split in ("train", "test"):
            (root / "qmnist" / f"qmnist-{split}-labels-idx2-int.gz").write_bytes(gzip.compress(idx(table)))
    return root


@pytest.mark.parametrize("packed", [True, False])
def test_mnist_is_read_packed_or_plain(packed: bool, tmp_path: Path) -> None:
    splits = read("mnist", write_mnist(tmp_path, packed=packed))
    assert splits.counts() == {"train": 30, "validation": 10, "test": 40}
    assert splits.own_test
    assert splits.test.names == list("0123456789")
    assert set(splits.validation.labels) == set(range(10))


def test_validation_writers_wrote_nothing_of_the_training(tmp_path: Path) -> None:
    splits = read("mnist", write_mnist(tmp_path, writers=True))
    assert len(set(splits.validation.groups)) == 2
    assert not set(splits.train.groups) & set(splits.validation.groups)


def test_real_writers_of_mnist_are_divided(tmp_path: Path) -> None:
    """The first 1500 pictures, because preparing all takes a minute."""
    data = shared_folder() / "data"
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for prefix in ("train", "t10k"):
        for name, head, side in ((f"{prefix}-images-idx3-ubyte", 16, 784), (f"{prefix}-labels-idx1-ubyte", 8, 1)):
            content = gzip.decompress((data / "MNIST" / "raw" / f"{name}.gz").read_bytes())
            array = np.frombuffer(content[head : head + 1500 * side], np.uint8)
            (raw / name).write_bytes(idx(array.reshape((-1, 28, 28) if side > 1 else -1)))
    shutil.copytree(data / "qmnist", tmp_path / "qmnist")
    splits = read("mnist", tmp_path)
    assert len(set(splits.train.groups) | set(splits.validation.groups)) > 200
    assert not set(splits.train.groups) & (set(splits.validation.groups) | set(splits.test.groups))


def test_sklearn_digits_need_no_network_and_are_prepared() -> None:
    splits = read("sklearn-digits")
    assert sum(splits.counts().values()) == 1797
    assert splits.train.images.shape[1:] == (28, 28)
    assert not splits.own_test
    assert splits.train.images.max(axis=(1, 2)).min() > 200, "prepared ink is bright"


def test_second_reading_comes_from_the_cache(tmp_path: Path) -> None:
    first = read("sklearn-digits")
    kept = list((tmp_path / "cache").iterdir())
    before = [path.stat().st_mtime_ns for path in kept]
    assert read("sklearn-digits").fingerprint() == first.fingerprint()
    assert [path.stat().st_mtime_ns for path in kept] == before
    kept[0].write_bytes(b"not an array")
    assert read("sklearn-digits").fingerprint() == first.fingerprint()


def test_folder_of_labels_is_divided(tmp_path: Path) -> None:
    splits = read(write_folder(tmp_path / "digits", "10a", count=5))
    assert splits.train.names == ["0", "1", "a"]
    assert splits.counts() == {"train": 9, "validation": 3, "test": 3}


def test_numbers_as_labels_keep_their_order(tmp_path: Path) -> None:
    for label in ("10", "9", "2"):
        for number in range(3):
            write_digit(tmp_path / "in" / label / f"{number}.png", label[0])
    assert read(tmp_path / "in").train.names == ["2", "9", "10"]


def test_own_division_of_a_folder_is_kept(tmp_path: Path) -> None:
    for split, count in (("train", 5), ("val", 2), ("test", 3)):
        write_folder(tmp_path / "in" / split, count=count)
    splits = read(tmp_path / "in")
    assert splits.own_test
    assert splits.counts() == {"train": 10, "validation": 4, "test": 6}


def test_unreadable_pictures_are_listed_and_left_out(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "in", count=5)
    whole = (root / "3" / "0.png").read_bytes()
    (root / "3" / "half.png").write_bytes(whole[: len(whole) // 2])
    (root / "7" / "letter.jpg").write_text("Dear Sir")
    (root / "7" / "notes.txt").write_text("no picture, no claim to be one")
    (root / "7" / ".hidden.png").write_text("")
    Image.new("L", (50, 50), 255).save(root / "7" / "white.png")
    splits = read(root)
    assert sorted(Path(path).name for path, _ in splits.unreadable) == ["half.png", "letter.jpg", "white.png"]
    assert all(reason for _, reason in splits.unreadable)
    assert sum(splits.counts().values()) == 10


def test_labels_that_differ_between_train_and_test_are_refused(tmp_path: Path) -> None:
    write_folder(tmp_path / "in" / "train", "37")
    write_folder(tmp_path / "in" / "test", "38")
    with pytest.raises(UserError, match="label '7' is in train/ but not in test/"):
        read(tmp_path / "in")


def test_labels_beside_train_are_refused(tmp_path: Path) -> None:
    write_folder(tmp_path / "in" / "train", "37")
    write_folder(tmp_path / "in", "8")
    with pytest.raises(UserError, match="label folder '8' beside train/"):
        read(tmp_path / "in")


def test_empty_label_single_label_and_single_picture_are_refused(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "empty")
    (root / "9").mkdir()
    with pytest.raises(UserError, match=r"label '9' of .* has no readable picture"):
        read(root)
    with pytest.raises(UserError, match="has only the label '3'"):
        read(write_folder(tmp_path / "one", "3"))
    with pytest.raises(UserError, match="label '3' has 1 picture to divide"):
        read(write_folder(tmp_path / "few", count=1))
    with pytest.raises(UserError, match="label '3' has 2 pictures to divide"):
        read(write_folder(tmp_path / "two", count=2))
    with pytest.raises(UserError, match="label '3' has 2 pictures to divide") as caught:
        read(write_folder(tmp_path / "part" / "train", count=2).parent)
    assert "at least 3 pictures" in caught.value.hint


def test_label_without_a_usable_picture_is_told_with_the_reason(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "in", count=4)
    (root / "갅").mkdir()
    for number in range(2):
        Image.new("L", (50, 50), 255).save(root / "갅" / f"{number}.png")
    with pytest.raises(UserError, match=r"'갅' .* no readable picture; left out: 2, such as .*0\.png \(no ink found"):
        read(root)
    for path in (root / "갅").iterdir():
        path.unlink()
    (root / "갅" / "link.png").symlink_to(write_digit(tmp_path / "elsewhere.png", "3"))
    with pytest.raises(UserError, match=r"left out: 1, such as .*link\.png \(it is a link out of the folder"):
        read(root)


def test_unknown_source_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UserError, match="unknown source 'mnits'") as caught:
        read("mnits")
    assert "sklearn-digits" in caught.value.hint


def test_data_folder_without_mnist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a folder"):
        read("mnist", tmp_path / "absent")
    with pytest.raises(UserError, match="holds no MNIST/raw"):
        read("mnist", tmp_path)


def test_damaged_mnist_is_refused(tmp_path: Path) -> None:
    root = write_mnist(tmp_path, packed=False)
    labels = root / "MNIST" / "raw" / "train-labels-idx1-ubyte"
    whole = labels.read_bytes()
    for content, fault in ((whole[:-3], "does not fit its shape"), (b"<html>", "is not an IDX file")):
        labels.write_bytes(content)
        with pytest.raises(UserError, match=fault):
            read("mnist", root)
    labels.with_name(f"{labels.name}.gz").write_bytes(gzip.compress(whole)[:-9])
    with pytest.raises(UserError, match="cannot be read"):
        read("mnist", root)
    labels.with_name(f"{labels.name}.gz").unlink()
    labels.unlink()
    with pytest.raises(UserError, match="is missing"):
        read("mnist", root)


def test_writers_of_other_pictures_are_refused(tmp_path: Path) -> None:
    root = write_mnist(tmp_path, writers=True)
    table = np.zeros((50, 8), np.int32)
    (root / "qmnist" / "qmnist-train-labels-idx2-int.gz").write_bytes(gzip.compress(idx(table)))
    with pytest.raises(UserError, match="are not those of this MNIST"):
        read("mnist", root)


def test_failed_download_names_both_ways_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens there
    monkeypatch.delenv("no_proxy", raising=False)
    urllib.request.install_opener(urllib.request.build_opener())
    try:
        with pytest.raises(UserError, match="MNIST could not be downloaded") as caught:
            read("mnist")
    finally:
        urllib.request.install_opener(None)  # type: ignore[arg-type]
    assert "--data DIR" in caught.value.hint
    assert "sklearn-digits" in caught.value.hint
