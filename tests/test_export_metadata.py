"""Exports leave places, times and texts at home in every format, unless they are asked for, and count the places."""

from __future__ import annotations

import json
import tarfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from curation.export.order import export
from handwriter_models.images import read_picture
from handwriter_models.metadata import has_position
from tests.called import called
from tests.icc_profiles import DISPLAY_P3, screen_profile
from tests.small_photos import photo
from tests.test_export import scanned
from tests.test_metadata import SECRET, XMP, exif, jpeg_with, png_texts, read_back, saved, segment

FORMATS = ("imagefolder", "parquet", "webdataset", "html")
PICTURES = {
    "dog/a.jpg": saved("JPEG", photo(1, (60, 40)), exif=exif(), comment=SECRET),
    "dog/b.jpg": saved("JPEG", photo(2, (60, 40)), exif=exif(6)),
    "dog/c.jpg": jpeg_with(
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP),
        segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x15\x1c\x02\x69\0\x10" + SECRET + b"\0"),
    ),
    "dog/plain.jpg": saved("JPEG", photo(3, (60, 40))),
    "cat/a.png": saved("PNG", photo(4, (60, 40)), pnginfo=png_texts()),
    "cat/b.tif": saved("TIFF", photo(5, (60, 40)), exif=read_back(exif())),
    "cat/c.webp": saved("WEBP", photo(6, (60, 40)), exif=exif(place=False)),
}
PLACES = 5


def write_pictures(folder: Path) -> Path:
    """`PICTURES` as a folder that was never scanned."""
    for name, data in PICTURES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_pictures(tmp_path / "data")


def of_parquet(data: bytes) -> list[bytes]:
    return [row["bytes"] for row in pq.read_table(BytesIO(data))["image"].to_pylist()]


def pictures_in(out: Path) -> list[bytes]:
    """Of an image folder, of Parquet or of tar files, by content."""
    found = [file.read_bytes() for ending in ("jpg", "png", "webp", "tif") for file in out.rglob(f"*.{ending}")]
    found += [data for table in out.rglob("*.parquet") for data in of_parquet(table.read_bytes())]
    for shard in out.rglob("*.tar"):
        with tarfile.open(shard) as files:
            members = [one for one in files if not one.name.endswith((".cls", ".json"))]
            found += [files.extractfile(one).read() for one in members]  # type: ignore[union-attr] - all are files
    return sorted(found)


def assert_bare(data: bytes) -> None:
    """No EXIF, XMP, IPTC, comment or text is in the picture, packed or not."""
    picture = Image.open(BytesIO(data))
    picture.load()
    assert not has_position(data)
    assert not dict(picture.getexif())
    assert not any(isinstance(value, str | bytes) for value in picture.info.values()), picture.info
    assert not any(word in data for word in (SECRET, b"Exif\0\0", b"Photoshop", b"adobe"))


@pytest.mark.parametrize("form", FORMATS)
def test_no_place_and_no_text_goes_out(form: str, root: Path, tmp_path: Path) -> None:
    with scanned(root) as dataset:
        came = export(dataset.pictures, tmp_path / "out", form)
    assert (came.count, came.positions) == (len(PICTURES), PLACES)
    assert any(f": {PLACES} (taken out)" in warning for warning in came.warnings)
    for file in (tmp_path / "out").rglob("*.*"):
        assert not any(word in file.read_bytes() for word in (SECRET, b"Exif\0\0", b"GPSLatitude")), file.name
    assert {name: (root / name).read_bytes() for name in PICTURES} == PICTURES


@pytest.mark.parametrize("form", FORMATS[:3])
def test_every_picture_of_an_export_is_bare_or_as_it_was(form: str, root: Path, tmp_path: Path) -> None:
    with scanned(root) as dataset:
        export(dataset.pictures, tmp_path / "bare", form)
        export(dataset.pictures, tmp_path / "whole", form, keep_metadata=True)
    bare = pictures_in(tmp_path / "bare")
    assert len(bare) == len(PICTURES)
    for data in bare:
        assert_bare(data)
    assert pictures_in(tmp_path / "whole") == sorted(PICTURES.values())
    cards = [(tmp_path / name / "README.md").read_text("utf-8") for name in ("bare", "whole")]
    assert ["taken out" in card for card in cards] == [True, False]


def test_a_sheet_has_no_metadata_even_when_it_is_to_be_kept(root: Path, tmp_path: Path) -> None:
    with scanned(root) as dataset:
        came = export(dataset.pictures, tmp_path / "out", "html", keep_metadata=True)
    assert any(f": {PLACES} (taken out)" in warning for warning in came.warnings)


def test_a_picture_as_large_as_the_scan_takes_is_exported(tmp_path: Path) -> None:
    """42 million pixels are more than the demo takes from strangers."""
    (tmp_path / "data" / "dog").mkdir(parents=True)
    large = saved("JPEG", Image.new("L", (7000, 6000), 200), exif=exif())
    (tmp_path / "data" / "dog" / "large.jpg").write_bytes(large)
    for form in ("imagefolder", "html"):
        with scanned(tmp_path / "data") as dataset:
            came = export(dataset.pictures, tmp_path / form, form)
        assert (came.count, came.missed, came.positions) == (1, 0, 1)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_telephones_wide_colours_become_srgb_and_its_place_goes(kind: str, tmp_path: Path) -> None:
    options = {"quality": 95, "subsampling": 0} if kind == "JPEG" else {"lossless": True} if kind == "WEBP" else {}
    placed = read_back(exif()) if kind == "TIFF" else exif()
    file = tmp_path / "data" / "dog" / f"a.{kind.lower()}"
    file.parent.mkdir(parents=True)
    profile = screen_profile(DISPLAY_P3, 2.2, "Display P3")
    file.write_bytes(saved(kind, photo(1, (60, 40)), exif=placed, icc_profile=profile, **options))
    with scanned(tmp_path / "data") as dataset:
        came = export(dataset.pictures, tmp_path / "out", "parquet")
    assert (came.count, came.positions) == (1, 1)
    [data] = pictures_in(tmp_path / "out")
    assert_bare(data)
    stored, shown = (np.asarray(picture, int) for picture in (Image.open(BytesIO(data)), read_picture(file)))
    untouched = np.asarray(Image.open(file).convert("RGB"), int)
    assert np.abs(stored - shown).mean() < (2 if kind == "JPEG" else 1e-9)
    assert np.abs(untouched - shown).mean() > 5


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
