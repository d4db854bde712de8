"""JPEG frame types: libjpeg decodes three of them reduced; with others, that kills the process, so a child is asked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from handwriter_models.images import PictureError, read_picture, reduced_picture, sound_picture
from handwriter_models.plugins import jpeg_frame
from tests.jpeg_files import FRAME_TYPES, lossless_jpeg, with_frame_type
from tests.pictures import SEVEN, encoded

REPOSITORY = Path(__file__).resolve().parents[1]
NOISE = np.random.default_rng(0).integers(0, 256, (70, 90, 3), np.uint8)

# Every frame type is written into files of every coding, and each is decoded reduced to many sizes.
CHILD = """
import sys
import numpy as np
from PIL import Image
from handwriter_models.images import PictureError, read_picture, reduced_picture, sound_picture
from tests.jpeg_files import FRAME_TYPES, lossless_jpeg, with_frame_type
from tests.pictures import encoded
noise = np.random.default_rng(1).integers(0, 256, (130, 170, 3), np.uint8)
colour, grey = Image.fromarray(noise), Image.fromarray(noise).convert("L")
files = [lossless_jpeg(noise), lossless_jpeg(noise[:, :, :1]), encoded(colour, "MPO")]
for picture in (colour, grey, colour.convert("CMYK")):
    files += [encoded(picture, "JPEG"), encoded(picture, "JPEG", progressive=True)]
read = refused = 0
for file in files:
    for marker in FRAME_TYPES:
        data = with_frame_type(file, marker)
        for decode in (
            lambda: sound_picture(data),
            lambda: [reduced_picture(data, side) for side in (1, 8, 20, 64)],
            lambda: [read_picture(data, enough=side) for side in (1, 5, 22, 43, 85)],
        ):
            try:
                decode()
                read += 1
            except PictureError as error:
                refused += 1
                assert error.status in (400, 415), error
