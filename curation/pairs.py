"""All pairs of hashes that differ in few bits: every one of them, not a sample.

The 64 bits are cut into bands. Two hashes within `radius` bits of each other agree in at least bands - radius of them
(pigeonhole), so for every choice of that many bands the hashes are sorted by their bits there, and neighbours with
equal bits are compared in full. With 11 bands a million hashes meet only three million candidates in each of 165 sorts.
It compares numbers only; what the pairs mean is decided in `groups`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
BITS = 64
_FEW, _BLOCK = 60_000_000, 2**20  # comparisons up to which all are made, and how many at once
WHOLE = 6  # neighbours up to this distance in a sort are compared all at once; beyond, only those with equal bits
# Bands and agreeing bands by radius, as measured on a million hashes: more bits in a key cost more keys.
_BANDS = {0: 1, 1: 3, 2: 4, 3: 6, 4: 7, 5: 8, 6: 9, 7: 10, 8: 11, 9: 12, 10: 13, 11: 14, 12: 15, 13: 16, 14: 17}
FARTHEST = max(_BANDS)


@dataclass(frozen=True)
class Pairs:
    """Pairs of places in the array of hashes, `first` < `second`, each once, in order; `distance` in bits."""

    first: Array
    second: Array
    distance: Array

    def __len__(self) -> int:
        return len(self.first)

    def chosen(self, which: Array | slice) -> Pairs:
        """Some of them."""
        return Pairs(self.first[which], self.second[which], self.distance[which])


def near_pairs(hashes: Array, radius: int, plain: int | None = None) -> Pairs:
    """Every pair of uint64 hashes at most `radius` (0 to 14) bits apart.

    Args:
        hashes: uint64 (n,).
        radius: bits in which the two may differ.
        plain: when given, only pairs of which at least one is among the first `plain` hashes.
    """
    if not 0 <= radius <= FARTHEST:
        raise ValueError(f"the radius is 0 to {FARTHEST} bits, not {radius}")
    values, places = np.unique(hashes, return_inverse=True)
    if plain is None or plain >= len(hashes):
        wanted = np.ones(len(values), bool)
    else:
        wanted = np.zeros(len(values), bool)
        wanted[places[:plain]] = True
    first, second = _pairs_of_values(values, radius, wanted)
    return _pairs_of_places(hashes, places, (first, second), len(hashes) if plain is None else plain)


def _pairs_of_values(values: Array, radius: int, wanted: Array) -> tuple[Array, Array]:
    """Different values; each pair once."""
    if len(values) < 2 or not radius:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    if int(wanted.sum()) * len(values) <= _FEW:
        return _all_compared(values, radius, wanted)
    bands = _BANDS[radius]
    choices = list(combinations(range(bands), bands - radius))
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:  # numpy lets go of the interpreter's lock
        found = list(pool.map(lambda choice: _agreeing(values, choice, bands, radius, wanted), choices))
    both = np.unique(np.concatenate(found))
    return both // len(values), both % len(values)


def _all_compared(values: Array, radius: int, wanted: Array) -> tuple[Array, Array]:
    """Each wanted value with every other: of a few this is quicker than sorting them hundreds of times."""
    count = len(values)
    rows = np.flatnonzero(wanted)
    step = max(1, _BLOCK // count)
    found = [np.empty(0, np.int64)]
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        hit, other = np.nonzero(np.bitwise_count(values[some, None] ^ values[None, :]) <= radius)
        one = some[hit]
        different = one != other
        one, other = one[different], other[different]
        found.append(np.minimum(one, other) * count + np.maximum(one, other))
    both = np.unique(np.concatenate(found))
    return both // count, both % count


def _agreeing(values: Array, choice: tuple[int, ...], bands: int, radius: int, wanted: Array) -> Array:
    """Pairs that agree in the chosen bands, as lower * n + higher."""
    count = len(values)
    keys, order = _sorted_by(values, choice, bands)
    ordered = values[order]
    found = [np.empty(0, np.int64)]
    for left, right in _neighbours(keys, ordered, radius):
        one, other = order[left], order[right]
        fine = wanted[one] | wanted[other]
        one, other = one[fine], other[fine]
        found.append(np.minimum(one, other) * count + np.maximum(one, other))
    return np.unique(np.concatenate(found))


def _sorted_by(values: Array, choice: tuple[int, ...], bands: int) -> tuple[Array, Array]:
    """The bits of the chosen bands in order, and the places they come from."""
    edges = [BITS * band // bands for band in range(bands + 1)]
    keys = np.zeros(len(values), np.uint64)
    width = 0
    for band in choice:
        bits = edges[band + 1] - edges[band]
        part = values >> np.uint64(edges[band])
        part &= np.uint64((1 << bits) - 1)
        part <<= np.uint64(width)
        keys |= part
        width += bits
    place_bits = len(values).bit_length()
    if width + place_bits > BITS:
        order = np.argsort(keys, kind="stable")
        return keys[order], order
    keys <<= np.uint64(place_bits)  # sorting numbers is several times quicker than sorting places by them
    keys |= np.arange(len(values), dtype=np.uint64)
    keys.sort()
    order = (keys & np.uint64((1 << place_bits) - 1)).astype(np.int64)
    keys >>= np.uint64(place_bits)
    return keys, order


def _neighbours(keys: Array, ordered: Array, radius: int) -> Iterator[tuple[Array, Array]]:
    """Places in the sorted arrays that have equal keys and near hashes."""
    for step in range(1, min(WHOLE, len(keys) - 1) + 1):
        hit = np.flatnonzero(np.bitwise_count(ordered[step:] ^ ordered[:-step]) <= radius)
        hit = hit[keys[hit] == keys[hit + step]]
        yield hit, hit + step
    step = WHOLE + 1
    left = np.flatnonzero(keys[step:] == keys[:-step]) if step < len(keys) else np.empty(0, np.int64)
    while len(left):
        near = np.bitwise_count(ordered[left] ^ ordered[left + step]) <= radius
        yield left[near], left[near] + step
        step += 1
        left = left[left + step < len(keys)]
        left = left[keys[left] == keys[left + step]]


def _pairs_of_places(hashes: Array, places: Array, values: tuple[Array, Array], plain: int) -> Pairs:
    """From pairs of values to pairs of places: every place of one with every place of the other."""
    by_value = np.argsort(places, kind="stable")
    starts = np.searchsorted(places[by_value], np.arange(places.max() + 2 if len(places) else 1))
    same = np.flatnonzero(np.diff(starts) > 1)
    first = np.concatenate([values[0], same])
    second = np.concatenate([values[1], same])
    sizes = np.diff(starts)
    counts = sizes[first] * sizes[second]
    which = np.repeat(np.arange(len(first)), counts)
    inner = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    one = by_value[starts[first[which]] + inner // sizes[second[which]]]
    other = by_value[starts[second[which]] + inner % sizes[second[which]]]
    fine = (one != other) & (np.minimum(one, other) < plain)
    twice = first[which] == second[which]
    fine &= ~twice | (one < other)
    low, high = np.minimum(one, other)[fine], np.maximum(one, other)[fine]
    order = np.lexsort((high, low))
    low, high = low[order], high[order]
    return Pairs(low, high, np.bitwise_count(hashes[low] ^ hashes[high]))
