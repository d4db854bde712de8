"""The one decoder: bytes, a file, a data URL, a canvas, a camera frame → an RGB picture.

Every part of the project reads pictures here, so a picture means the same to training, the demo and the API: turned as
its EXIF says, transparency on white, the first frame of an animation, 16-bit and CMYK converted. Sizes are bounded
before anything is decoded, and a file that stops early is refused, because half a picture is a wrong sample.
It does not fetch addresses, and it does not prepare handwriting (`ink` does).
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, TiffImagePlugin

from handwriter_models.formats import READ, REFUSED, format_of
from handwriter_models.pixels import (
    PictureError,
    UnsupportedError,
    canvas_parts,
    picture_from_array,
    rgb_from_picture,
)
from handwriter_models.plugins import ORDINARY_JPEG, open_picture, with_meant_values
from handwriter_models.tiff import load_tiff

__all__ = [
    "ALLOWED_FORMATS",
    "Limits",
    "PictureError",
    "Reduced",
    "Source",
    "open_head",
    "read_data_url",
    "read_picture",
    "reduced_picture",
    "sound_picture",
]

Source = bytes | str | os.PathLike[str] | Image.Image | np.ndarray[Any, Any] | Mapping[str, Any]


@dataclass(frozen=True)
class Limits:
    """What is accepted, checked before decoding: 20 MB in a file, 40 million pixels, 20 000 on a side."""

    bytes: int = 20 * 2**20
    pixels: int = 40_000_000
    side: int = 20_000


@dataclass(frozen=True)
class Reduced:
    """A picture decoded small and grey; `width` and `height` are those of the whole picture, as shown, in pixels."""

    kind: str
    width: int
    height: int
    grey: Image.Image


ALLOWED_FORMATS = tuple(READ)
_FOREIGN = (
    (re.compile(rb"(?i)\s*(<!doctype html|<html|<head|<body)"), "a web page"),
    (re.compile(rb"%PDF"), "a PDF document"),
    (re.compile(rb"PK\x03\x04"), "a ZIP archive"),
    (re.compile(rb"(?s)....ftyp"), "a film"),
)
_SAVE_AS = f"save it as one of {', '.join(READ)}"
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_DATA_URL = re.compile(r"data:(?P<media>[^;,]{0,100})(?P<options>(;[^;,]{0,100}){0,4}),", re.IGNORECASE)


def read_picture(source: Source, limits: Limits = Limits(), enough: int | None = None) -> Image.Image:
    """The picture as RGB, decoded in full; raises `PictureError` (400, 413 or 415) when it cannot be used.

    A `str` is a path or a `data:` URL; text that comes from strangers belongs in `read_data_url`, which never opens
    a file. A mapping is the value of Gradio's editor: `{"background", "layers", "composite"}`. With `enough`, a JPEG
    may come smaller, with its longer side at least that long: a phone's photograph then takes a quarter of the time.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return _decoded(bytes(source), "the picture", limits, enough)
    if isinstance(source, str) and source[:5].lower() == "data:":
        return read_data_url(source, limits, enough)
    if isinstance(source, str | os.PathLike):
        return _decoded(_file_bytes(source, limits), repr(os.fspath(source)), limits, enough)
    if isinstance(source, Image.Image):
        return _loaded(source, "the picture", limits)
    if isinstance(source, np.ndarray):
        _check_size(source.shape[1::-1], "the picture", limits)
        return rgb_from_picture(picture_from_array(source))
    if isinstance(source, Mapping):
        return _canvas(source, limits)
    raise PictureError(f"a {type(source).__name__} is not a picture", "give bytes, a path, a data URL or an array", 415)


