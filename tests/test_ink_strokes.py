"""Strokes are the pieces that an eye would name; together they are all ink, and one taken out leaves the rest whole."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from handwriter_models.ink_strokes import ink_strokes


def drawn(*lines: list[tuple[int, int]], width: int = 3) -> np.ndarray:
    picture = np.zeros((28, 28), np.uint8)
    for line in lines:
        cv2.polylines(picture, [np.array(line, np.int32)], False, 255, width, cv2.LINE_AA)
    return picture


@pytest.mark.parametrize(
    ("lines", "count"),
    [
        ([[(14, 4), (14, 14)]], 1),
        ([[(14, 3), (14, 25)]], 2),  # long: divided
        ([[(6, 6), (20, 6), (11, 18)]], 2),  # a corner
        ([[(8, 14), (20, 14)], [(14, 8), (14, 20)]], 4),  # a crossing
        ([[(8, 6), (20, 6)], [(14, 6), (14, 16)]], 3),  # arms from one point
        ([[(10, 10), (18, 10)], [(10, 18), (18, 18)]], 2),  # apart
        ([[(14, 10), (14, 20)], [(14, 4), (14, 4)]], 2),  # a dot
        ([], 0),
    ],
)
def test_strokes_are_what_an_eye_would_name(lines: list[list[tuple[int, int]]], count: int) -> None:
    assert len(ink_strokes(drawn(*lines))) == count


@pytest.mark.parametrize("width", [1, 2, 3, 5])
def test_strokes_share_all_ink_and_leave_each_other_whole(width: int) -> None:
    picture = drawn([(6, 6), (20, 6), (11, 22)], [(9, 14), (19, 14)], width=width)
    strokes = ink_strokes(picture)
    assert np.allclose(sum(stroke.share for stroke in strokes), 1)
    for stroke in strokes:
        assert (stroke.rest <= picture).all()
        assert not stroke.rest.all()
        assert (stroke.line >= 0).all()
        assert (stroke.line <= 28).all()
        centre = stroke.line[len(stroke.line) // 2].astype(int)
        assert stroke.rest[centre[1], centre[0]] < 128 <= picture[centre[1], centre[0]] or width == 1
        others = sum(other.share for other in strokes if other is not stroke)
        assert (stroke.rest[others == 1] == picture[others == 1]).all()


def test_noise_and_full_ink_have_strokes_too() -> None:
    random = np.random.default_rng(0)
    for picture in (random.integers(0, 256, (28, 28), np.uint8), np.full((28, 28), 255, np.uint8)):
        assert 1 <= len(ink_strokes(picture)) <= 100
