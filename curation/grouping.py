"""`curation groups`: the copies among all pictures, found anew and stored.

Dropped ones are looked at, too: restored, they must not find themselves on the other side of a split.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from curation.files import Hashed
from curation.groups import Candidate, grouped
from curation.links import USUAL, Array, Miniatures, Thresholds, links, unpacked
from curation.phash import VARIANTS
from curation.pictures import Pictures
from curation.rows import Member

_HELD = 50_000  # miniatures that are held at once: 50 MB


def group(pictures: Pictures, thresholds: Thresholds = USUAL) -> list[Member]:
    """Finds the groups of the pictures as the last scan knew them, and stores them."""
    files = pictures.hashed()
    contents = sorted({one.sha256 for one in files})
    places = {sha: place for place, sha in enumerate(contents)}
    first = {one.sha256: one for one in reversed(files)}
    hashes = np.frombuffer(b"".join(first[sha].hashes for sha in contents), np.uint64).reshape(-1, len(VARIANTS))
    style = np.array([first[sha].style for sha in contents], np.int8)

    def few(wanted: Array) -> Array:
        chosen, where = np.unique(wanted, return_inverse=True)
        held = pictures.miniatures([contents[place] for place in chosen.tolist()])
        return np.stack([unpacked(held[contents[place]]) for place in chosen.tolist()])[where]

    def all_held() -> Miniatures:
        every = few(np.arange(len(contents)))
        return lambda wanted: every[wanted]

    miniatures = all_held() if len(contents) <= _HELD else few
    members = grouped(_candidates(files, places), hashes, links(hashes, style, miniatures, thresholds))
    pictures.store_members(members)
    return members


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
