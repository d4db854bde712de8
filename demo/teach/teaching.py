"""What the routes of the Teach page do, one method each: sessions, eyes, workers and the teacher put together.

Methods are called from the event loop; what keeps a core busy goes to the workers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from demo.api import Service
from demo.teach.export import bundle_zip, dataset_zip, pictures_of, taught, write_taught
from demo.teach.eyes import Eyes
from demo.teach.learning import answer
from demo.teach.samples import Sample, read_samples, thumbnail
from demo.teach.sessions import Session, Sessions, TeachClass, TeachLimits
from demo.teach.teacher import Teacher
from handwriter_models.errors import UserError
from handwriter_models.images import read_picture
from handwriter_models.photograph import ENOUGH

Json = dict[str, Any]


class Teaching:
    """The Teach page's state; one for a server."""

    def __init__(self, service: Service, limits: TeachLimits | None = None, eyes: Eyes | None = None) -> None:
        self.service, self.limits = service, limits or TeachLimits()
        reached = service.publishing.space or service.publishing.shared
        self.eyes = eyes or Eyes(service.shelf, lends=not reached)
        self.sessions = Sessions(self.limits)
        self.teacher = Teacher(service.workers)

    async def open(self, kind: str) -> tuple[str, Session]:
        """A new session; raises `UserError` when nothing here can look at that kind of picture."""
        # Not one of the workers: weights may have to be fetched, and people who draw must not wait for that.
        eye = await asyncio.to_thread(self.eyes.of, kind)
        return self.sessions.open(eye)

    async def add(self, session: Session, one: TeachClass, files: Sequence[bytes], burst: str) -> list[Json]:
        """For each picture `{"id"}`, or `{"error", "hint"}`; learning begins by itself."""
        limits = self.service.limits
        read = await self.service.workers.run(lambda: read_samples(session.eye, files, burst, limits))
        told = [self._kept(session, one, sample) for sample in read]
        self.sessions.make_room(session)
        self.teacher.changed(session)
        return told

    @staticmethod
    def _kept(session: Session, one: TeachClass, sample: Sample | UserError) -> Json:
        try:
            if isinstance(sample, UserError):
                raise sample
            return {"id": session.add_sample(session.get(one.id), sample)}
        except UserError as error:
            return {"error": error.what, "hint": error.hint}

    async def predict(self, session: Session, data: bytes) -> Json:
        """What the session's head says of a picture; raises `UserError` (409) when there is none yet."""
        learned, found = session.learned, session.current_estimate()
        if learned is None:
            raise UserError("nothing is learned yet", "give two classes a picture each, and wait a moment", status=409)
        started = perf_counter()

        def look() -> tuple[list[float], bool] | None:
            prepared = session.eye.preparation(read_picture(data, self.service.limits, enough=ENOUGH))
            return None if prepared.blank else answer(learned.head, found, session.eye.vector(prepared.pixels))

        given = await self.service.workers.run(look)
        shares = dict(zip(learned.classes, given[0], strict=True)) if given else {}
        return {
            **_shown(session, shares),
            "rejected": given is None or given[1],
            "reason": "blank" if given is None else "neither" if given[1] else "",
            "version": learned.version,
            "milliseconds": (perf_counter() - started) * 1000,
        }

    async def thumbnails(self, one: TeachClass) -> list[tuple[str, bytes]]:
        """Id and a small JPEG of each picture of a class."""
        held = list(one.samples.items())
        return await self.service.workers.run(lambda: [(name, thumbnail(sample)) for name, sample in held])

    async def dataset(self, session: Session) -> bytes:
        """The pictures as a zip; raises `UserError` (409) when there are none."""
        classes = pictures_of(session)
        if not classes:
            raise UserError("there are no pictures yet", "add some to a class", status=409)
        return await self.service.workers.run(lambda: dataset_zip(classes, session.eye.kind))

    async def bundle(self, session: Session, name: str) -> bytes:
        """The bundle as a zip; raises `UserError` (409) as `export.taught` does."""
        await self.teacher.settled(session)
        what = taught(session)
        return await self.service.workers.run(lambda: bundle_zip(what, name))

    async def session_bundle(self, session_name: str, name: str, folder: Path) -> Path:
        """Writes a session's bundle into `folder`/NAME, for publishing, and returns that.

        Raises `UserError` (404, 409) as `Sessions.get` and `export.taught` do.
        """
        session = self.sessions.get(session_name)
        await self.teacher.settled(session)
        what = taught(session)
        return await self.service.workers.run(lambda: write_taught(what, folder, name))

    def close(self) -> None:
        """Ends all sessions and what is being learned."""
        self.teacher.close()
        self.sessions.close()


def _shown(session: Session, shares: dict[str, float]) -> Json:
    """Classes in the session's order; one that was removed meanwhile leaves its share to the others."""
    known = {name: shares.get(name, 0.0) for name in session.classes}
    total = sum(known.values())
    rows: list[Json] = [
        {"id": name, "name": session.classes[name].name, "probability": share / total if total else 0.0}
        for name, share in known.items()
    ]
    best = max(rows, key=lambda row: row["probability"], default=None) if total else None
    return {
        "id": best["id"] if best else "",
        "label": best["name"] if best else "",
        "confidence": best["probability"] if best else 0.0,
        "classes": rows,
    }
