"""The files of a dataset as rows: what a scan has seen, what it measured, and where each file is now."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from curation.walk import Entry
from handwriter_models.errors import UserError
from handwriter_models.labels import normalized


@dataclass(frozen=True, slots=True)
class Known:
    """What the last scan knew of a file; `sha256` is "" when it could not be read."""

    id: int
    sha256: str
    bytes: int
    modified: int
    state: str
    part: str


@dataclass(frozen=True, slots=True)
class Print:
    """What one look at a picture's content gave; sizes as shown, in pixels; the measures are those of `quality`."""

    sha256: str
    format: str
    width: int
    height: int
    hashes: bytes  # 16 of 8 bytes, see `phash.VARIANTS`
    miniature: bytes  # see `drawings.packed`
    style: int
    blur: float
    brightness: float
    contrast: float
    entropy: float


@dataclass(frozen=True, slots=True)
class Scanned:
    """A file as a scan found it: with its print (None when the content is known already), or the fault in it."""

    entry: Entry
    label: str
    sha256: str = ""
    fault: str = ""
    print: Print | None = None


VERSION = 3  # of what a print holds; a newer one is measured again
_FILE = """INSERT INTO files
    (path, home, first_home, label, first_label, part, sha256, bytes, modified, fault)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (path) DO UPDATE SET part = excluded.part, sha256 = excluded.sha256, bytes = excluded.bytes,
        modified = excluded.modified, fault = excluded.fault, state = iif(state = 'gone', 'kept', state)"""
_PRINT = "INSERT OR REPLACE INTO prints VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


def known(connection: sqlite3.Connection) -> dict[str, Known]:
    """By path."""
    rows = connection.execute("SELECT path, id, sha256, bytes, modified, state, part FROM files")
    return {path: Known(*rest) for path, *rest in rows}


def printed(connection: sqlite3.Connection) -> set[str]:
    """The contents that have been measured."""
    return {sha for (sha,) in connection.execute("SELECT sha256 FROM prints WHERE version = ?", (VERSION,))}


def crawled(connection: sqlite3.Connection) -> dict[str, tuple[str, int]]:
    """sha256 and bytes of the crawler's pictures by path: they need not be read again to be known."""
    return {path: (sha, size) for path, sha, size in connection.execute("SELECT path, sha256, bytes FROM images")}


def labels(connection: sqlite3.Connection) -> dict[str, str]:
    """The label of each folder that has been given to one."""
    return {folder: label for label, folder in connection.execute("SELECT label, folder FROM labels")}


def unnormalized(connection: sqlite3.Connection) -> dict[str, str]:
    """The labels in use that are not as labels are kept now, and what they become."""
    rows = connection.execute("SELECT label FROM files UNION SELECT first_label FROM files")
    return {label: normalized(label) for (label,) in rows if normalized(label) != label}


def rename_labels(connection: sqlite3.Connection, names: Mapping[str, str]) -> None:
    """Puts other labels in the place of these."""
    for column in ("label", "first_label"):
        question = f"UPDATE files SET {column} = ? WHERE {column} = ?"  # noqa: S608 - a column's name
        connection.executemany(question, ((new, old) for old, new in names.items()))


def record(connection: sqlite3.Connection, batch: Iterable[Scanned]) -> None:
    """Files seen for the first time, or changed."""
    held = list(batch)
    connection.executemany(_FILE, (_file_row(one) for one in held))
    connection.executemany(_PRINT, (_print_row(one.print) for one in held if one.print))


def _file_row(one: Scanned) -> tuple[object, ...]:
    entry = one.entry
    places = (entry.path, entry.path, entry.path, one.label, one.label, entry.part)
    return (*places, one.sha256, entry.bytes, entry.modified, one.fault)


def _print_row(held: Print) -> tuple[object, ...]:
    sizes = (held.format, held.width, held.height)
    measures = (held.blur, held.brightness, held.contrast, held.entropy)
    return (held.sha256, VERSION, *sizes, held.hashes, held.miniature, int(held.style), *measures)


def mark_gone(connection: sqlite3.Connection, paths: Iterable[str]) -> None:
    """Files that somebody has taken away; their verdicts stay."""
    question = "UPDATE files SET state = 'gone' WHERE path = ? AND state = 'kept'"
    connection.executemany(question, ((path,) for path in paths))


def check_there(connection: sqlite3.Connection, ids: Iterable[int]) -> None:
    """Raises `UserError` when one of these files is unknown or gone."""
    for file in ids:
        row = connection.execute("SELECT path, state FROM files WHERE id = ?", (file,)).fetchone()
        if row is None or row[1] == "gone":
            raise UserError(f"{row[0] if row else f'picture {file}'} is not there any more", "scan the dataset again")


def faults(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Path and reason of every file that cannot be read."""
    question = "SELECT path, fault FROM files WHERE fault <> '' AND state = 'kept' ORDER BY path"
    return [(path, fault) for path, fault in connection.execute(question)]


@dataclass(frozen=True, slots=True)
class Hashed:
    """A file with what grouping needs; `crawled` when its source is known, `thumbnail` as that source says."""

    id: int
    path: str
    label: str
    sha256: str
    hashes: bytes
    style: int
    pixels: int
    bytes: int
    blur: float
    crawled: bool
    thumbnail: bool
    dropped: bool


def hashed(connection: sqlite3.Connection) -> list[Hashed]:
    """Of every readable file that is there, by path."""
    rows = connection.execute(
        """SELECT f.id, f.path, f.label, f.sha256, p.hashes, p.style, p.width * p.height, f.bytes, p.blur,
            a.id IS NOT NULL, coalesce(a.thumbnail, 0), f.state = 'dropped'
        FROM files f JOIN prints p USING (sha256) LEFT JOIN addresses a ON a.image = f.sha256 AND a.state = 'kept'
        WHERE f.state <> 'gone' ORDER BY f.path"""
    )
    return [Hashed(*row) for row in rows]


def miniatures(connection: sqlite3.Connection, contents: Sequence[str]) -> dict[str, bytes]:
    """The miniatures of these contents."""
    found: dict[str, bytes] = {}
    for start in range(0, len(contents), 500):
        some = contents[start : start + 500]
        marks = ", ".join("?" * len(some))
        question = f"SELECT sha256, miniature FROM prints WHERE sha256 IN ({marks})"  # noqa: S608 - question marks
        found.update(connection.execute(question, some).fetchall())
    return found
