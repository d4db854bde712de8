"""All pairs of hashes that differ in few bits: every one of them, not a sample.

The 64 bits are cut into bands. Two hashes within `radius` bits of each other agree in at least bands - radius of them
(pigeonhole), so for every choice of that many bands the hashes are sorted by their bits there, and neighbours with
equal bits are compared in full. With 11 bands a million hashes meet only three million candidates in each of 165 sorts.
Where hashes crowd together (blank pages, one placeholder that every site has saved, thousands of sticks) all pairs
would be n²/2 of them. So many equal ones are paired with one of them only, and each hash with no more than its nearest
neighbours; these are `crowded`. Memory grows with the number of hashes, not with its square.
It compares numbers only; what the pairs mean is decided in `groups`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
BITS = 64
EQUAL = 32  # equal hashes up to which all are paired with all; of more, each with the first
PARTNERS = 200  # of one hash
_ALL_PARTNERS = 8_000_000  # of all hashes together, where there are many
_TOGETHER = 2_000_000  # pairs that are held before those found twice are left out
_FEW, _BLOCK = 60_000_000, 2**20  # comparisons up to which all are made, and how many at once
WHOLE = 6  # neighbours up to this distance in a sort are compared all at once; beyond, only those with equal bits
# Bands and agreeing bands by radius, as measured on a million hashes: more bits in a key cost more keys.
_BANDS = {0: 1, 1: 3, 2: 4, 3: 6, 4: 7, 5: 8, 6: 9, 7: 10, 8: 11, 9: 12, 10: 13, 11: 14, 12: 15, 13: 16, 14: 17}
FARTHEST = max(_BANDS)


@dataclass(frozen=True)
class Pairs:
    """Pairs of places in the array of hashes, `first` < `second`, each once, in order; `distance` in bits.

    `crowded`: places with more partners within the radius than are given.
    """

    first: Array
    second: Array
    distance: Array
    crowded: Array = field(default_factory=lambda: np.empty(0, np.int64))

    def __len__(self) -> int:
        return len(self.first)

    def chosen(self, which: Array | slice) -> Pairs:
        """Some of them."""
        return Pairs(self.first[which], self.second[which], self.distance[which], self.crowded)


def near_pairs(hashes: Array, radius: int, plain: int | None = None) -> Pairs:
    """The pairs of uint64 hashes at most `radius` (0 to 14) bits apart: all of them where hashes are not crowded.

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
    both, crowded = _pairs_of_values(values, radius, wanted)
    return _pairs_of_places(hashes, places, both, crowded, len(hashes) if plain is None else plain)


