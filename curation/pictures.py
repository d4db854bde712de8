"""The pictures of a dataset as curation sees them: files, what a scan measured of them, groups, verdicts and splits.

One object for threads and processes alike, over the dataset's own database. It never deletes a picture.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from curation import files, listing, moves, verdicts
from curation.database import Database
from curation.files import Known, Scanned
from curation.listing import PictureRow
from curation.rows import Member
from curation.verdicts import Action, Verdict

_STANDING = "SELECT id, path, label, state FROM files WHERE id = ?"
_SHAPE = """SELECT * FROM (SELECT coalesce(max(id), 0), total(state = 'gone'), total(modified / 1e9) FROM files),
    (SELECT total(file * (1 + coalesce(cluster, 0)) + distance + keep) FROM members),
    (SELECT total(file * (1 + score)) FROM flags),
    (SELECT count(*), total(file * length(part)) FROM splits)"""


def _is_judged(told: Sequence[Verdict]) -> bool:
    undone = {verdict.undoes for verdict in told}
    return any(verdict.action is not Action.UNDO and verdict.id not in undone for verdict in told)


def _given(connection: sqlite3.Connection, by: str, batch: str) -> list[int]:
    """The files of this batch, if it is among the person's last thousand verdicts."""
    question = "SELECT file FROM (SELECT file, batch FROM verdicts WHERE by = ? ORDER BY id DESC LIMIT 1000)"
    rows = connection.execute(f"{question} WHERE batch = ?", (by, batch))
    return [file for (file,) in rows]


