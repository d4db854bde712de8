"""Several browsers at work for one event loop: each search takes one, and gives it back.

Selenium blocks, so each browser has a thread of its own. Closing the pool closes the browsers first: that is what ends
a search that is waiting for a page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from crawler.browser import BrowserPaths, Session, Settings

T = TypeVar("T")


class BrowserPool:
    """`count` browsers, each started when it is first needed."""

    def __init__(self, settings: Settings, count: int, paths: BrowserPaths | None = None) -> None:
        self._sessions = [Session(settings, paths) for _ in range(count)]
        self._free: asyncio.Queue[Session] = asyncio.Queue()
        for session in self._sessions:
            self._free.put_nowait(session)
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="browser")

    async def run(self, work: Callable[[Session], T], begins: Callable[[], bool]) -> T | None:
        """What `work` makes of a free browser, done in a thread; None when `begins`, asked at its turn, says no."""
        session = await self._free.get()
        try:
            if not begins():
                return None
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, session)
        finally:
            self._free.put_nowait(session)

    def close(self) -> None:
        """Closes every browser and waits for their threads."""
        with ThreadPoolExecutor(len(self._sessions)) as closers:
            list(closers.map(Session.close, self._sessions))
        self._threads.shutdown(wait=True, cancel_futures=True)
