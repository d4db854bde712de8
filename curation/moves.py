"""Files follow verdicts: a dropped picture lies below `dropped/`, a relabelled one in the folder of its label.

First the row with the new path and the old one is committed, then the file is moved while the database is held for
writing, then the old path is struck out. A process that dies in between leaves a row that says what to do; whoever
opens the dataset next does it. Nothing is ever moved over another file.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from curation.folders import folder_of
from curation.layout import DROPPED, PICTURES
from curation.verdicts import Standing, standing
from handwriter_models.errors import UserError

_ROW = "SELECT path, home, label, scanned_label, state FROM files WHERE id = ?"


def plan(connection: sqlite3.Connection, root: Path, file: int) -> bool:
    """Writes down where the file's verdicts put it; whether it has to move. The connection is in a transaction."""
    path, home, label, scanned, state = connection.execute(_ROW, (file,)).fetchone()
    wanted = standing(connection, file, scanned)
    if state == "gone":
        raise UserError(f"{path} is not there any more", "scan the dataset again")
    new_home = home if wanted.label == label else _home(connection, root, home, wanted.label)
    target = _dropped(new_home) if wanted.dropped else new_home
    if wanted == Standing(state == "dropped", label):
        return False
    if target != path:
        target = _free(connection, root, target)
    new_home = new_home if wanted.dropped else target
    new_state = "dropped" if wanted.dropped else "kept"
    connection.execute(
        "UPDATE files SET path = ?, home = ?, label = ?, state = ?, moving_from = ? WHERE id = ?",
        (target, new_home, wanted.label, new_state, path, file),
    )
    connection.execute("UPDATE images SET path = ?, label = ? WHERE path = ?", (target, wanted.label, path))
    return True


def follow(connection: sqlite3.Connection, root: Path, file: int) -> None:
    """Moves the file if its row still says so. The connection is in a transaction, so nobody else moves it now."""
    row = connection.execute("SELECT moving_from, path FROM files WHERE id = ?", (file,)).fetchone()
    if row[0] is None:
        return
    source, target = root / row[0], root / row[1]
    if os.path.lexists(source):
        _move(source, target)
    connection.execute("UPDATE files SET moving_from = NULL WHERE id = ?", (file,))


def unfinished(connection: sqlite3.Connection) -> list[int]:
    """Files whose row was written and that may not have been moved."""
    return [file for (file,) in connection.execute("SELECT id FROM files WHERE moving_from IS NOT NULL")]


def _home(connection: sqlite3.Connection, root: Path, home: str, label: str) -> str:
    """The file's place under another label, beside the folder of the one it has; the root's own files get a folder."""
    above, _, name = home.rpartition("/")
    prefix = f"{PICTURES}/" if home.startswith(f"{PICTURES}/") and (root / PICTURES).is_dir() else ""
    first, slash, _ = above.removeprefix(prefix).partition("/")
    part = connection.execute("SELECT part FROM files WHERE home = ?", (home,)).fetchone()
    if part and part[0] and slash:
        prefix += f"{first}/"
    return f"{prefix}{folder_of(connection, label)}/{name}"


def _dropped(home: str) -> str:
    return f"{DROPPED}/{home.removeprefix(f'{PICTURES}/')}"


def _free(connection: sqlite3.Connection, root: Path, path: str) -> str:
    """The path, or one with a number where a file or a row has it."""
    stem, dot, extension = path.rpartition(".")
    candidate, number = path, 1
    while os.path.lexists(root / candidate) or _is_taken(connection, candidate):
        number += 1
        candidate = f"{stem}-{number}{dot}{extension}"
    return candidate


def _is_taken(connection: sqlite3.Connection, path: str) -> bool:
    question = "SELECT 1 FROM files WHERE path = ? UNION ALL SELECT 1 FROM images WHERE path = ?"
    return connection.execute(question, (path, path)).fetchone() is not None


def _move(source: Path, target: Path) -> None:
    """By a second name and the removal of the first: unlike a rename, this fails where there is a file."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source, target, follow_symlinks=False)
        except (PermissionError, NotImplementedError, OSError) as error:
            if isinstance(error, FileExistsError):
                if not os.path.samestat(os.lstat(source), os.lstat(target)):  # else we died between the two steps
                    raise
            else:  # a disk without second names
                os.rename(source, target)  # noqa: PTH104 - `_free` has looked, and nobody else may move now
                return
        os.unlink(source)  # noqa: PTH108 - as above
    except OSError as error:
        raise UserError(
            f"cannot move {source} to {target}: {error.strerror or error}",
            "the verdict is stored; put that right (room, permissions), and the next command moves the file",
        ) from error
