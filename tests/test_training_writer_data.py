"""Hands in three parts: nobody is in two, known writers' pictures are divided once and for all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from handwriter_models.errors import UserError
from tests.shared_data import shared_folder
from tests.writer_scene import made_up_hands, made_up_parts
from training.writer_data import divided, held_out, read_parts
from training.writer_fit import known_writers


def test_no_hand_is_in_two_parts_and_none_is_lost() -> None:
    parts = made_up_parts()
    names = [set(part.names) for part in (parts.train, parts.validation, parts.test)]
    assert sum(map(len, names)) == len(set.union(*names)) == 30


def test_pictures_stay_with_their_hand() -> None:
    hands = made_up_hands(6, 4)
    some = hands.of([4, 1])
    assert some.names == ["손 4", "손 1"]
    assert np.array_equal(some.images[some.hands == 0], hands.images[hands.hands == 4])


def test_division_follows_from_the_seed() -> None:
    hands = made_up_hands()
    first, again, other = (divided(hands, "made-up", seed).test.names for seed in (1, 1, 2))
    assert first == again != other


def test_every_known_writer_has_pictures_on_each_side_and_no_picture_is_on_two() -> None:
    parts = known_writers(made_up_parts(), 3)
    assert all(set(part.hands) == {0, 1, 2} for part in parts)
    prints = [{image.tobytes() for image in part.images} for part in parts]
    assert not prints[0] & prints[2]
    assert not prints[1] & prints[2]
    assert sum(len(part.hands) for part in parts) == 90


def test_smallest_hand_is_divided_too() -> None:
    rest, part = held_out(made_up_hands(3, 2), 0.01, seed=0)
    assert set(rest.hands) == set(part.hands) == {0, 1, 2}


def test_too_few_hands_are_refused() -> None:
    with pytest.raises(UserError, match="made-up has 5 hands"):
        divided(made_up_hands(5, 2), "made-up", seed=0)


def test_more_known_writers_than_there_are_is_refused() -> None:
    with pytest.raises(UserError, match="--writers 99"):
        known_writers(made_up_parts(), 99)


def test_unknown_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unknown source 'usps'"):
        read_parts("usps", tmp_path, 0)


def test_omniglot_keeps_whole_alphabets_apart() -> None:
    parts = read_parts("omniglot", shared_folder() / "data", 1)
    alphabets = [
        {name.rpartition(" ")[0] for name in part.names} for part in (parts.train, parts.validation, parts.test)
    ]
    assert alphabets[1:] == [{"Greek", "Tagalog"}, {"Korean", "Latin"}]
    assert not alphabets[0] & (alphabets[1] | alphabets[2])
    assert len(set(parts.test.rooms)) == 2
    assert (np.bincount(parts.test.hands)[:20] == 40).all()  # each Korean character once by each drawer
