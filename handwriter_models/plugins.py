"""Opens a picture with Pillow's plugin for its format, or says that this kind of the format is not supported.

The plugins are called directly, not through Image.open: it knows forty more formats, and it warns on standard error
about a large picture before its size could be asked. Where a plugin would crash, decode before its size is known or
show wrong pixels, the file is looked at first. Nothing is decoded here, except by ICO and JPEG XL, whose plugins do
so at once: the sizes that they declare go to `check` before.
"""

from __future__ import annotations

import ctypes
import re
import struct
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cache
from importlib import import_module
from io import BytesIO
from typing import Any

import numpy as np
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    IcoImagePlugin,
    Image,
    ImageFile,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    PsdImagePlugin,
    TgaImagePlugin,
    WebPImagePlugin,
)

from handwriter_models.avif import coded_sizes
from handwriter_models.pixels import UnsupportedError
from handwriter_models.tiff import open_tiff

SizeCheck = Callable[[tuple[int, int]], None]

AvifImagePlugin.DEFAULT_MAX_THREADS = (
    1  # a server decodes several pictures at once; Pillow would take every core for each
)
_PLAIN: dict[str, Callable[[BytesIO, str], ImageFile.ImageFile]] = {
    "PNG": PngImagePlugin.PngImageFile,
    "WebP": WebPImagePlugin.WebPImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "TIFF": open_tiff,
    "JPEG 2000": Jpeg2KImagePlugin.Jpeg2KImageFile,
    "TGA": TgaImagePlugin.TgaImageFile,
    "PSD": PsdImagePlugin.PsdImageFile,
}
PACKAGES = {"HEIC": "pillow-heif", "JPEG XL": "pillow-jxl-plugin"}
# What plugins say of a file that is whole and yet not for them; a plain number is a key that their tables lack.
_UNSUPPORTED = re.compile(
    r"unsupported|not (yet )?supported|cannot handle|unknown (pixel|TGA|data)|^\(?\d+(, \d+)*\)?$", re.I
)
_MARKER = re.compile(rb"\xff+([^\xff])", re.DOTALL)
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xDE, 0xF7}
_MOST_SEGMENTS, _MOST_GARBAGE = 4096, 2**16  # Pillow walks both in Python
ORDINARY_JPEG = "save it as an ordinary JPEG (baseline or progressive, 8 bits) or as PNG"
_MOST_LAYERS, _GRID_MARGIN = 8, 2**22  # tiles of a grid reach over its edges, which matters where it is small
_TEXT_SAMPLES = 4_000_000  # that Pillow decodes in Python, a microsecond each


def open_picture(kind: str, data: bytes, check: SizeCheck) -> Image.Image:
    """The picture with its head read; raises `UnsupportedError`, what `check` raises, or anything if damaged."""
    _silence()
    try:
        if kind == "JPEG":
            return _open_jpeg(data)
        if kind == "ICO":
            return _open_icon(data, check)
        if kind == "PNM":
            return _open_pnm(data)
        if kind == "AVIF":
            return _open_avif(data, check)
        if kind in PACKAGES:
            return _open_with_extra(kind, data, check)
        picture = _PLAIN[kind](BytesIO(data), "")
    except (UnsupportedError, OSError, SyntaxError, LookupError, NotImplementedError) as error:
        reason = str(error)
        if not isinstance(error, UnsupportedError) and _UNSUPPORTED.search(reason):
            raise UnsupportedError(f"{kind} ({reason})") from error
        raise
    if kind == "TGA" and not picture.tile:
        raise UnsupportedError(f"TGA of type {data[2]} with {data[16]} bits")
    if kind == "PSD" and not picture.tile:
        raise UnsupportedError("PSD with this compression")
    return picture


@cache
def _silence() -> None:
    """Keep libtiff and Pillow from telling standard error about broken tags and codes: what matters is raised.

    A fax whose bits are noise has a line for each of its rows, which fills a server's log and hides what `curation
    scan` says. Where libtiff is built into Pillow, as on Windows, its handler cannot be reached and stays.
    """
    warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.TiffImagePlugin")
    with suppress(OSError, AttributeError):
        set_handler = ctypes.CDLL(import_module("PIL._imaging").__file__).TIFFSetErrorHandler
        set_handler.argtypes, set_handler.restype = [ctypes.c_void_p], ctypes.c_void_p
        set_handler(None)


def with_meant_values(picture: Image.Image) -> Image.Image:
    """A decoded picture as its format means it: 16-bit PNM by its range, TGA whose unused fourth bytes are zero."""
    if picture.format == "PPM" and picture.mode == "I":
        return Image.fromarray(np.asarray(picture).astype(np.uint16))
    if picture.format == "TGA" and picture.mode == "RGBA" and picture.getchannel("A").getextrema() == (0, 0):
        return picture.convert("RGB")
    return picture


def jpeg_frame(data: bytes) -> tuple[int, int, int]:
    """Marker, bits and components of a JPEG's frame header, found as libjpeg finds it: before the first scan.

    Raises `ValueError` where there is none, and where there are several: libjpeg takes the first, Pillow the last.
    """
    frames = []
    for marker, segment in _jpeg_segments(data):
        if marker in _FRAMES:
            frames.append((marker, *struct.unpack_from("BxxxxB", segment)))
    if len(frames) != 1:
        raise ValueError(f"{len(frames)} frame headers before its first scan")
    return frames[0]


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, memoryview]]:
    """Marker and content of every segment up to the first scan; bytes between segments are skipped as libjpeg does."""
    place, view = 2, memoryview(data)
    for _ in range(_MOST_SEGMENTS):
        found = _MARKER.search(data, place)
        if not found or found.start() - place > _MOST_GARBAGE or len(found[0]) > _MOST_GARBAGE:
            return
        marker, place = found[1][0], found.end()
        if marker in (0xD9, 0xDA):
            return
        if marker > 1 and not 0xD0 <= marker <= 0xD7:
            length = max(2, int.from_bytes(data[place : place + 2], "big"))
            yield marker, view[place + 2 : place + length]
            place += length
    raise ValueError(f"more than {_MOST_SEGMENTS} segments before its first scan")


