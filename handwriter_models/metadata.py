"""What a camera and programs write into a file beside its pixels: position, time, names, texts; taken out here.

Of JPEG, PNG, WebP, GIF and plain BMP only the parts that decoding needs are copied, by a list of what may stay, so that
the bytes of the pixels stay as they are and what nobody has heard of yet goes as well. Where the pixels must change,
because the file says that it is to be turned or has colours of its own, and where its parts do not fit together, it is
decoded by the one decoder and written anew: JPEG with quality 95, all else without loss of what the decoder shows (8
bits, on white, the first frame). Formats that can hold anything anywhere (TIFF and what is rarer) become PNG. What the
pixels show is not looked at.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from itertools import islice

from PIL import ExifTags, Image, JpegImagePlugin

from handwriter_models.images import Limits, PictureError, open_head, read_picture
from handwriter_models.pixels import needs_conversion

KEPT_FORMATS = ("JPEG", "PNG", "WebP", "GIF", "BMP")  # all others become PNG
_QUALITY = 95
_LATITUDES = (2, 20)  # of the GPS part of EXIF: where the camera stood, and what it looked at
_XMP_POSITION = re.compile(  # in UTF-8 or UTF-16; GpsLatitude is DJI's; a small g would cost ten times the time
    rb"G\0?(?:PS|P\0S\0|ps|p\0s\0)(?:D\0?e\0?s\0?t\0?)?L\0?a\0?t\0?i\0?t\0?u\0?d\0?e"
)
_BLOCK = 2 * 2**16  # bytes, more than a segment of JPEG holds
_MOST_TEXT, _MOST_TEXTS = 2**20, 64  # bytes of one text of PNG, unpacked, and texts of a file
_MOST_BLOCKS = 50  # of EXIF in one file, as the pictures behind the first one of a telephone have their own
_LIMITS = Limits()


class _DoubtError(Exception):
    """The parts of the file do not fit together."""


@dataclass(frozen=True)
class Bare:
    """A picture without metadata.

    Attributes:
        data: its bytes; those that were given where there was nothing to take out.
        format: of these bytes, as `open_head` names it.
        position: the given bytes said where it was taken, in EXIF or XMP.
        unchanged: they are the given bytes.
    """

    data: bytes
    format: str
    position: bool
    unchanged: bool = True


def without_metadata(data: bytes, limits: Limits = _LIMITS) -> Bare:
    """The picture alone, turned as it is to be seen and in sRGB; raises `PictureError`.

    Pixels that stay as they are are not decoded, so damage among them is not found.
    """
    kind, head = open_head(data, limits)
    position = _says_where(data, head)
    stripped = _stripped(kind, data)
    if stripped is not None and (stripped == data or not _must_change(kind, head)):
        return Bare(stripped, kind, position, stripped == data)
    return Bare(_written(kind, head, read_picture(data, limits)), kept_format(kind), position, False)


def kept_format(kind: str) -> str:
    """The format that a picture of this one has without its metadata."""
    return kind if kind in KEPT_FORMATS else "PNG"


def has_position(data: bytes, limits: Limits = _LIMITS) -> bool:
    """Whether a file, or a picture that lies inside of it, says in EXIF or XMP where it was taken."""
    try:
        return _says_where(data, open_head(data, limits)[1])
    except PictureError:
        return _says_where(data, Image.new("RGB", (1, 1)))


def _says_where(data: bytes, head: Image.Image) -> bool:
    if _located(_exif_of(head)):  # asked first: it makes Pillow read a PNG to its end, where texts may stand
        return True
    for text in (data, *_texts(head), *islice(_png_texts(data), _MOST_TEXTS)):
        starts = [found.start() for found in islice(re.finditer(rb"Exif\0\0", text), _MOST_BLOCKS)]
        if _XMP_POSITION.search(text) or any(_located(_parsed(text[start : start + _BLOCK])) for start in starts):
            return True
    return False


def _texts(picture: Image.Image) -> Iterator[bytes]:
    """What Pillow has unpacked of a file's texts."""
    for value in picture.info.values():
        if isinstance(value, str | bytes):
            yield value.encode("utf-8", "replace") if isinstance(value, str) else value


