"""Exports leave places, times and texts at home in every format, unless they are asked for, and count the places."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from curation.export.order import export
from handwriter_models.images import read_picture
from tests.called import called
from tests.small_photos import photo
from tests.test_export import scanned
from tests.test_metadata import SECRET, exif, png_texts, read_back, saved

FORMATS = ("imagefolder", "parquet", "webdataset", "html")
PICTURES = {
    "dog/a.jpg": saved("JPEG", photo(1, (60, 40)), exif=exif(), comment=SECRET),
    "dog/b.jpg": saved("JPEG", photo(2, (60, 40)), exif=exif(6)),
    "dog/plain.jpg": saved("JPEG", photo(3, (60, 40))),
    "cat/a.png": saved("PNG", photo(4, (60, 40)), pnginfo=png_texts()),
    "cat/b.tif": saved("TIFF", photo(5, (60, 40)), exif=read_back(exif())),
    "cat/c.webp": saved("WEBP", photo(6, (60, 40)), exif=exif(place=False)),
}
PLACES = 4


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    for name, data in PICTURES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


@pytest.mark.parametrize("form", FORMATS)
def test_no_place_and_no_text_goes_out(form: str, root: Path, tmp_path: Path) -> None:
    with scanned(root) as dataset:
        came = export(dataset.pictures, tmp_path / "out", form)
    assert (came.count, came.positions) == (len(PICTURES), PLACES)
    assert any(f": {PLACES} (taken out)" in warning for warning in came.warnings)
    for file in (tmp_path / "out").rglob("*.*"):
        assert not any(word in file.read_bytes() for word in (SECRET, b"Exif\0\0", b"GPSLatitude")), file.name
    assert {name: (root / name).read_bytes() for name in PICTURES} == PICTURES


def test_files_without_metadata_are_second_names_and_the_others_are_written(root: Path, tmp_path: Path) -> None:
    with scanned(root) as dataset:
        export(dataset.pictures, tmp_path / "out", "imagefolder")
    train = tmp_path / "out" / "train"
    assert (train / "dog" / "plain.jpg").samefile(root / "dog" / "plain.jpg")
    assert not (train / "dog" / "a.jpg").samefile(root / "dog" / "a.jpg")
    assert sorted(file.name for file in (train / "cat").iterdir()) == ["a.png", "b.png", "c.webp"]
    for name, data in PICTURES.items():
        seen = Image.open(train / name.replace(".tif", ".png"))
        assert not dict(seen.getexif())
        off = np.abs(np.asarray(seen.convert("RGB"), int) - np.asarray(read_picture(data), int))
        assert off.mean() < (8 if name == "dog/b.jpg" else 1e-9), name
    rows = [json.loads(line) for line in (train / "metadata.jsonl").read_text("utf-8").splitlines()]
    with scanned(root) as dataset:
        assert {row["sha256"] for row in rows} == {row.sha256 for row in dataset.pictures.rows()}


def test_metadata_goes_along_when_asked_for(root: Path, tmp_path: Path) -> None:
    done = called("curation", "export", root, tmp_path / "out", "--keep-metadata", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["positions"] == PLACES
    assert any("exported with it" in warning for warning in told["warnings"])
    for name, data in PICTURES.items():
        assert (tmp_path / "out" / "train" / name).read_bytes() == data


def test_the_summary_counts_places(root: Path, tmp_path: Path) -> None:
    done = called("curation", "export", root, tmp_path / "out", "--format", "parquet")
    assert done.returncode == 0, done.stderr
    assert f"say where they were taken: {PLACES}" in " ".join((done.stdout + done.stderr).split())


def test_the_decoder_hands_no_text_on() -> None:
    """Pillow writes a JPEG's comment and a PNG's profile into whatever is saved from the picture next."""
    for data in (saved("JPEG", comment=SECRET), saved("GIF", comment=SECRET), saved("PNG", icc_profile=SECRET * 9)):
        picture = read_picture(data)
        for kind in ("JPEG", "PNG", "WEBP"):
            out = BytesIO()
            picture.save(out, kind)
            assert SECRET not in out.getvalue()
            assert "icc_profile" not in Image.open(BytesIO(out.getvalue())).info
