"""Formats beside the six usual ones: read within the same limits, by an extra, or refused by name."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from crawler.check import PictureRules, checked
from handwriter_models.formats import ENDINGS_OF
from handwriter_models.images import Limits, PictureError, read_picture, reduced_picture, sound_picture
from tests.pictures import HALF_CLEAR, SEVEN, encoded, mean_difference, png_of

REPOSITORY = Path(__file__).resolve().parents[1]
LOSSLESS = {
    "JPEG2000": "JPEG 2000",
    "PPM": "PNM",
    "TGA": "TGA",
    "ICO": "ICO",
}


def photoshop(picture: Image.Image, depth: int = 8) -> bytes:
    head = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, picture.height, picture.width, depth, 3) + bytes(12)
    return head + bytes(2) + b"".join(band.tobytes() for band in picture.split())


@pytest.mark.parametrize("kind", LOSSLESS)
def test_other_formats_give_the_same_picture(kind: str) -> None:
    data = encoded(SEVEN, kind, **({"sizes": [SEVEN.size]} if kind == "ICO" else {}))
    assert sound_picture(data) == (LOSSLESS[kind], *SEVEN.size)
    assert mean_difference(read_picture(data), SEVEN) < 1
    assert reduced_picture(data, 64).grey.size == SEVEN.size


def test_avif_is_read_as_jpeg_is() -> None:
    frames = [Image.new("RGB", (40, 24), colour) for colour in ("red", "blue")]
    moving = encoded(frames[0], "AVIF", save_all=True, append_images=frames[1:])
    assert mean_difference(read_picture(moving), frames[0]) < 4
    assert mean_difference(read_picture(encoded(SEVEN, "AVIF", quality=90)), SEVEN) < 3
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = encoded(Image.new("RGB", (40, 24)), "AVIF", exif=exif)
    assert read_picture(turned).size == (24, 40)
    assert (reduced_picture(turned, 8).width, reduced_picture(turned, 8).height) == (24, 40)
    pixels = np.asarray(read_picture(encoded(HALF_CLEAR, "AVIF", quality=100)))
    assert pixels[:, :8].min() > 250
    assert pixels[:, 12:].max() < 5
    with pytest.raises(PictureError, match="40 x 24 pixels") as caught:
        read_picture(moving, Limits(pixels=900))
    assert caught.value.status == 413


def test_photoshop_file_is_read_as_its_flat_picture() -> None:
    assert mean_difference(read_picture(photoshop(SEVEN)), SEVEN) == 0
    with pytest.raises(PictureError, match="not supported: PSD"):
        read_picture(photoshop(SEVEN, 16))


def test_pnm_of_every_kind_is_scaled_by_its_range() -> None:
    deep = struct.pack(">4H", 0, 100, 200, 255)
    assert np.asarray(read_picture(b"P5\n4 1\n65535\n" + deep)).max() == 1
    assert np.asarray(read_picture(b"P2\n# a comment\n3 1\n100\n0 50 100\n"))[0, :, 0].tolist() == [0, 128, 255]
    assert np.asarray(read_picture(b"P1\n2 1\n0 1\n"))[0, :, 0].tolist() == [255, 0]
    with pytest.raises(PictureError, match="not supported: PNM"):
        read_picture(b"P2\n2500 2500\n100\n" + b"1 " * 100)


def test_targa_without_alpha_is_not_clear() -> None:
    data = encoded(Image.new("RGBA", (8, 8), (10, 20, 30, 0)), "TGA")
    assert read_picture(data).getpixel((3, 3)) == (10, 20, 30)


def test_icon_is_as_large_as_its_pictures_and_not_as_it_says() -> None:
    bomb = png_of(20_000, 20_000, 1, 0, b"")
    icon = struct.pack("<HHH4BHHII", 0, 1, 1, 16, 16, 0, 0, 1, 32, len(bomb), 22) + bomb
    with pytest.raises(PictureError, match="20000 x 20000") as caught:
        sound_picture(icon)
    assert caught.value.status == 413
    bitmap = struct.pack("<IiiHHIIIIII", 40, 30_000, 60_000, 1, 32, 0, 0, 0, 0, 0, 0)
    with pytest.raises(PictureError, match="30000 x 30000"):
        sound_picture(struct.pack("<HHH4BHHII", 0, 1, 1, 16, 16, 0, 0, 1, 32, len(bitmap), 22) + bitmap)


@pytest.mark.parametrize(("kind", "ending"), [("AVIF", "avif"), ("JPEG2000", "jp2"), ("MPO", "jpg"), ("TGA", "tga")])
def test_crawler_keeps_them_under_their_own_ending(kind: str, ending: str) -> None:
    assert checked(encoded(SEVEN, kind), PictureRules()).extension == ending
    assert checked(encoded(SEVEN, kind), PictureRules(convert="png")).extension == "png"


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40)
JXL = b"\xff\x0a" + bytes(40)
WITHOUT = """
import sys
sys.modules["pillow_heif"] = sys.modules["pillow_jxl"] = None  # as where they are not installed
from handwriter_models.images import PictureError, read_picture
for data in (bytes.fromhex(sys.argv[1]), bytes.fromhex(sys.argv[2])):
    try:
        read_picture(data)
    except PictureError as error:
        print(error.status, error.what, error.hint)
