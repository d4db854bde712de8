"""Who fetches what: addresses are handed to one process each, and never more than the limit has room for.

The room of a label at an engine is its limit less what is kept and what is being fetched, by whichever process. An
address that has been fetched for another label or engine is not fetched again: it ends at once as that one did.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from curation.records import TRANSIENT, Claim, Job, Reason
from curation.schema import WAITING

_NEXT = f"""SELECT id, number, address, address_key, page, thumbnail FROM addresses
    WHERE label = ? AND engine = ? AND keyword = ? AND number > ? AND {WAITING} ORDER BY number LIMIT ?"""  # noqa: S608
_TWINS = """SELECT state, reason, detail, image, run FROM addresses
    WHERE address_key = ? AND id <> ? AND state <> 'pending' AND reason <> 'not-needed'"""
_CLAIM = "UPDATE addresses SET state = 'claimed', run = ?, reason = '', detail = '', ended_at = NULL WHERE id = ?"
_END = "UPDATE addresses SET state = 'refused', run = ?, reason = ?, detail = ?, image = ?, ended_at = ? WHERE id = ?"


@dataclass(frozen=True)
class Claimant:
    """Who claims, and when."""

    run: int
    now: str


def room(connection: sqlite3.Connection, job: Job, limit: int) -> int:
    """How many more addresses of the job may be fetched now; 0 when none waits."""
    taken = connection.execute(
        "SELECT sum(count) FROM tallies WHERE label = ? AND engine = ? AND state IN ('kept', 'claimed')",
        (job.label, job.engine),
    ).fetchone()[0]
    waiting = connection.execute(
        "SELECT sum(count) FROM tallies WHERE label = ? AND engine = ? AND keyword = ?"
        " AND (state = 'pending' OR reason = 'not-needed')",
        (job.label, job.engine, job.keyword),
    ).fetchone()[0]
    return max(0, min(limit - (taken or 0), waiting or 0))


def claim(connection: sqlite3.Connection, job: Job, count: int, limit: int, who: Claimant) -> list[Claim]:
    """The next addresses of the job in order, at most `count`; those that can end without a fetch end now.

    An address that another claim is fetching waits and keeps its place in the room, so that it depends on the pictures
    alone, and not on who was quicker, which of them are kept.
    """
    claims: list[Claim] = []
    places = room(connection, job, limit)
    last, chunk = 0, count + 8  # rows looked at in one go: a few more, for some end at once
    while len(claims) < min(count, places):
        rows = connection.execute(_NEXT, (job.label, job.engine, job.keyword, last, chunk)).fetchall()
        for id_, number, address, key, page, thumbnail in rows:
            last = number
            state = _outcome(connection, id_, key, who)
            if state == "pending":
                connection.execute(_CLAIM, (who.run, id_))
                claims.append(Claim(id_, job, address, page, bool(thumbnail)))
            elif state == "claimed":
                places -= 1
            if len(claims) >= min(count, places):
                break
        if len(rows) < chunk:
            break
    return claims


def release(connection: sqlite3.Connection, ids: Iterable[int], run: int) -> None:
    """Claims of this run wait again."""
    connection.executemany(
        "UPDATE addresses SET state = 'pending', run = NULL WHERE id = ? AND run = ? AND state = 'claimed'",
        [(id_, run) for id_ in ids],
    )


def release_all(connection: sqlite3.Connection, run: int) -> None:
    """Whatever this run was about to do waits for another one."""
    connection.execute("UPDATE addresses SET state = 'pending', run = NULL WHERE run = ? AND state = 'claimed'", (run,))
    connection.execute("UPDATE searches SET run = NULL WHERE run = ?", (run,))


def dismiss(connection: sqlite3.Connection, job: Job, limit: int, who: Claimant) -> int:
    """Ends the addresses that wait though their label has enough of the engine; a higher limit can still claim them."""
    kept = connection.execute(
        "SELECT sum(count) FROM tallies WHERE label = ? AND engine = ? AND state = 'kept'", (job.label, job.engine)
    ).fetchone()[0]
    if (kept or 0) < limit:
        return 0
    return connection.execute(
        f"UPDATE addresses SET state = 'refused', reason = ?, ended_at = ? WHERE label = ? AND engine = ?"  # noqa: S608
        f" AND keyword = ? AND {WAITING} AND state = 'pending'",
        (Reason.NOT_NEEDED, who.now, job.label, job.engine, job.keyword),
    ).rowcount


def _outcome(connection: sqlite3.Connection, id_: int, key: bytes, who: Claimant) -> str:
    """`pending` to be fetched, `claimed` when somebody does, `refused` when it ended now as it had elsewhere."""
    twins = connection.execute(_TWINS, (key, id_)).fetchall()
    for state, _, _, image, _ in twins:
        if state == "kept":
            connection.execute(_END, (who.run, Reason.DUPLICATE, "the same address", image, who.now, id_))
            return "refused"
    if any(state == "claimed" for state, *_ in twins):
        return "claimed"
    for _, reason, detail, image, run in twins:
        if reason not in TRANSIENT or run == who.run:  # a fault that may pass is only believed within one run
            connection.execute(_END, (who.run, reason, detail, image, who.now, id_))
            return "refused"
    return "pending"
