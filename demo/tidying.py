"""What goes after an hour goes although nobody comes: a chore done again and again while the server runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

SECONDS = 300.0


@asynccontextmanager
async def repeated(chore: Callable[[], object], seconds: float = SECONDS) -> AsyncIterator[None]:
    """Calls `chore` on the event loop every so many seconds for as long as the block lasts."""

    async def again_and_again() -> None:
        while True:
            await asyncio.sleep(seconds)
            chore()

    task = asyncio.create_task(again_and_again())
    try:
        yield
    finally:
        task.cancel()