print(read, refused)
"""


def in_child(*command: str, cwd: Path = REPOSITORY) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(REPOSITORY), "MALLOC_CHECK_": "3", "HOME": str(cwd)},
    )


def test_no_frame_type_at_any_reduction_kills_the_process() -> None:
    done = in_child("-c", CHILD)
    assert done.returncode == 0, done.stderr[-2000:]
    read, refused = map(int, done.stdout.split())
    assert read >= 30
    assert refused >= 100


@pytest.mark.parametrize("channels", [1, 3])
def test_lossless_jpeg_is_read_exactly(channels: int) -> None:
    pixels = NOISE[:, :, :channels]
    data = lossless_jpeg(pixels)
    assert sound_picture(data) == ("JPEG", 90, 70)
    assert (np.asarray(read_picture(data, enough=10)) == pixels).all()
    assert reduced_picture(data, 8).grey.size == (90, 70)


def segment(marker: int, content: bytes = b"") -> bytes:
    return bytes([255, marker]) + (len(content) + 2).to_bytes(2, "big") + content


BASELINE = encoded(SEVEN, "JPEG")
LOSSLESS = lossless_jpeg(NOISE)
FRAME = segment(0xC3, bytes([8, 0, 9, 0, 9, 1, 1, 17, 0]))


@pytest.mark.parametrize(
    ("name", "between"),
    [
        ("nothing", b""),
        ("fill bytes", b"\xff" * 500),
        ("garbage without a marker", b"garbage"),
        ("an escaped byte", b"\xff\x00"),
        ("restart markers", b"\xff\xd0\xff\xd7"),
        ("a frame inside EXIF", segment(0xE1, b"Exif\0\0" + b"\xff\xd8" + FRAME)),
        ("a frame inside a comment", segment(0xFE, FRAME)),
        ("many segments", segment(0xE5, b"x") * 500),
        ("a segment of length 0", b"\xff\xe5\x00\x00"),
    ],
)
def test_frame_header_is_found_as_libjpeg_finds_it(name: str, between: bytes) -> None:
    for data, marker in ((BASELINE, 0xC0), (LOSSLESS, 0xC3)):
        assert jpeg_frame(data[:2] + between + data[2:]) == (marker, 8, 3)
    assert read_picture(BASELINE[:2] + b"\xff\xff" + BASELINE[2:]).size == SEVEN.size, name


@pytest.mark.parametrize(
    "data",
    [
        BASELINE[:2] + FRAME + BASELINE[2:],
        LOSSLESS[:2] + segment(0xC0, bytes([8, 0, 9, 0, 9, 1, 1, 17, 0])) + LOSSLESS[2:],
        BASELINE[:2] + segment(0xE5, b"x") * 9000 + BASELINE[2:],
        BASELINE[:2] + segment(0xE5) + bytes(10**6) + BASELINE[2:],
        b"\xff\xd8" + segment(0xDA, bytes(8)),
        b"\xff\xd8\xff\xc0\x00",
    ],
    ids=["two frames", "two frames, lossless last", "9000 segments", "a megabyte of garbage", "no frame", "cut off"],
)
def test_no_single_frame_header_is_damage(data: bytes) -> None:
    with pytest.raises(PictureError, match="damaged") as caught:
        sound_picture(data)
    assert caught.value.status == 400


def test_what_libjpeg_does_not_decode_is_named_and_not_called_damaged() -> None:
    twelve = BASELINE.replace(b"\xff\xc0\x00\x11\x08", b"\xff\xc1\x00\x11\x0c")
    files = {
        "12-bit JPEG": twelve,
        "16-bit lossless JPEG": lossless_jpeg(NOISE, bits=16),
        "JPEG of 2 components": lossless_jpeg(NOISE[:, :, :2]),
        "JPEG-LS": with_frame_type(BASELINE, 0xF7),
        **{f"frame type {kind & 15}": with_frame_type(BASELINE, kind) for kind in (0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF)},
    }
    for what, data in files.items():
        with pytest.raises(PictureError, match=f"not supported: .*{what}") as caught:
            read_picture(data)
        assert caught.value.status == 415
        assert "PNG" in caught.value.hint


def test_ordinary_jpegs_are_still_decoded_reduced() -> None:
    large = SEVEN.resize((800, 600))
    for options in ({}, {"progressive": True}):
        data = encoded(large, "JPEG", **options)
        assert read_picture(data, enough=200).size == (200, 150)
        assert reduced_picture(data, 64).grey.size == (100, 75)
    assert read_picture(encoded(large, "MPO"), enough=200).size == (200, 150)


def test_every_frame_type_is_one_of_the_standard() -> None:
    assert len(FRAME_TYPES) == 13


def dataset_with_a_lossless_jpeg(root: Path) -> Path:
    folder = root / "pets" / "cat"
    folder.mkdir(parents=True)
    big = np.asarray(Image.fromarray(NOISE[:, :, 0]).resize((512, 512)))[..., None]
    (folder / "lossless.jpg").write_bytes(lossless_jpeg(big))
    (folder / "seven.png").write_bytes(encoded(SEVEN, "PNG"))
    return folder


def test_commands_survive_a_lossless_jpeg(tmp_path: Path) -> None:
    folder = dataset_with_a_lossless_jpeg(tmp_path)
    scanned = in_child("-m", "curation", "scan", str(folder.parent), "--json")
    assert scanned.returncode == 0, scanned.stderr
    assert '"images": 2' in scanned.stdout
    predicted = in_child("-m", "handwriter_models", "predict", "--model", "digits", "--json", str(folder))
    assert predicted.returncode == 0, predicted.stderr
    assert len(predicted.stdout.splitlines()) == 2
    checked = in_child(
        "-c",
        "import sys; from crawler.check import checked, PictureRules; data = open(sys.argv[1], 'rb').read(); "
        "print(*(checked(data, rules).extension for rules in (PictureRules(), PictureRules(max_side=40), "
        "PictureRules(convert='png'))))",
        str(folder / "lossless.jpg"),
    )
    assert (checked.returncode, checked.stdout) == (0, "jpg jpg png\n"), checked.stderr
