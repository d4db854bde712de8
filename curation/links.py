"""Which pictures are copies of each other: near hashes, plain or turned, confirmed by the pixels.

It works on contents (one for each sha256); what follows for files is decided in `groups`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from curation.agreement import FAR, NEAR, SAME_INK, STRICT, agreement, misplaced_ink
from curation.fingerprint import Style
from curation.pairs import Pairs, near_pairs
from curation.phash import NEEDED, SIDE, VARIANTS, variant_of

Array = np.ndarray[Any, Any]
Miniatures = Callable[[Array], Array]  # from places of contents to uint8 (n, 32, 32)
_TINY = 4  # bits within which tiny pictures are compared: all near pairs of MNIST would be millions
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

    def of_tiny(self) -> Thresholds:
        """The same, but no more than tiny pictures bear."""
        return Thresholds(min(self.identity, _TINY), min(self.variants, _TINY))


USUAL = Thresholds()


@dataclass(frozen=True)
class Links:
    """Pairs of contents that are copies, `first` < `second`, each once."""

    first: Array
    second: Array

    def __len__(self) -> int:
        return len(self.first)


def links(hashes: Array, style: Array, miniatures: Miniatures, thresholds: Thresholds = USUAL) -> Links:
    """All pairs of copies among contents.

    Args:
        hashes: uint64 (n, 16), as `phash.hashes` gives them.
        style: int (n,), `Style` of each content.
        miniatures: gives the grey values of some contents.
        thresholds: how near the hashes must be.
    """
    found = [np.empty((0, 2), np.int64)]
    for variant, pairs in _candidates(hashes, np.flatnonzero(style != Style.TINY), _reaches(thresholds, len(style))):
        radius = thresholds.variants if variant else thresholds.identity
        two_tones = (style[pairs.first] == Style.TWO_TONES) | (style[pairs.second] == Style.TWO_TONES)
        found.append(_confirmed(pairs, variant, miniatures, _Photographs(pairs.distance > radius, two_tones)))
    if (style == Style.TINY).any():
        for variant, pairs in _candidates(hashes, np.arange(len(hashes)), thresholds.of_tiny()):
            tiny = (style[pairs.first] == Style.TINY) | (style[pairs.second] == Style.TINY)
            found.append(_confirmed(pairs.chosen(tiny), variant, miniatures, None))
    both = np.unique(np.concatenate(found), axis=0)
    return Links(both[:, 0], both[:, 1])


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
        yield variant, Pairs(places[pairs.first], places[pairs.second], pairs.distance)


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
            yield variant, Pairs(pairs.first[fine], second[fine], pairs.distance[fine])


@dataclass(frozen=True)
class _Photographs:
    """What is asked of pairs that are not tiny: more of those with far hashes, and of pictures in two tones."""

    far: Array
    two_tones: Array

    def agree(self, one: Array, other: Array, cut: slice) -> Array:
        """Whether each pair of miniatures in this slice of the pairs shows one picture."""
        far, two_tones = self.far[cut], self.two_tones[cut]
        least = np.where(two_tones, STRICT, np.where(far, FAR, NEAR))
        scores = np.empty(len(one), np.float32)
        for chosen, cropped in ((~far, False), (far, True)):
            scores[chosen] = agreement(one[chosen], other[chosen], cropped)
        fine: Array = scores >= least
        return fine


def _confirmed(pairs: Pairs, variant: int, miniatures: Miniatures, photographs: _Photographs | None) -> Array:
    """(m, 2): the pairs whose pixels agree, lower place first; tiny ones when they are no photographs."""
    fine = np.zeros(len(pairs), bool)
    for start in range(0, len(pairs), _SLICE):
        cut = slice(start, start + _SLICE)
        some = pairs.chosen(cut)
        one = miniatures(some.first)
        # The hash of the variant is that of the turned picture, so turning the second brings it onto the first.
        other = variant_of(miniatures(some.second), variant)
        fine[cut] = photographs.agree(one, other, cut) if photographs else misplaced_ink(one, other) <= SAME_INK
    kept = np.stack([pairs.first[fine], pairs.second[fine]], axis=1)
    kept.sort(axis=1)
    return kept


def unpacked(miniature: bytes) -> Array:
    """Grey values as stored."""
    return np.frombuffer(miniature, np.uint8).reshape(SIDE, SIDE)