def _open_jpeg(data: bytes) -> Image.Image:
    """A JPEG that libjpeg decodes; `picture.info["reducible"]` tells whether `draft` may be asked for it.

    With the frame of a lossless JPEG, `draft` promises Pillow a smaller row than libjpeg-turbo writes, and the heap is
    overwritten: only the three frame types with a cosine transform of eight bits are ever decoded reduced.
    """
    marker, bits, components = jpeg_frame(data)
    if kind := _unread_jpeg(marker, bits, components):
        raise UnsupportedError(kind, ORDINARY_JPEG)
    picture = JpegImagePlugin.JpegImageFile(BytesIO(data), "")
    picture.info["reducible"] = marker in (0xC0, 0xC1, 0xC2)
    return picture


def _unread_jpeg(marker: int, bits: int, components: int) -> str:
    """What kind of JPEG it is, where libjpeg or Pillow does not decode it; else ""."""
    if marker == 0xF7:
        return "JPEG-LS"
    if marker in (0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF, 0xDE):
        return f"hierarchical JPEG (frame type {marker & 15})"
    if marker == 0xCB:
        return "lossless JPEG with arithmetic coding"
    if bits != 8:
        return f"{bits}-bit {'lossless ' if marker == 0xC3 else ''}JPEG"
    return "" if components in (1, 3, 4) else f"JPEG of {components} components"


def _open_icon(data: bytes, check: SizeCheck) -> Image.Image:
    """The largest picture of an icon. Its directory may lie, so the heads of the pictures themselves are asked."""
    count = int.from_bytes(data[4:6], "little")
    for size, place in struct.iter_unpack("<8xII", data[6 : 6 + 16 * count]):
        head = data[place : place + min(size, 32)]
        if head.startswith(b"\x89PNG"):
            width, height = struct.unpack_from(">II", head, 16)
        else:
            width, height = struct.unpack_from("<Ii", head, 4)
            height = abs(height) // 2  # the picture and its mask lie over each other
        check((width, height))
    return IcoImagePlugin.IcoImageFile(BytesIO(data), "")


def _open_avif(data: bytes, check: SizeCheck) -> Image.Image:
    """An AVIF whose frames are within the limits, each and together; layers and an alpha plane are several frames."""
    pixels = 0
    for width, height in coded_sizes(data):
        check((width, height))
        pixels += width * height
    picture = AvifImagePlugin.AvifImageFile(BytesIO(data), "")
    if pixels > _MOST_LAYERS * picture.width * picture.height + _GRID_MARGIN:
        raise ValueError(f"its frames have {pixels} pixels, and it declares {picture.width} x {picture.height}")
    return picture


def _open_pnm(data: bytes) -> Image.Image:
    picture = PpmImagePlugin.PpmImageFile(BytesIO(data), "")
    samples = picture.width * picture.height * len(picture.getbands())
    if picture.tile[0][0] != "raw" and samples > _TEXT_SAMPLES:
        raise UnsupportedError("PNM of so many pixels as text or with an odd range")
    return picture


def _open_with_extra(kind: str, data: bytes, check: SizeCheck) -> Image.Image:
    """HEIC and JPEG XL by packages that not everybody has; the threads of each are bounded as those of AVIF are."""
    try:
        if kind == "HEIC":
            options: Any = import_module("pillow_heif.options")
            opener: Any = import_module("pillow_heif").HeifImageFile
        else:
            options = import_module("pillow_jxl.JpegXLImagePlugin")
            opener = options.JXLImageFile
    except ImportError as error:
        hint = f"pip install -r requirements-extras.txt ({PACKAGES[kind]}), or save it as JPEG or PNG"
        raise UnsupportedError(f"{kind} without the package {PACKAGES[kind]}", hint) from error
    options.DECODE_THREADS = 1
    if kind == "JPEG XL":
        check(jxl_size(data))
    picture: Image.Image = opener(BytesIO(data), "")
    return picture


def jxl_size(data: bytes) -> tuple[int, int]:
    """Width and height in the size header of a JPEG XL codestream (ISO/IEC 18181-1); raises `ValueError`."""
    bits = _bits(_jxl_codestream(data)[2:14])

    def read(count: int) -> int:
        return sum(next(bits) << place for place in range(count))

    small = read(1)

    def side() -> int:
        return (read(5) + 1) * 8 if small else read((9, 13, 18, 30)[read(2)]) + 1

    try:
        height = side()
        ratio = read(3)
        above, below = ((0, 0), (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))[ratio]
        return (height * above // below if ratio else side()), height
    except StopIteration as error:
        raise ValueError("it ends in its size") from error


def _jxl_codestream(data: bytes) -> bytes:
    """The codestream, or the first part of it, in a container's boxes (ISO/IEC 18181-2)."""
    if data.startswith(b"\xff\x0a"):
        return data[:64]
    place = 0
    while place + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, place)
        head = 8
        if length == 1:
            length, head = int.from_bytes(data[place + 8 : place + 16], "big"), 16
        if name in (b"jxlc", b"jxlp"):
            start = place + head + (4 if name == b"jxlp" else 0)
            return data[start : start + 64]
        if length and length < head:
            break
        place = place + length if length else len(data)
    raise ValueError("no codestream in it")


def _bits(data: Iterable[int]) -> Iterator[int]:
    for byte in data:
        for place in range(8):
            yield byte >> place & 1
