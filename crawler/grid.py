"""A Selenium Grid as the crawler sees it: whether a browser is free, what waits, and which sessions are ours.

A Grid keeps the browser of a client that was killed until its own time-out (five minutes, as it comes). So the ids of
our sessions are kept in a file of the run as long as they are open, and the next crawl ends those of a dead run. The
browsers of others are waited for, and it is said so: a request that waits in the Grid's queue outlives whoever made it.
A server that tells no slots, or has no node yet (some are started on demand), is asked for a browser straight away.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

from handwriter_models.errors import UserError

BROWSER = "chrome"  # Chromium calls itself so, too
QUEUE = "/se/grid/newsessionqueue/queue"
SECONDS_TO_ANSWER, SECONDS_TO_QUIT, SECONDS_TO_FREE = 10, 10, 60
GLANCE = 1.0  # seconds between two looks at a Grid that is full
SECONDS_BETWEEN_WORDS = 60.0
RECORDS = ".grid-"  # in the dataset's folder, with the run's name behind it: the Grid's address, then a session a line


@dataclass(frozen=True)
class GridStatus:
    """What a Grid tells of its browsers; `sessions` holds the ids, `waiting` counts requests in its queue."""

    slots: int
    free: int
    sessions: frozenset[str]
    waiting: int = 0

    def __str__(self) -> str:
        if not self.slots:
            return "no node of it has a Chrome"
        queue = f", {self.waiting} more are waited for in its queue" if self.waiting else ""
        return f"{self.slots - self.free} of its {self.slots} browsers are at work{queue}"


def status(grid: str) -> GridStatus | None:
    """What the Grid tells; None when it does not answer, or tells no slots."""
    told = _json(f"{grid.rstrip('/')}/status")
    nodes = told.get("nodes") if isinstance(told, dict) else None
    if not isinstance(nodes, list):
        return None
    slots = free = 0
    sessions: set[str] = set()
    for node in nodes:
        chrome, unused, ids = _node(node)
        slots, free = slots + chrome, free + unused
        sessions.update(ids)
    queue = _json(grid.rstrip("/") + QUEUE)
    return GridStatus(slots, free, frozenset(sessions), len(queue) if isinstance(queue, list) else 0)


def _node(node: object) -> tuple[int, int, set[str]]:
    """How many browsers like ours the node has, how many of them are free, and the ids of all its sessions."""
    told = _object(node)
    slots = told.get("slots")
    rows = [_object(slot) for slot in slots] if isinstance(slots, list) else []
    at_work = [_object(slot["session"]) for slot in rows if slot.get("session")]
    ours = [slot for slot in rows if _object(slot.get("stereotype")).get("browserName") == BROWSER]
    limit = told.get("maxSessions")
    most = limit if isinstance(limit, int) else len(rows)
    unused = min(sum(not slot.get("session") for slot in ours), max(0, most - len(at_work)))
    is_up = told.get("availability", "UP") == "UP"
    return min(len(ours), most), unused if is_up else 0, {str(one.get("sessionId")) for one in at_work}


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _json(address: str) -> Any:  # noqa: ANN401 - JSON
    try:
        with urllib.request.urlopen(address, timeout=SECONDS_TO_ANSWER) as answer:  # noqa: S310 - http(s), checked
            told = json.load(answer)
    except (OSError, ValueError, HTTPException):
        return None
    return told.get("value") if isinstance(told, dict) else None


def wait_for_browser(
    grid: str, seconds: float, tell: Callable[[str], None] | None, is_over: Callable[[], bool] = lambda: False
) -> None:
    """Returns when the Grid has a free browser, does not tell, or `is_over`; raises `UserError` after so long."""
    start, told = time.monotonic(), -SECONDS_BETWEEN_WORDS
    while (state := status(grid)) and state.slots and not state.free and not is_over():
        waited = time.monotonic() - start
        if waited > seconds:
            raise UserError(
                f"the Selenium Grid at {grid} gives no browser: {state}, and none became free in {seconds:g} s",
                f"look at {grid.rstrip('/')}/ui and end one there, or start the Grid with a shorter --session-timeout",
            )
        if tell and waited - told >= SECONDS_BETWEEN_WORDS:
            told = waited
            left = f"waiting for a free one, {seconds - waited:.0f} s at most"
            tell(f"the Selenium Grid at {grid} is full: {state}; {left}")
        time.sleep(min(GLANCE, seconds))


def end_session(grid: str, session: str) -> bool:
    """Asks the Grid to end a session, past the connection that may be waiting for an answer; whether it has."""
    request = urllib.request.Request(f"{grid.rstrip('/')}/session/{session}", method="DELETE")  # noqa: S310 - as above
    try:
        urllib.request.urlopen(request, timeout=SECONDS_TO_QUIT).close()  # noqa: S310
    except urllib.error.HTTPError as error:
        return error.code == 404  # it has ended already
    except (OSError, ValueError, HTTPException):
        return False
    return True


class GridRecord:
    """The open sessions of one run, in a file for the next run should this one be killed. For threads."""

    def __init__(self, folder: Path, run: str, grid: str) -> None:
        self._file, self._grid = folder / f"{RECORDS}{run}", grid
        self._lock = threading.Lock()
        self._open: list[str] = []

    def opened(self, session: str) -> None:
        """A session of ours has begun."""
        with self._lock:
            self._open.append(session)
            self._write()

    def closed(self, session: str) -> None:
        """It has ended."""
        with self._lock, contextlib.suppress(ValueError):
            self._open.remove(session)
            self._write()

    def _write(self) -> None:
        if self._open:
            self._file.write_text("\n".join([self._grid, *self._open, ""]), "utf-8")
        else:
            self._file.unlink(missing_ok=True)


def end_old_sessions(folder: Path, grid: str, alive: Collection[str], tell: Callable[[str], None]) -> None:
    """Ends the sessions that runs which are not `alive` have left on the Grid.

    A browser that is still loading a page does not hear of it before the page has come or is given up (30 s), so it is
    told again until it is gone.
    """
    records = [file for file in folder.glob(f"{RECORDS}*") if file.name.removeprefix(RECORDS) not in alive]
    state = status(grid) if records else None
    if state is None:
        return
    told = {file: file.read_text("utf-8", "replace").splitlines() or [""] for file in records}
    left = state.sessions & {session for lines in told.values() for session in lines[1:]}
    ours = left
    if left:
        tell(f"a crawl that was killed has {len(left)} of the Grid's browsers still at work; they are ended now")
    end = time.monotonic() + SECONDS_TO_FREE
    while left and time.monotonic() < end:
        for session in left:
            end_session(grid, session)
        left = left & state.sessions if (state := status(grid)) else left
        time.sleep(GLANCE / 5)
    for file, (address, *sessions) in told.items():
        known = address.rstrip("/") == grid.rstrip("/") or not ours.isdisjoint(sessions)
        if known and left.isdisjoint(sessions):
            file.unlink(missing_ok=True)
