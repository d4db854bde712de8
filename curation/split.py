"""`curation split`: train, validation and test, stratified by label, with no family of copies on two sides.

Pictures that may not be parted are one unit: a family of copies, and all of one site, author, writer … when that is
asked for. Units are dealt one after the other, the largest first, each to the part that lacks its labels most, so that
small classes reach every part, too. What was dealt before stays where it is when pictures are added; scikit-learn's
grouped splitters deal everything anew, and only in equal shares, which is why they are not used here.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import urlsplit

from curation.listing import PictureRow
from handwriter_models.errors import UserError

PARTS = ("train", "validation", "test")
COLUMNS = ("site", "author", "engine", "keyword", "page")


@dataclass(frozen=True)
class SplitOrder:
    """What is asked for: shares of the three parts, a seed, and what else may not be parted.

    `by` is one of `COLUMNS`; `pattern` a regular expression whose first group, searched in the path, names the unit
    (a writer's number in a file name, say).
    """

    shares: tuple[float, float, float] = (0.8, 0.1, 0.1)
    seed: int = 0
    by: str = ""
    pattern: str = ""
    anew: bool = False


@dataclass
class Split:
    """The part of each file, and what the dealing came to; `moved` counts files that had to leave their part."""

    parts: dict[int, str] = field(default_factory=dict)
    moved: int = 0
    units: int = 0
    counts: dict[str, Counter[str]] = field(default_factory=dict)  # part → label → pictures


def split(rows: Sequence[PictureRow], before: dict[int, str], order: SplitOrder) -> Split:
    """Deals the kept pictures; `before` is the split that stands, by file.

    Raises:
        UserError: for shares or patterns that cannot be used, or when there is nothing to split.
    """
    _check(order)
    kept = [row for row in rows if not row.dropped]
    if not kept:
        raise UserError("there are no pictures to split", "scan a folder with pictures first")
    units = _units(kept, order)
    result = Split(units=len(units), counts={part: Counter() for part in PARTS})
    wanted = {part: _times(Counter(row.label for row in kept), share) for part, share in _shares(order).items()}
    known = {} if order.anew else before
    fresh = []
    for unit in units:
        parts = Counter(known[row.id] for row in unit if row.id in known)
        if parts:
            _deal(result, unit, _majority(parts))
            result.moved += sum(parts.values()) - max(parts.values())
        else:
            fresh.append(unit)
    for unit in sorted(fresh, key=lambda unit: (-len(unit), _chance(unit, order.seed))):
        _deal(result, unit, _neediest(unit, wanted, result.counts))
    return result


def _check(order: SplitOrder) -> None:
    if min(order.shares) < 0 or not 0.999 <= sum(order.shares) <= 1.001 or order.shares[0] <= 0:
        shares = ", ".join(f"{share:g}" for share in order.shares)
        raise UserError(f"the shares {shares} do not add up to 1", "give for example --shares 0.8,0.1,0.1")
    if order.by and order.by not in COLUMNS:
        raise UserError(f"pictures cannot be kept together by {order.by!r}", f"--by is one of {', '.join(COLUMNS)}")
    try:
        groups = re.compile(order.pattern).groups if order.pattern else 1
    except re.error as error:
        raise UserError(f"{order.pattern!r} is not a regular expression: {error}", r"for example '_(\d+)\.'") from error
    if groups < 1:
        raise UserError(f"{order.pattern!r} has no group in it", r"put ( ) around what names the unit: '_(\d+)\.'")


def _shares(order: SplitOrder) -> dict[str, float]:
    return {part: share for part, share in zip(PARTS, order.shares, strict=True) if share}


def _units(rows: Sequence[PictureRow], order: SplitOrder) -> list[list[PictureRow]]:
    """What must stay together; a picture that joins two families makes them one."""
    parent: dict[object, object] = {}

    def root(one: object) -> object:
        while parent.setdefault(one, one) != one:
            parent[one] = one = parent[parent[one]]
        return one

    for row in rows:
        for tie in _ties(row, order):
            parent[root(tie)] = root(row.id)
    units: dict[object, list[PictureRow]] = defaultdict(list)
    for row in rows:
        units[root(row.id)].append(row)
    return list(units.values())


def _ties(row: PictureRow, order: SplitOrder) -> Iterable[tuple[str, str]]:
    yield "content", row.sha256
    if row.family is not None:
        yield "family", str(row.family)
    if order.by:
        value = urlsplit(row.page or row.address).netloc if order.by == "site" else str(getattr(row, order.by))
        if value:
            yield order.by, value
    found = re.search(order.pattern, row.path) if order.pattern else None
    if found and found[1]:
        yield "pattern", found[1]


def _times(counts: Counter[str], share: float) -> dict[str, float]:
    return {label: count * share for label, count in counts.items()}


def _majority(parts: Counter[str]) -> str:
    """Where most of the unit's pictures are; a picture that leaves the test for training spoils nothing."""
    return max(PARTS, key=lambda part: (parts[part], -PARTS.index(part)))


def _chance(unit: Sequence[PictureRow], seed: int) -> bytes:
    """An order that depends on the unit's own content: pictures that are added do not change that of the others."""
    return sha256(f"{seed} {min(row.sha256 for row in unit)}".encode()).digest()


def _neediest(unit: Sequence[PictureRow], wanted: dict[str, dict[str, float]], given: dict[str, Counter[str]]) -> str:
    """The part that lacks the largest share of what it should have of the unit's labels."""
    labels = Counter(row.label for row in unit)

    def lack(part: str) -> tuple[float, float]:
        missing = sum(
            count * (wanted[part][label] - given[part][label]) / wanted[part][label] for label, count in labels.items()
        )
        return missing, wanted[part][unit[0].label]

    return max(wanted, key=lack)


def _deal(result: Split, unit: Sequence[PictureRow], part: str) -> None:
    for row in unit:
        result.parts[row.id] = part
        result.counts[part][row.label] += 1
