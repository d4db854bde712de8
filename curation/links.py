"""Which pictures are copies of each other: near hashes, plain or turned, confirmed by the pixels.

It works on contents (one for each sha256); what follows for files is decided in `groups`. Contents with one hash come
first: each is linked to the first of them whose pixels agree, and only those first ones meet the others, so that fifty
thousand blank pages are fifty thousand links and not their square.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from curation import drawings
from curation.agreement import CROPPED, FAR, NEAR, OBJECT, agreement, agreement_of_objects
from curation.fingerprint import Style
from curation.pairs import Pairs, near_pairs
from curation.phash import NEEDED, SIDE, VARIANTS, variant_of

Array = np.ndarray[Any, Any]
Miniatures = Callable[[Array, int], Array]  # from places of contents and a side (32 or 64) to uint8 (n, side, side)
_DRAWING = 8  # bits within which drawings are compared at most: their hashes crowd together
# Beyond the asked radius pairs are looked for as far as the number of pictures allows, and only pixels decide.
_REACH = ((20_000, 14), (100_000, 12), (250_000, 10))
_TURNED_REACH = 6
_TOGETHER = 200_000  # hashes that are compared at once
_SLICE = 20_000  # pairs whose miniatures are held at a time
_FEW = 1_000  # drawings whose details are held at a time
_LEADERS = 32  # pictures of one hash that lead others, at most


@dataclass(frozen=True)
class Thresholds:
    """In bits of 64: how far apart the hashes of copies may be, of plain ones and of turned or inverted ones."""

    identity: int = 8
    variants: int = 4

    def of_drawings(self) -> Thresholds:
        """The same where no more than drawings bear: their hashes crowd together."""
        return Thresholds(min(self.identity, _DRAWING), min(self.variants, _TURNED_REACH))


USUAL = Thresholds()


@dataclass(frozen=True)
class Links:
    """Pairs of contents that are copies, `first` < `second`, each once.

    `crowded`: how many had too many like them. `leader` (n,): of each content the one with the same hash that it was
    compared with, and linked to, in place of all others; most lead themselves. None: all do.
    """

    first: Array
    second: Array
    crowded: int = 0
    leader: Array | None = None

    def __len__(self) -> int:
        return len(self.first)


@dataclass(frozen=True)
class Contents:
    """What is compared: uint64 hashes (n, 16), `Style` (n,), the shown sizes (n,) as sides of squares, miniatures."""

    hashes: Array
    style: Array
    sides: Array
    miniatures: Miniatures


def links(contents: Contents, thresholds: Thresholds = USUAL) -> Links:
    """All pairs of copies among contents; of contents that crowd together, enough of them to hold them together."""
    check = _Check(contents, thresholds)
    led, leaders = _led(contents.hashes[:, 0], check)
    found, crowded = [led], np.zeros(len(contents.style), bool)
    drawn = contents.style == Style.DRAWING
    others = leaders[~drawn[leaders]]
    searches = [(others, _reaches(thresholds, len(others)), False)]
    if drawn.any():
        searches.append((leaders, thresholds.of_drawings(), True))
    for places, reach, of_drawings in searches:
        for variant, pairs in _candidates(contents.hashes, places, reach):
            crowded[pairs.crowded] = True
            if of_drawings:
                pairs = pairs.chosen(drawn[pairs.first] | drawn[pairs.second])
            found.append(check.confirmed(pairs, variant))
    both = np.unique(np.concatenate(found), axis=0)
    leader = np.arange(len(contents.style))
    leader[led[:, 1]] = led[:, 0]
    return Links(both[:, 0], both[:, 1], int(crowded.sum()), leader)


def _led(hashes: Array, check: _Check) -> tuple[Array, Array]:
    """Links (m, 2) of contents with equal hashes to the first whose pixels agree, and the places that nobody leads."""
    order = np.argsort(hashes, kind="stable")
    left = order[np.isin(hashes[order], hashes[order][1:][hashes[order][1:] == hashes[order][:-1]])]
    led, found = np.zeros(len(hashes), bool), [np.empty((0, 2), np.int64)]
    for _ in range(_LEADERS):
        if not len(left):
            break
        starts = np.flatnonzero(np.r_[True, hashes[left][1:] != hashes[left][:-1]])
        leader = np.repeat(left[starts], np.diff(np.r_[starts, len(left)]))
        followers = np.flatnonzero(leader != left)
        pairs = Pairs(leader[followers], left[followers], np.zeros(len(followers), np.uint8))
        kept = check.confirmed(pairs, 0)
        found.append(kept)
        led[kept[:, 1]] = True  # a leader is the lowest place of its hash
        left = left[followers][~led[left[followers]]]
    return np.concatenate(found), np.flatnonzero(~led)


def closest(one: Array, other: Array) -> tuple[str, int]:
    """Relation and distance in bits of two contents, given their sixteen hashes each."""
    distances = np.bitwise_count(one[0] ^ other)
    variant = int(distances.argmin())
    return VARIANTS[variant], int(distances[variant])


def _candidates(hashes: Array, places: Array, reach: Thresholds) -> Iterator[tuple[int, Pairs]]:
    """Pairs of the contents at these places whose hashes are near, by variant."""
    some = hashes[places]
    plain = np.ascontiguousarray(some[:, 0])
    for variant, pairs in [(0, near_pairs(plain, reach.identity)), *_turned(some, reach.variants)]:
        crowded = places[pairs.crowded[pairs.crowded < len(places)]]
        yield variant, Pairs(places[pairs.first], places[pairs.second], pairs.distance, crowded)


def _reaches(asked: Thresholds, count: int) -> Thresholds:
    """How far hashes are compared when the pixels decide; 0 keeps to equal hashes, as it was asked for."""
    reach = next((reach for most, reach in _REACH if count <= most), 0)
    plain = max(asked.identity, reach) if asked.identity else 0
    return Thresholds(plain, max(asked.variants, _TURNED_REACH) if asked.variants and reach else asked.variants)


def _turned(hashes: Array, radius: int) -> Iterator[tuple[int, Pairs]]:
    """Pairs of a plain hash and a variant of another content, by variant; as many variants at once as memory bears."""
    count = len(hashes)
    numbers = [variant for variant in NEEDED if variant]
    at_once = max(1, _TOGETHER // max(count, 1))
    for start in range(0, len(numbers), at_once):
        some = numbers[start : start + at_once]
        every = np.concatenate([hashes[:, 0], *(hashes[:, variant] for variant in some)])
        pairs = near_pairs(every, radius, plain=count)
        which, second = np.divmod(pairs.second, max(count, 1))
        for place, variant in enumerate(some, 1):
            fine = (which == place) & (second != pairs.first)
            yield variant, Pairs(pairs.first[fine], second[fine], pairs.distance[fine], pairs.crowded)


class _Check:
    """Asks the pixels of pairs, each style in its own way: what agrees in one style may be two things in another."""

    def __init__(self, contents: Contents, thresholds: Thresholds) -> None:
        self._contents = contents
        self._thresholds = thresholds
        self._place = np.full(len(contents.style), -1)  # of a drawing in `_coarse`
        drawn = np.flatnonzero(contents.style == Style.DRAWING)
        self._place[drawn] = np.arange(len(drawn))
        self._coarse = np.empty((len(drawn), drawings.COARSE, drawings.COARSE), np.float32)
        for start in range(0, len(drawn), _FEW):
            details = contents.miniatures(drawn[start : start + _FEW], drawings.SIDE)
            self._coarse[start : start + len(details)] = drawings.coarse_ink(details, drawings.paper(details))

    def confirmed(self, pairs: Pairs, variant: int) -> Array:
        """(m, 2): the pairs whose pixels agree, lower place first."""
        fine = np.zeros(len(pairs), bool)
        for start in range(0, len(pairs), _SLICE):
            cut = slice(start, start + _SLICE)
            fine[cut] = self._agree(pairs.chosen(cut), variant)
        kept = np.stack([pairs.first[fine], pairs.second[fine]], axis=1)
        kept.sort(axis=1)
        return kept

    def _agree(self, pairs: Pairs, variant: int) -> Array:
        style = self._contents.style
        one, other = style[pairs.first], style[pairs.second]
        drawn = (one == Style.DRAWING) | (other == Style.DRAWING)
        plain = (one == Style.PHOTOGRAPH) & (other == Style.PHOTOGRAPH)
        fine = np.zeros(len(pairs), bool)
        for which, agree in ((drawn, self._drawings), (plain, self._photographs), (~drawn & ~plain, self._objects)):
            if which.any():
                fine[which] = agree(pairs.chosen(which), variant)
        return fine

    def _miniatures(self, pairs: Pairs, variant: int, side: int) -> tuple[Array, Array]:
        """Both of each pair, the second turned: the variant's hash is that of the turned picture."""
        give = self._contents.miniatures
        return give(pairs.first, side), variant_of(give(pairs.second, side), variant)

    def _drawings(self, pairs: Pairs, variant: int) -> Array:
        sides = np.minimum(self._contents.sides[pairs.first], self._contents.sides[pairs.second])
        one, other = self._place[pairs.first], self._place[pairs.second]
        fine = np.ones(len(pairs), bool)
        both = (one >= 0) & (other >= 0)
        fine[both] = drawings.may_agree(self._coarse[one[both]], self._coarse[other[both]], variant, sides[both])
        worth = np.flatnonzero(fine)
        for start in range(0, len(worth), _FEW):
            some = worth[start : start + _FEW]
            miniatures = self._miniatures(pairs.chosen(some), variant, drawings.SIDE)
            fine[some] = drawings.agree(*miniatures, sides[some])
        return fine

    def _objects(self, pairs: Pairs, variant: int) -> Array:
        plain, best = agreement_of_objects(*self._miniatures(pairs, variant, SIDE))
        fine = best >= np.where(plain >= OBJECT, OBJECT, CROPPED)
        style = self._contents.style
        detailed = (style[pairs.first] != Style.PHOTOGRAPH) & (style[pairs.second] != Style.PHOTOGRAPH)
        worth = np.flatnonzero(fine & detailed & (plain >= OBJECT))
        for start in range(0, len(worth), _FEW):
            some = worth[start : start + _FEW]
            fine[some] = drawings.resemble(*self._miniatures(pairs.chosen(some), variant, drawings.SIDE))
        return fine

    def _photographs(self, pairs: Pairs, variant: int) -> Array:
        far = pairs.distance > (self._thresholds.variants if variant else self._thresholds.identity)
        one, other = self._miniatures(pairs, variant, SIDE)
        fine = np.empty(len(pairs), bool)
        for chosen, cropped, least in ((~far, False, NEAR), (far, True, FAR)):
            fine[chosen] = agreement(one[chosen], other[chosen], cropped) >= least
        return fine
