"""Dividing samples: no writer on two sides, every label on each, nothing lost, the same with the same seed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from handwriter_models.errors import UserError
from tests.training_cases import stripes
from training.samples import Samples, Splits, check_labels, join, set_apart


def without_writers(samples: Samples) -> Samples:
    return replace(samples, groups=np.full(len(samples), -1))


def test_no_writer_is_on_both_sides() -> None:
    rest, part = set_apart(stripes(200), 0.2, seed=1)
    assert not set(rest.groups) & set(part.groups)
    assert len(set(part.groups)) == 2
    assert len(rest) + len(part) == 200


def test_without_writers_each_label_keeps_its_share() -> None:
    samples = without_writers(stripes(100))
    samples = replace(samples, labels=(np.arange(100) < 80).astype(np.int64))
    rest, part = set_apart(samples, 0.25, seed=1)
    assert np.bincount(part.labels).tolist() == [5, 20]
    assert np.bincount(rest.labels).tolist() == [15, 60]


def test_each_side_keeps_a_picture_of_a_rare_label() -> None:
    rest, part = set_apart(without_writers(stripes(4)), 0.01, seed=0)
    assert set(rest.labels) == set(part.labels) == {0, 1}


def test_division_depends_on_the_seed_alone() -> None:
    samples = without_writers(stripes(100))
    first, again, other = (set_apart(samples, 0.3, seed)[1] for seed in (1, 1, 2))
    assert np.array_equal(first.images, again.images)
    assert not np.array_equal(first.images, other.images)


def test_one_picture_of_a_label_is_refused() -> None:
    with pytest.raises(UserError, match="'lying' has 1 picture to divide"):
        set_apart(without_writers(stripes(2)), 0.2, seed=0)


def test_single_label_is_refused() -> None:
    with pytest.raises(UserError, match="only the label 'lying'"):
        check_labels(replace(stripes(4), names=["lying"]))


def test_label_without_pictures_is_refused() -> None:
    with pytest.raises(UserError, match="'leaning' of stripes has no readable picture"):
        check_labels(replace(stripes(4), names=["lying", "standing", "leaning"]))


def test_fingerprint_follows_pictures_labels_and_division() -> None:
    a, b = stripes(20), stripes(20, seed=1)
    base = Splits(a, b, b)
    relabelled = replace(a, labels=1 - a.labels)
    prints = {s.fingerprint() for s in (base, Splits(b, a, b), Splits(relabelled, b, b), Splits(join([a, b]), b, b))}
    assert len(prints) == 4
    assert base.fingerprint() == Splits(stripes(20), b, b).fingerprint()


def test_equal_pictures_are_never_parted_unless_a_label_has_no_others() -> None:
    once = stripes(40)
    pictures = replace(once.take(np.arange(120) // 3), groups=np.full(120, -1))
    rest, part = set_apart(pictures, 0.2, 0)
    assert len(rest) + len(part) == 120
    assert not {one.tobytes() for one in rest.images} & {one.tobytes() for one in part.images}
    same = replace(pictures, images=np.where(pictures.labels[:, None, None] == 0, 7, pictures.images).astype(np.uint8))
    assert all(set(side.labels) == {0, 1} for side in set_apart(same, 0.2, 0))
