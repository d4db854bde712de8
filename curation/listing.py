"""The pictures as people and programs list them: one row a file, with source, group, split, verdict and flags."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from curation.rows import Member


@dataclass(frozen=True, slots=True)
class PictureRow:
    """A file that is there and readable. Sizes in pixels and bytes; "" and None where nothing is known."""

    id: int
    path: str
    label: str
    sha256: str
    bytes: int
    dropped: bool
    part: str  # of the split: ours where there is one, else that of the folders
    given: str  # the part that the folders say
    judged: bool  # somebody has said keep, drop or relabel
    format: str
    width: int
    height: int
    blur: float
    brightness: float
    contrast: float
    entropy: float
    family: int | None
    cluster: int | None
    relation: str
    distance: int
    keep: bool
    engine: str
    keyword: str
    page: str
    address: str
    title: str
    author: str
    licence: str
    licence_address: str
    flags: tuple[tuple[str, float, str], ...]  # kind, score, detail; most suspicious first


_ROWS = """
SELECT f.id, f.path, f.label, f.sha256, f.bytes, f.state = 'dropped', coalesce(s.part, f.part), f.part,
    EXISTS (SELECT 1 FROM verdicts v WHERE v.file = f.id AND v.action <> 'undo'
        AND NOT EXISTS (SELECT 1 FROM verdicts u WHERE u.undoes = v.id)),
    p.format, p.width, p.height, p.blur, p.brightness, p.contrast, p.entropy,
    m.family, m.cluster, coalesce(m.relation, ''), coalesce(m.distance, 0), coalesce(m.keep, 0),
    coalesce(a.engine, ''), coalesce(a.keyword, ''), coalesce(a.page, ''), coalesce(a.address, ''),
    coalesce(a.title, ''), coalesce(a.author, ''), coalesce(a.licence, ''), coalesce(a.licence_address, '')
FROM files f JOIN prints p USING (sha256)
LEFT JOIN members m ON m.file = f.id LEFT JOIN splits s ON s.file = f.id
LEFT JOIN addresses a ON a.image = f.sha256 AND a.state = 'kept'
WHERE f.state <> 'gone' {} ORDER BY f.path"""


def rows(connection: sqlite3.Connection, ids: Sequence[int] | None = None) -> list[PictureRow]:
    """All of them, or these; by path."""
    flags: dict[int, list[tuple[str, float, str]]] = {}
    for file, kind, score, detail in connection.execute("SELECT file, kind, score, detail FROM flags"):
        flags.setdefault(file, []).append((kind, score, detail))
    chosen = "" if ids is None else f"AND f.id IN ({', '.join(str(int(one)) for one in ids)})"
    found = []
    for row in connection.execute(_ROWS.format(chosen)):
        raised = sorted(flags.get(row[0], ()), key=lambda flag: (-flag[1], flag[0]))
        values: tuple[Any, ...] = (*row, tuple(raised))
        found.append(PictureRow(*values))
    return found


def copies(connection: sqlite3.Connection) -> tuple[int, int]:
    """How many groups of kept pictures there are, and how many pictures in them are redundant."""
    question = """SELECT count(*), coalesce(sum(size - 1), 0) FROM (SELECT count(*) AS size
        FROM members m JOIN files f ON f.id = m.file WHERE f.state = 'kept' AND m.cluster IS NOT NULL
        GROUP BY m.cluster HAVING count(*) > 1)"""
    groups, redundant = connection.execute(question).fetchone()
    return groups, redundant


def store_members(connection: sqlite3.Connection, members: Sequence[Member]) -> None:
    """In the place of all earlier groups."""
    connection.execute("DELETE FROM members")
    values = ((one.file, one.family, one.cluster, one.relation, one.distance, one.keep) for one in members)
    connection.executemany("INSERT INTO members VALUES (?, ?, ?, ?, ?, ?)", values)


def store_flags(connection: sqlite3.Connection, kind: str, flags: Iterable[tuple[int, float, str]]) -> None:
    """In the place of all earlier flags of the kind."""
    connection.execute("DELETE FROM flags WHERE kind = ?", (kind,))
    values = ((file, kind, score, detail) for file, score, detail in flags)
    connection.executemany("INSERT INTO flags VALUES (?, ?, ?, ?)", values)


def store_split(connection: sqlite3.Connection, parts: dict[int, str]) -> None:
    """In the place of an earlier split."""
    connection.execute("DELETE FROM splits")
    connection.executemany("INSERT INTO splits VALUES (?, ?)", parts.items())
