"""From pairs of copies to groups: which files show one picture, which of them is to stay, and what no split may part.

Two answers, because two mistakes are to be avoided. A *family* is everything that any chain of copies connects, and
never lies on two sides of a split: there, one pair too few is the mistake. A *cluster* is what may be thinned out to
one picture: there, a chain of near pairs that reaches a stranger is the mistake, so everyone in it is linked to its
centre or to half of its members.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from curation.links import Links, closest
from curation.rows import Member

Array = np.ndarray[Any, Any]
_ALIKE = 12  # bits: neither mirrored nor turned nor inverted


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that may be a copy. `content` is the place of its content; the rest says which file is worth most."""

    file: int
    path: str
    label: str
    content: int
    pixels: int
    bytes: int
    blur: float
    thumbnail: bool
    crawled: bool
    dropped: bool

    def worth(self, alike: int, labelled: int) -> tuple[Any, ...]:
        """Least for the one to keep: not dropped, large, no thumbnail, labelled and turned as most are.

        Bytes come before the measured sharpness: the blocks of a hard compression look sharp.
        """
        return (
            self.dropped,
            -self.pixels,
            self.thumbnail,
            -labelled,
            -alike,
            -self.bytes,
            -self.blur,
            not self.crawled,
            self.path,
        )


def grouped(candidates: Sequence[Candidate], hashes: Array, found: Links) -> list[Member]:
    """The members of all families of two files or more, by family and cluster."""
    by_content: dict[int, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        by_content[candidate.content].append(candidate)
    leader = list(range(len(hashes))) if found.leader is None else found.leader.tolist()
    led: dict[int, list[int]] = defaultdict(list)
    for content, first in enumerate(leader):
        if first != content:
            led[first].append(content)
    members: list[Member] = []
    families = cluster = 0
    for contents, edges in _families(len(hashes), found):
        if len(contents) == 1 and len(by_content[contents[0]]) < 2:
            continue
        families += 1
        leading = [content for content in contents if leader[content] == content]
        for part in _clusters(leading, [edge for edge in edges if leader[edge[1]] == edge[1]]):
            files = [one for content in part for member in (content, *led[content]) for one in by_content[member]]
            cluster += len(files) > 1
            number = cluster if len(files) > 1 else None
            members += _members(files, hashes, families, number)
    return members


def _families(count: int, found: Links) -> list[tuple[list[int], list[tuple[int, int]]]]:
    """Contents that chains of copies connect, with the pairs among them; single ones too."""
    matrix = coo_array((np.ones(len(found), bool), (found.first, found.second)), (count, count))
    number, of = connected_components(matrix, directed=False)
    contents: list[list[int]] = [[] for _ in range(number)]
    for content, family in enumerate(of.tolist()):
        contents[family].append(content)
    edges: list[list[tuple[int, int]]] = [[] for _ in range(number)]
    for one, other in zip(found.first.tolist(), found.second.tolist(), strict=True):
        edges[of[one]].append((one, other))
    return list(zip(contents, edges, strict=True))


def _clusters(contents: list[int], edges: list[tuple[int, int]]) -> list[list[int]]:
    """The family cut where only a chain holds it together: most linked first, each with those it is linked to."""
    if len(edges) == len(contents) * (len(contents) - 1) // 2:
        return [contents]
    beside: dict[int, set[int]] = {content: set() for content in contents}
    for one, other in edges:
        beside[one].add(other)
        beside[other].add(one)
    home: dict[int, int] = {}  # of each content, the number of its cluster
    sizes: list[int] = []
    for centre in sorted(contents, key=lambda content: (-len(beside[content]), content)):
        if centre in home:
            continue
        held = Counter(home[other] for other in beside[centre] if other in home)
        fitting = [number for number, linked in held.items() if 2 * linked >= sizes[number]]
        if fitting:
            home[centre] = min(fitting)
            sizes[home[centre]] += 1
            continue
        cluster = [centre, *(other for other in beside[centre] if other not in home)]
        home.update(dict.fromkeys(cluster, len(sizes)))
        sizes.append(len(cluster))
    clusters: list[list[int]] = [[] for _ in sizes]
    for content in sorted(contents):
        clusters[home[content]].append(content)
    return clusters


def _members(files: list[Candidate], hashes: Array, family: int, cluster: int | None) -> list[Member]:
    values, places, counts = np.unique(
        hashes[[one.content for one in files], 0], return_inverse=True, return_counts=True
    )
    alike_of = [int(counts[np.bitwise_count(values ^ value) <= _ALIKE].sum()) for value in values]
    alike = {one.file: alike_of[place] for one, place in zip(files, places.tolist(), strict=True)}
    labels = Counter(one.label for one in files)
    ordered = sorted(files, key=lambda one: one.worth(alike[one.file], labels[one.label]))
    keeper = ordered[0]
    members = [Member(keeper.file, family, cluster, "identical", 0, True)]
    for other in ordered[1:]:
        if other.content == keeper.content:
            relation, distance = "identical", 0
        else:
            relation, distance = closest(hashes[keeper.content], hashes[other.content])
        members.append(Member(other.file, family, cluster, relation, distance, False))
    return members