"""


def child(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", *arguments], cwd=REPOSITORY, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_without_the_extra_the_hint_says_what_to_install() -> None:
    lines = child(WITHOUT, HEIC.hex(), JXL.hex()).splitlines()
    assert len(lines) == 2
    for line, package in zip(lines, ("pillow-heif", "pillow-jxl-plugin"), strict=True):
        assert line.startswith("415 the picture is not supported")
        assert "requirements-extras.txt" in line
        assert package in line


WITH = """
import io, sys
from PIL import Image
from handwriter_models.images import Limits, PictureError, read_picture, sound_picture
if sys.argv[1] == "HEIC":
    import pillow_heif
    pillow_heif.register_heif_opener()
else:
    import pillow_jxl
    import pillow_jxl.JpegXLImagePlugin
kind = {"HEIC": "HEIF", "JPEG XL": "JXL"}[sys.argv[1]]
def encoded(size, **options):
    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(out, kind, **options)
    return out.getvalue()
for size in ((64, 64), (120, 80), (513, 77), (99, 176)):
    assert sound_picture(encoded(size)) == (sys.argv[1], *size)
    assert read_picture(encoded(size)).size == size
exif = Image.Exif()
exif[0x0112] = 6
assert read_picture(encoded((80, 40), exif=exif.tobytes())).size == (40, 80)
try:
    read_picture(encoded((120, 80)), Limits(pixels=9000))
except PictureError as error:
    print(error.status)
"""


@pytest.mark.parametrize(("kind", "package"), [("HEIC", "pillow_heif"), ("JPEG XL", "pillow_jxl")])
def test_with_the_extra_it_is_read_within_the_limits(kind: str, package: str) -> None:
    pytest.importorskip(package)
    assert child(WITH, kind).split() == ["413"]


FUZZ = """
import random
from PIL import Image
from handwriter_models.images import PictureError, read_picture, reduced_picture
from tests.pictures import SEVEN, HALF_CLEAR, encoded
from tests.test_more_formats import photoshop
random.seed(5)
small = SEVEN.resize((40, 30))
files = [photoshop(small)]
for kind in ("AVIF", "JPEG2000", "PPM", "TGA", "ICO"):
    files += [encoded(small, kind), encoded(small.convert("L"), kind)]
files += [encoded(HALF_CLEAR, "AVIF"), encoded(small, "AVIF", save_all=True, append_images=[small])]
for number in range(3000):
    broken = bytearray(files[number % len(files)])
    for _ in range(random.randint(1, 6)):
        broken[random.randrange(random.choice((min(60, len(broken)), len(broken))))] = random.randrange(256)
    try:
        reduced_picture(bytes(broken), 8) if number % 2 else read_picture(bytes(broken))
    except PictureError:
        pass
"""


def test_broken_files_end_in_a_picture_or_a_refusal() -> None:
    child(FUZZ)


def test_every_format_has_an_ending_for_its_files() -> None:
    assert {kind: endings[0] for kind, endings in ENDINGS_OF.items()}["AVIF"] == ".avif"
    assert all(endings[0].startswith(".") for endings in ENDINGS_OF.values())
