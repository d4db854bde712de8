"""Only whole pictures pass, under their true format."""

from __future__ import annotations

import hashlib
import struct
from io import BytesIO

import pytest
from PIL import Image

from crawler.addresses import Refusal
from crawler.check import PictureRules, checked
from curation.records import Reason
from tests import picture_files as files

RULES = PictureRules()


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "gif"])
def test_whole_picture_passes_with_its_bytes_as_they_came(kind: str) -> None:
    data = files.picture(7, kind)
    good = checked(data, RULES)
    assert (good.data, good.extension, good.width, good.height) == (data, kind, 320, 240)
    assert good.sha256 == good.original_sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "gif"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_picture_that_was_cut_off_is_truncated(kind: str, share: float) -> None:
    data = files.picture(7, kind)
    with pytest.raises(Refusal) as caught:
        checked(data[: int(len(data) * share)], RULES)
    assert caught.value.reason is Reason.TRUNCATED


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.NOT_AN_IMAGE),
        (b"<html><body>404</body></html>", Reason.NOT_AN_IMAGE),
        (files.SVG, Reason.NOT_AN_IMAGE),
        (files.PIXEL, Reason.TOO_SMALL),
        (bytes(range(256)) * 40, Reason.NOT_AN_IMAGE),
        (files.too_many_pixels(), Reason.TOO_MANY_PIXELS),
    ],
)
def test_everything_else_is_refused_for_what_it_is(data: bytes, reason: Reason) -> None:
    with pytest.raises(Refusal) as caught:
        checked(data, RULES)
    assert caught.value.reason is reason
    assert "\n" not in caught.value.detail


def test_tiff_with_tags_of_the_wrong_kind_is_refused_and_does_no_harm() -> None:
    data = bytearray(files.picture(7, "tiff"))
    head = int.from_bytes(data[4:8], "little")
    for place in range(head + 2, head + 2 + 12 * data[head], 12):
        if struct.unpack_from("<H", data, place) == (284,):  # its planes: now the width of its tiles, as text
            struct.pack_into("<HH", data, place, 322, 2)
    with pytest.raises(Refusal) as caught:
        checked(bytes(data), RULES)
    assert caught.value.reason is Reason.TRUNCATED


def test_shorter_side_decides_what_is_too_small() -> None:
    narrow = BytesIO()
    Image.new("RGB", (400, 31)).save(narrow, "PNG")
    with pytest.raises(Refusal, match="400 x 31"):
        checked(narrow.getvalue(), RULES)
    assert checked(narrow.getvalue(), PictureRules(min_side=31)).height == 31


def test_converted_picture_is_known_by_both_hashes() -> None:
    data = files.picture(7, "png")
    good = checked(data, PictureRules(convert="jpeg"))
    assert good.extension == "jpg"
    assert good.sha256 == hashlib.sha256(good.data).hexdigest() != good.original_sha256
    assert good.original_sha256 == hashlib.sha256(data).hexdigest()
    assert checked(files.picture(7, "jpg"), PictureRules(convert="jpeg")).data == files.picture(7, "jpg")


def test_large_picture_is_scaled_down_and_a_small_one_is_left_alone() -> None:
    good = checked(files.picture(7, "jpg", 2400, 1600), PictureRules(max_side=300))
    assert (good.width, good.height, good.extension) == (300, 200, "jpg")
    small = files.picture(7, "webp")
    assert checked(small, PictureRules(max_side=320)).data == small
    with Image.open(BytesIO(checked(small, PictureRules(max_side=100)).data)) as picture:
        assert (picture.format, picture.size) == ("PNG", (100, 75))
