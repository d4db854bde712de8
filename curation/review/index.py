"""All rows of a dataset in memory, kept in step with the database: ours after each verdict, others' within a second."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from curation.listing import PictureRow
from curation.pictures import Pictures
from curation.review.arrange import Listing, Query, arranged, facets

_LOOK = 0.5  # seconds between two looks at what other processes have written
_REST = 10  # a full reading is followed by a rest this many times as long


@dataclass(frozen=True)
class Counts:
    """How far the review is; `judged` counts dropped ones too."""

    all: int
    judged: int
    dropped: int


class Index:
    """May be used from any thread."""

    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures
        self._lock = threading.RLock()
        self._rows: dict[int, PictureRow] = {}
        self._counts = Counts(0, 0, 0)
        self._pulse = (-1, 0)
        self._shape: tuple[float, ...] = ()
        self._looked = self._rested = 0.0
        self._version = 0  # counts changes of the rows
        self._made: tuple[tuple[int, Query], Listing] = (-1, Query()), Listing()
        self._facets: tuple[int, dict[str, list[tuple[str, int]]]] = -1, {}
        self.generation = 0  # of the full readings; pages compare it
        self.dataset = _identity(pictures)
        self.look()

    def look(self) -> None:
        """Takes in what others have written; costs a microsecond when somebody has looked just now."""
        with self._lock:
            now = time.monotonic()
            if now - self._looked < _LOOK:
                return
            self._looked = now
            pulse = self._pictures.pulse()
            if pulse == self._pulse:
                return
            shape = self._pictures.shape() if pulse[0] != self._pulse[0] else self._shape
            if shape != self._shape and now >= self._rested:
                self._read(pulse, shape)
                return
            self.refresh({file for _, file in self._pictures.judged_after(self._pulse[1])})
            version = pulse[0] if shape == self._shape else -1  # -1: the next look asks for the shape again
            self._pulse = (version, pulse[1])

    def refresh(self, ids: Iterable[int]) -> None:
        """Reads again where these files are and what was decided about them."""
        with self._lock:
            self._version += 1
            for number, path, label, state, judged in self._pictures.standings(sorted(ids)):
                row = self._rows.get(number)
                if row is None:
                    continue
                self._count(row, -1)
                if state == "gone":
                    del self._rows[number]
                    continue
                row = replace(row, path=path, label=label, dropped=state == "dropped", judged=judged)
                self._rows[number] = row
                self._count(row, 1)

    def row(self, number: int) -> PictureRow | None:
        """One picture."""
        return self._rows.get(number)

    def rows(self, ids: Iterable[int]) -> list[PictureRow]:
        """Those of these that are there."""
        with self._lock:
            return [row for number in ids if (row := self._rows.get(number))]

    def listing(self, query: Query) -> Listing:
        """What a view shows; made anew only when something has changed."""
        with self._lock:
            if self._made[0] != (self._version, query):
                self._made = (self._version, query), arranged(self._rows.values(), query)
            return self._made[1]

    def facets(self) -> dict[str, list[tuple[str, int]]]:
        """What the filters may be set to; likewise."""
        with self._lock:
            if self._facets[0] != self._version:
                self._facets = self._version, facets(self._rows.values())
            return self._facets[1]

    def group(self, cluster: int) -> list[PictureRow]:
        """The pictures of a group, the one to keep first."""
        with self._lock:
            members = [row for row in self._rows.values() if row.cluster == cluster]
        return sorted(members, key=lambda row: (not row.keep, row.distance, row.path))

    def changes(self, since: int, most: int) -> tuple[int, list[PictureRow]] | None:
        """The last verdict's number and the pictures judged after `since`; None when they are more than `most`."""
        self.look()
        with self._lock:
            told = self._pictures.judged_after(since)
            if len(told) > most:
                return None
            return max((number for number, _ in told), default=since), self.rows({file for _, file in told})

    @property
    def counts(self) -> Counts:
        """Of the whole dataset."""
        return self._counts

    @property
    def last_verdict(self) -> int:
        """The number of the newest verdict there is."""
        return self._pictures.pulse()[1]

    def _read(self, pulse: tuple[int, int], shape: tuple[float, ...]) -> None:
        started = time.monotonic()
        rows = self._pictures.rows()
        self._rows = {row.id: row for row in rows}
        dropped = sum(row.dropped for row in rows)
        self._counts = Counts(len(rows), sum(row.judged for row in rows), dropped)
        self._pulse, self._shape = pulse, shape
        self.generation += 1
        self._version += 1
        ended = time.monotonic()
        self._rested = ended + _REST * (ended - started) if self.generation > 1 else 0.0

    def _count(self, row: PictureRow, sign: int) -> None:
        held = self._counts
        self._counts = Counts(held.all + sign, held.judged + sign * row.judged, held.dropped + sign * row.dropped)


def _identity(pictures: Pictures) -> str:
    """A name that this dataset has and no other: a page that was left open must not judge another one's pictures."""
    name: Any = pictures.setting("review")
    if isinstance(name, str):
        return name
    made = secrets.token_hex(8)
    pictures.store_setting("review", made)
    return made