def _pairs_of_values(values: Array, radius: int, wanted: Array) -> tuple[Array, Array]:
    """Pairs of different values as lower * n + higher, each once, and which values are crowded."""
    if len(values) < 2 or not radius:
        return np.empty(0, np.int64), np.zeros(len(values), bool)
    most = min(PARTNERS, max(EQUAL, _ALL_PARTNERS // len(values)))
    crowded, held = np.zeros(len(values), bool), [np.empty(0, np.int64)]
    if int(wanted.sum()) * len(values) <= _FEW:
        both, full = _nearest(values, [_all_compared(values, radius, wanted, most, crowded)], most)
        return both, crowded | full
    bands = _BANDS[radius]
    choices = list(combinations(range(bands), bands - radius))
    at_once, room = os.cpu_count() or 1, _TOGETHER
    with ThreadPoolExecutor(at_once) as pool:  # numpy lets go of the interpreter's lock
        for start in range(0, len(choices), at_once):
            some = choices[start : start + at_once]
            search = partial(_agreeing, values, bands, radius, wanted, most, crowded)
            held += pool.map(search, some)
            if sum(map(len, held)) > room:  # most pairs are found by many choices
                both, full = _nearest(values, held, most)
                crowded |= full
                held, room = [both], max(_TOGETHER, 3 * len(both))
    both, full = _nearest(values, held, most)
    return both, crowded | full


def _nearest(values: Array, found: list[Array], most: int) -> tuple[Array, Array]:
    """The pairs without those that are among the `most` nearest of neither value; and which values have more."""
    count = len(values)
    both = _sorted_once(np.concatenate(found))
    first, second = both // count, both % count
    full = np.bincount(first, minlength=count) + np.bincount(second, minlength=count) > most
    doubtful = full[first] & full[second]
    if not doubtful.any():
        return both, full
    distance = np.bitwise_count(values[first] ^ values[second])
    near = np.zeros(len(both), bool)
    for ends in (first, second):
        order = np.lexsort((distance, ends))
        rank = np.arange(len(both)) - np.searchsorted(ends[order], ends[order])
        near[order] |= rank < most // 2
    return both[~doubtful | near], full


def _all_compared(values: Array, radius: int, wanted: Array, most: int, crowded: Array) -> Array:
    """Each wanted value with every other, at most its `most` nearest: of a few this is quicker than many sorts.

    Marks those with more in `crowded`.
    """
    count = len(values)
    rows = np.flatnonzero(wanted)
    step = max(1, _BLOCK // count)
    found = [np.empty(0, np.int64)]
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        apart = np.bitwise_count(values[some, None] ^ values[None, :])
        apart[np.arange(len(some)), some] = BITS + 1  # not with itself
        near = apart <= radius
        many = near.sum(axis=1) > most
        crowded[some[many]] = True
        for row in np.flatnonzero(many):
            near[row, np.argsort(apart[row], kind="stable")[most:]] = False
        hit, other = np.nonzero(near)
        one = some[hit]
        found.append(np.minimum(one, other) * count + np.maximum(one, other))
    return np.concatenate(found)


def _agreeing(
    values: Array, bands: int, radius: int, wanted: Array, most: int, crowded: Array, choice: tuple[int, ...]
) -> Array:
    """Pairs that agree in the chosen bands, as lower * n + higher; none of two values that are crowded already."""
    count = len(values)
    keys, order = _sorted_by(values, choice, bands)
    found = [np.empty(0, np.int64)]
    for left, right in _neighbours(keys, values[order], radius, most, (wanted[order], crowded[order])):
        one, other = order[left], order[right]
        found.append(np.minimum(one, other) * count + np.maximum(one, other))
    return _sorted_once(np.concatenate(found))


def _sorted_once(numbers: Array) -> Array:
    """In order, each once; numpy's own `unique` takes four times as long for a million of them."""
    ordered = np.sort(numbers)
    return ordered[np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])] if len(ordered) else ordered


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


def _neighbours(
    keys: Array, ordered: Array, radius: int, most: int, which: tuple[Array, Array]
) -> Iterator[tuple[Array, Array]]:
    """Places in the sorted arrays that have equal keys and near hashes, at most `most` to the right of each.

    `which`: whether each place is wanted (one of a pair must be), and whether it is crowded (not both may be).
    """
    wanted, crowded = which

    def fit(left: Array, right: Array) -> Array:
        fine: Array = (wanted[left] | wanted[right]) & ~(crowded[left] & crowded[right])
        return fine

    for step in range(1, min(WHOLE, len(keys) - 1) + 1):
        hit = np.flatnonzero(np.bitwise_count(ordered[step:] ^ ordered[:-step]) <= radius)
        hit = hit[(keys[hit] == keys[hit + step]) & fit(hit, hit + step)]
        yield hit, hit + step
    step = WHOLE + 1
    left = np.flatnonzero(keys[step:] == keys[:-step]) if step < len(keys) else np.empty(0, np.int64)
    partners = np.zeros(len(keys), np.int32)
    while len(left):
        near = np.bitwise_count(ordered[left] ^ ordered[left + step]) <= radius
        hit = left[near]
        hit = hit[fit(hit, hit + step)]
        yield hit, hit + step
        partners[hit] += 1
        step += 1
        left = left[left + step < len(keys)]
        left = left[(keys[left] == keys[left + step]) & (partners[left] < most) & ~crowded[left]]


def _pairs_of_places(hashes: Array, places: Array, both: Array, crowded: Array, plain: int) -> Pairs:
    """From pairs of values to pairs of places: every place of one with every place of the other, up to `EQUAL` each."""
    by_value = np.argsort(places, kind="stable")
    starts = np.searchsorted(places[by_value], np.arange(len(crowded) + 1))
    sizes = np.diff(starts)
    some = np.minimum(sizes, EQUAL)
    same = np.flatnonzero(sizes > 1)
    first = np.concatenate([both // max(len(crowded), 1), same])
    second = np.concatenate([both % max(len(crowded), 1), same])
    counts = some[first] * some[second]
    which = np.repeat(np.arange(len(first)), counts)
    inner = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    one = by_value[starts[first[which]] + inner // some[second[which]]]
    other = by_value[starts[second[which]] + inner % some[second[which]]]
    fine = (first[which] != second[which]) | (one < other)
    many = sizes > EQUAL
    rank = np.arange(len(by_value)) - starts[places[by_value]]
    star = by_value[(rank >= EQUAL) & many[places[by_value]]]  # each to the first of its value
    one, other = np.concatenate([one[fine], by_value[starts[places[star]]]]), np.concatenate([other[fine], star])
    low, high = np.minimum(one, other), np.maximum(one, other)
    order = np.lexsort((high, low))
    order = order[low[order] < plain]
    low, high = low[order], high[order]
    return Pairs(low, high, np.bitwise_count(hashes[low] ^ hashes[high]), np.flatnonzero((crowded | many)[places]))
