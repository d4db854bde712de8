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
from curation.verdicts import Standing, standing
from handwriter_models.errors import UserError
from handwriter_models.layout import DROPPED, PICTURES

_ROW = "SELECT path, home, first_home, label, first_label, state FROM files WHERE id = ?"
_LONGEST = 240  # bytes of a name that gets a number


def plan(connection: sqlite3.Connection, root: Path, file: int) -> bool:
    """Writes down where the file's verdicts put it; whether it has to move. The connection is in a transaction."""
    follow(connection, root, file)  # a move that a dead process left
    path, home, first_home, label, first_label, state = connection.execute(_ROW, (file,)).fetchone()
    if state == "gone":
        return False
    wanted = standing(connection, file, first_label)
    if wanted == Standing(state == "dropped", label):
        return False
    if wanted.label != label:
        home = first_home if wanted.label == first_label else _home(connection, root, home, wanted.label)
    target = _dropped(home) if wanted.dropped else home
    if target != path:
        target = _free(connection, root, target)
    row = (
        target,
        home if wanted.dropped else target,
        wanted.label,
        "dropped" if wanted.dropped else "kept",
        path,
        file,
    )
    connection.execute("UPDATE files SET path = ?, home = ?, label = ?, state = ?, moving_from = ? WHERE id = ?", row)
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
    """The file's place under another label: beside the folder of the one it has, in the same part of a split."""
    folders, name = home.split("/")[:-1], home.rpartition("/")[2]
    above = folders[:1] if folders[:1] == [PICTURES] and (root / PICTURES).is_dir() else []
    part = connection.execute("SELECT part FROM files WHERE home = ?", (home,)).fetchone()
    if part and part[0]:
        above = folders[: len(above) + 1]
    return "/".join([*above, _folder(connection, root.joinpath(*above), len(above), label), name])


def _folder(connection: sqlite3.Connection, place: Path, depth: int, label: str) -> str:
    """The folder that pictures of this label lie in already, or a safe one for a new label."""
    question = "SELECT first_home FROM files WHERE first_label = ? LIMIT 1"
    row = connection.execute(question, (label,)).fetchone()
    folders = row[0].split("/")[:-1] if row else []
    return folders[depth] if len(folders) > depth else folder_of(connection, label, place)


def _dropped(home: str) -> str:
    return f"{DROPPED}/{home.removeprefix(f'{PICTURES}/')}"


def _free(connection: sqlite3.Connection, root: Path, path: str) -> str:
    """The path, or one with a number where a file or a row has it."""
    folder, _, name = path.rpartition("/")
    stem, extension = os.path.splitext(name)  # noqa: PTH122 - a name
    short = stem.encode()[: _LONGEST - len(extension.encode())].decode("utf-8", "ignore")
    candidate, number = path, 1
    while os.path.lexists(root / candidate) or _is_taken(connection, candidate):
        number += 1
        candidate = f"{folder}/{short}-{number}{extension}" if folder else f"{short}-{number}{extension}"
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
        except FileExistsError:
            if not os.path.samestat(os.lstat(source), os.lstat(target)):  # else we died between the two steps
                raise
        except (OSError, NotImplementedError):  # a disk without second names
            os.rename(source, target)  # noqa: PTH104 - `_free` has looked, and nobody else may move now
            return
        os.unlink(source)  # noqa: PTH108 - as above
    except OSError as error:
        raise UserError(
            f"cannot move {source} to {target}: {error.strerror or error}",
            "the verdict is stored; put that right (room, permissions), and the next command moves the file",
        ) from error