def read_data_url(text: str, limits: Limits = Limits(), enough: int | None = None) -> Image.Image:
    """The picture in `data:image/…;base64,…`; raises `PictureError` on anything else and opens no file."""
    head = _DATA_URL.match(text)
    if not head or not head["options"].lower().endswith(";base64"):
        raise PictureError(f"{text[:40]!r} is not a picture's data URL", "it starts with data:image/png;base64,", 400)
    if head["media"] and not head["media"].lower().startswith("image/"):
        raise PictureError(f"the data URL holds {head['media']!r}, not a picture", _SAVE_AS, 415)
    if (len(text) - head.end()) // 4 * 3 > limits.bytes + 2:
        raise _too_many_bytes("the data URL", limits)
    try:
        data = base64.b64decode(text[head.end() :].encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise PictureError(f"the data URL is not valid base64: {error}", "send it again, whole", 400) from error
    return _decoded(data, "the data URL", limits, enough)


def _file_bytes(path: str | os.PathLike[str], limits: Limits) -> bytes:
    """At most one byte more than the limit is read, whatever the file system says about the file's size."""
    if isinstance(path, str) and _ADDRESS.match(path):
        raise PictureError(
            f"{path!r} is an address; pictures are not fetched", "save the picture and give its path", 400
        )
    try:
        with _opened(path) as file:
            if os.fstat(file.fileno()).st_size > limits.bytes:
                raise _too_many_bytes(repr(os.fspath(path)), limits)
            data: bytes = file.read(limits.bytes + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise PictureError(f"cannot read {str(path)!r}: {reason}", "check the path and its permissions", 400) from error
    return data


def _opened(path: str | os.PathLike[str]) -> Any:  # noqa: ANN401 - a raw file
    """Opened without blocking, so that a named pipe cannot hang the caller; only regular files pass."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    file = open(descriptor, "rb")  # noqa: PTH123, SIM115 - closed by the caller
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        file.close()
        raise OSError(0, "it is not a regular file")
    return file


def open_head(data: bytes, limits: Limits = Limits()) -> tuple[str, Image.Image]:
    """Format and picture, its head read and its size within the limits, not decoded; raises `PictureError`."""
    return _opened_picture(data, "the picture", limits)


def sound_picture(data: bytes, limits: Limits = Limits(), in_full: bool = True) -> tuple[str, int, int]:
    """Format, width and height of a picture whose bytes can all be decoded; raises `PictureError` otherwise.

    A JPEG is decoded at an eighth of its size, which walks its whole stream (unlike Pillow's `verify`) and costs a
    third. With `in_full` false only the head is read.
    """
    kind, picture = open_head(data, limits)
    width, height = picture.size
    if in_full:
        _draft(picture, "L", (64, 64))
        _load(picture, "the picture", limits)
    return kind, width, height


def reduced_picture(data: bytes, side: int, limits: Limits = Limits()) -> Reduced:
    """The picture in grey, decoded in full; a JPEG as small as its shorter side stays at least `side` pixels.

    Decoding a JPEG's brightness alone at an eighth of its size takes a quarter of the time. Raises `PictureError`.
    """
    kind, picture = open_head(data, limits)
    width, height = picture.size
    _draft(picture, "L", (side, side))
    picture = _load(picture, "the picture", limits)
    plain = picture.mode == "L" and "transparency" not in picture.info and "exif" not in picture.info
    grey = picture if plain else rgb_from_picture(picture, managed=False).convert("L")
    if (grey.width > grey.height) != (picture.width > picture.height):
        width, height = height, width
    return Reduced(kind, width, height, grey)


def _decoded(data: bytes, name: str, limits: Limits, enough: int | None) -> Image.Image:
    _, picture = _opened_picture(data, name, limits)
    longest = max(picture.size)
    if enough and longest >= 2 * enough:
        _draft(picture, None, (max(1, picture.width * enough // longest), max(1, picture.height * enough // longest)))
    return _loaded(picture, name, limits)


def _opened_picture(data: bytes, name: str, limits: Limits) -> tuple[str, Image.Image]:
    """The format and the picture, its head read and its size within the limits, its pixels not decoded yet."""
    if not data:
        raise PictureError(f"{name} is empty (0 bytes)", "send the picture again", 400)
    if len(data) > limits.bytes:
        raise _too_many_bytes(name, limits)
    kind = format_of(data)
    if not kind:
        raise PictureError(f"{name} is {_what_it_is(data)}, not a picture we read", _SAVE_AS, 415)
    if kind in REFUSED:
        raise _unsupported(name, UnsupportedError(kind))
    try:
        picture = open_picture(kind, data, lambda size: _check_size(size, name, limits))
    except UnsupportedError as error:
        raise _unsupported(name, error) from error
    except PictureError:
        raise
    except Exception as error:  # Pillow's parsers have no common error type, and hostile bytes reach them all
        raise _damaged(name, kind, error) from error
    _check_size(picture.size, name, limits)
    return kind, picture


def _draft(picture: Image.Image, mode: str | None, size: tuple[int, int]) -> None:
    """Lets a JPEG be decoded at about that size, where its frame type allows that (see `plugins`)."""
    if picture.info.get("reducible"):
        picture.draft(mode, size)


def _loaded(picture: Image.Image, name: str, limits: Limits) -> Image.Image:
    return rgb_from_picture(_load(picture, name, limits))


def _load(picture: Image.Image, name: str, limits: Limits) -> Image.Image:
    """The picture with its pixels decoded: the same, or another where its format's plugin reads them wrongly."""
    _check_size(picture.size, name, limits)
    try:
        tile = getattr(picture, "tag_v2", {})  # whatever a file says: text, no number, infinite
        size = (int(tile.get(322, 1)), int(tile.get(323, 1)))
    except (ValueError, TypeError, ArithmeticError) as error:
        raise _damaged(name, "TIFF", error) from error
    _check_size(size, f"a TIFF tile of {name}", limits)
    try:
        if isinstance(picture, TiffImagePlugin.TiffImageFile):
            return load_tiff(picture)
        picture.load()
        if picture.mode in ("P", "PA") and picture.palette is None:
            raise ValueError("it has no colour map")
    except UnsupportedError as error:
        raise _unsupported(name, error) from error
    except Exception as error:  # as above
        if picture.info.get("reducible") is False and "broken data stream" in str(error):
            raise _unsupported(name, UnsupportedError("JPEG of this frame type", ORDINARY_JPEG)) from error
        raise _damaged(name, picture.format or "", error) from error
    return with_meant_values(picture)


def _check_size(size: tuple[int, ...], name: str, limits: Limits) -> None:
    if len(size) != 2:
        raise PictureError(f"{name} has {len(size)} dimensions of pixels", "give (height, width) or more", 400)
    width, height = size
    if width < 1 or height < 1:
        raise PictureError(f"{name} is {width} x {height}: it has no pixels", "send another picture", 400)
    if width * height > limits.pixels or max(width, height) > limits.side:
        most = f"{limits.pixels / 1e6:g} million pixels and {limits.side} on a side"
        raise PictureError(f"{name} is {width} x {height} pixels", f"make it smaller: at most {most}", 413)


def _canvas(canvas: Mapping[str, Any], limits: Limits) -> Image.Image:
    parts = canvas_parts(canvas)
    if not parts:
        raise PictureError(f"the canvas holds no picture (fields: {sorted(canvas)})", "draw something first", 400)
    if len(parts) == 1:
        return read_picture(parts[0], limits)
    paper: Image.Image | None = None
    for part in parts:
        layer = picture_from_array(part) if isinstance(part, np.ndarray) else part
        if not isinstance(layer, Image.Image):
            layer = read_picture(layer, limits)
        _check_size(layer.size, "a layer of the canvas", limits)
        layer = layer.convert("RGBA")
        paper = paper or Image.new("RGBA", layer.size, (255, 255, 255, 255))
        paper.alpha_composite(layer)
    return _loaded(paper or Image.new("RGB", (1, 1)), "the canvas", limits)


def _too_many_bytes(name: str, limits: Limits) -> PictureError:
    return PictureError(f"{name} is larger than {limits.bytes / 2**20:g} MB", "send a smaller file", 413)


def _unsupported(name: str, error: UnsupportedError) -> PictureError:
    return PictureError(f"{name} is not supported: {error}", error.hint or _SAVE_AS, 415)


def _damaged(name: str, kind: str, error: Exception) -> PictureError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return PictureError(
        f"{name} is a damaged or cut-off {kind or 'picture'} file: {reason}", "save or send it again, whole", 400
    )


def _what_it_is(data: bytes) -> str:
    head = data[:5000].removeprefix(b"\xef\xbb\xbf")
    for pattern, what in _FOREIGN:
        if pattern.match(head):
            return what
    try:
        head[:1000].decode("utf-8")
    except UnicodeDecodeError as error:
        if error.end < len(head[:1000]) - 3:
            return "of no known format"
    return "of no known format" if b"\x00" in head else "text"