def _png_texts(data: bytes) -> Iterator[bytes]:
    """EXIF and unpacked texts of all PNG files in these bytes: an icon holds some, and Pillow reads texts late."""
    for start in islice(re.finditer(_PNG_START, data), _MOST_BLOCKS):
        with suppress(_DoubtError, struct.error):
            for name, chunk in _png_chunks(data, start.end()):
                content = chunk[8:-4]
                if name == b"eXIf":
                    yield b"Exif\0\0" + content.removeprefix(b"Exif\0\0")
                elif name in (b"tEXt", b"zTXt", b"iTXt"):
                    yield _png_text(name, content)


def _png_text(name: bytes, content: bytes) -> bytes:
    """What a chunk says; a raw profile, which is how ImageMagick keeps EXIF and XMP, is hexadecimal in lines."""
    keyword, _, text = content.partition(b"\0")
    packed = name == b"zTXt"
    if name == b"iTXt":
        packed, text = text[:1] == b"\1", text[1:2] + text[2:].partition(b"\0")[2].partition(b"\0")[2]
    if packed:
        try:
            text = zlib.decompressobj().decompress(text[1:], _MOST_TEXT)
        except zlib.error:
            return b""
    if keyword.startswith(b"Raw profile type"):
        with suppress(ValueError):
            return bytes.fromhex(b"".join(text.split(b"\n")[3:]).decode("ascii", "replace"))
    return text


def _exif_of(picture: Image.Image) -> Image.Exif | None:
    try:
        return picture.getexif()
    except Exception:  # hostile bytes end in any of ten error types
        return None


def _parsed(block: bytes) -> Image.Exif | None:
    exif = Image.Exif()
    try:
        exif.load(block)
    except Exception:  # as above
        return None
    return exif


def _located(exif: Image.Exif | None) -> bool:
    try:
        return exif is not None and any(exif.get_ifd(ExifTags.IFD.GPSInfo).get(tag) for tag in _LATITUDES)
    except Exception:  # as above
        return False


def _must_change(kind: str, head: Image.Image) -> bool:
    """Whether the pixels are other ones once the metadata is gone."""
    if kind == "PNG":  # it may tell after its pixels how it is to be turned
        try:
            head.load()
        except Exception:
            return True  # the decoder will say what is wrong
    return needs_conversion(head)


def _written(kind: str, given: Image.Image, picture: Image.Image) -> bytes:
    """The decoded picture in a file of its own."""
    if given.mode in ("1", "L", "LA", "I;16"):
        picture = picture.convert("L")
    out = BytesIO()
    if kind == "JPEG":
        sampling = JpegImagePlugin.get_sampling(given)
        picture.save(out, "JPEG", quality=_QUALITY, subsampling=sampling if sampling >= 0 else 0)
    elif kind == "WebP":
        picture.save(out, "WEBP", lossless=True, exact=True)
    else:
        picture.save(out, kept_format(kind))
    return out.getvalue()


def _stripped(kind: str, data: bytes) -> bytes | None:
    """The file with only those parts that decoding needs; None where it has to be written anew."""
    strip = _STRIPPERS.get(kind)
    try:
        return strip(data) if strip else None
    except (_DoubtError, struct.error, IndexError):
        return None


# JPEG (ITU-T T.81): tables, frames, scans; of the application's segments JFIF's and Adobe's, which tell the colours.
_JPEG_NEEDED = frozenset((*range(0xC0, 0xC8), *range(0xC9, 0xD0), 0xDA, 0xDB, 0xDC, 0xDD))
_JPEG_DROPPED = frozenset((*range(0xE0, 0xF0), 0xFE))
_JPEG_LINES = 0xDC
_AFTER_SCAN = re.compile(rb"\xff[^\0\xff\xd0-\xd7]")


