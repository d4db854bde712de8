"""Vectors are computed once a content; the cache survives kills, damage and other processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from curation.backbones import Backbone
from curation.dataset import Dataset
from curation.features import BATCH, Store, View, features, features_of_views
from curation.scan import scan
from tests.small_photos import jpeg, pets, photo, save

ROOT = Path(__file__).resolve().parents[1]


def mean_colour(name: str = "mean", calls: list[int] | None = None) -> Backbone:
    """A network that anybody can follow: the mean of each channel."""

    class Mean(nn.Module):
        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            if calls is not None:
                calls.append(len(pictures))
            return pictures.mean(dim=(2, 3))

    return Backbone(name, "whole8", 3, lambda one: np.asarray(one.resize((8, 8))), Mean(), _channels_first)


def _channels_first(prepared: torch.Tensor) -> torch.Tensor:
    return prepared.permute(0, 3, 1, 2).float()


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[Dataset]:
    with Dataset(pets(tmp_path / "pets")) as opened:
        scan(opened.pictures)
        yield opened


def store_of(root: Path, name: str = "mean") -> Path:
    return root / "features" / f"{name}-whole8.f16"


def test_vectors_come_in_the_order_of_the_rows_as_float16(dataset: Dataset) -> None:
    found = features(dataset.pictures, mean_colour())
    rows = dataset.pictures.rows()
    assert found.contents == tuple(row.sha256 for row in rows)
    assert found.vectors.dtype == np.float16
    picture = Image.open(dataset.root / rows[3].path).convert("RGB").resize((8, 8))
    assert np.allclose(found.of([rows[3].sha256])[0], np.asarray(picture).mean(axis=(0, 1)), rtol=1e-3)


def test_what_is_known_is_not_computed_again(dataset: Dataset) -> None:
    calls: list[int] = []
    first = features(dataset.pictures, mean_colour(calls=calls))
    save(dataset.root / "dog" / "new.jpg", photo(77))
    scan(dataset.pictures)
    second = features(dataset.pictures, mean_colour(calls=calls))
    assert (first.computed, second.computed, sum(calls)) == (12, 1, 13)
    assert len(second.contents) == 13


def test_the_same_bytes_twice_are_one_vector(dataset: Dataset) -> None:
    save(dataset.root / "dog" / "copy.jpg", photo(0))
    scan(dataset.pictures)
    assert features(dataset.pictures, mean_colour()).computed == 12


def test_another_network_has_its_own_file(dataset: Dataset) -> None:
    features(dataset.pictures, mean_colour())
    assert features(dataset.pictures, mean_colour("other")).computed == 12
    assert store_of(dataset.root).exists()
    assert store_of(dataset.root, "other").exists()


def test_progress_is_told_up_to_the_end(dataset: Dataset) -> None:
    told: list[tuple[int, int]] = []
    features(dataset.pictures, mean_colour(), lambda done, of: told.append((done, of)))
    assert told[-1] == (12, 12)


def test_a_deleted_cache_is_made_again(dataset: Dataset) -> None:
    first = features(dataset.pictures, mean_colour())
    store_of(dataset.root).unlink()
    second = features(dataset.pictures, mean_colour())
    assert second.computed == 12
    assert np.array_equal(first.vectors, second.vectors)


@pytest.mark.parametrize("left", [0, 5, 11, 12, 60, 200])
def test_a_cut_off_cache_loses_only_what_was_cut_off(dataset: Dataset, left: int) -> None:
    first = features(dataset.pictures, mean_colour())
    file = store_of(dataset.root)
    os.truncate(file, left)
    second = features(dataset.pictures, mean_colour())
    assert np.array_equal(first.vectors, second.vectors)
    assert second.computed == 12 - max(0, (left - 12) // 42)
    assert features(dataset.pictures, mean_colour()).computed == 0


def test_a_damaged_vector_is_computed_again_and_not_believed(dataset: Dataset) -> None:
    first = features(dataset.pictures, mean_colour())
    file = store_of(dataset.root)
    data = bytearray(file.read_bytes())
    data[12 + 42 + 40] ^= 0x55  # in the vector of the second record
    file.write_bytes(data)
    second = features(dataset.pictures, mean_colour())
    assert second.computed == 1
    assert np.array_equal(first.vectors, second.vectors)


def test_a_foreign_file_of_that_name_is_replaced(dataset: Dataset) -> None:
    store_of(dataset.root).parent.mkdir()
    store_of(dataset.root).write_bytes(b"something else entirely" * 99)
    assert features(dataset.pictures, mean_colour()).computed == 12
    assert features(dataset.pictures, mean_colour()).computed == 0


def test_a_picture_that_changed_or_went_is_named_and_the_others_are_done(dataset: Dataset) -> None:
    (dataset.root / "dog" / "dog 0.jpg").write_bytes(jpeg(photo(5)))
    (dataset.root / "dog" / "dog 1.jpg").unlink()
    found = features(dataset.pictures, mean_colour())
    assert found.computed == 10
    assert [path for path, _ in found.unreadable] == ["dog/dog 0.jpg", "dog/dog 1.jpg"]
    assert "changed since the scan" in found.unreadable[0][1]


def test_a_picture_that_cannot_be_prepared_is_named_and_the_others_are_done(dataset: Dataset) -> None:
    rows = dataset.pictures.rows()

    def prepare(picture: Image.Image, content: str) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        if content == rows[1].sha256:
            raise ZeroDivisionError("nobody foresaw this")
        return np.asarray(picture.resize((8, 8)))

    (found,) = features_of_views(dataset.pictures, mean_colour(), rows, [View("odd", prepare)])
    assert [path for path, _ in found.unreadable] == [rows[1].path]
    assert "ZeroDivisionError" in found.unreadable[0][1]
    assert rows[1].sha256 not in found.contents
    assert set(found.contents) == {row.sha256 for row in rows} - {rows[1].sha256}


def test_dropped_pictures_have_no_part_in_it(dataset: Dataset) -> None:
    dataset.pictures.judge([dataset.pictures.rows()[0].id], "drop", "me")
    assert features(dataset.pictures, mean_colour()).computed == 11


def test_an_empty_list_has_no_vectors(dataset: Dataset) -> None:
    assert features(dataset.pictures, mean_colour(), rows=[]).vectors.shape == (0, 3)


def test_values_beyond_float16_stay_finite(dataset: Dataset) -> None:
    class Huge(nn.Module):
        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            return torch.tensor([[1e9, float("nan"), -1e9]]).repeat(len(pictures), 1)

    huge = Backbone("huge", "whole8", 3, mean_colour().prepare, Huge(), _channels_first)
    assert np.isfinite(features(dataset.pictures, huge).vectors).all()


def test_a_run_that_dies_keeps_its_finished_batches(tmp_path: Path) -> None:
    class KilledError(Exception):
        pass

    def die(done: int, _: int) -> None:
        if done >= 2 * BATCH:
            raise KilledError

    for number in range(3 * BATCH):
        save(tmp_path / "dog" / f"{number}.jpg", photo(number, (24, 24)))
    with Dataset(tmp_path) as dataset:
        scan(dataset.pictures)
        with pytest.raises(KilledError):
            features(dataset.pictures, mean_colour(), die)
        assert features(dataset.pictures, mean_colour()).computed == BATCH


WRITER = """
import sys
import numpy as np
from pathlib import Path
from curation.features import Store
store = Store(Path(sys.argv[1]), 5)
for start in range(0, 400, 8):
    contents = [f"{number:064x}" for number in range(start, start + 8)]
    store.append(contents, np.repeat(np.arange(start, start + 8, dtype=np.float16)[:, None], 5, axis=1))
"""


def test_processes_that_write_at_once_leave_every_vector_once(tmp_path: Path) -> None:
    path = tmp_path / "features" / "x.f16"
    command = [sys.executable, "-c", WRITER, str(path)]
    writers = [subprocess.Popen(command, cwd=ROOT) for _ in range(3)]
    assert [writer.wait(100) for writer in writers] == [0, 0, 0]
    store = Store(path, 5)
    assert len(store.places()) == 400
    assert path.stat().st_size == 12 + 400 * (36 + 10)
    vectors = store.vectors([f"{number:064x}" for number in range(400)])
    assert all((vectors[f"{number:064x}"] == number).all() for number in range(400))
