"""Small pictures, made when they are first asked for and kept by content in a file that may be deleted at any time."""

from __future__ import annotations

import contextlib
import io
import os
import sqlite3
import threading
from pathlib import Path

from PIL import Image

from curation.fingerprint import LIMITS
from handwriter_models.images import read_picture

SMALL, LARGE = 192, 1600  # pixels of the longer side
_QUALITY = {SMALL: 74, LARGE: 88}
_VERSION = 1  # of what the file holds; another version's is emptied


def small_picture(path: Path) -> bytes:
    """A WebP of at most SMALL pixels; raises `PictureError` when the file cannot be read."""
    return _encoded(path, SMALL, "WEBP")


def large_picture(path: Path) -> bytes:
    """A JPEG of at most LARGE pixels: decoded and written anew, so that nothing of a hostile file reaches a browser."""
    return _encoded(path, LARGE, "JPEG")


def _encoded(path: Path, side: int, kind: str) -> bytes:
    picture = read_picture(path, LIMITS, enough=side)
    picture.thumbnail((side, side), Image.Resampling.BOX if side == SMALL else Image.Resampling.LANCZOS, reducing_gap=2)
    held = io.BytesIO()
    picture.save(held, kind, quality=_QUALITY[side], method=0)
    return held.getvalue()


class Thumbnails:
    """The file of small pictures. One that cannot be used is done without: they are then made each time."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._connection = _opened(path)
        if self._connection is None:  # damaged, or another program's: it is only a store of copies
            with contextlib.suppress(OSError):
                for end in ("", "-wal", "-shm"):
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(f"{path}{end}")  # noqa: PTH108 - three names of one file
                self._connection = _opened(path)

    def get(self, sha256: str) -> bytes | None:
        """What is kept for this content."""
        with self._lock, contextlib.suppress(sqlite3.Error):
            if self._connection is not None:
                row = self._connection.execute("SELECT data FROM small WHERE sha256 = ?", (sha256,)).fetchone()
                return bytes(row[0]) if row else None
        return None

    def put(self, sha256: str, data: bytes) -> None:
        """Keeps it, if there is room."""
        with self._lock, contextlib.suppress(sqlite3.Error):
            if self._connection is not None:
                self._connection.execute("INSERT OR REPLACE INTO small VALUES (?, ?)", (sha256, data))

    def close(self) -> None:
        """May be called twice."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


def _opened(path: Path) -> sqlite3.Connection | None:
    connection = None
    try:
        connection = sqlite3.connect(path, timeout=2, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        if connection.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
            connection.execute("DROP TABLE IF EXISTS small")
            connection.execute("CREATE TABLE small (sha256 TEXT PRIMARY KEY, data BLOB NOT NULL)")
            connection.execute(f"PRAGMA user_version = {_VERSION}")
        connection.execute("SELECT data FROM small LIMIT 1").fetchone()
    except sqlite3.Error:
        if connection is not None:
            connection.close()
        return None
    return connection
