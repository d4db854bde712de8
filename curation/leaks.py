"""Copies on two sides of a split, ours or somebody else's: why a model scores 90 % at home and 30 % outside."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from curation.files import Hashed
from curation.links import closest
from curation.listing import PictureRow

LARGEST = 50  # files of a family whose pairs are all looked at; of a larger one, the first


@dataclass(frozen=True, slots=True)
class Leak:
    """Two files that show one picture, in different parts; `distance` in bits."""

    first: str
    first_part: str
    second: str
    second_part: str
    relation: str
    distance: int


def straddling(rows: Sequence[PictureRow], part_of: Callable[[PictureRow], str]) -> dict[int, list[PictureRow]]:
    """The families whose kept files lie in more than one part. Copies byte by byte are a family, too."""
    families: dict[int, list[PictureRow]] = defaultdict(list)
    for row in rows:
        if row.family is not None and not row.dropped and part_of(row):
            families[row.family].append(row)
    return {family: files for family, files in families.items() if len({part_of(row) for row in files}) > 1}


def leaks(rows: Sequence[PictureRow], hashed: Sequence[Hashed], part_of: Callable[[PictureRow], str]) -> list[Leak]:
    """Every pair of files of one family in different parts, the nearest first."""
    hashes = {one.id: np.frombuffer(one.hashes, np.uint64) for one in hashed}
    found = []
    for files in straddling(rows, part_of).values():
        for one, other in combinations(files[:LARGEST], 2):
            if part_of(one) != part_of(other):
                relation, distance = closest(hashes[one.id], hashes[other.id])
                if one.sha256 == other.sha256:
                    relation = "identical"
                found.append(Leak(one.path, part_of(one), other.path, part_of(other), relation, distance))
    return sorted(found, key=lambda leak: (leak.distance, leak.first, leak.second))
