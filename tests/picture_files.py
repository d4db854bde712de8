"""The bytes of pictures, good and hostile, for the tests. All follow from a number: a test can say what it wants."""

from __future__ import annotations

import random
import struct
import zlib
from functools import lru_cache
from io import BytesIO

from PIL import Image

MEDIA = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "bmp": "image/bmp",
    "tiff": "image/tiff",
}
FORMATS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "gif": "GIF", "bmp": "BMP", "tiff": "TIFF"}
QUICKLY = {"png": {"compress_level": 1}, "webp": {"method": 0}}  # a fifth of the time
MEGABYTE = 1 << 20


def image(number: int, width: int = 320, height: int = 240) -> Image.Image:
    """Soft coloured patches, different for each number."""
    patches = random.Random(number).randbytes(8 * 6 * 3)
    return Image.frombytes("RGB", (8, 6), patches).resize((width, height), Image.Resampling.BICUBIC)


@lru_cache(maxsize=4096)
def picture(number: int, kind: str = "jpg", width: int = 320, height: int = 240) -> bytes:
    """The bytes of picture `number`; other numbers and kinds have other bytes."""
    drawn = image(number, width, height)
    return saved(paletted(drawn) if kind == "gif" else drawn, kind, **QUICKLY.get(kind, {}))


def paletted(drawn: Image.Image) -> Image.Image:
    """With a palette that is found at once: the GIF writer alone takes a sixth of a second to find one."""
    return drawn.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    """A picture as a file."""
    file = BytesIO()
    picture.save(file, FORMATS[kind], **options)
    return file.getvalue()


@lru_cache
def animation(number: int) -> bytes:
    """A GIF of three frames."""
    first, *others = (paletted(image(number + frame)) for frame in range(3))
    return saved(first, "gif", save_all=True, append_images=others, duration=40)


@lru_cache
def clear(number: int) -> bytes:
    """A PNG that is transparent in part."""
    picture = image(number)
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    return saved(picture, "png")


@lru_cache
def turned(number: int) -> bytes:
    """A JPEG that says by EXIF that it lies on its side."""
    picture = image(number)
    exif = picture.getexif()
    exif[0x0112] = 6
    return saved(picture, "jpg", exif=exif)


@lru_cache
def four_inks(number: int) -> bytes:
    """A CMYK JPEG."""
    return saved(image(number).convert("CMYK"), "jpg")


@lru_cache
def too_many_pixels(side: int = 20_000) -> bytes:
    """A whole and valid PNG of one bit a pixel: 50 kB of file, 400 million pixels."""
    rows = zlib.compressobj(9)
    row = bytes(1 + (side + 7) // 8)
    data = b"".join(rows.compress(row * 100) for _ in range(side // 100)) + rows.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@lru_cache
def gzip_bomb(megabytes: int = 600) -> bytes:
    """A valid gzip stream a thousandth as long as what comes out of it: the beginning of a JPEG, then zeros.

    A block after a full flush may be repeated, so it is built without compressing 600 MB.
    """
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = picture(1)[:1000].ljust(MEGABYTE, b"\0")
    start = packer.compress(first) + packer.flush(zlib.Z_FULL_FLUSH)
    zeros = bytes(MEGABYTE)
    block = packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = zlib.crc32(first)
    for _ in range(megabytes - 1):
        checksum = zlib.crc32(zeros, checksum)
    body = start + block * (megabytes - 1) + packer.flush()
    head = b"\x1f\x8b\x08\0\0\0\0\0\x02\xff"
    return head + body + struct.pack("<II", checksum, megabytes * MEGABYTE & 0xFFFFFFFF)


HTML = "<!doctype html><title>Not here</title><p>이 그림은 없습니다. This picture has moved.".encode()
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="300" height="300"><rect width="300" height="300"/></svg>'
PIXEL = saved(Image.new("RGB", (1, 1), "white"), "gif")
