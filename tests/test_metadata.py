"""What cameras and programs write beside the pixels is taken out of every format, and never left in by damage."""

from __future__ import annotations

import random
import struct
import warnings
import zlib
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from handwriter_models.images import PictureError, read_picture
from handwriter_models.metadata import has_position, without_metadata
from tests.icc_profiles import DISPLAY_P3, screen_profile
from tests.small_photos import photo

PLACE = {1: "N", 2: (37.0, 33.0, 59.0), 3: "E", 4: (126.0, 58.0, 40.0)}
XMP = b'<x:xmpmeta><rdf:Description exif:GPSLatitude="37,33.98N" exif:GPSLongitude="126,58.6E"/></x:xmpmeta>'
SECRET = b"the house of Kim"
SIZE = (48, 32)


def exif(turn: int = 1, place: bool = True) -> Image.Exif:
    made = Image.Exif()
    made[0x010F] = SECRET.decode()
    if turn != 1:
        made[0x0112] = turn
    if place:
        made[0x8825] = PLACE
    return made


def read_back(made: Image.Exif) -> Image.Exif:
    """As it is in a file, which Pillow's TIFF wants."""
    there = Image.Exif()
    there.load(made.tobytes())
    return there


def saved(kind: str, picture: Image.Image | None = None, **options: Any) -> bytes:
    out = BytesIO()
    (picture or photo(1, SIZE)).save(out, kind, **options)
    return out.getvalue()


def png_texts(xmp: bytes = XMP) -> PngImagePlugin.PngInfo:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", SECRET.decode(), zip=True)
    texts.add_itxt("XML:com.adobe.xmp", xmp.decode(), zip=True)
    return texts


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def jpeg_with(*segments: bytes, **options: Any) -> bytes:
    data = saved("JPEG", **options)
    return data[:2] + b"".join(segments) + data[2:]


def png_with(name: bytes, content: bytes) -> bytes:
    """The chunk stands behind the pixels."""
    data = saved("PNG")
    chunk = struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
    return data[:-12] + chunk + data[-12:]


def two_frames() -> dict[str, Any]:
    return {"save_all": True, "append_images": [photo(2, SIZE)], "duration": 80, "loop": 0}


def raw_profile(kind: str, content: bytes, packed: bool) -> PngImagePlugin.PngInfo:
    """As ImageMagick writes it."""
    texts = PngImagePlugin.PngInfo()
    texts.add_text(f"Raw profile type {kind}", f"\n{kind}\n{len(content):8d}\n{content.hex()}\n", zip=packed)
    return texts


def icon(**options: Any) -> bytes:
    """A PNG in an ICO."""
    data = saved("PNG", photo(1, SIZE).convert("RGBA"), **options)
    return struct.pack("<HHHBBBBHHII", 0, 1, 1, *SIZE, 0, 0, 1, 32, len(data), 22) + data


BLOCK = exif().tobytes()
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
PLACED = {
    "JPEG": saved("JPEG", exif=exif(), comment=SECRET),
    "progressive JPEG": saved("JPEG", exif=exif(), progressive=True, icc_profile=SRGB),
    "CMYK JPEG": saved("JPEG", photo(1, SIZE).convert("CMYK"), exif=exif()),
    "grey JPEG": saved("JPEG", photo(1, SIZE).convert("L"), exif=exif()),
    "JPEG with XMP": jpeg_with(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP), segment(0xED, SECRET)),
    "JPEG with XMP in UTF-16": jpeg_with(segment(0xE1, XMP.decode().encode("utf-16"))),
    "JPEG with a film behind": saved("JPEG") + SECRET + b"Exif\0\0" + exif().tobytes().removeprefix(b"Exif\0\0"),
    "MPO": saved("MPO", save_all=True, append_images=[photo(2, SIZE)], exif=exif()),
    "PNG": saved("PNG", exif=exif(), pnginfo=png_texts()),
    "PNG with EXIF behind": png_with(b"eXIf", exif().tobytes().removeprefix(b"Exif\0\0")),
    "PNG with XMP": saved("PNG", pnginfo=png_texts()),
    "PNG with XMP behind": png_with(b"zTXt", b"XML:com.adobe.xmp\0\0" + zlib.compress(XMP + SECRET)),
    "PNG with DJI's XMP": saved("PNG", pnginfo=png_texts(XMP.replace(b"exif:GPS", b"drone-dji:Gps"))),
    "PNG with XMP in a raw profile": saved("PNG", pnginfo=raw_profile("xmp", XMP, packed=False)),
    "PNG with XMP in a packed profile": saved("PNG", pnginfo=raw_profile("xmp", XMP, packed=True)),
    "PNG with EXIF in a raw profile": saved("PNG", pnginfo=raw_profile("APP1", BLOCK, packed=True)),
    "ICO with EXIF": icon(exif=exif()),
    "ICO with XMP": icon(pnginfo=png_texts()),
    "JPEG with DJI's XMP": saved("JPEG", xmp=XMP.replace(b"exif:GPS", b"drone-dji:Gps")),
    "clear PNG": saved("PNG", photo(1, SIZE).convert("LA"), exif=exif()),
    "WebP": saved("WEBP", exif=exif(), xmp=XMP, icc_profile=SRGB),
    "lossless WebP": saved("WEBP", lossless=True, exif=exif()),
    "moving WebP": saved("WEBP", exif=exif(), **two_frames()),
    "GIF": saved("GIF", comment=SECRET + XMP, **two_frames()),
    "TIFF": saved("TIFF", exif=read_back(exif())),
}
TO_PNG = ("TIFF", "ICO with EXIF", "ICO with XMP")


