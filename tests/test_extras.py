"""Extra training pictures: prepared, labelled, repeatable; background is one more label."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from handwriter_models import ink
from handwriter_models.errors import UserError
from tests.shared_data import shared_folder
from training import extras
from training.look_alikes import DIGITS, is_stroke_or_ring
from training.omniglot import read_alphabets
from training.samples import Samples

SHARE = 1 / 6


def few(count: int = 40) -> Samples:
    scans = load_digits()
    images = ink.prepare_many(np.round(scans.images[:count] * (255 / 16)).astype(np.uint8))
    names = [str(digit) for digit in range(10)]
    return Samples(images, scans.target[:count].astype(np.int64), np.full(count, -1, np.int64), names, "few")


@pytest.mark.parametrize("name", ["redrawn", "low-resolution"])
def test_other_views_of_the_source_keep_their_labels_and_repeat_with_their_seed(name: str) -> None:
    train = few()
    made, again = (extras.build([name], train, None, 1) for _ in range(2))
    assert np.array_equal(made.images, again.images)
    assert made.images.dtype == np.uint8
    assert made.images.shape == (40, 28, 28)
    assert sorted(made.labels) == sorted(train.labels)
    assert made.images.any(axis=(1, 2)).all()


def test_noise_is_background_and_repeats_with_its_seed() -> None:
    made = extras.build(["noise"], few(), None, 1)
    assert set(made.labels) == {10}
    random = np.random.default_rng((1, extras.NAMES.index("noise")))
    first = [ink.prepare(extras.noise_picture(random)) for _ in range(100)]
    wanted = [one.pixels for one in first if not one.blank and not is_stroke_or_ring(one.pixels)]
    assert np.array_equal(made.images[: len(wanted)], wanted)


def test_an_unknown_extra_names_the_known_ones() -> None:
    with pytest.raises(UserError, match="'letters'") as caught:
        extras.build(["letters"], few(), None, 1)
    assert "scribbles" in caught.value.hint


def test_drawn_digits_are_refused_for_labels_that_are_no_digits() -> None:
    train = few()
    letters = Samples(train.images, train.labels, train.groups, list("abcdefghij"), "letters")
    with pytest.raises(UserError, match="drawn"):
        extras.build(["drawn"], letters, None, 1)


def test_without_omniglot_there_is_no_foreign_ink_and_no_fault(tmp_path: Path) -> None:
    assert len(extras.build(["foreign"], few(), tmp_path, 1).labels) == 0
    assert len(extras.build(["foreign"], few(), None, 1).labels) == 0


def canvas(*strokes: NDArray[np.float64], pen: int) -> NDArray[np.uint8]:
    """Strokes in pixels of a canvas of 280, prepared."""
    paper = np.full((280, 280), 255, np.uint8)
    cv2.polylines(paper, [np.round(stroke * 16).astype(np.int32) for stroke in strokes], False, 0, pen, cv2.LINE_AA, 4)
    return ink.prepare(paper).pixels


def ring(wide: float, high: float) -> NDArray[np.float64]:
    angles = np.linspace(0, 2 * np.pi, 60)
    return np.stack([140 + wide * np.cos(angles), 140 + high * np.sin(angles)], axis=1)


@pytest.mark.parametrize("pen", [6, 18, 34])
def test_bare_strokes_and_round_rings_are_told_from_signs(pen: int) -> None:
    square = np.array([[60, 60], [220, 60], [220, 220], [60, 220], [60, 60]], float)
    for lean in (-60, 0, 60):
        assert is_stroke_or_ring(canvas(np.array([[140 + lean, 50], [140 - lean, 230]], float), pen=pen))
    for wide in (50, 70, 90):
        assert is_stroke_or_ring(canvas(ring(wide, 90), pen=pen))
    cross = np.array([[140, 50], [140, 230]], float), np.array([[60, 120], [220, 120]], float)
    dash = np.array([[50, 140], [230, 140]], float)
    corner = np.array([[80, 60], [80, 220], [200, 220]], float)
    for sign in ([square], cross, [dash], [corner], [ring(90, 90), ring(20, 20)]):
        assert not is_stroke_or_ring(canvas(*sign, pen=pen))


@pytest.mark.parametrize("name", ["noise", "scribbles", "nonsense"])
def test_no_bare_stroke_and_no_ring_is_taught_as_none_of_the_digits(name: str) -> None:
    assert not any(map(is_stroke_or_ring, extras.build([name], few(), None, 1, SHARE).images))


def test_what_is_drawn_as_a_digit_is_never_foreign() -> None:
    data = (shared_folder() / "data/omniglot").parent
    foreign = extras.build(["foreign"], few(), data, 1, SHARE).images
    assert len(foreign) > 800
    assert not any(map(is_stroke_or_ring, foreign))
    taught = {picture.tobytes() for picture in foreign}
    drawn = [one for one in read_alphabets(data, ["Latin"]) if one.character in DIGITS["Latin"] and one.drawer < 15]
    assert len(drawn) == 14 * len(DIGITS["Latin"])
    assert not any(ink.prepare(one.picture).pixels.tobytes() in taught for one in drawn)


def test_plain_digits_are_ones_and_zeros_of_every_lean_and_pen() -> None:
    made = extras.build(["plain"], few(), None, 1, SHARE)
    assert {label: int((made.labels == label).sum()) for label in set(made.labels.tolist())} == {0: 500, 1: 500}
    assert made.images.any(axis=(1, 2)).all()
    assert np.mean([is_stroke_or_ring(image) for image in made.images]) > 0.75
