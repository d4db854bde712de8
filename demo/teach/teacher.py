"""Learns from each session again while its pictures change: a moment after a change, and never twice at once.

The newest pictures win: what arrives while a head is learned is learned from right after, and an estimate of pictures
that are no longer the newest is broken off. The head comes first, because live answers wait for it; the estimate, which
takes as long as five heads, comes after it.
"""

from __future__ import annotations

import asyncio
import logging

from demo.shelf import Workers
from demo.teach.learning import OutdatedError, estimate, learned
from demo.teach.sessions import Learned, Session
from handwriter_models.errors import UserError

_PAUSE = 0.05  # seconds: a change seldom comes alone
_BUSY = 0.5  # seconds until the workers are asked again


class Teacher:
    """Keeps every session's head up to date. To be called from the event loop only."""

    def __init__(self, workers: Workers, pause: float = _PAUSE) -> None:
        self._workers, self._pause = workers, pause
        self._tasks: dict[Session, asyncio.Task[None]] = {}

    def changed(self, session: Session) -> None:
        """Learns, soon, if there is anything new."""
        if session.settled != session.version and session not in self._tasks:
            self._tasks[session] = asyncio.create_task(self._keep_up(session))

    async def settled(self, session: Session) -> None:
        """Returns when everything there is has been learned from."""
        self.changed(session)
        while session in self._tasks:
            await asyncio.wait([self._tasks[session]])

    def close(self) -> None:
        """Breaks everything off."""
        for task in self._tasks.values():
            task.cancel()

    async def _keep_up(self, session: Session) -> None:
        try:
            await self._catch_up(session)
        finally:  # not in a callback of the task, which comes later: a change in between would wait for the next one
            self._tasks.pop(session, None)

    async def _catch_up(self, session: Session) -> None:
        while session.settled != session.version:
            await asyncio.sleep(self._pause)
            version = session.version
            try:
                await self._learn(session)
            except OutdatedError:
                continue
            except UserError:  # too much is waiting
                await asyncio.sleep(_BUSY)
                continue
            except Exception:  # told in the log, and to the visitor; the next change tries again
                logging.getLogger(__name__).exception("learning failed")
                session.fault = "the server met a bug while learning"
            session.settled = version

    async def _learn(self, session: Session) -> None:
        lesson = session.lesson()
        if len(lesson.classes) < 2:
            session.learned = session.estimate = None
            return
        head = await self._workers.run(lambda: learned(lesson))
        session.learned, session.fault = Learned(head, lesson.classes, lesson.version), ""
        session.estimate = await self._workers.run(lambda: estimate(lesson, lambda: session.version != lesson.version))