@pytest.mark.parametrize("name", PLACED)
def test_a_position_goes_and_the_pixels_stay(name: str) -> None:
    data = PLACED[name]
    bare = without_metadata(data)
    assert has_position(data)
    assert (bare.position, bare.unchanged) == (True, False)
    assert not has_position(bare.data)
    assert SECRET not in bare.data
    assert not dict(Image.open(BytesIO(bare.data)).getexif())
    assert np.array_equal(read_picture(bare.data), read_picture(data))
    assert bare.format == ("PNG" if name in TO_PNG else Image.open(BytesIO(bare.data)).format.replace("WEBP", "WebP"))
    frames = 2 if name in ("moving WebP", "GIF") else 1
    assert getattr(Image.open(BytesIO(bare.data)), "n_frames", 1) == frames
    assert without_metadata(bare.data).unchanged


def test_jpeg_keeps_the_bytes_of_its_pixels() -> None:
    """Everything from the first table on is what it was."""
    for options in ({}, {"progressive": True}, {"subsampling": 0}):
        plain = saved("JPEG", **options)
        assert without_metadata(saved("JPEG", exif=exif(), comment=SECRET, **options)).data == plain
        assert without_metadata(plain).data is plain or without_metadata(plain).data == plain
        assert without_metadata(plain).unchanged


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("turn", range(2, 9))
def test_a_turned_picture_is_turned_and_says_so_no_more(kind: str, turn: int) -> None:
    data = saved(kind, exif=exif(turn), **({"lossless": True} if kind == "WEBP" else {}))
    bare = without_metadata(data)
    assert bare.position
    assert 0x0112 not in Image.open(BytesIO(bare.data)).getexif()
    seen, wanted = (np.asarray(read_picture(one), int) for one in (bare.data, data))
    assert seen.shape == wanted.shape
    assert np.abs(seen - wanted).mean() < (8 if kind == "JPEG" else 1e-9)
    assert not has_position(bare.data)


def test_a_turned_picture_is_turned_where_pillow_would_warn_of_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """A telephone's 200 million pixels are more than Pillow opens; what may be opened is for our own limits to say."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    bare = without_metadata(saved("JPEG", exif=exif(6)))
    assert bare.position
    assert read_picture(bare.data).size == (SIZE[1], SIZE[0])


@pytest.mark.parametrize("name", ["Display P3", "linear, not sRGB"])
def test_colours_of_another_screen_become_srgb_as_the_decoder_shows_them(name: str) -> None:
    data = saved("PNG", icc_profile=screen_profile(DISPLAY_P3, 2.2, name))
    bare = without_metadata(data)
    seen = np.asarray(Image.open(BytesIO(bare.data)))
    assert np.array_equal(seen, np.asarray(read_picture(data)))
    assert not np.array_equal(seen, np.asarray(Image.open(BytesIO(data))))


def test_a_profile_that_the_decoder_does_not_apply_costs_no_quality() -> None:
    """One of colours in a grey picture, and one that is sRGB's."""
    grey, profile = photo(1, SIZE).convert("L"), screen_profile(DISPLAY_P3, 2.2)
    assert without_metadata(saved("JPEG", grey, icc_profile=profile)).data == saved("JPEG", grey)
    assert without_metadata(saved("JPEG", icc_profile=SRGB)).data == saved("JPEG")


def test_jfif_stays_where_it_stands_and_loses_its_thumbnail() -> None:
    plain = saved("JPEG")
    thumbnail = segment(0xE0, plain[6:18] + b"\x02\x01" + SECRET[:6])
    assert without_metadata(plain[:2] + segment(0xE1, SECRET) + thumbnail + plain[20:]).data == plain


def test_a_picture_without_metadata_stays_as_it_is() -> None:
    for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP"):
        data = saved(kind)
        bare = without_metadata(data)
        assert (bare.data, bare.unchanged, bare.position) == (data, True, False)


def test_a_place_of_no_latitude_is_none() -> None:
    made = exif(place=False)
    made[0x8825] = {0: b"\2\3\0\0"}
    assert not without_metadata(saved("JPEG", exif=made)).position
    assert not without_metadata(saved("JPEG", exif=exif(place=False))).position


