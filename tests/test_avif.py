"""An AVIF costs what its size allows, whatever its boxes declare: its frames are measured before it is opened."""

from __future__ import annotations

import time
from functools import partial

import pytest
from PIL import Image

from handwriter_models.avif import coded_sizes
from handwriter_models.images import Limits, PictureError, read_picture, reduced_picture, sound_picture
from tests.avif_files import Coded, container, declaring, grid, still, wide_frame, with_many_items
from tests.pictures import HALF_CLEAR, SEVEN, encoded, mean_difference
from tests.test_jpeg_frames import in_child

LARGE = Image.linear_gradient("L").convert("RGB").resize((640, 640))
SMALL = LARGE.resize((64, 64))
USUAL, LIMITS = Limits(), Limits(pixels=400_000)  # LARGE has more
ANIMATION = encoded(LARGE, "AVIF", speed=10, save_all=True, append_images=[SMALL.resize(LARGE.size)] * 9)
ZEROS = b"\x08\x04" + bytes(7) + b"\x02" + bytes(9_000_000)  # where a sequence header counts the zeros of a number


def refusal(data: bytes, limits: Limits = USUAL) -> PictureError:
    said = set()
    for decode in (
        read_picture,
        sound_picture,
        partial(sound_picture, in_full=False),
        partial(reduced_picture, side=8),
    ):
        with pytest.raises(PictureError) as caught:
            decode(data, limits=limits)
        said.add((caught.value.status, caught.value.what))
    assert len(said) == 1
    return caught.value


@pytest.mark.parametrize(
    ("data", "frames"),
    [
        (encoded(SEVEN, "AVIF"), 1),
        (encoded(SEVEN.convert("L"), "AVIF"), 1),
        (encoded(SEVEN.convert("RGBA"), "AVIF"), 1),
        (encoded(HALF_CLEAR.resize(SEVEN.size), "AVIF"), 2),
        (encoded(SEVEN, "AVIF", save_all=True, append_images=[SEVEN] * 30), 2),
        (container(still(SEVEN), SEVEN.size), 1),
        (container(still(SEVEN), SEVEN.size, extents=7), 1),
        (container(still(SEVEN), SEVEN.size, extents=3, idat=True), 1),
        (container(still(SEVEN), SEVEN.size, repeated=4), 4),
        (container(wide_frame(SEVEN, 64), SEVEN.size), 1),
    ],
)
def test_frames_of_sound_files_are_counted_and_read(data: bytes, frames: int) -> None:
    sizes = list(coded_sizes(data))
    assert len(sizes) == frames
    assert set(sizes) <= {SEVEN.size, (2**16, 2**16)}
    if sizes[0] == SEVEN.size:
        assert read_picture(data).size == SEVEN.size


def test_a_grid_is_its_tiles() -> None:
    picture = read_picture(grid(still(SMALL), 3, 2, (64, 64)))
    assert picture.size == (192, 128)
    assert mean_difference(picture.crop((64, 64, 128, 128)), SMALL) < 3


@pytest.mark.parametrize("file", [encoded(LARGE, "AVIF", speed=10), ANIMATION], ids=["still", "animation"])
def test_frames_larger_than_the_limits_are_refused_whatever_is_declared(file: bytes) -> None:
    assert read_picture(file).size == LARGE.size
    small = declaring(file, 64)
    assert read_picture(small).size == (64, 64)  # within the limits it costs what it may: libavif makes it small
    refused = refusal(small, LIMITS)
    assert refused.status == 413
    assert "640 x 640" in refused.what


def test_a_frame_may_not_be_larger_than_its_sequence_header_says() -> None:
    refused = refusal(container(wide_frame(LARGE, 64), (64, 64)))
    assert refused.status == 413


@pytest.mark.parametrize(
    "file",
    [
        grid(still(LARGE), 8, 8, (64, 64)),
        container(still(LARGE), LARGE.size, repeated=30),
        container(still(LARGE), LARGE.size, repeated=30, extents=9, idat=True),
    ],
    ids=["tiles", "frames", "frames in parts"],
)
def test_more_pixels_in_all_than_the_picture_needs_are_refused(file: bytes) -> None:
    refused = refusal(file)
    assert refused.status == 400
    assert "it declares" in refused.what


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (with_many_items(encoded(SEVEN, "AVIF"), 100_000), "tables"),
        (container(Coded(b"\x12\x00" * 9_000_000, still(SEVEN).configuration), SEVEN.size), "units"),
        (container(Coded(ZEROS, still(SEVEN).configuration), SEVEN.size), "32 bits"),
        (b"\0\0\0\x14ftypavif\0\0\0\0avif" + b"\0\0\0\x08moov" * 1_000_000, "boxes"),
    ],
    ids=["items", "empty units", "a number without end", "boxes"],
)
def test_what_would_take_long_to_look_through_is_refused_soon(data: bytes, said: str) -> None:
    start = time.process_time()
    with pytest.raises(PictureError, match=said):
        sound_picture(data, in_full=False)
    assert time.process_time() - start < 2


# Every byte of the heads is changed, and parts are doubled, cut and moved; what decoding costs is looked at after all.
FUZZ = """
import random, resource, time
from handwriter_models.images import Limits, PictureError, read_picture
from tests.avif_files import container, declaring, grid, still, wide_frame
from tests.pictures import HALF_CLEAR, SEVEN, encoded
random.seed(12)
small = SEVEN.resize((80, 70))
files = [
    encoded(small, "AVIF"), encoded(HALF_CLEAR, "AVIF"), encoded(small, "AVIF", save_all=True, append_images=[small]),
    grid(still(small), 2, 2, small.size), container(still(small), small.size, extents=3, idat=True),
    container(wide_frame(small, 64), (64, 64)), declaring(encoded(SEVEN, "AVIF"), 64),
]
read_picture(files[0])
before, read, slowest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, 0, 0
for number in range(6000):
    broken = bytearray(files[number % len(files)])
    for _ in range(random.randint(1, 4)):
        place = random.randrange(random.choice((min(700, len(broken)), len(broken))))
        change = random.randrange(8)
        if change < 6:
            broken[place] = random.choice((0, 1, 255, random.randrange(256), broken[place] ^ 1 << random.randrange(8)))
        elif change == 6:
            del broken[place : place + random.randrange(1, 9)]
        else:
            broken[place:place] = broken[place : place + random.randrange(1, 99)]
    start = time.process_time()
    try:
        read_picture(bytes(broken), Limits(pixels=250_000))
        read += 1
    except PictureError:
        pass
    slowest = max(slowest, time.process_time() - start)
print(read, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, slowest)
"""


def test_changed_files_end_in_a_picture_or_a_refusal_and_cost_little() -> None:
    done = in_child("-c", FUZZ)
    assert done.returncode == 0, done.stderr[-2000:]
    read, megabytes, slowest = map(float, done.stdout.split())
    assert read > 100
    assert megabytes < 100
    assert slowest < 5
