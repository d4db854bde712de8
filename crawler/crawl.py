"""The crawl itself: searches and downloads side by side over one dataset, until every job has what it can get.

A job is a keyword at an engine. It searches for a few more addresses than it needs, waits until the downloads have
settled them, and searches further while pictures are missing and the engine has more. All state is in the dataset, so
a crawl may be broken off anywhere, and two may work on one dataset: what one finds, both fetch.
"""

from __future__ import annotations

import asyncio
import math
import sqlite3
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import cast

from crawler import page_search
from crawler.api_search import search as ask_api
from crawler.browser import SessionClosed
from crawler.browser_pool import BrowserPool
from crawler.download import Downloader
from crawler.engines import engine
from crawler.engines.base import ApiEngine, BrowserEngine
from crawler.fetch import Client
from crawler.order import Order, Outcome, Take
from crawler.plan import Plan
from crawler.progress import Display
from crawler.report import NOTHING
from crawler.reports import save_page
from curation.dataset import Dataset
from curation.records import Found, Job, JobCounts, Reason, SearchRecord, SearchState
from handwriter_models.errors import UserError

SPARE, EXTRA = 1.5, 10  # addresses looked for: half as many again as pictures are missing, and ten
ROUNDS = 6  # searches of one job at most; each looks further than the last
BEAT = 0.25  # seconds between two looks at the dataset
PATIENCE = 0.5  # seconds between two tries to search what another crawler is searching


@dataclass(frozen=True)
class Tools:
    """What a crawl works with. `pool` is None when no engine of the plan needs a browser."""

    dataset: Dataset
    client: Client
    downloader: Downloader
    pool: BrowserPool | None
    display: Display


