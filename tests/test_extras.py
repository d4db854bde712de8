"""Extra training pictures: prepared, labelled, repeatable; background is one more label."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from handwriter_models import ink
from handwriter_models.errors import UserError
from training import extras
from training.samples import Samples


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
    wanted = [one.pixels for one in first if not one.blank]
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
