"""The open `dataset.db`: one connection that threads share, transactions, and faults put into words for people.

SQLite in WAL mode: several processes may write, each waits its turn. What must outlive a power cut is written with
`durable`, which costs a wait for the disk and puts everything committed earlier on it too; other transactions may be
lost in one, the last ones first, but never in part.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from curation.schema import APPLICATION, STEPS, Steps
from handwriter_models.disk import fault_of_folder
from handwriter_models.errors import UserError

PATIENCE = 60.0  # seconds to wait for another process's transaction; one takes milliseconds
_TOLD = (
    ("locked", "another program has been writing to {} for a minute", "end it, or wait until it is done"),
    ("disk is full", "the disk of {} is full", "make room; the same command goes on from here"),
    ("readonly", "{} cannot be written to", "check the permissions of the folder and of its files"),
    ("unable to open", "{} cannot be opened", "check the permissions of the folder, and that the disk is there"),
    ("disk I/O", "the disk of {} reports a fault", "check the disk; WAL databases also need a local disk, not a share"),
    ("not a database", "{} is not a dataset's database", "give another folder, or move that file away"),
    ("malformed", "{} is damaged", "restore it from a copy, or start anew in another folder; the pictures are whole"),
)

# What SQLite also says when it has no room for the files beside the database, or may not write to its folder.
_MAY_BE_FULL = ("disk is full", "disk I/O", "unable to open", "readonly")


class Database:
    """Hands out the connection for reading and for writing; every method may be called from any thread."""

    def __init__(self, path: Path, steps: Steps = STEPS) -> None:
        self.path = path
        self._turn = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        with self._explained():
            self._connection = _opened(path, steps)

    @contextmanager
    def writing(self, durable: bool = False) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is stored, or none. Not to be nested."""
        with self._turn, self._explained():
            connection = self._open()
            connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """For a few short questions; a long one belongs in `rows`."""
        with self._turn, self._explained():
            yield self._open()

    def rows(self, question: str) -> Iterator[sqlite3.Row]:
        """The answer row by row, as it stands at the first one, over a connection of its own: writers need not wait."""
        with self._turn:
            self._open()  # it is open, so the file is there and is not made anew
        with self._explained(), closing(_connected(self.path)) as connection:
            connection.row_factory = sqlite3.Row
            yield from connection.execute(question)

    def close(self) -> None:
        """May be called twice; whoever is at work in another thread ends first."""
        with self._turn:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            raise ValueError(f"the dataset of {self.path} is closed")
        return self._connection

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            fault = fault_of_folder(self.path.parent) if any(one in str(error) for one in _MAY_BE_FULL) else None
            if fault:
                raise fault from error
            for sign, what, hint in _TOLD:
                if sign in str(error):
                    raise UserError(what.format(self.path), hint) from error
            raise


def _connected(path: Path) -> sqlite3.Connection:
    # check_same_thread: `Database` sees to it that one thread at a time is at work
    connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _opened(path: Path, steps: Steps) -> sqlite3.Connection:
    """Connected, checked to be ours, in WAL mode and at the newest version."""
    connection = _connected(path)
    try:
        _check_owner(connection, path, steps)
        _wal(connection)
        _step_up(connection, path, steps)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_owner(connection: sqlite3.Connection, path: Path, steps: Steps) -> None:
    """Nothing is written to a database that another program made. An empty one is a creation that was broken off."""
    owner, version = _number(connection, "application_id"), _number(connection, "user_version")
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if owner != APPLICATION and (owner or version or tables):
        raise UserError(f"{path} belongs to another program", "give another folder, or move that file away")
    if version > len(steps):
        raise UserError(
            f"{path} was made by a newer version of this program ({version}, this one knows {len(steps)})",
            "update this program, or give another folder",
        )


def _wal(connection: sqlite3.Connection) -> None:
    """Switching needs the file for itself and does not wait for it, unlike all else."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.02)


def _step_up(connection: sqlite3.Connection, path: Path, steps: Steps) -> None:
    if _number(connection, "user_version") == len(steps):
        return
    connection.execute("BEGIN IMMEDIATE")
    _check_owner(connection, path, steps)  # again: another process may have stepped up meanwhile
    for step in steps[_number(connection, "user_version") :]:
        for statement in step:
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {len(steps)}")
    connection.execute("COMMIT")


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])
