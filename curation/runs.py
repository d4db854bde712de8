"""Who is at work on a dataset: one row, one folder and one locked file for each process, from its first claim on.

The system lets go of a lock when its holder ends, in whatever way, so a killed process is known to be dead at once and
its work is taken up by the next one; nothing has to beat or to time out. The lock is taken before the folder and the
row are made, and a dead run is buried only by the one that holds its lock.
"""

from __future__ import annotations

import os
import re
import secrets
import shlex
import socket
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

_LOCK, _MOMENT = ".lock", 10.0
_NAME = re.compile(rf"\d{{8}}T\d{{6}}-[0-9a-f]{{8}}({re.escape(_LOCK)})?")
_LOGIN = re.compile(r"//[^/@\s]*@")  # in an address; it has no business in a dataset that will be handed on


@dataclass(frozen=True)
class Run:
    """What this process is to the dataset: the number of its row, and its folder for files that arrive."""

    id: int
    name: str
    folder: Path
    lock: FileLock


def begun(incoming: Path, connection: sqlite3.Connection, now: datetime) -> Run:
    """A new run; the connection is in a transaction."""
    name = f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
    folder = incoming / name
    lock = _lock(folder)
    lock.acquire(timeout=_MOMENT, poll_interval=0.01)  # somebody may just be looking whether it is a dead run's
    folder.mkdir()
    command = _LOGIN.sub("//***@", shlex.join(sys.argv))
    row = (name, os.getpid(), socket.gethostname(), command, now.isoformat())
    cursor = connection.execute("INSERT INTO runs (name, pid, host, command, started_at) VALUES (?, ?, ?, ?, ?)", row)
    return Run(int(cursor.lastrowid or 0), name, folder, lock)


@contextmanager
def letting_go(run: Run) -> Iterator[None]:
    """In the block the run's files are seen to and its row is closed; then the lock goes, whatever happened."""
    try:
        yield
        if not run.folder.exists():
            _lock_path(run.folder).unlink(missing_ok=True)
    finally:
        run.lock.release()


def traces(incoming: Path) -> set[str]:
    """The names of runs that have a folder or a lock file, dead or alive."""
    if not incoming.is_dir():
        return set()
    return {entry.name.removesuffix(_LOCK) for entry in incoming.iterdir() if _NAME.fullmatch(entry.name)}


@contextmanager
def dead(folder: Path) -> Iterator[bool]:
    """Whether the run of this folder is dead; while the block lasts nobody else can find it so."""
    lock = _lock(folder)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield False
        return
    try:
        yield True
        if not folder.exists():
            _lock_path(folder).unlink(missing_ok=True)
    finally:
        lock.release()


def is_alive(folder: Path) -> bool:
    """Whether the process of this folder still runs."""
    if not _lock_path(folder).exists():
        return False
    with dead(folder) as found_dead:
        return not found_dead


def buried(folder: Path) -> None:
    """Takes away a run's emptied folder. One that is not empty stays."""
    try:
        folder.rmdir()
    except OSError:
        return


def _lock(folder: Path) -> FileLock:
    # is_singleton: two datasets opened in one process must not share the lock. thread_local: any thread may close.
    return FileLock(_lock_path(folder), thread_local=False, is_singleton=False)


def _lock_path(folder: Path) -> Path:
    return folder.with_name(folder.name + _LOCK)
