"""The decoder: every usual source gives the same picture, every bad one a reason and a hint."""

from __future__ import annotations

import base64
import contextlib
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from handwriter_models.images import Limits, PictureError, read_data_url, read_picture
from tests.pictures import HALF_CLEAR, SEVEN, encoded, mean_difference, png_of


def data_url(data: bytes, media: str = "image/png") -> str:
    return f"data:{media};base64,{base64.b64encode(data).decode()}"


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("JPEG", {"quality": 95}),
        ("JPEG", {"quality": 95, "progressive": True}),
        ("WEBP", {"lossless": True}),
        ("GIF", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
    ],
)
def test_every_allowed_format_gives_the_same_picture(kind: str, options: dict[str, object]) -> None:
    picture = read_picture(encoded(SEVEN, kind, **options))
    assert picture.mode == "RGB"
    assert mean_difference(picture, SEVEN) < 2


def test_all_kinds_of_source_give_the_same_picture(tmp_path: Path) -> None:
    data = encoded(SEVEN, "PNG")
    path = tmp_path / "일곱 [7].png"
    path.write_bytes(data)
    canvas = {"background": None, "layers": [], "composite": SEVEN.convert("RGBA")}
    grey = np.asarray(SEVEN.convert("L"))
    floats = grey.astype(np.float32) / 255
    for source in (
        data,
        path,
        str(path),
        data_url(data),
        SEVEN,
        np.asarray(SEVEN),
        grey,
        grey[..., None],
        floats,
        canvas,
    ):
        picture = read_picture(source)
        assert picture.mode == "RGB"
        assert mean_difference(picture, SEVEN) < 0.01


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_first_frame_of_an_animation_is_read(kind: str) -> None:
    frames = [Image.new("RGB", (30, 20), colour) for colour in ("red", "blue", "green")]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=50)
    assert mean_difference(read_picture(data), frames[0]) < 2


def test_layers_of_a_canvas_are_laid_over_its_background() -> None:
    stroke = np.zeros((10, 20, 4), np.uint8)
    stroke[:, :5, 3] = 255
    canvas = {"background": Image.new("RGB", (20, 10), "red"), "layers": [HALF_CLEAR, stroke], "composite": None}
    pixels = np.asarray(read_picture(canvas))
    assert pixels[0, 0].tolist() == [0, 0, 0]
    assert pixels[0, 7].tolist() == [255, 0, 0]
    assert pixels[0, 15].tolist() == [0, 0, 0]


def test_large_photograph_may_come_reduced_but_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(SEVEN.resize((800, 600)), "JPEG", exif=exif)
    reduced, whole = read_picture(data, enough=200), read_picture(data)
    assert reduced.size == (150, 200)
    assert whole.size == (600, 800)
    assert mean_difference(reduced, whole.resize((150, 200), Image.Resampling.BOX)) < 2
    assert read_picture(data, enough=500).size == (600, 800)


NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 255, (60, 70, 3), np.uint8))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.9])
def test_truncated_file_is_refused_with_a_hint(kind: str, share: float) -> None:
    data = encoded(NOISE, kind)
    with pytest.raises(PictureError, match=r"damaged or cut-off|not a picture") as caught:
        read_picture(data[: max(16, int(len(data) * share))])
    assert caught.value.status == 400
    assert caught.value.hint


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_flipped_bytes_give_a_picture_or_a_picture_error(kind: str) -> None:
    data, random = encoded(NOISE, kind), np.random.default_rng(1)
    for _ in range(60):
        broken = bytearray(data)
        for place in random.integers(0, len(data), 3):
            broken[place] ^= int(random.integers(1, 256))
        with contextlib.suppress(PictureError):
            assert read_picture(bytes(broken)).mode == "RGB"


