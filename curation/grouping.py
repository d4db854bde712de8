"""`curation groups`: the copies among all pictures, found anew and stored.

Dropped ones are looked at, too: restored, they must not find themselves on the other side of a split.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from curation.drawings import SIDE, in_side, unpacked
from curation.files import Hashed
from curation.fingerprint import Style
from curation.groups import Candidate, grouped
from curation.links import USUAL, Array, Contents, Thresholds, links
from curation.phash import SIDE as PLAIN
from curation.phash import VARIANTS
from curation.pictures import Pictures
from curation.rows import Member

_HELD = 100 * 2**20  # bytes of miniatures that are held: 25 000 drawings, 100 000 photographs
_AT_ONCE = 5_000  # that are read at once


def group(pictures: Pictures, thresholds: Thresholds = USUAL) -> list[Member]:
    """Finds the groups of the pictures as the last scan knew them, and stores them."""
    files = pictures.hashed()
    contents = sorted({one.sha256 for one in files})
    places = {sha: place for place, sha in enumerate(contents)}
    first = {one.sha256: one for one in reversed(files)}
    hashes = np.frombuffer(b"".join(first[sha].hashes for sha in contents), np.uint64).reshape(-1, len(VARIANTS))
    style = np.array([first[sha].style for sha in contents], np.int8)
    sides = np.sqrt(np.array([first[sha].pixels for sha in contents], np.float32))
    miniatures = _Miniatures(pictures, contents, style != Style.PHOTOGRAPH)
    found = links(Contents(hashes, style, sides, miniatures), thresholds)
    members = grouped(_candidates(files, places), hashes, found)
    pictures.store_members(members)
    pictures.store_setting("crowded", found.crowded)
    return members


class _Miniatures:
    """The miniatures of contents by place; of datasets that are not too large all are held."""

    def __init__(self, pictures: Pictures, contents: Sequence[str], detailed: Array) -> None:
        self._pictures, self._contents = pictures, contents
        self._place = np.full(len(contents), -1)
        self._held: dict[int, Array] = {}
        for side, places in ((PLAIN, np.flatnonzero(~detailed)), (SIDE, np.flatnonzero(detailed))):
            if len(places) * side * side <= _HELD:
                self._place[places] = np.arange(len(places))
                self._held[side] = self._read(places, side)
        self._own = np.where(detailed, SIDE, PLAIN)

    def __call__(self, wanted: Array, side: int) -> Array:
        """uint8 (n, side, side)."""
        result = np.empty((len(wanted), side, side), np.uint8)
        for own in (PLAIN, SIDE):
            of = np.flatnonzero(self._own[wanted] == own)
            if own not in self._held:
                result[of] = self._read(wanted[of], side)
            elif own == side:
                result[of] = self._held[own][self._place[wanted[of]]]
            else:
                for place in of.tolist():
                    result[place] = in_side(self._held[own][self._place[wanted[place]]], side)
        return result

    def _read(self, places: Array, side: int) -> Array:
        result = np.empty((len(places), side, side), np.uint8)
        for start in range(0, len(places), _AT_ONCE):
            some = [self._contents[place] for place in places[start : start + _AT_ONCE].tolist()]
            stored = self._pictures.miniatures(list(dict.fromkeys(some)))
            for place, sha in enumerate(some, start):
                result[place] = in_side(unpacked(stored[sha]), side)
        return result


def regroup(pictures: Pictures, thresholds: Thresholds = USUAL, changed: bool = False) -> None:
    """Finds the groups anew when files, verdicts or thresholds are not those of the last time."""
    now = [thresholds.identity, thresholds.variants, pictures.pulse()[1]]
    if changed or pictures.setting("grouped") != now:
        group(pictures, thresholds)
        pictures.store_setting("grouped", now)


def _candidates(files: Sequence[Hashed], places: dict[str, int]) -> list[Candidate]:
    return [
        Candidate(
            one.id,
            one.path,
            one.label,
            places[one.sha256],
            one.pixels,
            one.bytes,
            one.blur,
            one.thumbnail,
            one.crawled,
            one.dropped,
        )
        for one in files
    ]
