"""TIFF: what Pillow reads rightly, what it is made to read rightly, and what is refused as not supported.

Pillow does not tell a damaged file from one of a kind that it does not know, and shows some kinds with wrong pixels:
grey of 12 bits sixteen times too dark (also where MaxSampleValue tells that 12 of 16 are used), colours of 16 bits in
planes as noise, colour maps of 8 bits as black, deep grey inverted where white is zero. All are told by their tags.
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image, ImageFile, TiffImagePlugin

from handwriter_models.pixels import UnsupportedError

_BITS, _COMPRESSION, _PHOTOMETRIC, _PLANAR, _COLOUR_MAP, _SAMPLE_FORMAT = 258, 259, 262, 284, 320, 339
_MOST = 281
_SUBFILE, _SUB_IFDS, _DNG_VERSION = 254, 330, 50706
_WHITE_IS_ZERO, _YCBCR = 0, 6
_UNKNOWN = (
    "unknown pixel mode",
    "unknown data organization",
    "unknown raw mode",
    "Invalid value for samples per pixel",
    "string index out of range",  # planes of more samples than the mode has
    "Windows Media Photo",
)
_NATIVE = {"I;16BS": "I;16NS", "I;16S": "I;16NS", "I;32BS": "I;32NS", "I;32S": "I;32NS", "F;32BF": "F;32NF"}
# Where one of these fails to decode, the file is damaged; the others fail with kinds of theirs that libtiff lacks.
_RELIABLE = frozenset((1, 2, 3, 4, 5, 7, 8, 32773, 32946, 34925, 50000))


def open_tiff(file: BytesIO, name: str) -> TiffImagePlugin.TiffImageFile:
    """The first page with its tags read; raises `UnsupportedError`, or anything where it is damaged."""
    if file.getvalue()[:4] == b"MM\0+":
        raise UnsupportedError("BigTIFF in big-endian byte order")
    try:
        picture = TiffImagePlugin.TiffImageFile(file, name)
    except (SyntaxError, OSError) as error:
        if str(error).isdigit():  # a key that Pillow's table lacks
            raise UnsupportedError(f"TIFF of compression {error}") from error
        if str(error).startswith(_UNKNOWN):
            raise UnsupportedError("TIFF of this number, depth or meaning of samples") from error
        raise
    tags = picture.tag_v2
    if _DNG_VERSION in tags or (tags.get(_SUBFILE) == 1 and _SUB_IFDS in tags):
        raise UnsupportedError("camera raw")
    if picture.mode == "LA" and tags.get(_PLANAR) == 2:
        raise UnsupportedError("TIFF of grey and alpha in planes")
    _take_native_order(picture)
    planar = tags.get(_PLANAR) == 2 and len(picture.getbands()) > 1
    if tags.get(_COMPRESSION, 1) == 1 and (planar or tags.get(_PHOTOMETRIC) == _YCBCR):
        _decode_by_libtiff(picture)
    return picture


def _take_native_order(picture: TiffImagePlugin.TiffImageFile) -> None:
    """What libtiff decodes is in this machine's byte order; Pillow minds that for unsigned samples alone."""
    if picture.tile and picture.tile[0][0] == "libtiff":
        raw_mode, *others = tuple(picture.tile[0].args or ())
        picture.tile = [picture.tile[0]._replace(args=(_NATIVE.get(raw_mode, raw_mode), *others))]


def _decode_by_libtiff(picture: TiffImagePlugin.TiffImageFile) -> None:
    """Pillow's own reader takes the planes of 16-bit samples for bytes, and YCbCr for RGB; libtiff does neither."""
    raw_mode = picture.mode + (";16N" if max(picture.tag_v2.get(_BITS, (8,))) == 16 else "")
    if picture.tag_v2.get(_PHOTOMETRIC) == _YCBCR:
        raw_mode = "RGBX"
    args = (raw_mode, "raw", False, picture.tag_v2.offset)
    picture.tile = [ImageFile._Tile("libtiff", (0, 0, *picture._tile_size), 0, args)]
    picture.use_load_libtiff = True