def test_what_is_no_picture_is_told() -> None:
    for data in (b"", b"text", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"):
        with pytest.raises(PictureError):
            without_metadata(data)


def png_before(*chunks: tuple[bytes, bytes], **options: Any) -> bytes:
    """The chunks stand behind IHDR."""
    data = saved("PNG", **options)
    made = (
        struct.pack(">I", len(text)) + name + text + struct.pack(">I", zlib.crc32(name + text)) for name, text in chunks
    )
    return data[:33] + b"".join(made) + data[33:]


RIGHT_CHUNKS = {
    b"pHYs": struct.pack(">IIB", 2835, 2835, 1),
    b"sBIT": b"\x08\x08\x08",
    b"bKGD": bytes(6),
    b"cICP": b"\1\x0d\0\1",
    b"gAMA": struct.pack(">I", 45455),
    b"cHRM": struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000),
    b"sRGB": b"\0",
    b"tRNS": b"\0\1\0\2\0\3",
}


@pytest.mark.filterwarnings("ignore")  # Pillow's, about damaged animations
@pytest.mark.parametrize("name", [*RIGHT_CHUNKS, b"PLTE", b"acTL", b"IEND"])
def test_no_text_stays_in_a_png_chunk_that_is_too_long_or_there_twice(name: bytes) -> None:
    right = RIGHT_CHUNKS.get(name, b"")
    files = [png_before((name, right + SECRET)), png_before((name, right), (name, right + SECRET))]
    if name == b"IEND":
        files = [saved("PNG")[:-12] + struct.pack(">I", len(SECRET)) + name + SECRET]
        files[0] += struct.pack(">I", zlib.crc32(name + SECRET))
    for data in files:
        try:
            bare = without_metadata(data)
        except PictureError:
            continue
        assert SECRET not in bare.data
        assert np.array_equal(read_picture(bare.data), read_picture(data))
        assert without_metadata(bare.data).unchanged


def test_png_chunks_of_right_lengths_stay() -> None:
    data = png_before(*RIGHT_CHUNKS.items())
    assert without_metadata(data).unchanged
    palette = saved("PNG", photo(1, SIZE).quantize(16), transparency=3)
    assert without_metadata(palette).unchanged
    moving = saved("PNG", **two_frames())
    assert without_metadata(moving).unchanged


def test_no_text_stays_in_longer_parts_of_animations() -> None:
    gif = saved("GIF", **two_frames())
    webp = saved("WEBP", **two_frames())
    at = gif.index(b"\x21\xf9\x04") + 7
    long_webp = webp.replace(b"ANIM\6\0\0\0", b"ANIM" + struct.pack("<I", 6 + len(SECRET)))
    at_webp = webp.index(b"ANIM") + 14
    long_webp = long_webp[:at_webp] + SECRET + long_webp[at_webp:]
    long_webp = b"RIFF" + struct.pack("<I", len(long_webp) - 8) + long_webp[8:]
    for data in (gif[:at] + bytes([len(SECRET)]) + SECRET + gif[at:], long_webp):
        assert SECRET in data
        try:
            assert SECRET not in without_metadata(data).data
        except PictureError:
            continue


def hostile() -> dict[str, bytes]:
    """Lengths that lie, parts that end early, and metadata behind where a reader stops."""
    jpeg, png, webp = PLACED["JPEG"], PLACED["PNG"], PLACED["WebP"]
    return {
        "segment of no length": jpeg[:2] + b"\xff\xe1\0\0" + jpeg[2:],
        "segment beyond the end": jpeg[:2] + b"\xff\xfe\xff\xff" + jpeg[2:],
        "unknown marker": jpeg[:2] + b"\xff\xf0\0\x04ab" + jpeg[2:],
        "no end": jpeg[:-2],
        "fill bytes": jpeg[:2] + b"\xff" * 40 + jpeg[2:],
        "chunk beyond the end": png[:-12] + b"\xff\xff\xff\xfftEXt" + SECRET,
        "chunk of 2 GB": png[:33] + b"\x7f\xff\xff\xffzTXt" + png[33:],
        "RIFF of 4 GB": webp[:4] + b"\xff\xff\xff\xff" + webp[8:],
        "behind RIFF": webp + b"EXIF" + struct.pack("<I", 20) + SECRET + b"1234",
        "behind IEND": png + SECRET,
        "behind GIF": PLACED["GIF"] + SECRET,
        "GIF without end": PLACED["GIF"][:-1],
        "GIF cut in a comment": PLACED["GIF"][:800] + b"\x21\xfe\xff" + SECRET,
        "BMP with more behind": saved("BMP") + SECRET,
    }


@pytest.mark.filterwarnings("ignore")  # Pillow's, about damaged EXIF
@pytest.mark.parametrize("name", hostile())
def test_lying_lengths_leak_nothing(name: str) -> None:
    try:
        bare = without_metadata(hostile()[name])
    except PictureError:
        return
    assert SECRET not in bare.data
    assert not has_position(bare.data)
    read_picture(bare.data)


@pytest.mark.parametrize("name", PLACED)
def test_damaged_files_are_refused_or_bare(name: str) -> None:
    chance, given = random.Random(name), PLACED[name]
    for _ in range(40):
        data = bytearray(given[: chance.randrange(len(given))] if chance.random() < 0.3 else given)
        for _ in range(chance.randrange(6)):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                bare = without_metadata(bytes(data))
            except PictureError:
                continue
            assert SECRET not in bare.data
            assert not has_position(bare.data)
