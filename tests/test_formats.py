"""Endings of file names, and formats told from first bytes."""

from __future__ import annotations

import os

import pytest

from handwriter_models.formats import ENDINGS, READ, REFUSED, WITH_EXTRA, ending_of, format_of
from tests.pictures import SEVEN, encoded


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("a.JPG", ".jpg"),
        ("사진.Jp2", ".jp2"),
        ("a.jpg_large", ".jpg"),
        ("a.jpg?w=200", ".jpg"),
        ("a.jpeg?to=b.html&x=1.5", ".jpeg"),
        ("a.jpg%3Fw%3D1.5", ".jpg"),
        ("a.webp!d1", ".webp"),
        ("a.jpg (1)", ".jpg"),
        ("a.png - Copy", ".png"),
        ("C#.gif", ".gif"),
        ("a.jpg.txt", ""),
        ("a.jpgs", ""),
        ("a.txt", ""),
        ("jpg", ""),
        ("", ""),
    ],
)
def test_ending_of_a_picture_is_found_whatever_an_address_left_behind_it(name: str, ending: str) -> None:
    assert ending_of(name) == ending


def test_every_ending_stands_under_one_format() -> None:
    listed = [ending for formats in (READ, WITH_EXTRA, REFUSED) for endings in formats.values() for ending in endings]
    assert len(listed) == len(set(listed)) == len(ENDINGS)
    assert all(ending_of(f"a{ending}") == ending for ending in listed)


WRITTEN = {
    "JPEG": "JPEG",
    "MPO": "JPEG",
    "PNG": "PNG",
    "WEBP": "WebP",
    "GIF": "GIF",
    "BMP": "BMP",
    "TIFF": "TIFF",
    "AVIF": "AVIF",
    "JPEG2000": "JPEG 2000",
    "PPM": "PNM",
    "TGA": "TGA",
    "ICO": "ICO",
    "PCX": "PCX",
    "DDS": "DDS",
    "ICNS": "ICNS",
    "QOI": "QOI",
    "EPS": "EPS",
}


@pytest.mark.parametrize("written", WRITTEN)
def test_format_is_told_from_the_first_bytes_of_what_pillow_writes(written: str) -> None:
    data = encoded(SEVEN, written)
    assert format_of(data) == format_of(data[:64]) == WRITTEN[written]


def _box(*brands: bytes) -> bytes:
    body = b"ftyp" + brands[0] + bytes(4) + b"".join(brands[1:])
    return (len(body) + 4).to_bytes(4, "big") + body


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (_box(b"heic", b"mif1"), "HEIC"),
        (_box(b"mif1", b"heic"), "HEIC"),
        (_box(b"avif", b"mif1"), "AVIF"),
        (_box(b"mif1", b"miaf", b"avif"), "AVIF"),
        (_box(b"msf1", b"avis"), "AVIF"),
        (_box(b"crx ", b"isom"), "camera raw"),
        (_box(b"isom", b"mp42"), ""),
        (_box(b"qt  "), ""),
        (b"\xff\x0a\xfa\x1f", "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"8BPS\0\x02", "PSB"),
        (b"II*\0\x10\0\0\0CR\x02\0", "camera raw"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><!-- drawn --><svg>", "SVG"),
        (b"BMW builds cars, and this is a text of them", ""),
        (b"P2 is a room", ""),
        (b"GIF is a format", ""),
        (b"\0\0\x01\xba\x44\0\x04\0\x04\x01" + bytes(30), ""),  # a film
        (b"<html><svg></svg></html>", ""),
        (b"%PDF-1.7", ""),
        (bytes(100), ""),
        (b"", ""),
    ],
)
def test_contents_made_by_hand_are_told(head: bytes, name: str) -> None:
    assert format_of(head) == name


def test_hardly_any_noise_passes_for_a_picture() -> None:
    assert sum(bool(format_of(os.urandom(64))) for _ in range(5000)) <= 5


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P"])
@pytest.mark.parametrize("compression", ["", "tga_rle"])
def test_targa_of_every_mode_is_told_although_it_has_no_magic(mode: str, compression: str) -> None:
    picture = SEVEN.convert(mode)
    assert format_of(encoded(picture, "TGA", **({"compression": compression} if compression else {}))) == "TGA"
