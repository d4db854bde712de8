"""The table of formats of docs/curation.md, measured: ours beside Pillow and OpenCV as most programs call them.

`python -m tests.format_table` prints it.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from handwriter_models.images import PictureError, read_picture
from tests.icc_profiles import ADOBE_RGB, DISPLAY_P3, in_srgb, screen_profile
from tests.jpeg_files import lossless_jpeg
from tests.pictures import encoded
from tests.test_more_formats import photoshop
from tests.test_tiff import COLOURS, HALF, HEIGHT, RAMP, WIDTH, samples
from tests.tiff_files import tiff_of

Pixels = npt.NDArray[np.float64]
SIZE = (WIDTH * 4, HEIGHT * 4)
SMOOTH = Image.fromarray(np.round(COLOURS * 255).astype(np.uint8)).resize(SIZE, Image.Resampling.BICUBIC)
GREY = np.repeat(RAMP[..., None], 3, 2) * 255
CLEAR = Image.merge("RGBA", (*SMOOTH.split(), Image.new("L", SIZE, 128)))
TURNED = Image.Exif()
TURNED[0x0112] = 6


def _array(picture: Image.Image) -> Pixels:
    return np.asarray(picture, np.float64)


def _tiff(strips: list[bytes], tags: dict[int, object], order: str = "<", big: bool = False) -> bytes:
    return tiff_of((WIDTH, HEIGHT), strips, tags, order, big)


def _profiled(primaries: npt.NDArray[np.float64]) -> tuple[bytes, Pixels]:
    colour = (200, 60, 40)
    picture = Image.new("RGB", SIZE, colour)
    wanted = np.broadcast_to(in_srgb(colour, primaries, 563 / 256), (SIZE[1], SIZE[0], 3))
    return encoded(picture, "PNG", icc_profile=screen_profile(primaries, 2.2)), wanted


def inputs() -> dict[str, tuple[bytes, Pixels]]:
    """What each line of the table is measured on: the file, and the pixels it means."""
    smooth, planes = _array(SMOOTH), [samples(COLOURS[..., number], 16, "<") for number in range(3)]
    half, rgb = _array(SMOOTH) * 0.5 + 127.5, np.round(COLOURS * 255)
    ramp = np.round(np.linspace(0, 255, 256)).astype(int)
    table = (*ramp.tolist(), *ramp[::-1].tolist(), *([60] * 256))
    places = np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH)
    mapped = np.stack([ramp[places], ramp[::-1][places], np.full_like(places, 60)], -1).astype(np.float64)
    deep = samples(RAMP, 16, "<")
    quality = {"quality": 100, "subsampling": 0}
    sized = {"sizes": [SIZE]}
    with_alpha = np.concatenate([COLOURS, HALF], -1)
    return {
        "JPEG": (encoded(SMOOTH, "JPEG", **quality), smooth),
        "JPEG, progressive": (encoded(SMOOTH, "JPEG", progressive=True, **quality), smooth),
        "JPEG, turned by EXIF": (encoded(SMOOTH, "JPEG", exif=TURNED, **quality), np.rot90(smooth, -1)),
        "JPEG, CMYK": (encoded(SMOOTH.convert("CMYK"), "JPEG", **quality), smooth),
        "JPEG, lossless": (lossless_jpeg(np.asarray(SMOOTH)), smooth),
        "JPEG, lossless, 16 bits": (lossless_jpeg(np.asarray(SMOOTH), bits=16), smooth),
        "MPO": (encoded(SMOOTH, "MPO", **quality), smooth),
        "PNG": (encoded(SMOOTH, "PNG"), smooth),
        "PNG with alpha": (encoded(CLEAR, "PNG"), half),
        "PNG, grey of 16 bits": (encoded(Image.fromarray(np.round(RAMP * 65535).astype(np.uint16)), "PNG"), GREY),
        "PNG in Display P3": _profiled(DISPLAY_P3),
        "PNG in Adobe RGB": _profiled(ADOBE_RGB),
        "WebP": (encoded(SMOOTH, "WEBP", lossless=True), smooth),
        "GIF": (encoded(SMOOTH.quantize(200), "GIF"), _array(SMOOTH.quantize(200).convert("RGB"))),
        "BMP": (encoded(SMOOTH, "BMP"), smooth),
        "AVIF": (encoded(SMOOTH, "AVIF", quality=100, subsampling="4:4:4"), smooth),
        "JPEG 2000": (encoded(SMOOTH, "JPEG2000"), smooth),
        "PNM": (encoded(SMOOTH, "PPM"), smooth),
        "TGA": (encoded(SMOOTH, "TGA"), smooth),
        "ICO": (encoded(SMOOTH, "ICO", **sized), smooth),
        "PSD": (photoshop(SMOOTH), smooth),
        "TIFF": (encoded(SMOOTH, "TIFF", compression="tiff_lzw"), smooth),
        "TIFF, grey of 12 bits": (_tiff([samples(RAMP, 12, "<")], {258: 12, 262: 1, 277: 1}), GREY),
        "TIFF, grey of 16 bits": (_tiff([deep], {258: 16, 262: 1, 277: 1}), GREY),
        "TIFF, grey of 16 bits, white is zero": (_tiff([deep], {258: 16, 262: 0, 277: 1}), 255 - GREY),
        "TIFF, RGB of 16 bits in planes": (_tiff(planes, {258: (16,) * 3, 262: 2, 277: 3, 284: 2}), rgb),
        "TIFF, RGB of 12 bits": (_tiff([samples(COLOURS, 12, "<")], {258: (12,) * 3, 262: 2, 277: 3}), rgb),
        "TIFF, RGB of 32 bits": (_tiff([samples(COLOURS, 32, "<")], {258: (32,) * 3, 262: 2, 277: 3}), rgb),
        "TIFF, RGB with alpha": (
            _tiff([samples(with_alpha, 8, "<")], {258: (8,) * 4, 262: 2, 277: 4, 338: 2}),
            COLOURS * 127.5 + 127.5,
        ),
        "TIFF, colour map of 8 bits": (
            _tiff([places.astype(np.uint8).tobytes()], {258: 8, 262: 3, 277: 1, 320: table}),
            mapped,
        ),
        "BigTIFF": (_tiff([samples(RAMP, 8, "<")], {258: 8, 262: 1, 277: 1}, big=True), GREY),
        "BigTIFF, big-endian": (_tiff([samples(RAMP, 8, ">")], {258: 8, 262: 1, 277: 1}, ">", big=True), GREY),
        "QOI": (encoded(SMOOTH, "QOI"), smooth),
        "PCX": (encoded(SMOOTH, "PCX"), smooth),
    }


def by_us(data: bytes) -> Pixels | str:
    """Ours: pixels, or how it is refused."""
    try:
        return _array(read_picture(data))
    except PictureError as error:
        return "not supported" if "not supported" in error.what else "damaged"


def by_pillow(data: bytes) -> Pixels | str:
    """`Image.open(file).convert("RGB")`."""
    try:
        return _array(Image.open(BytesIO(data)).convert("RGB"))
    except Exception:  # of any kind, as Pillow has no common one
        return "error"


def by_opencv(data: bytes) -> Pixels | str:
    """`cv2.imdecode(data, cv2.IMREAD_COLOR)`."""
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return "error"
    return "error" if pixels is None else pixels[..., ::-1].astype(np.float64)


def verdict(pixels: Pixels | str, truth: Pixels) -> str:
    """ "read" where no pixel is further than 6 of 255 from what the file means."""
    if isinstance(pixels, str):
        return pixels
    return "read" if pixels.shape == truth.shape and np.abs(pixels - truth).max() <= 6 else "wrong"


READERS: tuple[Callable[[bytes], Pixels | str], ...] = (by_us, by_pillow, by_opencv)


def table() -> list[str]:
    """The lines of the table in Markdown."""
    lines = ["| file | here | Pillow | OpenCV |", "|---|---|---|---|"]
    for name, (data, truth) in inputs().items():
        verdicts = (verdict(read(data), truth) for read in READERS)
        lines.append(f"| {name} | {' | '.join(verdicts)} |")
    return lines


if __name__ == "__main__":
    print("\n".join(table()))