def _bare_jpeg(data: bytes) -> bytes:
    out = [data[:2]]
    at, scans = 2, 0
    while True:
        while data[at : at + 2] == b"\xff\xff":
            at += 1
        if data[at] != 0xFF:
            raise _DoubtError
        marker = data[at + 1]
        if marker == 0xD9:
            if not scans:
                raise _DoubtError
            return b"".join([*out, b"\xff\xd9"])  # what lies behind is another picture, or a film
        (length,) = struct.unpack_from(">H", data, at + 2)
        segment = data[at : at + 2 + length]
        if length < 2 or len(segment) < 2 + length or marker not in _JPEG_NEEDED | _JPEG_DROPPED:
            raise _DoubtError
        if marker == _JPEG_LINES and length != 4:
            raise _DoubtError  # libjpeg passes over it, whatever it holds
        out.append(segment if marker in _JPEG_NEEDED else _jpeg_colours(marker, segment, out))
        at += len(segment)
        if marker == 0xDA:
            scans += 1
            end = _AFTER_SCAN.search(data, at)
            if not end:
                raise _DoubtError
            out.append(data[at : end.start()])
            at = end.start()


def _jpeg_colours(marker: int, segment: bytes, before: list[bytes]) -> bytes:
    """Of the application's segments what tells the colours: JFIF without its thumbnail, Adobe's transform."""
    if marker == 0xE0 and segment[4:9] == b"JFIF\0" and len(segment) >= 18:
        if any(one[:2] == b"\xff\xe0" for one in before):
            return b""
        return b"\xff\xe0\0\x10" + segment[4:16] + b"\0\0"
    if marker == 0xEE and segment[4:9] == b"Adobe" and len(segment) >= 16:
        return b"\xff\xee\0\x0e" + segment[4:16]
    return b""


# PNG (third edition): what changes pixels, and the frames of an animation; of other lengths it is written anew.
_PNG_PIXELS = frozenset(b"IHDR PLTE IDAT tRNS acTL fcTL fdAT".split())
_PNG_REPEATED = frozenset(b"IDAT fcTL fdAT".split())
_PNG_LENGTHS = {b"IHDR": 13, b"acTL": 8, b"fcTL": 26, b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"pHYs": 9, b"cICP": 4}
_PNG_LENGTHS_BY_COLOUR = {  # colour type → length
    b"tRNS": {0: 2, 2: 6},
    b"sBIT": {0: 1, 2: 3, 3: 3, 4: 2, 6: 4},
    b"bKGD": {0: 2, 2: 6, 3: 1, 4: 2, 6: 6},
}
_PNG_PALETTES = (2, 3, 6)  # colour types that may have one
_PNG_START, _PNG_END = b"\x89PNG\r\n\x1a\n", b"\0\0\0\0IEND\xaeB`\x82"


def _png_chunks(data: bytes, at: int) -> Iterator[tuple[bytes, bytes]]:
    """Name and whole bytes of the chunks from `at` until IEND."""
    name = b""
    while name != b"IEND":
        (length,) = struct.unpack_from(">I", data, at)
        name, end = data[at + 4 : at + 8], at + 12 + length
        if end > len(data):
            raise _DoubtError
        yield name, data[at:end]
        at = end


def _bare_png(data: bytes) -> bytes:
    """Chunks of lengths that the specification does not give have room for a text, and so have second ones."""
    out, taken = [data[:8]], {b"IEND": 0}
    colour, depth = data[25], data[24]
    for name, chunk in _png_chunks(data, 8):
        length, twice = len(chunk) - 12, name in taken and name not in _PNG_REPEATED
        if name == b"IEND":
            break
        if not twice and _is_png_length(name, length, colour, depth, taken.get(b"PLTE", 0)):
            taken[name] = length
            out.append(chunk)
        elif name in _PNG_PIXELS:
            raise _DoubtError
    return b"".join([*out, _PNG_END])


def _is_png_length(name: bytes, length: int, colour: int, depth: int, palette: int) -> bool:
    """Whether a chunk that may stay has this length; `palette` is that of PLTE."""
    if name == b"PLTE":
        most = 2**depth if colour == 3 else 256
        return colour in _PNG_PALETTES and length % 3 == 0 and 3 <= length <= 3 * most
    if name == b"tRNS" and colour == 3:
        return length <= palette // 3
    if name in _PNG_LENGTHS_BY_COLOUR:
        return length == _PNG_LENGTHS_BY_COLOUR[name].get(colour)
    return length == _PNG_LENGTHS[name] if name in _PNG_LENGTHS else name in _PNG_REPEATED


