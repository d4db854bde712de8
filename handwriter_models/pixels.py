"""What pixel values mean: any mode of Pillow, any usual array or canvas value → an RGB picture on white.

Pillow's own `convert("RGB")` clips 16-bit grey to white, drops transparency (which shows arbitrary colour, mostly
black) and keeps a phone's picture on its side; here each of these is put right once.
It does not decode files and knows no limits (`images` does).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from io import BytesIO
from typing import Any

import numpy as np
from PIL import ExifTags, Image, ImageCms

from handwriter_models.errors import UserError

_WHITE = (255, 255, 255)
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_MANAGED = {"RGB": "RGB", "RGBA": "RGB", "CMYK": "CMYK"}  # colour modes, and what profiles call their colours
_LARGEST_PROFILE = 8 * 2**20  # bytes; those of presses have 3 MB
_SHAPES = "give (height, width), (height, width, 1), (height, width, 3) or (height, width, 4)"


class PictureError(UserError):
    """A picture that cannot be used: 400 damaged or empty, 413 too large, 415 not a format we read."""


class UnsupportedError(Exception):
    """A sound picture of a kind that is not read; `hint` is a way out better than to save it anew, or ""."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint


def rgb_from_picture(picture: Image.Image, managed: bool = True) -> Image.Image:
    """The decoded picture as RGB, turned as its EXIF says, transparency on white.

    Colours are converted to sRGB where the picture carries a profile (ICC.1), unless `managed` is false: hashes of
    brightness need no exact colours. The result carries no profile, so that nothing converts it again.
    """
    turn = _TURNS.get(_orientation(picture))
    flat = _flat(_in_srgb(picture) if managed and picture.info.get("icc_profile") else picture)
    flat.info.clear()  # or Pillow writes a comment or a profile of the file into the next one
    return flat.transpose(turn) if turn is not None else flat


def needs_conversion(picture: Image.Image) -> bool:
    """Whether EXIF or a colour profile makes the pixels of `rgb_from_picture` other ones than those in the file."""
    return _orientation(picture) in _TURNS or _to_srgb(picture)[1] is not None


def _in_srgb(picture: Image.Image) -> Image.Image:
    mode, transform = _to_srgb(picture)
    if transform is None:
        return picture
    try:
        return transform.apply(picture if picture.mode == mode else picture.convert(mode))
    except (ImageCms.PyCMSError, OSError, ValueError):  # the picture is whole, so it is not refused for that
        return picture


def _to_srgb(picture: Image.Image) -> tuple[str, ImageCms.ImageCmsTransform | None]:
    """Colour mode and transform; none of grey, nor where the profile is damaged, of sRGB or not for these colours."""
    profile = picture.info.get("icc_profile")
    mode = (
        "RGBA" if picture.has_transparency_data else "RGB" if picture.mode in ("P", "RGBX", "YCbCr") else picture.mode
    )
    if mode not in _MANAGED or not isinstance(profile, bytes) or len(profile) > _LARGEST_PROFILE:
        return mode, None
    try:
        return mode, _srgb_transform(profile, mode)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return mode, None


@lru_cache(maxsize=16)  # the pictures of a folder or a site share few profiles
def _srgb_transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The transform to sRGB as browsers make it; None where the profile describes sRGB, or other colours than these."""
    source = ImageCms.ImageCmsProfile(BytesIO(profile))
    described = source.profile.profile_description or ""
    if source.profile.xcolor_space.strip() != _MANAGED[mode] or described.startswith("sRGB"):
        return None
    output = "RGB" if mode == "CMYK" else mode
    return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, output)


def _orientation(picture: Image.Image) -> int:
    """1 to 8; 1 also where the EXIF block is damaged: the picture itself is whole, so it is not refused for that."""
    try:
        value = picture.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # parsing a hostile block ends in any of ten error types
        return 1
    return value if isinstance(value, int) else 1


def _flat(picture: Image.Image) -> Image.Image:
    if picture.mode == "RGB" and "transparency" not in picture.info:
        return picture.copy()
    if picture.mode.startswith("I") or picture.mode == "F":
        return _deep_grey(picture)
    if picture.has_transparency_data:
        return _on_white(picture.convert("RGBA"))
    if picture.mode not in ("1", "L", "P", "RGB", "RGBX", "CMYK", "YCbCr", "HSV"):
        raise PictureError(f"pictures of colour mode {picture.mode!r} are not read", "save it as RGB", 415)
    return picture.convert("RGB")


def _on_white(picture: Image.Image) -> Image.Image:
    """The colour under alpha 0 is arbitrary, so it must be mixed in by its alpha, never shown."""
    paper = Image.new("RGB", picture.size, _WHITE)
    paper.paste(picture, mask=picture.getchannel("A"))
    return paper


def _deep_grey(picture: Image.Image) -> Image.Image:
    """16 and 32-bit grey; a grey value named as transparent by the file becomes paper."""
    values = np.asarray(picture)
    grey = _eight_bits(values)
    clear = picture.info.get("transparency")
    if isinstance(clear, int):
        grey = np.where(values == clear, np.uint8(255), grey)
    return Image.fromarray(grey).convert("RGB")


def _eight_bits(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Values of any number type scaled to uint8: booleans and 0..1 floats by 255, 16-bit by 1/257, wider by range."""
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255)
    if values.dtype.newbyteorder("=") == np.uint16:
        return (values.astype(np.float32) / 257 + 0.5).astype(np.uint8)
    if values.dtype.kind not in "iuf":
        raise PictureError(
            f"a picture of number type {values.dtype} is not read", "give uint8 or floats from 0 to 1", 415
        )
    return _wide_to_eight_bits(values.astype(np.float64))


def _wide_to_eight_bits(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    low, high = float(values.min()), float(values.max())
    if not np.isfinite(low + high):
        raise PictureError("the picture holds values that are not numbers (NaN or infinite)", "replace them first", 400)
    if low < 0:
        values, top = values - low, (high - low) or 1.0
    else:
        top = next((top for top in (1.0, 255.0, 65535.0) if high <= top), high)
    return (values * (255 / top) + 0.5).astype(np.uint8)


def picture_from_array(array: np.ndarray[Any, Any]) -> Image.Image:
    """A grey, RGB or RGBA picture; raises `PictureError` on other shapes and number types."""
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        raise PictureError(f"an array of shape {array.shape} is not a picture", _SHAPES, 400)
    if 0 in array.shape:
        raise PictureError(f"a picture of shape {array.shape} has no pixels", _SHAPES, 400)
    return Image.fromarray(np.ascontiguousarray(_eight_bits(array)))


def canvas_parts(canvas: Mapping[str, Any]) -> list[Any]:
    """The pictures of a Gradio editor value to lay over each other, lowest first: its composite, or all its layers."""
    composite = canvas.get("composite")
    if composite is not None:
        return [composite]
    layers = canvas.get("layers") or []
    parts = [canvas.get("background"), *(layers if isinstance(layers, list | tuple) else [layers])]
    return [part for part in parts if part is not None]
