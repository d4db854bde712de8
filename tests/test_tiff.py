"""TIFF of every number, depth, order and meaning of samples: the right pixels, or refused as not supported."""

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from handwriter_models.images import PictureError, read_picture, sound_picture
from tests.pictures import SEVEN, encoded
from tests.test_jpeg_frames import in_child
from tests.tiff_files import packed, tiff_of

HEIGHT, WIDTH = 12, 16
RAMP = np.linspace(0, 1, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH)
COLOURS = np.stack([RAMP, RAMP[::-1], np.full((HEIGHT, WIDTH), 0.25)], -1)
INKS = np.concatenate([1 - COLOURS, np.zeros((HEIGHT, WIDTH, 1))], -1)
HALF = np.full((HEIGHT, WIDTH, 1), 0.5)
Case = tuple[str, bytes, np.ndarray]


def samples(values: np.ndarray, bits: int, order: str) -> bytes:
    whole = np.round(values * (2**bits - 1)).astype(np.uint64)
    return whole.astype(f"{order}u{bits // 8}").tobytes() if bits in (16, 32) else packed(whole, bits)


def written(strips: list[bytes], tags: dict, order: str, compressed: bool) -> bytes:
    if compressed:
        strips, tags = [zlib.compress(strip) for strip in strips], {**tags, 259: 8}
    return tiff_of((WIDTH, HEIGHT), strips, tags, order)


def unsigned(order: str, compressed: bool) -> Iterator[Case]:
    for bits in (1, 2, 4, 6, 8, 10, 12, 14, 16, 32):
        steps = np.round(RAMP * (2**bits - 1)) / (2**bits - 1)
        for photometric in (0, 1):
            strip = samples(steps if photometric else 1 - steps, bits, order)
            tags = {258: bits, 262: photometric, 277: 1}
            yield f"grey {bits} {photometric}", written([strip], tags, order, compressed), steps
    for bits in (8, 12, 16, 32):
        clear = np.concatenate([COLOURS, HALF], -1)
        half, over = np.concatenate([COLOURS * 0.5, HALF], -1), COLOURS * 0.5 + 0.5
        grey = np.concatenate([RAMP[..., None], HALF], -1)
        for name, values, tags, truth in (
            ("rgb", COLOURS, {262: 2}, COLOURS),
            ("cmyk", INKS, {262: 5}, COLOURS),
            ("rgbx", clear, {262: 2, 338: 0}, COLOURS),
            ("rgba of mixed colours", half, {262: 2, 338: 1}, over),
            ("rgba", clear, {262: 2, 338: 2}, over),
            ("grey and alpha", grey, {262: 1, 338: 2}, RAMP * 0.5 + 0.5),
        ):
            count = values.shape[2]
            known = {258: (bits,) * count, 277: count, **tags}
            yield f"{name} {bits}", written([samples(values, bits, order)], known, order, compressed), truth
            planes = [samples(values[..., number], bits, order) for number in range(count)]
            yield f"{name} {bits} in planes", written(planes, {**known, 284: 2}, order, compressed), truth


def signed_and_floating(order: str, compressed: bool) -> Iterator[Case]:
    for number_type, meaning in (("i1", 2), ("i2", 2), ("i4", 2), ("f2", 3), ("f4", 3), ("f8", 3)):
        bits = int(number_type[1]) * 8
        for photometric in (0, 1):
            values = RAMP if photometric else 1 - RAMP
            values = values if meaning == 3 else np.round(values * (2**bits - 1)) - 2 ** (bits - 1)
            tags = {258: bits, 262: photometric, 277: 1, 339: meaning}
            strip = values.astype(order + number_type).tobytes()
            yield f"{number_type} {photometric}", written([strip], tags, order, compressed), RAMP


def colour_maps(order: str, compressed: bool) -> Iterator[Case]:
    for bits in (1, 2, 4, 8, 16):
        count = 2**bits
        places = np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH) % min(count, 200)
        colours = np.zeros((3, count))
        ramp = np.round(np.linspace(0, 255, min(count, 256)))
        colours[:, : len(ramp)] = ramp, ramp[::-1], np.full(len(ramp), 60)
        for factor in (257, 256, 1):
            table = tuple(int(value) for value in (colours * factor).ravel())
            strip = samples(places / (count - 1), bits, order)
            tags = {258: bits, 262: 3, 277: 1, 320: table}
            yield (
                f"map {bits} {factor}",
                written([strip], tags, order, compressed),
                colours[:, places].transpose(1, 2, 0) / 255,
            )