# WebP (RFC 9649).
_WEBP_NEEDED = (b"VP8 ", b"VP8L", b"ALPH", b"ANIM")
_WEBP_FRAME = 16  # bytes of an animation's frame before its own chunks
_WEBP_ANIM = 6  # bytes: the colour behind an animation, and how often it runs
_WEBP_FLAGS = 0x04 | 0x08 | 0x20  # XMP, EXIF, colour profile


def _bare_webp(data: bytes) -> bytes:
    whole = 8 + struct.unpack_from("<I", data, 4)[0]
    if whole > len(data):
        raise _DoubtError
    body = _webp_chunks(data[12:whole])
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def _webp_chunks(data: bytes) -> bytes:
    out = []
    at = 0
    while at < len(data):
        name, (length,) = data[at : at + 4], struct.unpack_from("<I", data, at + 4)
        content = data[at + 8 : at + 8 + length]
        if len(content) < length:
            raise _DoubtError
        at += 8 + length + length % 2
        if name == b"VP8X" and length == 10:
            content = bytes([content[0] & ~_WEBP_FLAGS]) + content[1:]
        elif name == b"ANMF" and length >= _WEBP_FRAME:
            content = content[:_WEBP_FRAME] + _webp_chunks(content[_WEBP_FRAME:])
        elif name not in _WEBP_NEEDED:
            continue
        elif name == b"ANIM" and length != _WEBP_ANIM:
            raise _DoubtError
        out.append(name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2))
    return b"".join(out)


# GIF (89a): of the extensions those that time an animation and make it go round.
_GIF_CONTROL, _GIF_APPLICATION = 0xF9, 0xFF
_GIF_CONTROL_BYTES = 8  # with its head and end
_GIF_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")


def _bare_gif(data: bytes) -> bytes:
    at = 13 + _gif_colours(data[10])
    out = [data[:at]]
    while data[at] != 0x3B:
        start = at
        if data[at] == 0x2C:
            at = _gif_blocks(data, at + 11 + _gif_colours(data[at + 9]))
            out.append(data[start:at])
        elif data[at] == 0x21:
            kind = data[at + 1]
            at = _gif_blocks(data, at + 2)
            loops = kind == _GIF_APPLICATION and data[start + 3 : start + 14] in _GIF_LOOPS and at - start <= 19
            if kind == _GIF_CONTROL and at - start != _GIF_CONTROL_BYTES:
                raise _DoubtError
            if kind == _GIF_CONTROL or loops:
                out.append(data[start:at])
        else:
            raise _DoubtError
    return b"".join([*out, b";"])


def _gif_colours(flags: int) -> int:
    """Bytes of the table of colours that these flags announce."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _gif_blocks(data: bytes, at: int) -> int:
    """The place behind the data blocks that begin at `at`."""
    while size := data[at]:
        at += 1 + size
    return at + 1


def _bare_bmp(data: bytes) -> bytes:
    """Only of plain pixels can be told that nothing else is there."""
    offset, head, width, height = struct.unpack_from("<IIii", data, 10)
    bits, packing = struct.unpack_from("<HI", data, 28)
    (colours,) = struct.unpack_from("<I", data, 46)
    table = 4 * (colours or (1 << bits if bits <= 8 else 0)) + (12 if packing == 3 and head == 40 else 0)
    end = offset + (width * bits + 31) // 32 * 4 * abs(height)
    if head not in (40, 108) or packing not in (0, 3) or offset != 14 + head + table or not end <= len(data) < end + 4:
        raise _DoubtError
    return data[:end]


_STRIPPERS = {"JPEG": _bare_jpeg, "PNG": _bare_png, "WebP": _bare_webp, "GIF": _bare_gif, "BMP": _bare_bmp}
