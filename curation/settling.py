"""How fetched pictures enter the dataset: first the rows, in one transaction, then the files, by rename.

The file waits in `incoming/<run>/`, written and fsynced by whoever fetched it. Once the rows are committed the picture
belongs to the dataset, and its file is moved to the path that the row names; if the process dies in between, the next
one that opens the dataset moves it. Nothing is ever written over, and no picture is deleted but one whose bytes are
kept already.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from curation.finding import clean
from curation.records import Kept, Reason, Refused
from handwriter_models.errors import UserError

Move = Callable[[Path, Path], None]
DUPLICATE = "duplicate"
DETAIL = 500  # characters of why an address was refused
_EXTENSION = re.compile(r"[a-z0-9]{1,5}")
_CLAIMED = """SELECT a.label, a.engine, a.number, l.folder FROM addresses a JOIN labels l USING (label)
    WHERE a.id = ? AND a.run = ? AND a.state = 'claimed'"""
_SAME = """SELECT sha256, label, path FROM images WHERE sha256 = ?
    UNION ALL SELECT sha256, label, path FROM images WHERE sha256 = ? OR original_sha256 = ? LIMIT 1"""
_IMAGE = "INSERT INTO images VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_KEPT = "UPDATE addresses SET state = 'kept', image = ?, ended_at = ? WHERE id = ?"
_REFUSED = """UPDATE addresses SET state = 'refused', reason = ?, detail = ?, image = ?, ended_at = ?
    WHERE id = ? AND run = ? AND state = 'claimed'"""


@dataclass(frozen=True)
class Place:
    """Where things are: the dataset's folder, the run with its folder of arrivals, and the time."""

    root: Path
    run: int
    arrivals: Path
    now: str


@dataclass
class Settled:
    """What a transaction decided, and what is left to do with the files after it."""

    answers: dict[int, str]  # claim → path of the picture, or "duplicate"
    moves: list[tuple[str, str]]  # name among the arrivals → path
    spare: list[str]  # arrivals that are not needed: their bytes are kept already, or the claim was lost


def check(kept: Iterable[Kept]) -> None:
    """Names come from our own downloader; a wrong one is a fault of it and must not reach the disk."""
    for one in kept:
        if not _EXTENSION.fullmatch(one.extension) or Path(one.file).name != one.file:
            raise ValueError(f"{one.file!r} with extension {one.extension!r} cannot be taken in")


def record(connection: sqlite3.Connection, place: Place, kept: Sequence[Kept], refused: Sequence[Refused]) -> Settled:
    """Writes the rows; claims that are not this run's any more are passed over."""
    settled = Settled({}, [], [])
    for one in sorted(kept, key=lambda one: one.id):  # of two copies in a batch the first that was found stays
        _take_in(connection, place, one, settled)
    for no in refused:
        connection.execute(_REFUSED, (no.reason, clean(no.detail, DETAIL), None, place.now, no.id, place.run))
    return settled


def move(place: Place, settled: Settled, rename: Move) -> None:
    """The files follow their rows. A file that is gone has been moved already."""
    for name, path in settled.moves:
        _follow(place.arrivals / name, place.root / path, rename)
    for name in settled.spare:
        (place.arrivals / name).unlink(missing_ok=True)


def left(connection: sqlite3.Connection, place: Place) -> Settled:
    """What is still among a run's arrivals when it has ended: to be moved if a row knows it, else never taken in."""
    settled = Settled({}, [], [])
    waiting = (
        sorted(file.name for file in place.arrivals.iterdir() if file.is_file()) if place.arrivals.is_dir() else []
    )
    if not waiting:
        return settled
    question = "SELECT arrived_as, path FROM images WHERE run = ?"
    paths: dict[str, str] = dict(connection.execute(question, (place.run,)).fetchall())
    for name in waiting:
        if name in paths:
            settled.moves.append((name, _kept_free(connection, place.root, paths[name])))
        else:
            settled.spare.append(name)
    return settled


def _kept_free(connection: sqlite3.Connection, root: Path, path: str) -> str:
    """The path, or a new one when somebody has put a file there since the row was written."""
    stem, _, extension = path.rpartition(".")
    free = _free_path(root, stem, extension)
    if free != path:
        connection.execute("UPDATE images SET path = ? WHERE path = ?", (free, path))
    return free


def sync_folder(folder: Path) -> None:
    """The names in the folder are on the disk. Windows cannot do this and need not."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _take_in(connection: sqlite3.Connection, place: Place, one: Kept, settled: Settled) -> None:
    claimed = connection.execute(_CLAIMED, (one.id, place.run)).fetchone()
    if claimed is None:
        settled.spare.append(one.file)
        return
    label, engine, number, folder = claimed
    same = connection.execute(_SAME, (one.sha256, one.original_sha256, one.original_sha256)).fetchone()
    if same:
        detail = "" if same[1] == label else f"kept under {same[1]!r}"
        connection.execute(_REFUSED, (Reason.DUPLICATE, detail, same[0], place.now, one.id, place.run))
        settled.answers[one.id] = DUPLICATE
        settled.spare.append(one.file)
        return
    path = _free_path(place.root, f"images/{folder}/{engine}_{number:04d}", one.extension)
    sizes = (one.width, one.height, one.bytes)
    row = (one.sha256, one.original_sha256, label, path, *sizes, place.now, place.run, one.file)
    connection.execute(_IMAGE, row)
    connection.execute(_KEPT, (one.sha256, place.now, one.id))
    settled.answers[one.id] = path
    settled.moves.append((one.file, path))


def _free_path(root: Path, stem: str, extension: str) -> str:
    """Somebody may have put a file of that name there; it is theirs, and ours gets another name."""
    path, copy = f"{stem}.{extension}", 1
    while os.path.lexists(root / path):
        copy += 1
        path = f"{stem}-{copy}.{extension}"
    return path


def _follow(source: Path, target: Path, rename: Move) -> None:
    try:
        try:
            rename(source, target)
        except FileNotFoundError:
            target.parent.mkdir(parents=True, exist_ok=True)
            rename(source, target)
    except FileNotFoundError:
        return  # moved already
    except OSError as error:
        raise UserError(
            f"cannot move a picture to {target}: {error.strerror or error}",
            "put that right (room, permissions, one disk for the whole dataset); the same command then moves it",
        ) from error
