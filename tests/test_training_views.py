"""Changed looks at a photograph follow from a seed alone, and stay within what was asked for."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from handwriter_models.errors import UserError
from handwriter_models.photograph import Photograph
from tests.small_photos import photo
from training.views import Changes, changes_of, seed_of, views_of

WAY = Photograph(72, 64)
ALL = changes_of({"flip": 0.5, "rotate": 5, "shear": 10, "scale": 0.2, "colour": 0.2})


def test_the_first_view_is_the_plain_one() -> None:
    views = views_of(ALL, WAY, 2, seed=1)
    assert views[0].id == ""
    assert np.array_equal(views[0].prepare(photo(1), "a"), WAY(photo(1)))


def test_a_view_is_always_the_same_for_a_content_and_differs_from_the_others() -> None:
    first, second = (views_of(ALL, WAY, 3, seed=1) for _ in range(2))
    looks = [view.prepare(photo(1), "a") for view in first]
    assert all(np.array_equal(look, view.prepare(photo(1), "a")) for look, view in zip(looks, second, strict=True))
    assert len({look.tobytes() for look in looks}) == 4
    assert not np.array_equal(looks[1], first[1].prepare(photo(1), "b"))
    assert all(look.shape == (64, 64, 3) and look.dtype == np.uint8 for look in looks)


def test_ids_differ_by_number_seed_and_changes() -> None:
    ids = [view.id for view in [*views_of(ALL, WAY, 2, 1), *views_of(ALL, WAY, 2, 2), *views_of(Changes(), WAY, 2, 1)]]
    assert len(set(ids)) == 7


def test_without_changes_a_view_is_the_plain_look_but_for_rounding() -> None:
    plain, same = WAY(photo(3)).astype(int), Changes()(photo(3), WAY, 5).astype(int)
    assert abs(plain - same)[2:-2, 2:-2].mean() < 3


def test_flip_mirrors() -> None:
    plain = Changes()(photo(3), WAY, 5).astype(int)
    assert abs(Changes(flip=1.0)(photo(3), WAY, 5)[:, ::-1].astype(int) - plain).max() <= 3


def test_scale_goes_both_ways_and_not_beyond() -> None:
    square = Image.new("RGB", (200, 200), "white")
    square.paste("black", (60, 60, 140, 140))
    sides = [(Changes(scale=0.2)(square, WAY, seed)[32, :, 0] < 60).sum() for seed in range(40)]
    plain = (WAY(square)[32, :, 0] < 60).sum()
    assert 0.77 * plain <= min(sides) < 0.9 * plain
    assert 1.1 * plain < max(sides) <= 1.23 * plain


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (900, 3)])
def test_pictures_of_odd_shapes_pass(size: tuple[int, int]) -> None:
    assert ALL(Image.new("RGB", size, "red"), WAY, 1).shape == (64, 64, 3)


@pytest.mark.parametrize("options", [{"elastic": 1}, {"flip": 2}, {"shear": -1}, {"scale": True}, {"colour": "much"}])
def test_wrong_changes_are_named(options: dict[str, object]) -> None:
    with pytest.raises(UserError, match=next(iter(options))):
        changes_of(options)


def test_seeds_follow_from_all_parts() -> None:
    assert len({seed_of(1, "a", 2), seed_of(2, "a", 2), seed_of(1, "b", 2), seed_of(1, "a", 3)}) == 4