FOREIGN = {
    "an SVG": (b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
    "a bare SVG": (b"\n <svg width='9'/>", "SVG"),
    "text": (b"hello, I am no picture", "text"),
    "Hangul": ("나는 그림이 아니다".encode() * 400, "text"),
    "HTML": (b"<!DOCTYPE html><html></html>", "web page"),
    "PDF": (b"%PDF-1.7 ...", "PDF"),
    "HEIC": (b"\x00\x00\x00\x18ftypheic\x00\x00", "HEIC"),
    "a film": (b"\x00\x00\x00\x18ftypmp42\x00\x00", "film"),
    "a pickle": (b"\x80\x04\x95\x00\x00.", "no known format"),
    "zeros": (bytes(1000), "no known format"),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n", "EPS"),
    "a PAM": (b"P7\nWIDTH 1\n", "PAM"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_no_picture_is_named_and_refused(name: str, tmp_path: Path) -> None:
    data, what = FOREIGN[name]
    path = tmp_path / "named.png"
    path.write_bytes(data)
    with pytest.raises(PictureError, match=what) as caught:
        read_picture(path)
    assert caught.value.status == 415
    assert "named.png" in caught.value.what
    assert "JPEG" in caught.value.hint


def test_empty_input_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    for source in (b"", tmp_path / "empty.png", "data:image/png;base64,"):
        with pytest.raises(PictureError, match="empty") as caught:
            read_picture(source)
        assert caught.value.status == 400


@pytest.mark.parametrize("side", [20_000, 13_000, 9_000])
def test_decompression_bomb_is_refused_before_decoding(side: int) -> None:
    bomb = png_of(side, side, 1, 0, b"")
    with pytest.raises(PictureError, match=f"{side} x {side} pixels") as caught:
        read_picture(bomb)
    assert caught.value.status == 413
    assert "40 million pixels" in caught.value.hint


def test_long_thin_picture_and_huge_tiff_tile_are_refused() -> None:
    with pytest.raises(PictureError, match="25000 x 1 pixels") as caught:
        read_picture(Image.new("L", (25_000, 1)))
    assert caught.value.status == 413
    tags = {256: 16, 257: 16, 258: 8, 259: 1, 262: 1, 277: 1, 322: 32_000, 323: 32_000, 324: 8, 325: 1}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    tiff = b"II*\x00" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)
    with pytest.raises(PictureError, match="TIFF tile of the picture is 32000 x 32000") as caught:
        read_picture(tiff)
    assert caught.value.status == 413


def test_too_many_bytes_are_refused_before_decoding(tmp_path: Path) -> None:
    limits = Limits(bytes=1000)
    data = encoded(NOISE, "PNG")
    path = tmp_path / "large.png"
    path.write_bytes(data)
    for source in (data, path, data_url(data)):
        with pytest.raises(PictureError, match="larger than") as caught:
            read_picture(source, limits)
        assert caught.value.status == 413


def test_sparse_file_of_a_terabyte_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(PictureError, match="larger than 20 MB"):
        read_picture(path)


def test_picture_without_pixels_is_refused() -> None:
    sources = (
        Image.new("RGB", (0, 5)),
        np.zeros((0, 5), np.uint8),
        np.zeros((4, 0, 3), np.uint8),
        png_of(0, 4, 8, 0, b""),
    )
    for source in sources:
        with pytest.raises(PictureError, match=r"no pixels|damaged") as caught:
            read_picture(source)
        assert caught.value.status == 400


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("data:image/png,abc", 400),
        ("data:", 400),
        ("data:image/png;base64,@@@", 400),
        ("data:image/png;base64,글", 400),
        ("data:text/html;base64,aGk=", 415),
        ("data:image/svg+xml;base64,PHN2Zy8+", 415),
        ("data:image/png;base64,aGVsbG8=", 415),
        ("https://example.org/a.png", 400),
        ("file:///etc/passwd", 400),
    ],
)
def test_bad_data_url_or_an_address_is_refused(text: str, status: int) -> None:
    with pytest.raises(PictureError) as caught:
        read_picture(text)
    assert caught.value.status == status
    assert caught.value.hint


def test_data_urls_of_strangers_never_open_a_file(tmp_path: Path) -> None:
    path = tmp_path / "seven.png"
    path.write_bytes(encoded(SEVEN, "PNG"))
    with pytest.raises(PictureError, match="not a picture's data URL"):
        read_data_url(str(path))


def test_unreadable_path_is_refused_with_the_reason(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "none.png", tmp_path, tmp_path / "pipe", "a\x00b.png", "x" * 5000):
        with pytest.raises(PictureError, match="cannot read") as caught:
            read_picture(path)
        assert caught.value.status == 400


def test_other_types_and_empty_canvases_are_refused() -> None:
    for source in (None, 5, object(), [1, 2]):
        with pytest.raises(PictureError, match="is not a picture"):
            read_picture(source)  # type: ignore[arg-type]
    for canvas in ({}, {"background": None, "layers": [], "composite": None}):
        with pytest.raises(PictureError, match="canvas holds no picture"):
            read_picture(canvas)
