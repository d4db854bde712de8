"""Takes addresses out of the dataset, fetches and checks them, and puts what is good back in, until nothing is left.

The event loop only moves bytes. Hashing, decoding and writing happen in threads, which do them without Python's lock;
rows are committed in batches, so that a disk waits for one transaction and not for hundreds. The dataset gives out no
more claims than there is room for: in whatever order downloads end, the first good addresses of a job are kept.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from crawler.addresses import Refusal
from crawler.check import PictureRules, checked
from crawler.fetch import Client
from curation.dataset import Dataset
from curation.records import Claim, Job, Kept, Refused

THREADS = min(8, (os.cpu_count() or 1) + 2)
BATCH, BATCH_SECONDS = 64, 0.1  # rows settled together, and how long the first of them waits
AHEAD = 2  # claims held for each place of the client, so that slow hosts do not leave places empty
IDLE_SECONDS = 0.5  # between two looks for addresses that other programs add or give back


class Downloader:
    """Downloads for one dataset. `wake` and `run` belong to one event loop; `wake` may be called from any thread."""

    def __init__(self, dataset: Dataset, client: Client, limit: int, rules: PictureRules) -> None:
        self._dataset, self._client, self._limit, self._rules = dataset, client, limit, rules
        self._room = client.settings.concurrency * AHEAD
        self._active: dict[asyncio.Task[None], Claim] = {}
        self._results: list[Kept | Refused] = []
        self._unsettled = 0
        self._failure: BaseException | None = None
        self._news = asyncio.Event()  # new rows, or room for more claims
        self._full = asyncio.Event()  # a batch is ready
        self._loop: asyncio.AbstractEventLoop | None = None

    def wake(self) -> None:
        """Says that there are new addresses."""
        if self._loop:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._news.set)

    async def run(self, jobs: Collection[Job], searched: asyncio.Event) -> None:
        """Fetches until `searched` is set and nothing of these jobs is left; cancelled, it saves what it has."""
        self._loop = asyncio.get_running_loop()
        wanted = frozenset(jobs)
        with ThreadPoolExecutor(THREADS, thread_name_prefix="check") as self._threads:
            settling = asyncio.create_task(self._settle_again_and_again())
            try:
                while await self._fed(wanted) or self._active or self._unsettled or not searched.is_set():
                    await self._wait()
                    if self._failure:
                        raise self._failure
            finally:
                await self._end(settling)

    async def _wait(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), IDLE_SECONDS)
        self._news.clear()

    async def _fed(self, wanted: frozenset[Job]) -> bool:
        """Starts downloads while there is room; False when there was nothing to start."""
        if len(self._active) >= self._room:
            return True
        claims = await asyncio.to_thread(self._claims, wanted, self._room - len(self._active))
        for claim in claims:
            task = asyncio.create_task(self._one(claim))
            self._active[task] = claim
            task.add_done_callback(self._is_done)
        return bool(claims)

    def _claims(self, wanted: frozenset[Job], room: int) -> list[Claim]:
        """Up to `room` claims, job by job."""
        claims: list[Claim] = []
        for job, counts in self._dataset.counts().items():
            if counts.pending and job in wanted and len(claims) < room:
                claims += self._dataset.claim(job, room - len(claims), self._limit)
        return claims

    def _is_done(self, task: asyncio.Task[None]) -> None:
        self._active.pop(task, None)
        if not task.cancelled():
            self._failure = self._failure or task.exception()
        if len(self._active) <= self._room // 2:
            self._news.set()

    async def _one(self, claim: Claim) -> None:
        try:
            fetched = await self._client.picture(claim.address, claim.page)
            kept = await asyncio.get_running_loop().run_in_executor(self._threads, self._stored, claim, fetched.data)
            self._add(kept)
        except Refusal as refusal:
            self._add(Refused(claim.id, refusal.reason, refusal.detail))

    def _add(self, result: Kept | Refused) -> None:
        self._results.append(result)
        self._unsettled += 1
        if len(self._results) >= BATCH:
            self._full.set()

    def _stored(self, claim: Claim, data: bytes) -> Kept:
        """In a thread: the picture checked, and whole on the disk under a name of its own."""
        good = checked(data, self._rules)
        name = f"{claim.id}.{good.extension}"
        _write(self._dataset.incoming / name, good.data)
        return Kept(
            id=claim.id,
            file=name,
            sha256=good.sha256,
            original_sha256=good.original_sha256,
            extension=good.extension,
            width=good.width,
            height=good.height,
            bytes=len(good.data),
        )

    async def _settle_again_and_again(self) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._full.wait(), BATCH_SECONDS)
            self._full.clear()
            try:
                await self._settle()
            except Exception as error:
                self._failure = error
                self._news.set()
                raise

    async def _settle(self) -> None:
        results, self._results = self._results, []
        if results:
            kept = [result for result in results if isinstance(result, Kept)]
            refused = [result for result in results if isinstance(result, Refused)]
            await asyncio.to_thread(self._dataset.settle, kept, refused)
            self._unsettled -= len(results)
            self._news.set()  # a refusal makes room for the next address

    async def _end(self, settling: asyncio.Task[None]) -> None:
        """Saves what was finished and gives the rest back."""
        unfinished = dict(self._active)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        settling.cancel()
        await asyncio.gather(settling, return_exceptions=True)
        if not self._failure:
            await self._settle()
            self._dataset.release([claim.id for claim in unfinished.values()])


def _write(file: Path, data: bytes) -> None:
    with file.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
