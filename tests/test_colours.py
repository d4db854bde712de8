"""Colours are converted to sRGB where a picture carries a profile."""

from __future__ import annotations

import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from crawler.check import PictureRules, checked
from handwriter_models.images import read_picture, reduced_picture
from tests.icc_profiles import ADOBE_RGB, DISPLAY_P3, in_srgb, press_profile, screen_profile
from tests.pictures import SEVEN, encoded, mean_difference

REPOSITORY = Path(__file__).resolve().parents[1]
P3, ADOBE = screen_profile(DISPLAY_P3, 2.2, "Display P3"), screen_profile(ADOBE_RGB, 2.2, "Adobe RGB (1998)")
COLOURS = ((200, 60, 40), (40, 160, 70), (30, 60, 190), (128, 128, 128), (255, 255, 255), (0, 0, 0), (250, 220, 30))


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("JPEG", {"quality": 100, "subsampling": 0}),
        ("WEBP", {"lossless": True}),
        ("TIFF", {}),
        ("AVIF", {"quality": 100, "subsampling": "4:4:4"}),
    ],
)
@pytest.mark.parametrize(("profile", "primaries"), [(P3, DISPLAY_P3), (ADOBE, ADOBE_RGB)], ids=["P3", "Adobe"])
def test_colours_of_a_wide_screen_are_converted(
    kind: str, options: dict, profile: bytes, primaries: np.ndarray
) -> None:
    for colour in COLOURS:
        data = encoded(Image.new("RGB", (16, 16), colour), kind, icc_profile=profile, **options)
        wanted = in_srgb(colour, primaries, 563 / 256)
        assert np.abs(np.asarray(read_picture(data), float)[8, 8] - wanted).max() <= 4, colour


def test_transparent_and_palette_pictures_are_converted_too() -> None:
    wanted = in_srgb(COLOURS[0], ADOBE_RGB, 563 / 256)
    clear = Image.new("RGBA", (20, 10), (*COLOURS[0], 255))
    clear.paste((0, 0, 0, 0), (0, 0, 10, 10))
    pixels = np.asarray(read_picture(encoded(clear, "PNG", icc_profile=ADOBE)), float)
    assert (pixels[:, :10] == 255).all()
    assert np.abs(pixels[5, 15] - wanted).max() <= 2
    palette = Image.new("RGB", (20, 10), COLOURS[0]).quantize(4)
    assert np.abs(np.asarray(read_picture(encoded(palette, "PNG", icc_profile=ADOBE)), float)[5, 5] - wanted).max() <= 3


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_inks_are_converted_as_their_profile_says(kind: str) -> None:
    options = {"quality": 100} if kind == "JPEG" else {}
    cyan = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    pixel = np.asarray(read_picture(encoded(cyan, kind, icc_profile=press_profile(), **options)), int)[8, 8]
    assert np.ptp(pixel) <= 2
    assert 150 < pixel.min() < 250
    assert np.ptp(np.asarray(read_picture(encoded(cyan, kind, **options)), int)[8, 8]) > 200


def test_what_needs_no_conversion_stays_as_it_is() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (srgb, press_profile(), b"", b"no profile", P3[:300], bytes(10**4)):
        data = encoded(SEVEN, "PNG", icc_profile=profile)
        assert mean_difference(read_picture(data), SEVEN) < 0.01
    grey = SEVEN.convert("L")
    assert mean_difference(read_picture(encoded(grey, "PNG", icc_profile=P3)), SEVEN) < 0.01


def test_a_converted_picture_is_not_converted_again() -> None:
    once = read_picture(encoded(Image.new("RGB", (40, 40), COLOURS[0]), "PNG", icc_profile=ADOBE))
    out = BytesIO()
    once.save(out, "PNG")
    assert (np.asarray(read_picture(out.getvalue())) == np.asarray(once)).all()
    large = encoded(Image.new("RGB", (90, 90), COLOURS[0]), "JPEG", icc_profile=ADOBE, quality=100)
    smaller = read_picture(checked(large, PictureRules(max_side=40)).data)
    assert np.abs(np.asarray(smaller, float)[5, 5] - in_srgb(COLOURS[0], ADOBE_RGB, 563 / 256)).max() <= 4


def test_hashes_see_the_brightness_of_the_file() -> None:
    plain, managed = (encoded(SEVEN, "PNG", **options) for options in ({}, {"icc_profile": ADOBE}))
    assert (np.asarray(reduced_picture(plain, 64).grey) == np.asarray(reduced_picture(managed, 64).grey)).all()


CHILD = """
import random
from PIL import Image
from handwriter_models.images import read_picture
from tests.icc_profiles import ADOBE_RGB, press_profile, screen_profile
from tests.pictures import encoded
random.seed(3)
screen, press = screen_profile(ADOBE_RGB, 2.2), press_profile()
pictures = [(screen, Image.new("RGB", (9, 9), "red")), (press, Image.new("CMYK", (9, 9)))]
for number in range(300):
    profile, picture = pictures[number % 2]
    broken = bytearray(profile)
    for _ in range(random.randint(1, 6)):
        broken[random.randrange(min(len(broken), 600))] = random.choice((0, 1, 127, 255, random.randrange(256)))
    broken = broken[: random.choice((len(broken), len(broken), random.randrange(len(broken))))]
    assert read_picture(encoded(picture, "TIFF", icc_profile=bytes(broken))).size == (9, 9)
"""


def test_broken_profiles_neither_refuse_a_picture_nor_kill_the_process() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHILD], cwd=REPOSITORY, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