def read_or_refused(data: bytes) -> np.ndarray | None:
    """The pixels; None where the kind is refused as not supported, and an error where it is called anything else."""
    try:
        return np.asarray(read_picture(data), float)
    except PictureError as error:
        if error.status == 415 and "not supported: TIFF" in error.what:
            return None
        raise


MUST_READ = {
    *(f"grey {bits} 1" for bits in (1, 2, 4, 8, 16)),
    *(f"{name} {bits}" for name in ("rgb", "cmyk", "rgbx", "rgba") for bits in (8, 16)),
    *(f"{name} {bits} in planes" for name in ("rgb", "cmyk") for bits in (8, 16)),
    *(f"map {bits} {factor}" for bits in (1, 2, 4, 8) for factor in (257, 256, 1)),
    "f4 0",
    "f4 1",
}


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "deflated"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("cases", [unsigned, signed_and_floating, colour_maps])
def test_pixels_are_right_or_the_kind_is_refused(cases, order: str, compressed: bool) -> None:
    read = set()
    for name, data, truth in cases(order, compressed):
        truth = np.round((truth if truth.ndim == 3 else truth[..., None].repeat(3, 2)) * 255)
        pixels = read_or_refused(data)
        if pixels is not None:
            assert np.abs(pixels - truth).max() <= 3, name
            read.add(name)
    everything = {name for name, _, _ in cases(order, compressed)}
    assert MUST_READ & everything <= read


def test_deep_grey_of_twelve_bits_is_as_bright_as_it_was_written() -> None:
    data = tiff_of((WIDTH, HEIGHT), [samples(RAMP, 12, "<")], {258: 12, 262: 1, 277: 1})
    assert np.asarray(read_picture(data)).max() == 255


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("photometric", [0, 1])
def test_fewer_bits_in_sixteen_are_as_bright_as_they_were_written(
    order: str, compressed: bool, photometric: int
) -> None:
    for bits in (8, 10, 12, 14):
        values = np.round((RAMP if photometric else 1 - RAMP) * (2**bits - 1)).astype(f"{order}u2")
        tags = {258: 16, 262: photometric, 277: 1, 281: 2**bits - 1}
        pixels = read_or_refused(written([values.tobytes()], tags, order, compressed))
        assert (pixels is None) == (order == ">" and not photometric), "inverted big-endian is refused at any depth"
        assert pixels is None or np.abs(pixels[..., 0] - RAMP * 255).max() <= 2, bits


def test_a_greatest_sample_that_tells_no_depth_changes_nothing() -> None:
    """It is a statistic in the specification: a dark picture may say how dark it is."""
    dark = np.round(RAMP * 20_000).astype("<u2")
    plain = {258: 16, 262: 1, 277: 1}
    for values, most in ((dark, 20_000), (dark, 4095), (dark, 65535), (dark, 0)):
        with_tag, without = (tiff_of((WIDTH, HEIGHT), [values.tobytes()], one) for one in ({**plain, 281: most}, plain))
        assert np.array_equal(read_picture(with_tag), read_picture(without)), most


def test_colours_of_twelve_bits_in_sixteen_are_refused_by_name() -> None:
    tags = {258: (16,) * 3, 262: 2, 277: 3, 281: (4095,) * 3}
    values = np.round(COLOURS * 4095).astype("<u2")
    with pytest.raises(PictureError, match="not supported: TIFF with colours of 12 bits in 16") as caught:
        read_picture(tiff_of((WIDTH, HEIGHT), [values.tobytes()], tags))
    assert caught.value.status == 415
    for most in (4095, 65535):
        full = np.round(COLOURS * 65535).astype("<u2").tobytes()
        pixels = np.asarray(read_picture(tiff_of((WIDTH, HEIGHT), [full], {**tags, 281: (most,) * 3})), float)
        assert np.abs(pixels - COLOURS * 255).max() <= 2


def test_uncompressed_brightness_and_colour_differences_are_read() -> None:
    colours = Image.fromarray(np.round(COLOURS * 255).astype(np.uint8))
    data = tiff_of((WIDTH, HEIGHT), [colours.convert("YCbCr").tobytes()], {258: (8, 8, 8), 262: 6, 277: 3, 530: (1, 1)})
    assert np.abs(np.asarray(read_picture(data), int) - np.asarray(colours, int)).max() <= 3