class Crawl:
    """One run over a dataset."""

    def __init__(self, plan: Plan, tools: Tools) -> None:
        self._plan, self._tools, self._dataset, self._display = plan, tools, tools.dataset, tools.display
        self._words = plan.words()
        self._jobs = tuple(self._words)
        self._turns = {name: asyncio.Lock() for name in plan.engines}  # an API is asked one question at a time
        self._records: dict[Job, SearchRecord] = {}
        self._counts: Mapping[Job, JobCounts] = {}
        self._kept: Mapping[tuple[str, str], int] = {}
        self._ended: set[Job] = set()
        self._looked = asyncio.Condition()
        self._searched = asyncio.Event()

    async def run(self) -> None:
        """Searches and fetches until nothing is left to do; cancelled, it leaves the dataset in order."""
        self._look()
        short = [job for job in self._jobs if self._missing(job) > 0]
        self._dataset.reopen({Reason.NOT_NEEDED}, short)  # the limit may be higher than last time
        self._dataset.reopen(self._plan.retry, self._jobs)
        self._look()
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(self._watch())
            downloads = group.create_task(self._tools.downloader.run(self._jobs, self._searched))
            async with asyncio.TaskGroup() as jobs:
                for job in self._jobs:
                    jobs.create_task(self._work(job))
            self._searched.set()
            await downloads
            watch.cancel()
        self._display.update(self._dataset.counts(), self._ended)

    def _look(self) -> None:
        self._records = {record.job: record for record in self._dataset.searches()}
        self._counts = counts = self._dataset.counts()
        kept: Counter[tuple[str, str]] = Counter()
        for job, number in counts.items():
            kept[job.label, job.engine] += number.kept
        self._kept = kept

    async def _watch(self) -> None:
        """Looks at the dataset again and again; jobs that wait for their downloads are woken by it."""
        while True:
            await asyncio.to_thread(self._look)
            self._display.update(self._counts, self._ended)
            async with self._looked:
                self._looked.notify_all()
            await asyncio.sleep(BEAT)

    async def _work(self, job: Job) -> None:
        refresh, rounds, over = self._plan.refresh, 0, False
        while rounds < ROUNDS and not over:
            want = self._wanted(job, refresh)
            outcome = await self._search(job, want) if want else None
            if want and outcome is None:
                self._display.state(job, "searched by another crawler")
                await asyncio.sleep(PATIENCE)
                continue
            over = outcome is None or self._is_last(outcome)
            self._display.state(job, "downloading")
            await self._settled(job)
            over = over or self._missing(job) <= 0
            rounds, refresh = rounds + 1, False
        self._dataset.dismiss(job, self._plan.limit)
        self._ended.add(job)
        record = self._records.get(job)
        self._display.state(job, record.state if record else SearchState.OK, ended=True)

    def _of(self, job: Job) -> JobCounts:
        return self._counts.get(job, NOTHING)

    def _missing(self, job: Job) -> int:
        """Pictures that the class still lacks from this engine, whatever words they are found with."""
        return self._plan.limit - self._kept.get((job.label, job.engine), 0)

    def _wanted(self, job: Job, refresh: bool) -> int:
        """How many more addresses a job should look for; 0 when it should not search now."""
        counts, record = self._of(job), self._records.get(job)
        missing = self._missing(job)
        if missing <= 0:
            return 0
        waiting = counts.pending + counts.claimed
        if record and record.state is SearchState.OK and not refresh and (record.exhausted or waiting >= missing):
            return 0
        return max(1, math.ceil(missing * SPARE) + EXTRA - waiting)

    @staticmethod
    def _is_last(outcome: Outcome) -> bool:
        """A search that went wrong or gave nothing new is not asked again in this run."""
        return outcome.state is not SearchState.OK or outcome.exhausted or not outcome.found

    async def _settled(self, job: Job) -> None:
        """Waits until a look that began after now finds nothing of the job left to fetch, or enough kept."""
        self._tools.downloader.wake()
        async with self._looked:
            await self._looked.wait()  # this look may have begun before the last addresses were added
            while True:
                await self._looked.wait()
                counts = self._of(job)
                if self._missing(job) <= 0 or not counts.pending + counts.claimed:
                    return

    async def _search(self, job: Job, want: int) -> Outcome | None:
        """Asks the engine; None while another crawler does. `found` of the outcome is how many addresses were new."""
        new = 0

        def take(found: Sequence[Found]) -> bool:
            nonlocal new
            new += self._dataset.add(job, found)
            self._tools.downloader.wake()
            return new < want

        outcome = await self._ask(self._order(job, want), take, partial(self._begins, job))
        if outcome is None:
            return None
        self._dataset.end_search(job, outcome.state, outcome.detail, outcome.exhausted)
        return Outcome(outcome.state, outcome.detail, outcome.exhausted, new)

    def _begins(self, job: Job) -> bool:
        """Whether the search is ours, now that a browser or the turn at an API is."""
        begun = self._dataset.begin_search(job)
        if begun:
            self._display.state(job, "searching")
        return begun

    def _order(self, job: Job, want: int) -> Order:
        stamp = f"{datetime.now():%Y%m%d-%H%M%S}"
        return Order(
            job=replace(job, keyword=self._words[job]),
            home=self._plan.homes[job.engine],
            filters=self._plan.filters,
            want=want,
            thumbnails=self._plan.wishes.thumbnails,
            report=self._dataset.reports / f"{job.engine}-{self._dataset.folder_of(job.label)}-{stamp}.html",
        )

    async def _ask(self, order: Order, take: Take, begins: Callable[[], bool]) -> Outcome | None:
        """The engine's answer. A reader of ours that fails on a page costs this job, not the crawl."""
        asked = engine(order.job.engine)
        try:
            if asked.needs_browser and self._tools.pool:
                by_hand = cast(BrowserEngine, asked)
                return await self._tools.pool.run(
                    lambda session: page_search.search(session, by_hand, order, take), begins
                )
            async with self._turns[asked.name]:
                return await ask_api(self._tools.client, cast(ApiEngine, asked), order, take) if begins() else None
        except (UserError, SessionClosed, OSError, sqlite3.Error):
            raise
        except Exception as error:
            trace = save_page(order.report, traceback.format_exc(), f"{asked.name}: our reader failed")
            return Outcome(SearchState.CHANGED, f"our reader failed, {type(error).__name__}: {error}; {trace}")
