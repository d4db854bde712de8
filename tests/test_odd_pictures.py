"""Pictures that nobody means to show, one pixel, one row, one colour, noise, all alpha, are prepared all the same."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

import handwriter_models
from handwriter_models import ink
from handwriter_models.cleaning import keep_one_character, remove_ruled_lines
from handwriter_models.errors import UserError
from handwriter_models.images import read_picture
from handwriter_models.ink_strokes import ink_strokes
from handwriter_models.photograph import Photograph
from tests.called import called
from tests.characters import encoded, picture_of

Bytes = NDArray[np.uint8]
LONG = [(1, 3000), (3000, 1), (2, 1200), (5, 4000), (66, 1), (300, 8), (513, 3), (65, 65)]
KINDS = ("flat", "two-tone", "noise", "one pixel", "halves", "gradient")


def picture(height: int, width: int, channels: int, kind: str, seed: int) -> Bytes:
    """uint8 (height, width) for no channel, else (height, width, channels)."""
    random = np.random.default_rng(seed)
    shape = (height, width, channels) if channels else (height, width)
    made = np.empty(shape, np.uint8)
    made[...] = random.integers(0, 256, shape[2:])
    if kind == "two-tone":
        made[random.random((height, width)) < 0.5] = 255
    elif kind == "noise":
        made = random.integers(0, 256, shape, np.uint8)
    elif kind == "one pixel":
        made[random.integers(height), random.integers(width)] = 0
    elif kind == "halves":
        made[: height // 2], made[:, : width // 2] = 255, 0
    elif kind == "gradient":
        made[...] = np.linspace(0, 255, width, dtype=np.uint8).reshape(1, width, *[1] * len(shape[2:]))
    return made


def check(pixels: Bytes) -> None:
    """Prepared as handwriting and as a photograph, and cut into strokes, without a warning of numpy's."""
    with np.errstate(all="raise", under="ignore"):
        made = ink.prepare(pixels)
        assert (made.pixels.shape, made.pixels.dtype) == ((28, 28), np.uint8)
        assert np.isfinite(made.stroke)
        assert made.blank is not made.pixels.any()
        for stroke in ink_strokes(made.pixels):
            assert np.isfinite(stroke.line).all()
            assert np.isfinite(stroke.share).all()
        seen = Photograph(40, 32)(read_picture(pixels))
    assert (seen.shape, seen.dtype) == ((32, 32, 3), np.uint8)


@pytest.mark.filterwarnings("error")
@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 40), st.integers(1, 40), st.sampled_from([0, 1, 3, 4]), st.sampled_from(KINDS), st.integers(0, 99)
)
def test_any_small_picture_is_prepared(height: int, width: int, channels: int, kind: str, seed: int) -> None:
    check(picture(height, width, channels, kind, seed))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", LONG, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_long_and_thin_pictures_are_prepared(size: tuple[int, int], kind: str) -> None:
    for channels in (0, 3):
        check(picture(*size, channels, kind, 7))


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.floats(0, 1), st.integers(0, 99))
def test_any_mask_is_cleaned_to_a_part_of_itself(height: int, width: int, share: float, seed: int) -> None:
    mask = (np.random.default_rng(seed).random((height, width)) < share).astype(np.uint8)
    for clean in (remove_ruled_lines, keep_one_character):
        left = clean(mask)
        assert (left.shape, left.dtype) == (mask.shape, np.uint8)
        assert (left <= mask).all()
    assert np.isfinite(ink.stroke_width(mask))


def test_a_coloured_pixel_and_a_clear_sheet_are_blank() -> None:
    digits = handwriter_models.load("digits")
    for one in (Image.new("RGB", (1, 1), "red"), Image.new("RGBA", (300, 200), (9, 9, 9, 0)), Image.new("LA", (1, 9))):
        said = digits.predict(one)
        assert (said.rejected, said.reason, said.label) == (True, "blank", "")


def test_one_pixel_costs_a_folder_nothing(tmp_path: Path) -> None:
    Image.new("RGB", (1, 1), "red").save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(encoded(picture_of("7")))
    done = called("handwriter_models", "predict", tmp_path, "--json")
    assert done.returncode == 0
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(one["label"], one["rejected"], one["error"]) for one in said] == [("", True, None), ("7", False, None)]


class Unreadable(os.PathLike[str]):
    """A path whose name cannot be had: a fault that nobody foresaw."""

    def __fspath__(self) -> str:
        raise ArithmeticError("no such number")


def test_a_fault_that_nobody_foresaw_is_its_own_pictures_alone(caplog: pytest.LogCaptureFixture) -> None:
    digits = handwriter_models.load("digits")
    seven = picture_of("7")
    said = list(digits.predict_each([seven, Unreadable(), b"text", seven], batch=3))
    assert [one if isinstance(one, str) else getattr(one, "label", None) for one in said] == ["7", None, None, "7"]
    assert isinstance(said[1], UserError)
    assert "ArithmeticError" in said[1].what
    assert [record.exc_info is not None for record in caplog.records] == [True]
    with pytest.raises(ArithmeticError):
        digits.predict_many([seven, Unreadable()])
