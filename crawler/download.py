"""Takes addresses out of the dataset, fetches and checks them, and puts what is good back in, until nothing is left.

The event loop only moves bytes. Hashing, decoding and writing happen in a few threads of their own, which do them
without the lock of Python and do not wake the loop for each picture: that would cost more than the picture. Rows are
committed in batches, so that a disk waits for one transaction and not for hundreds. The dataset gives out no more
claims than there is room for: in whatever order downloads end, the first good addresses of a job are kept.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections import Counter
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue

from crawler.addresses import Refusal
from crawler.check import PictureRules, checked
from crawler.fetch import Client
from curation.dataset import Dataset
from curation.records import Claim, Job, Kept, Refused

THREADS = min(8, (os.cpu_count() or 1) + 1)
BATCH, BATCH_SECONDS = 64, 0.1  # rows settled together, and how long the first of them waits
AHEAD = 2  # claims held for each place of the client, so that slow hosts do not leave places empty
SHARE, MOST_OPEN = 16, 2048  # claims that each of many jobs may hold, and all together: those that wait cost little
IDLE_SECONDS = 0.5  # between two looks for addresses that other programs add or give back
MOST_HELD = 64 * 2**20  # bytes that wait to be checked; no more are asked for until there are less


class Checkers:
    """Threads that check and write pictures. What comes out of them is put into `results`."""

    def __init__(self, folder: Path, rules: PictureRules) -> None:
        self.results: list[Kept | Refused] = []
        self.held = 0  # bytes that wait
        self.failure: BaseException | None = None
        self._folder, self._rules = folder, rules
        self._queue: SimpleQueue[tuple[Claim, bytes] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._work, name=f"check-{n}", daemon=True) for n in range(THREADS)]
        for thread in self._threads:
            thread.start()

    def put(self, claim: Claim, data: bytes) -> None:
        """Has the picture checked and written, or refused."""
        with self._lock:
            self.held += len(data)
        self._queue.put((claim, data))

    def close(self) -> None:
        """Waits until all that was put has come out."""
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while item := self._queue.get():
            claim, data = item
            try:
                self.results.append(self._stored(claim, data))
            except Refusal as refusal:
                self.results.append(Refused(claim.id, refusal.reason, refusal.detail))
            except BaseException as error:  # a full disk, say: the crawl must hear of it
                self.failure = error
            with self._lock:
                self.held -= len(data)

    def _stored(self, claim: Claim, data: bytes) -> Kept:
        """The picture, checked, and whole on the disk under a name of its own."""
        good = checked(data, self._rules)
        name = f"{claim.id}.{good.extension}"
        _write(self._folder / name, good.data)
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


class Downloader:
    """Downloads for one dataset. `run` belongs to one event loop; `wake` may be called from any thread."""

    def __init__(self, dataset: Dataset, client: Client, limit: int, rules: PictureRules) -> None:
        self._dataset, self._client, self._limit, self._rules = dataset, client, limit, rules
        self._room = client.settings.concurrency * AHEAD + 2 * BATCH
        self._active: dict[asyncio.Task[None], Claim] = {}
        self._open: dict[int, Job] = {}  # claims that are not settled yet, by id
        self._failure: BaseException | None = None
        self._news = asyncio.Event()  # new rows, or room for more claims
        self._loop: asyncio.AbstractEventLoop | None = None

    def wake(self) -> None:
        """Says that there are new addresses."""
        if self._loop:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._news.set)

    async def run(self, jobs: Collection[Job], searched: asyncio.Event) -> None:
        """Fetches until `searched` is set and nothing of these jobs is left; cancelled, it saves what it has."""
        self._loop = asyncio.get_running_loop()
        self._checkers = Checkers(self._dataset.incoming, self._rules)
        wanted = frozenset(jobs)
        settling = asyncio.create_task(self._settle_again_and_again())
        try:
            while await self._fed(wanted) or self._open or not searched.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), IDLE_SECONDS)
                self._news.clear()
                if failure := self._failure or self._checkers.failure:
                    raise failure
        finally:
            await self._end(settling)

    async def _fed(self, wanted: frozenset[Job]) -> bool:
        """Starts downloads while there is room; False when there was nothing to start."""
        claiming = asyncio.create_task(asyncio.to_thread(self._claims, wanted, Counter(self._open.values())))
        try:
            claims = await asyncio.shield(claiming)
        except asyncio.CancelledError:  # the thread goes on: what it claims must be given back
            self._dataset.release([claim.id for claim in await claiming])
            raise
        for claim in claims:
            self._open[claim.id] = claim.job
            task = asyncio.create_task(self._one(claim))
            self._active[task] = claim
            task.add_done_callback(self._is_done)
        return bool(claims)

    def _claims(self, wanted: frozenset[Job], held: Counter[Job]) -> list[Claim]:
        """What there is room for. Each job has its share, or those at one slow host would come to hold everything."""
        if held.total() >= MOST_OPEN:
            return []
        waiting = [job for job, counts in self._dataset.counts().items() if counts.pending and job in wanted]
        most = min(MOST_OPEN, max(self._room, SHARE * len(waiting)))
        claims: list[Claim] = []
        for job in waiting:
            room = min((most // len(waiting) or 1) - held[job], most - held.total() - len(claims))
            if room > 0:
                claims += self._dataset.claim(job, room, self._limit)
        return claims

    def _is_done(self, task: asyncio.Task[None]) -> None:
        self._active.pop(task, None)
        if not task.cancelled() and task.exception():
            self._failure = self._failure or task.exception()
            self._news.set()

    async def _one(self, claim: Claim) -> None:
        while self._checkers.held > MOST_HELD:
            await asyncio.sleep(BATCH_SECONDS)
        try:
            fetched = await self._client.picture(claim.address, claim.page)
        except Refusal as refusal:
            self._checkers.results.append(Refused(claim.id, refusal.reason, refusal.detail))
        else:
            self._checkers.put(claim, fetched.data)

    async def _settle_again_and_again(self) -> None:
        while True:
            await asyncio.sleep(BATCH_SECONDS)
            try:
                await self._settle()
            except Exception as error:
                self._failure = error
                self._news.set()
                raise

    async def _settle(self) -> None:
        """Commits what has come out of the threads so far, a batch a transaction."""
        while results := self._checkers.results[:BATCH]:
            del self._checkers.results[: len(results)]  # threads only ever add at the other end
            kept = [result for result in results if isinstance(result, Kept)]
            refused = [result for result in results if isinstance(result, Refused)]
            await asyncio.to_thread(self._dataset.settle, kept, refused)
            for result in results:
                del self._open[result.id]
            self._news.set()  # there is room again, and a refusal lets the next address have its turn

    async def _end(self, settling: asyncio.Task[None]) -> None:
        """Saves what was finished and gives the rest back."""
        unfinished = dict(self._active)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        settling.cancel()
        await asyncio.gather(settling, return_exceptions=True)
        await asyncio.to_thread(self._checkers.close)
        if not self._failure and not self._checkers.failure:
            await self._settle()
            self._dataset.release([claim.id for claim in unfinished.values()])


def _write(file: Path, data: bytes) -> None:
    """Writes and waits until the disk has it; by descriptor, for a file object asks the system four times more."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o666)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    except OSError as error:
        error.filename = str(file)  # the system does not say which: a person must hear whose disk is full
        raise
    finally:
        os.close(descriptor)
