"""Modes, depths, transparency and turned pictures all come out as the same RGB picture on white."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image

from handwriter_models.images import PictureError, read_picture
from tests.pictures import HALF_CLEAR, SEVEN, encoded, mean_difference, png_of


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_exif_orientation_is_applied_once(kind: str, orientation: int) -> None:
    upright = SEVEN.crop((0, 0, 120, 80))
    T = Image.Transpose
    stored_by = {2: T.FLIP_LEFT_RIGHT, 3: T.ROTATE_180, 4: T.FLIP_TOP_BOTTOM, 5: T.TRANSPOSE}
    stored_by |= {6: T.ROTATE_90, 7: T.TRANSVERSE, 8: T.ROTATE_270}
    stored = upright.transpose(stored_by[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert mean_difference(read_picture(encoded(stored, kind, exif=exif)), upright) < 3


def test_damaged_exif_does_not_refuse_a_whole_picture() -> None:
    data = encoded(SEVEN, "PNG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff garbage")
    assert read_picture(data).size == SEVEN.size


def test_colour_under_alpha_zero_is_never_shown() -> None:
    for kind in ("PNG", "WEBP", "TIFF"):
        options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
        pixels = np.asarray(read_picture(encoded(HALF_CLEAR, kind, **options)))
        assert (pixels[:, :10] == 255).all()
        assert (pixels[:, 10:] == 0).all()


def test_half_transparent_ink_is_mixed_with_white() -> None:
    grey = read_picture(Image.new("RGBA", (4, 4), (0, 0, 0, 128)))
    assert grey.getpixel((0, 0)) == (127, 127, 127)


def test_palette_with_transparency_shows_paper() -> None:
    palette = Image.new("P", (20, 10), 1)
    palette.putpalette([10, 200, 10, 0, 0, 0, 90, 90, 90])
    palette.paste(0, (0, 0, 10, 10))
    for kind, transparency in (("PNG", b"\x00\xff\xff"), ("PNG", 0), ("GIF", 0)):
        pixels = np.asarray(read_picture(encoded(palette, kind, transparency=transparency)))
        assert (pixels[:, :10] == 255).all()
        assert (pixels[:, 10:] == 0).all()


def test_grey_with_alpha_and_one_bit_pictures_are_read() -> None:
    assert read_picture(Image.new("LA", (3, 3), (0, 0))).getpixel((1, 1)) == (255, 255, 255)
    one_bit = read_picture(encoded(SEVEN.convert("1"), "TIFF", compression="group4"))
    assert mean_difference(one_bit, SEVEN) < 3


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_scaled_not_clipped(kind: str) -> None:
    ramp = np.linspace(0, 65535, 256).round().astype(np.uint16).reshape(16, 16)
    pixels = np.asarray(read_picture(encoded(Image.fromarray(ramp), kind)))
    assert np.abs(pixels[..., 0].ravel().astype(int) - np.arange(256)).max() <= 1
    assert np.asarray(read_picture(ramp)).max() == 255


def test_transparent_value_of_sixteen_bit_grey_is_paper() -> None:
    rows = b"\x00" + struct.pack(">4H", 0, 1000, 30000, 65535)
    clear = (b"tRNS", struct.pack(">H", 1000))
    pixels = np.asarray(read_picture(png_of(4, 1, 16, 0, rows, clear)))[0, :, 0]
    assert pixels.tolist() == [0, 255, 117, 255]


def test_sixteen_bit_colour_with_a_transparent_value_is_read() -> None:
    rows = b"\x00" + struct.pack(">6H", 65535, 0, 0, 0, 0, 65535)
    clear = (b"tRNS", struct.pack(">3H", 65535, 0, 0))
    assert read_picture(png_of(2, 1, 16, 2, rows, clear)).getpixel((1, 0)) == (0, 0, 255)


def test_cmyk_jpeg_is_not_inverted() -> None:
    picture = read_picture(encoded(SEVEN.convert("CMYK"), "JPEG", quality=95))
    assert mean_difference(picture, SEVEN) < 3


def test_float_and_wide_integer_pictures_are_scaled_by_their_range() -> None:
    for top, kind in ((1.0, np.float32), (255.0, np.float64), (65535, np.int32), (10**6, np.int32)):
        values = np.array([[0, top / 2, top]]).astype(kind)
        assert np.asarray(read_picture(values))[0, :, 0].tolist() == pytest.approx([0, 127.5, 255], abs=1)
    assert np.asarray(read_picture(np.array([[-1.0, 0.0, 1.0]])))[0, :, 0].tolist() == [0, 128, 255]


def test_the_given_picture_stays_as_it_is() -> None:
    picture = HALF_CLEAR.copy()
    read_picture(picture).putpixel((0, 0), (1, 2, 3))
    assert picture.mode == "RGBA"
    plain = SEVEN.copy()
    read_picture(plain).putpixel((0, 0), (1, 2, 3))
    assert plain.getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize(
    "array",
    [np.zeros(9, np.uint8), np.zeros((2, 3, 4, 5), np.uint8), np.zeros((4, 4, 2), np.uint8), np.array(5)],
)
def test_array_of_a_wrong_shape_is_refused(array: np.ndarray) -> None:
    with pytest.raises(PictureError, match=r"shape|dimensions"):
        read_picture(array)


def test_array_without_numbers_is_refused() -> None:
    for array in (np.array([[np.nan, 1.0]]), np.array([[np.inf, 1.0]])):
        with pytest.raises(PictureError, match="not numbers"):
            read_picture(array)
    for array in (np.array([["a", "b"]]), np.array([[1 + 2j]]), np.array([[None, 3]])):
        with pytest.raises(PictureError, match="number type"):
            read_picture(array)