class Pictures:
    """Reached as `Dataset.pictures`. `now` tells the time as ISO 8601."""

    def __init__(self, root: Path, database: Database, now: Callable[[], str]) -> None:
        self.root = root
        self._database, self._now = database, now

    # What a scan needs

    def known(self) -> dict[str, Known]:
        """Every file that a scan has seen, by path."""
        with self._database.reading() as connection:
            return files.known(connection)

    def printed(self) -> set[str]:
        """The contents (sha256) that have been measured."""
        with self._database.reading() as connection:
            return files.printed(connection)

    def crawled(self) -> dict[str, tuple[str, int]]:
        """sha256 and bytes of the crawler's pictures, by path."""
        with self._database.reading() as connection:
            return files.crawled(connection)

    def labels(self) -> dict[str, str]:
        """The label of each folder that was given to one; any other folder's label is its name."""
        with self._database.reading() as connection:
            return files.labels(connection)

    def normalize_labels(self) -> None:
        """Labels that were stored before there was one rule become what `handwriter_models.labels` makes of them."""
        with self._database.reading() as connection:
            changed = files.unnormalized(connection)
        if changed:
            with self._database.writing() as connection:
                files.rename_labels(connection, changed)

    def record(self, batch: Sequence[Scanned]) -> int:
        """Stores what a scan found of these files; returns how many they are."""
        with self._database.writing() as connection:
            files.record(connection, batch)
        return len(batch)

    def mark_gone(self, paths: Iterable[str]) -> None:
        """Notes files that somebody has taken away, unless a verdict has moved them meanwhile."""
        with self._database.writing() as connection:
            files.mark_gone(connection, paths)

    def left_out(self) -> tuple[list[tuple[str, str]], int]:
        """Path and reason of what the last scan could not read, and how many files it found that are no pictures."""
        told = self.setting("left out") or {"others": 0, "obstacles": []}
        return [(path, why) for path, why in told["obstacles"]] + self.faults(), told["others"]

    def faults(self) -> list[tuple[str, str]]:
        """Path and reason of every file that cannot be read."""
        with self._database.reading() as connection:
            return files.faults(connection)

    # What people see and decide

    def rows(self) -> list[PictureRow]:
        """Every readable file that is not gone, dropped ones too, by path."""
        with self._database.reading() as connection:
            return listing.rows(connection)

    def judge(self, ids: Sequence[int], action: Action, by: str, label: str | None = None, batch: str = "") -> str:
        """Gives the verdict on these files, all or none, moves them, and returns the name of the batch.

        Who names the batch may ask twice: a name that the person's last verdicts carry already changes nothing.

        Raises:
            UserError: when a file is not there any more, or cannot be moved (then the verdict stands).
        """
        stamp = (batch or secrets.token_hex(8), by, self._now())
        with self._database.writing(durable=True) as connection:
            if batch and _given(connection, by, batch):
                return batch
            files.check_there(connection, ids)
            for file in ids:
                verdicts.append(connection, file, action, label, stamp)
            moving = [file for file in ids if moves.plan(connection, self.root, file)]
        self._follow(moving)
        return stamp[0]

    def undo(self, by: str, batch: str = "") -> list[int]:
        """Takes back what this person decided last and has not undone, in one batch; returns the files."""
        stamp = (batch or secrets.token_hex(8), by, self._now())
        with self._database.writing(durable=True) as connection:
            before = _given(connection, by, batch) if batch else []
            if before:
                return before
            undone = verdicts.last_batch(connection, by)
            verdicts.append_undo(connection, undone, stamp)
            ids = [file for _, file in undone]
            moving = [file for file in ids if moves.plan(connection, self.root, file)]
        self._follow(moving)
        return ids

    def judged_after(self, number: int) -> list[tuple[int, int]]:
        """(number, file) of the verdicts, undos too, that were given after this one."""
        with self._database.reading() as connection:
            question = "SELECT id, file FROM verdicts WHERE id > ? ORDER BY id"
            return connection.execute(question, (number,)).fetchall()

    def standings(self, ids: Sequence[int]) -> list[tuple[int, str, str, str, bool]]:
        """Number, path, label, state (kept, dropped or gone) of these files, and whether a verdict on each stands."""
        with self._database.reading() as connection:
            found = [connection.execute(_STANDING, (int(file),)).fetchone() for file in ids]
            return [(*row, _is_judged(verdicts.of_file(connection, row[0]))) for row in found if row]

    def pulse(self) -> tuple[int, int]:
        """Two numbers: the first changes when another connection writes, the second is that of the last verdict."""
        with self._database.reading() as connection:
            version = connection.execute("PRAGMA data_version").fetchone()[0]
            return version, connection.execute("SELECT coalesce(max(id), 0) FROM verdicts").fetchone()[0]

    def shape(self) -> tuple[float, ...]:
        """Sums that change when a scan, a grouping, a judgement of quality or a split has written."""
        with self._database.reading() as connection:
            return tuple(connection.execute(_SHAPE).fetchone())

    def history(self) -> list[Verdict]:
        """Every verdict, in the order in which they were given."""
        with self._database.reading() as connection:
            return verdicts.all_of(connection)

    def repair(self) -> int:
        """Finishes moves that a dead process left; returns how many."""
        with self._database.reading() as connection:
            left = moves.unfinished(connection)
        self._follow(left)
        return len(left)

    # What programs found

    def hashed(self) -> list[files.Hashed]:
        """Every readable file that is there, dropped ones too, with its perceptual hashes, by path."""
        with self._database.reading() as connection:
            return files.hashed(connection)

    def copies(self) -> tuple[int, int]:
        """How many groups of kept pictures there are, and how many pictures in them are redundant."""
        with self._database.reading() as connection:
            return listing.copies(connection)

    def miniatures(self, contents: Sequence[str]) -> dict[str, bytes]:
        """32 x 32 grey values of these contents (sha256)."""
        with self._database.reading() as connection:
            return files.miniatures(connection, contents)

    def store_members(self, members: Sequence[Member]) -> None:
        """Puts these groups in the place of all earlier ones."""
        with self._database.writing() as connection:
            listing.store_members(connection, members)

    def store_flags(self, kind: str, flags: Iterable[tuple[int, float, str]]) -> None:
        """Puts these (file, score from 0 to 1, detail) in the place of all earlier flags of the kind."""
        with self._database.writing() as connection:
            listing.store_flags(connection, kind, flags)

    def store_split(self, parts: dict[int, str]) -> None:
        """Puts this split (train, validation or test by file) in the place of an earlier one."""
        with self._database.writing() as connection:
            listing.store_split(connection, parts)

    def split(self) -> dict[int, str]:
        """The part of each file in the split that stands."""
        with self._database.reading() as connection:
            return dict(connection.execute("SELECT file, part FROM splits").fetchall())

    def setting(self, name: str) -> Any:  # noqa: ANN401 - whatever JSON holds
        """What was stored under the name; None when nothing was."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else None

    def store_setting(self, name: str, value: Any) -> None:  # noqa: ANN401 - as above
        """Stores a JSON value under a name."""
        with self._database.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, json.dumps(value)))

    def _follow(self, ids: Iterable[int]) -> None:
        for file in ids:  # one transaction each: the lock is held for one move at a time
            with self._database.writing() as connection:
                moves.follow(connection, self.root, file)
