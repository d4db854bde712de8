"""Every pair within the radius is found, and no other."""

from __future__ import annotations

import numpy as np
import pytest

from curation.pairs import FARTHEST, near_pairs


def planted(count: int, seed: int = 0) -> np.ndarray:
    """Random hashes, half of them made of others by changing up to fifteen bits; some are equal."""
    chance = np.random.default_rng(seed)
    values = chance.integers(0, 2**64, count, dtype=np.uint64)
    for _ in range(count // 2):
        value = int(values[chance.integers(count)])
        for bit in chance.choice(64, chance.integers(0, 16), replace=False):
            value ^= 1 << int(bit)
        values[chance.integers(count)] = value
    return values


def by_comparing_all(values: np.ndarray, radius: int, plain: int) -> list[tuple[int, int, int]]:
    apart = np.bitwise_count(values[:, None] ^ values[None, :])
    first, second = np.nonzero(np.triu(apart <= radius, 1))
    return [(int(a), int(b), int(apart[a, b])) for a, b in zip(first, second, strict=True) if a < plain]


@pytest.mark.parametrize("radius", range(FARTHEST + 1))
@pytest.mark.parametrize("count", [0, 1, 2, 9, 400])
def test_all_pairs_are_those_that_comparing_all_gives(radius: int, count: int) -> None:
    values = planted(count, seed=radius)
    for plain in (count, count // 3):
        found = near_pairs(values, radius, plain)
        triples = list(zip(found.first.tolist(), found.second.tolist(), found.distance.tolist(), strict=True))
        assert triples == by_comparing_all(values, radius, plain)


def test_hashes_that_crowd_together_are_all_found() -> None:
    """Many agree in most bands, as those of drawings do."""
    values = np.random.default_rng(1).integers(0, 2**10, 600, dtype=np.uint64) << np.uint64(27)
    found = near_pairs(values, 4)
    assert len(found) == len(by_comparing_all(values, 4, 600))


def test_planted_neighbours_among_many_are_all_found() -> None:
    chance = np.random.default_rng(3)
    values = chance.integers(0, 2**64, 60_000, dtype=np.uint64)
    copies = values[:500].copy()
    for place in range(500):
        for bit in chance.choice(64, 8, replace=False):
            copies[place] ^= np.uint64(1 << int(bit))
    found = near_pairs(np.concatenate([values, copies]), 8)
    pairs = set(zip(found.first.tolist(), found.second.tolist(), strict=True))
    assert {(place, 60_000 + place) for place in range(500)} <= pairs


def test_a_radius_that_is_too_wide_is_refused() -> None:
    with pytest.raises(ValueError, match="0 to 14 bits, not 15"):
        near_pairs(planted(5), 15)
