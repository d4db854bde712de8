"""The questions a dataset answers, and the short notes about searches and runs."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import fields
from typing import Any

from curation.records import Job, JobCounts, Reason, SearchRecord, SearchState
from curation.rows import RunRow

_REOPEN = """UPDATE addresses
    SET state = 'pending', run = NULL, reason = '', detail = '', image = NULL, ended_at = NULL
    WHERE state = 'refused' AND reason = ? AND label = ? AND keyword = ? AND engine = ?"""
_ONE = "label = ? AND keyword = ? AND engine = ?"


def question(table: str, row: type[Any], order: str) -> str:
    """Asks for all rows of a table or view, with the columns that the row type has."""
    return f"SELECT {', '.join(field.name for field in fields(row))} FROM {table} ORDER BY {order}"  # noqa: S608


def counts(connection: sqlite3.Connection) -> dict[Job, JobCounts]:
    """From the tallies, which triggers keep."""
    answers: dict[Job, JobCounts] = {}
    rows = connection.execute("SELECT label, keyword, engine, state, reason, count FROM tallies WHERE count > 0")
    sums: dict[Job, dict[str, int]] = {}
    refused: dict[Job, dict[Reason, int]] = {}
    for label, keyword, engine, state, reason, count in rows:
        job = Job(label, keyword, engine)
        of = sums.setdefault(job, {})
        of[state] = of.get(state, 0) + count
        if state == "refused":
            refused.setdefault(job, {})[Reason(reason)] = count
    for job, of in sums.items():
        answers[job] = JobCounts(
            found=sum(of.values()),
            kept=of.get("kept", 0),
            refused=refused.get(job, {}),
            pending=of.get("pending", 0),
            claimed=of.get("claimed", 0),
        )
    return answers


def thumbnails(connection: sqlite3.Connection) -> dict[Job, int]:
    """Kept pictures that are thumbnails, by job."""
    rows = connection.execute(
        "SELECT label, keyword, engine, count(*) FROM addresses WHERE state = 'kept' AND thumbnail GROUP BY 1, 2, 3"
    )
    return {Job(label, keyword, engine): count for label, keyword, engine, count in rows}


def jobs(connection: sqlite3.Connection) -> list[Job]:
    """In the order in which they were first begun."""
    return [Job(*row) for row in connection.execute("SELECT label, keyword, engine FROM searches ORDER BY id")]


def searches(connection: sqlite3.Connection) -> list[SearchRecord]:
    """Those that have ended at least once."""
    rows = connection.execute(
        "SELECT label, keyword, engine, state, detail, exhausted FROM searches WHERE state IS NOT NULL ORDER BY id"
    )
    return [
        SearchRecord(Job(label, keyword, engine), SearchState(state), detail, bool(exhausted))
        for label, keyword, engine, state, detail, exhausted in rows
    ]


def began_search(connection: sqlite3.Connection, job: Job, run: int, now: str) -> bool:
    """Notes the run as the one that searches, unless another one does."""
    changed = connection.execute(
        f"UPDATE searches SET run = ?, began_at = ? WHERE {_ONE} AND (run IS NULL OR run = ?)",  # noqa: S608
        (run, now, job.label, job.keyword, job.engine, run),
    )
    return changed.rowcount == 1


def end_search(connection: sqlite3.Connection, record: SearchRecord, run: int, now: str) -> None:
    """Nothing happens when the search is another run's by now."""
    job = record.job
    connection.execute(
        f"UPDATE searches SET run = NULL, state = ?, detail = ?, exhausted = ?, ended_at = ?"  # noqa: S608
        f" WHERE {_ONE} AND (run IS NULL OR run = ?)",
        (record.state, record.detail, int(record.exhausted), now, job.label, job.keyword, job.engine, run),
    )


def reopen(connection: sqlite3.Connection, reasons: Collection[Reason], jobs: Iterable[Job]) -> int:
    """Refused addresses of these jobs that wait again."""
    changed = 0
    for job in jobs:
        for reason in set(reasons):
            changed += connection.execute(_REOPEN, (reason, job.label, job.keyword, job.engine)).rowcount
    return changed


def open_runs(connection: sqlite3.Connection) -> list[tuple[int, RunRow]]:
    """Runs that have not been closed: they live, or died without a word."""
    rows = connection.execute(
        "SELECT id, name, pid, host, started_at, command FROM runs WHERE ended_at IS NULL ORDER BY id"
    )
    return [(row[0], RunRow(*row[1:])) for row in rows]


def run_number(connection: sqlite3.Connection, name: str) -> int:
    """The number of the run's row; 0 when it died before it had one."""
    row = connection.execute("SELECT id FROM runs WHERE name = ?", (name,)).fetchone()
    return row[0] if row else 0


def close_run(connection: sqlite3.Connection, run: int, now: str, died: bool) -> None:
    """The run is over; what was closed before stays as it is."""
    question = "UPDATE runs SET ended_at = ?, died = ? WHERE id = ? AND ended_at IS NULL"
    connection.execute(question, (now, int(died), run))


def known_files(connection: sqlite3.Connection) -> set[str]:
    """Paths of pictures, of committed arrivals that still wait, and of the lock files of open runs."""
    known = {path for (path,) in connection.execute("SELECT path FROM images")}
    waiting = "SELECT 'incoming/' || r.name || '/' || i.arrived_as FROM images i JOIN runs r ON r.id = i.run"
    known |= {path for (path,) in connection.execute(f"{waiting} WHERE r.ended_at IS NULL")}
    return known | {f"incoming/{row.id}.lock" for _, row in open_runs(connection)}