@pytest.mark.parametrize("order", ["<", ">"])
def test_large_tiff_is_read_or_named(order: str) -> None:
    data = tiff_of((WIDTH, HEIGHT), [samples(RAMP, 8, order)], {258: 8, 262: 1, 277: 1}, order, big=True)
    if order == "<":
        assert read_picture(data).size == (WIDTH, HEIGHT)
    else:
        with pytest.raises(PictureError, match="not supported: BigTIFF in big-endian") as caught:
            sound_picture(data)
        assert caught.value.status == 415


@pytest.mark.parametrize("compression", [9, 32766, 34712, 34887, 50001, 50002, 50013, 65000])
def test_unknown_compression_is_named_and_not_called_damage(compression: int) -> None:
    data = tiff_of((WIDTH, HEIGHT), [samples(RAMP, 8, "<")], {258: 8, 262: 1, 277: 1, 259: compression})
    with pytest.raises(PictureError, match=f"not supported: TIFF of compression {compression}") as caught:
        sound_picture(data)
    assert caught.value.status == 415
    assert "PNG" in caught.value.hint


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "jpeg", "lzma"])
def test_a_tiff_cut_off_is_still_called_damaged(compression: str) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (60, 70, 3), np.uint8))
    data = encoded(noise, "TIFF", compression=compression)
    middle = data[:8] + bytes(len(data) // 3) + data[8 + len(data) // 3 :] if compression != "raw" else data[:-6000]
    with pytest.raises(PictureError, match="damaged") as caught:
        read_picture(middle)
    assert caught.value.status == 400


BROKEN = """
import sys
import numpy as np
from PIL import Image
from handwriter_models.images import PictureError, read_picture
from tests.pictures import encoded
noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (200, 200), np.uint8))
refused = 0
for kind, picture in (("group4", noise.convert("1")), ("tiff_lzw", noise), ("tiff_adobe_deflate", noise)):
    whole = encoded(picture, "TIFF", compression=kind)
    for place in range(9, len(whole), 401):
        broken = bytearray(whole)
        broken[place : place + 5] = b"\\xff\\x00\\xaa\\x01\\x55"
        try:
            read_picture(bytes(broken))
        except PictureError:
            refused += 1
print(refused)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="libtiff is built into Pillow there")
def test_a_broken_tiff_says_nothing_on_standard_error() -> None:
    done = in_child("-c", BROKEN)
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) > 10


def test_camera_raw_in_a_tiff_is_not_taken_for_its_thumbnail() -> None:
    for more in ({50706: (1, 4)}, {254: 1, 330: ("I", (8,))}):
        data = tiff_of((WIDTH, HEIGHT), [samples(RAMP, 8, "<")], {258: 8, 262: 1, 277: 1, **more})
        with pytest.raises(PictureError, match="not supported: camera raw"):
            read_picture(data)


def bitmap(bits: int, compression: int, masks: tuple[int, ...] = ()) -> bytes:
    head = struct.pack("<IiiHHIIiiII", 40, 4, 4, 1, bits, compression, 64, 0, 0, 0, 0)
    head += b"".join(mask.to_bytes(4, "little") for mask in masks)
    return b"BM" + struct.pack("<IxxxxI", 14 + len(head) + 256, 14 + len(head)) + head + bytes(256)


@pytest.mark.parametrize(
    "data",
    [
        bitmap(16, 3, (0xF00, 0xF0, 0xF)),
        bitmap(32, 3, (0x3FF00000, 0xFFC00, 0x3FF)),
        bitmap(24, 4),
        bitmap(24, 5),
        bitmap(2, 0),
        bitmap(64, 0),
    ],
    ids=["masks of 4 bits", "masks of 10 bits", "JPEG inside", "PNG inside", "2 bits", "64 bits"],
)
def test_sound_bitmaps_that_are_not_read_are_not_called_damaged(data: bytes) -> None:
    with pytest.raises(PictureError, match="not supported: BMP") as caught:
        sound_picture(data)
    assert caught.value.status == 415


def test_ordinary_bitmaps_are_read() -> None:
    for data in (
        bitmap(24, 0),
        bitmap(32, 0),
        bitmap(16, 0),
        encoded(SEVEN, "BMP"),
        encoded(SEVEN.convert("P"), "BMP"),
    ):
        assert sound_picture(data)[0] == "BMP"