def load_tiff(picture: TiffImagePlugin.TiffImageFile) -> Image.Image:
    """The page decoded, with its pixels as its tags mean them; raises as `open_tiff` does."""
    tags = picture.tag_v2
    compression, bits = tags.get(_COMPRESSION, 1), tags.get(_BITS, (1,))
    try:
        picture.load()
    except OSError as error:
        if compression not in _RELIABLE or (compression == 7 and set(bits) != {8}):
            raise UnsupportedError(f"TIFF of compression {compression} with {bits[0]} bits a sample") from error
        raise
    if picture.mode == "P":
        _widen_colour_map(picture)
    if len(picture.getbands()) > 1 or bits[0] < 8 or picture.mode == "P":
        _refuse_few_bits(picture, bits, tags.get(_MOST))
        return picture
    values = given = np.asarray(picture)
    if bits[0] == 16 and tags.get(_SAMPLE_FORMAT, (1,))[0] == 1:
        values = _full_range(values, tags.get(_MOST))
    meant = _meant(values, bits[0], tags.get(_SAMPLE_FORMAT, (1,))[0], tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO)
    return picture if meant is given else _like(picture, meant)


def _bits_used(most: object) -> int:
    """Of 16: the number that MaxSampleValue names; 16 for what is no such number, as a mere count of the brightest."""
    values = set(most) if isinstance(most, tuple) else {most}
    known = {2**bits - 1: bits for bits in range(8, 16)}
    return known.get(values.pop(), 16) if len(values) == 1 else 16


def _full_range(values: np.ndarray, most: object) -> np.ndarray:
    """Grey of 8 to 15 bits that was written with 16, spread over all 16; the same array where it has them."""
    highest = 2 ** _bits_used(most) - 1
    if highest == 65535 or values.dtype.itemsize != 2 or values.max() > highest:
        return values
    spread: np.ndarray = (values.astype(np.uint32) * 65535 // highest).astype(np.uint16)
    return spread


def _refuse_few_bits(picture: Image.Image, bits: tuple[int, ...], most: object) -> None:
    """Of colours of 16 bits Pillow keeps the upper eight, in which little of 12 bits is left."""
    used = _bits_used(most)
    if set(bits) != {16} or used == 16 or picture.mode not in ("RGB", "RGBA", "RGBX", "CMYK", "LA"):
        return
    colours = picture.getbands()[:-1] if picture.mode in ("RGBA", "LA") else picture.getbands()
    if all(picture.getchannel(band).getextrema()[1] < 2 ** (used - 8) for band in colours):
        raise UnsupportedError(f"TIFF with colours of {used} bits in 16")


def _meant(values: np.ndarray, bits: int, sample_format: int, white_is_zero: bool) -> np.ndarray:
    """One channel's values as its tags mean them; the same array where Pillow's are right."""
    if bits == 12:
        values = (values.astype(np.uint32) * 65535 // 4095).astype(np.uint16)
    elif bits == 8 and sample_format == 2:
        values = values ^ np.uint8(128)  # signed: Pillow shows its bytes as if they were not
    elif bits == 32 and sample_format == 1:
        values = values.view(np.uint32) if values.dtype == np.int32 else values
        values = (values >> 16).astype(np.uint16) if values.max() > 2**31 - 1 else values
    if white_is_zero and values.dtype.kind == "u" and values.dtype.itemsize == 2:
        values = 65535 - values
    elif white_is_zero and values.dtype.kind == "f":
        with np.errstate(invalid="ignore"):  # infinite ones are refused when they are scaled
            values = values.max() - values
    return values


def _like(picture: Image.Image, values: np.ndarray) -> Image.Image:
    new = Image.fromarray(values.astype(np.int32) if values.dtype == np.uint32 else values)
    new.info = picture.info
    return new


def _widen_colour_map(picture: TiffImagePlugin.TiffImageFile) -> None:
    """A colour map of values below 256 was written with 8 bits: Pillow takes its high bytes, which are zero."""
    colours = picture.tag_v2.get(_COLOUR_MAP, ())
    if colours and max(colours) < 256:
        count = len(colours) // 3
        picture.putpalette([colours[band * count + place] for place in range(count) for band in range(3)])
