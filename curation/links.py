"""Which pictures are copies of each other: near hashes, plain or turned, confirmed by the pixels.

It works on contents (one for each sha256); what follows for files is decided in `groups`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from curation.agreement import FAR, NEAR, SAME_INK, agreement, misplaced_ink
from curation.pairs import Pairs, near_pairs
from curation.phash import NEEDED, SIDE, VARIANTS, variant_of

Array = np.ndarray[Any, Any]
Miniatures = Callable[[Array], Array]  # from places of contents to uint8 (n, 32, 32)
DRAWING = 4  # bits within which drawings are compared
# Beyond the asked radius pairs are looked for as far as the number of pictures allows, and only pixels decide.
_REACH = ((20_000, 14), (100_000, 12), (250_000, 10))
_TURNED_REACH = 6
_TOGETHER = 300_000  # hashes that are compared at once
_SLICE = 20_000  # pairs whose miniatures are held at a time


@dataclass(frozen=True)
class Thresholds:
    """In bits of 64: how far apart the hashes of copies may be, of plain ones and of turned or inverted ones."""

    identity: int = 8
    variants: int = 4

    def of_drawings(self) -> Thresholds:
        """The same, but no more than drawings bear."""
        return Thresholds(min(self.identity, DRAWING), min(self.variants, DRAWING))


USUAL = Thresholds()


@dataclass(frozen=True)
class Links:
    """Pairs of contents that are copies, `first` < `second`, each once."""

    first: Array
    second: Array

    def __len__(self) -> int:
        return len(self.first)


def links(hashes: Array, drawing: Array, miniatures: Miniatures, thresholds: Thresholds = USUAL) -> Links:
    """All pairs of copies among contents.

    Args:
        hashes: uint64 (n, 16), as `phash.hashes` gives them.
        drawing: bool (n,), whether the content is a drawing.
        miniatures: gives the grey values of some contents.
        thresholds: how near the hashes must be.
    """
    found = [np.empty((0, 2), np.int64)]
    for drawn in (False, True):
        asked = thresholds.of_drawings() if drawn else thresholds
        for variant, pairs in _candidates(hashes, drawing, drawn, asked):
            found.append(_confirmed(pairs, variant, miniatures, None if drawn else _radius(variant, asked)))
    both = np.unique(np.concatenate(found), axis=0)
    return Links(both[:, 0], both[:, 1])


def closest(one: Array, other: Array) -> tuple[str, int]:
    """Relation and distance in bits of two contents, given their sixteen hashes each."""
    distances = np.bitwise_count(one[0] ^ other)
    variant = int(distances.argmin())
    return VARIANTS[variant], int(distances[variant])


def _radius(variant: int, asked: Thresholds) -> int:
    return asked.variants if variant else asked.identity


def _candidates(hashes: Array, drawing: Array, drawn: bool, asked: Thresholds) -> Iterator[tuple[int, Pairs]]:
    """Pairs whose hashes are near, by variant: of two photographs, or with a drawing in them.

    Drawings are looked at apart, because their hashes crowd together: all pairs of MNIST's within the reach for
    photographs would be millions.
    """
    places = np.arange(len(hashes)) if drawn else np.flatnonzero(~drawing)
    if drawn and not drawing.any():
        return
    some = hashes[places]
    plain, turned = (asked.identity, asked.variants) if drawn else _reaches(len(places), asked)
    for variant, pairs in [(0, near_pairs(np.ascontiguousarray(some[:, 0]), plain)), *_turned(some, turned)]:
        pairs = Pairs(places[pairs.first], places[pairs.second], pairs.distance)
        if drawn:
            pairs = pairs.chosen(drawing[pairs.first] | drawing[pairs.second])
        yield variant, pairs


def _reaches(count: int, asked: Thresholds) -> tuple[int, int]:
    """How far photographs' plain and turned hashes are compared; 0 keeps to equal hashes, as it was asked for."""
    reach = next((reach for most, reach in _REACH if count <= most), 0)
    plain = max(asked.identity, reach) if asked.identity else 0
    return plain, max(asked.variants, _TURNED_REACH) if asked.variants and reach else asked.variants


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
            yield variant, Pairs(pairs.first[fine], second[fine], pairs.distance[fine])


def _confirmed(pairs: Pairs, variant: int, miniatures: Miniatures, radius: int | None) -> Array:
    """(m, 2): the pairs whose pixels agree, lower place first; drawings when there is no radius."""
    fine = np.zeros(len(pairs), bool)
    for start in range(0, len(pairs), _SLICE):
        some = pairs.chosen(slice(start, start + _SLICE))
        one = miniatures(some.first)
        # The hash of the variant is that of the turned picture, so turning the second brings it onto the first.
        other = variant_of(miniatures(some.second), variant)
        if radius is None:
            fine[start : start + _SLICE] = misplaced_ink(one, other) <= SAME_INK
        else:
            fine[start : start + _SLICE] = _agree(one, other, some.distance > radius)
    kept = np.stack([pairs.first[fine], pairs.second[fine]], axis=1)
    kept.sort(axis=1)
    return kept


def _agree(one: Array, other: Array, far: Array) -> Array:
    fine = np.zeros(len(one), bool)
    for chosen, least, cropped in ((~far, NEAR, False), (far, FAR, True)):
        if chosen.any():
            fine[chosen] = agreement(one[chosen], other[chosen], cropped) >= least
    return fine


def unpacked(miniature: bytes) -> Array:
    """Grey values as stored."""
    return np.frombuffer(miniature, np.uint8).reshape(SIDE, SIDE)
