"""How found addresses become rows: each once a label and engine, numbered on in the order in which they come.

Engines' answers are text from strangers: half signs (lone surrogates) are replaced, texts are cut to a bearable
length, sizes that cannot be are taken for unknown. Addresses are kept whole; which may be fetched is not decided here.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from hashlib import sha256

from curation.records import Found, Job
from handwriter_models.errors import UserError

LONGEST = 2000  # characters of a title, an author, a licence; addresses of pages are cut at ten times that
LARGEST = 10**7  # pixels on a side
_ENGINE = re.compile(r"[a-z][a-z0-9_-]{0,30}")  # it begins the pictures' file names
_INSERT = """INSERT INTO addresses (label, keyword, engine, number, address, address_key, page, title, author, licence,
    licence_address, width, height, thumbnail, found_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_KNOWN = "SELECT 1 FROM addresses WHERE address_key = ? AND label = ? AND engine = ?"


def checked(job: Job) -> Job:
    """The job itself; raises `UserError` when it cannot be stored as it is."""
    if not _ENGINE.fullmatch(job.engine):
        raise UserError(f"{job.engine!r} cannot be the name of an engine", "use small letters, digits, - and _")
    for text in (job.label, job.keyword):
        if not text or clean(text, len(text)) != text:
            raise UserError(f"{text!r} cannot be stored as a label or keyword", "give text without half or null signs")
    return job


def add(connection: sqlite3.Connection, job: Job, found: Sequence[Found], now: str) -> int:
    """Stores what is new, in order; returns how many were. The label is known already."""
    number = _last_number(connection, job)
    begin = number
    seen: set[bytes] = set()
    for one in found:
        address = clean(one.address, len(one.address))
        key = address_key(address)
        if key in seen or not address or connection.execute(_KNOWN, (key, job.label, job.engine)).fetchone():
            continue
        seen.add(key)
        number += 1
        connection.execute(_INSERT, (*_row(job, number, address, key), *_told(one), now))
    return number - begin


def note(connection: sqlite3.Connection, job: Job) -> None:
    """The job has a row of its own from now on."""
    row = (job.label, job.keyword, job.engine)
    connection.execute("INSERT OR IGNORE INTO searches (label, keyword, engine) VALUES (?, ?, ?)", row)


def address_key(address: str) -> bytes:
    """What stands for the address in the index."""
    return sha256(address.encode()).digest()[:16]


def clean(text: str, most: int = LONGEST) -> str:
    """The text as UTF-8 can hold it, without null signs."""
    return text[:most].encode("utf-8", "replace").decode("utf-8").replace("\0", "")


def _row(job: Job, number: int, address: str, key: bytes) -> tuple[str | int | bytes, ...]:
    return (job.label, job.keyword, job.engine, number, address, key)


def _told(one: Found) -> tuple[str | int, ...]:
    texts = (clean(one.title), clean(one.author), clean(one.licence), clean(one.licence_address))
    sides = (side if 0 < side < LARGEST else 0 for side in (one.width, one.height))
    return (clean(one.page, 10 * LONGEST), *texts, *sides, int(one.thumbnail))


def _last_number(connection: sqlite3.Connection, job: Job) -> int:
    """Rows are never deleted, so as many as there are have been numbered."""
    where = "WHERE label = ? AND engine = ?"
    row = connection.execute(f"SELECT sum(count) FROM tallies {where}", (job.label, job.engine)).fetchone()  # noqa: S608
    return row[0] or 0
