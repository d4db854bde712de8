"""What the page shows in which order: the pictures that pass the filters, cut into sections, for each of four views."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from curation.listing import PictureRow

VIEWS = ("class", "group", "suspicion", "restore")
VERDICTS = ("", "open", "checked", "dropped", "all")  # "" is what the view usually shows
NONE = "-"  # as the engine, flag or part: those that have none


@dataclass(frozen=True)
class Query:
    """A view and its filters; "" lets everything pass."""

    view: str = "class"
    label: str = ""
    engine: str = ""
    flag: str = ""
    part: str = ""
    verdict: str = ""


@dataclass
class Listing:
    """Numbers of files in the order of the page; section i starts at place `starts[i]`; `marks` says conflict."""

    ids: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)

    def add(self, title: str, ids: Iterable[int], mark: bool = False) -> None:
        """One more section."""
        self.starts.append(len(self.ids))
        self.titles.append(title)
        self.marks.append(int(mark))
        self.ids.extend(ids)


def arranged(rows: Iterable[PictureRow], query: Query) -> Listing:
    """The rows, which come by path, as the view shows them."""
    return _VIEWS[query.view](rows, query)


def facets(rows: Iterable[PictureRow]) -> dict[str, list[tuple[str, int]]]:
    """What the filters may be set to, and how many pictures each has; dropped ones are not counted."""
    labels: Counter[str] = Counter()
    engines: Counter[str] = Counter()
    flags: Counter[str] = Counter()
    parts: Counter[str] = Counter()
    for row in rows:
        labels[row.label] += not row.dropped
        engines[row.engine or NONE] += not row.dropped
        parts[row.part or NONE] += not row.dropped
        for kind, _, _ in row.flags:
            flags[kind] += not row.dropped
    return {
        "label": sorted(labels.items()),
        "engine": _worth_a_choice(engines),
        "flag": sorted(flags.items(), key=lambda pair: (-pair[1], pair[0])),
        "part": _worth_a_choice(parts),
    }


def _worth_a_choice(found: Counter[str]) -> list[tuple[str, int]]:
    return sorted(found.items()) if set(found) != {NONE} else []


def _passes(query: Query, usual: Callable[[PictureRow], bool]) -> Callable[[PictureRow], bool]:
    tests: list[Callable[[PictureRow], bool]] = [
        {
            "": usual,
            "open": lambda row: not row.dropped and not row.judged,
            "checked": lambda row: not row.dropped and row.judged,
            "dropped": lambda row: row.dropped,
            "all": lambda _: True,
        }[query.verdict]
    ]
    if query.label:
        tests.append(lambda row: row.label == query.label)
    if query.engine:
        tests.append(lambda row: (row.engine or NONE) == query.engine)
    if query.part:
        tests.append(lambda row: (row.part or NONE) == query.part)
    if query.flag:
        tests.append(lambda row: any(kind == query.flag for kind, _, _ in row.flags))
    if len(tests) == 1:
        return tests[0]
    return lambda row: all(test(row) for test in tests)


def _by_class(rows: Iterable[PictureRow], query: Query) -> Listing:
    passes = _passes(query, lambda row: not row.dropped)
    return _in_classes(row for row in rows if passes(row))


def _restore(rows: Iterable[PictureRow], query: Query) -> Listing:
    passes = _passes(query, lambda row: row.dropped)
    return _in_classes(row for row in rows if row.dropped and passes(row))


def _in_classes(rows: Iterable[PictureRow]) -> Listing:
    by_label: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        by_label[row.label].append(row.id)
    listing = Listing()
    for label in sorted(by_label):
        listing.add(label, by_label[label])
    return listing


def _by_group(rows: Iterable[PictureRow], query: Query) -> Listing:
    """Whole groups of which one picture passes; usually those of which two or more are still there."""
    clusters: dict[int, list[PictureRow]] = defaultdict(list)
    for row in rows:
        if row.cluster is not None:
            clusters[row.cluster].append(row)
    passes = _passes(query, lambda row: not row.dropped)
    least = 1 if query.verdict else 2
    listing = Listing()
    conflicts: list[tuple[int, list[PictureRow]]] = []
    plain: list[tuple[int, list[PictureRow]]] = []
    for cluster, members in clusters.items():
        if len(members) > 1 and sum(map(passes, members)) >= (least if not _is_narrow(query) else 1):
            if query.verdict == "" and sum(not row.dropped for row in members) < least:
                continue
            (conflicts if _is_conflict(members) else plain).append((cluster, members))
    for found, mark in ((conflicts, True), (plain, False)):
        for cluster, members in sorted(found, key=lambda pair: pair[0]):
            members.sort(key=lambda row: (not row.keep, row.distance, row.path))
            listing.add(str(cluster), [row.id for row in members], mark)
    return listing


def _is_narrow(query: Query) -> bool:
    return bool(query.label or query.engine or query.flag or query.part)


def _is_conflict(members: Sequence[PictureRow]) -> bool:
    return len({row.label for row in members if not row.dropped}) > 1


def _by_suspicion(rows: Iterable[PictureRow], query: Query) -> Listing:
    """Most suspicious first; usually those on which nobody has decided."""
    passes = _passes(query, lambda row: not row.dropped and not row.judged)
    found = [row for row in rows if row.flags and passes(row)]
    if query.flag:
        scores = {row.id: next(score for kind, score, _ in row.flags if kind == query.flag) for row in found}
        found.sort(key=lambda row: -scores[row.id])
    else:
        found.sort(key=lambda row: -row.flags[0][1])
    listing = Listing()
    if found:
        listing.add("", [row.id for row in found])
    return listing


_VIEWS: dict[str, Callable[[Iterable[PictureRow], Query], Listing]] = {
    "class": _by_class,
    "group": _by_group,
    "suspicion": _by_suspicion,
    "restore": _restore,
}


def described(row: PictureRow) -> dict[str, Any]:
    """All that the page tells of a picture."""
    return {
        "id": row.id,
        "path": row.path,
        "label": row.label,
        "sha": row.sha256[:16],
        "bytes": row.bytes,
        "dropped": bool(row.dropped),
        "judged": bool(row.judged),
        "part": row.part,
        "format": row.format,
        "width": row.width,
        "height": row.height,
        "cluster": row.cluster,
        "relation": row.relation,
        "distance": row.distance,
        "keep": bool(row.keep),
        "engine": row.engine,
        "keyword": row.keyword,
        "page": _web(row.page),
        "address": _web(row.address),
        "title": row.title,
        "author": row.author,
        "licence": row.licence,
        "licenceAddress": _web(row.licence_address),
        "flags": [list(flag) for flag in row.flags],
    }


def _web(address: str) -> str:
    """Only what a browser opens as a page of the web; a `data:` address would also be very long."""
    return address if address.lower().startswith(("http://", "https://")) else ""
