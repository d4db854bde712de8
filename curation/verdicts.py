"""What people decided about pictures: keep, drop, relabel and undo, appended one after the other and never changed.

The state of a picture follows from its verdicts alone: the last one that is not undone wins. `replayed` says so in six
lines; the database says the same in SQL, and a test compares the two.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """What a verdict does. A `keep` takes a dropped picture back, under the label it has."""

    KEEP = "keep"
    DROP = "drop"
    RELABEL = "relabel"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One row; `label` is that of a relabel, `undoes` the number of the verdict that an undo takes back."""

    id: int
    file: int
    action: Action
    label: str | None
    undoes: int | None
    batch: str
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What a picture's verdicts come to."""

    dropped: bool
    label: str


def replayed(verdicts: Iterable[Verdict], first_labels: dict[int, str]) -> dict[int, Standing]:
    """The standing of every file, given the labels that the scan found; by the rules above and nothing else."""
    told = list(verdicts)
    undone = {verdict.undoes for verdict in told}
    standing = {file: Standing(False, label) for file, label in first_labels.items()}
    for verdict in told:
        if verdict.id not in undone and verdict.action is not Action.UNDO:
            before = standing[verdict.file]
            label = verdict.label if verdict.action is Action.RELABEL else before.label
            standing[verdict.file] = Standing(verdict.action is Action.DROP, label or before.label)
    return standing


def append(
    connection: sqlite3.Connection, file: int, action: Action, label: str | None, stamp: tuple[str, str, str]
) -> None:
    """`stamp` is batch, who and when."""
    row = (file, action, label, *stamp)
    connection.execute("INSERT INTO verdicts (file, action, label, batch, by, at) VALUES (?, ?, ?, ?, ?, ?)", row)


def last_batch(connection: sqlite3.Connection, by: str) -> list[tuple[int, int]]:
    """(number, file) of the verdicts that were given together last by this person and are not undone."""
    question = """SELECT batch FROM verdicts v WHERE by = ? AND action <> 'undo'
        AND NOT EXISTS (SELECT 1 FROM verdicts u WHERE u.undoes = v.id) ORDER BY id DESC LIMIT 1"""
    row = connection.execute(question, (by,)).fetchone()
    if row is None:
        return []
    question = """SELECT id, file FROM verdicts v WHERE batch = ? AND action <> 'undo'
        AND NOT EXISTS (SELECT 1 FROM verdicts u WHERE u.undoes = v.id) ORDER BY id"""
    return connection.execute(question, row).fetchall()


def append_undo(connection: sqlite3.Connection, undone: Sequence[tuple[int, int]], stamp: tuple[str, str, str]) -> None:
    """Takes back these (number, file)."""
    question = "INSERT INTO verdicts (file, action, undoes, batch, by, at) VALUES (?, 'undo', ?, ?, ?, ?)"
    connection.executemany(question, ((file, number, *stamp) for number, file in undone))


def standing(connection: sqlite3.Connection, file: int, first_label: str) -> Standing:
    """What the file's verdicts come to now."""
    return replayed(of_file(connection, file), {file: first_label})[file]


def of_file(connection: sqlite3.Connection, file: int) -> list[Verdict]:
    """In the order in which they were given."""
    return list(_read(connection, "WHERE file = ?", (file,)))


def all_of(connection: sqlite3.Connection) -> list[Verdict]:
    """The whole history."""
    return list(_read(connection, "", ()))


def _read(connection: sqlite3.Connection, where: str, values: tuple[object, ...]) -> Iterable[Verdict]:
    question = f"SELECT id, file, action, label, undoes, batch, by, at FROM verdicts {where} ORDER BY id"  # noqa: S608
    for number, file, action, *rest in connection.execute(question, values):
        yield Verdict(number, file, Action(action), *rest)
