"""One run of the command: the dataset opened, the crawl watched over, the summary printed, the exit code chosen."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from crawler.addresses import Rule
from crawler.browser import Settings, find
from crawler.browser_pool import BrowserPool
from crawler.check import PictureRules
from crawler.crawl import Crawl, Tools
from crawler.download import Downloader
from crawler.engines import engine
from crawler.fence import fenced
from crawler.fetch import Client, FetchSettings
from crawler.grid import GridRecord, end_old_sessions, status
from crawler.plan import Plan
from crawler.progress import Display
from crawler.report import Report, as_json, print_report
from curation.dataset import Dataset
from curation.records import Job
from handwriter_models.errors import DONE, INTERRUPTED, UserError


def run(plan: Plan, json_wanted: bool) -> int:
    """Does what the plan says and returns the exit code; Ctrl-C ends it with 130 and everything saved."""
    console = Console(stderr=True)
    started = time.monotonic()
    with ExitStack() as stack:
        dataset = stack.enter_context(Dataset(plan.dataset))
        interrupted = False
        try:
            _crawled(plan, dataset, console)
        except KeyboardInterrupt:
            interrupted = True
        report = _report(plan.dataset, dataset, plan.jobs(), time.monotonic() - started)
        _print(report, json_wanted)
        if interrupted:
            console.print("interrupted: all of this is saved; the same command goes on from here")
    return INTERRUPTED if interrupted else report.exit_code()


def show_status(path: Path, json_wanted: bool) -> int:
    """Prints what a dataset holds and what is going on in it."""
    if not path.is_dir():
        raise UserError(f"there is no dataset {path}", "give the folder that a crawl made, such as data/keywords")
    with Dataset(path, create=False) as dataset:
        report = _report(path, dataset, tuple(dataset.jobs()), None)
        runs = dataset.live_runs()
    _print(
        report, json_wanted, [f"running now: {run.command} (process {run.pid}, since {run.started})" for run in runs]
    )
    return DONE


def _crawled(plan: Plan, dataset: Dataset, console: Console) -> None:
    with Display(console, plan.jobs(), plan.limit) as display, ExitStack() as stack:
        for note in (*plan.notes, *_asked_otherwise(plan, dataset)):
            display.warn(note)
        pool = _browsers(plan, dataset, stack, display)
        try:
            asyncio.run(_crawl(plan, dataset, pool, display))
        except* UserError as group:
            raise _first(group) from None


def _asked_otherwise(plan: Plan, dataset: Dataset) -> list[str]:
    """That pictures found with other filters or dates are there: they count towards the limit."""
    plain, now = {(job.label, words, job.engine) for job, words in plan.words().items()}, set(plan.jobs())
    before = {job for job in dataset.jobs() if job not in now}
    other = {
        job.label for job in before if (job.label, job.keyword.rpartition(" (")[0] or job.keyword, job.engine) in plain
    }
    lines = [f"{label!r} was searched with other filters or dates before" for label in sorted(other)]
    return [f"{line}; pictures found so count towards --limit" for line in lines]


def _browsers(plan: Plan, dataset: Dataset, stack: ExitStack, display: Display) -> BrowserPool | None:
    """The browsers that the plan needs, fenced in; `UserError` when there are none on this machine."""
    if not any(engine(name).needs_browser for name in plan.engines):
        return None
    wish = plan.browsers
    paths = None if wish.grid else find(named=wish.named)
    count = min(wish.count, len(plan.jobs()))
    settings = Settings(grid=wish.grid, show=wish.show, tell=display.warn)
    if wish.grid:
        settings = replace(settings, grid_record=GridRecord(dataset.root, dataset.incoming.name, wish.grid))
        count = _grid_browsers(wish.grid, count, dataset, display)
    fenced_in = stack.enter_context(fenced(settings, Rule(plan.manners.rules.allow_private)))
    pool = BrowserPool(fenced_in, count, paths)
    stack.callback(pool.close)
    return pool


def _grid_browsers(grid: str, count: int, dataset: Dataset, display: Display) -> int:
    """How many browsers of the Grid are used; those that a killed crawl has left there are ended."""
    end_old_sessions(dataset.root, grid, {run.id for run in dataset.live_runs()}, display.warn)
    state = status(grid)
    if not state or not 0 < state.slots < count:
        return count
    display.warn(f"the Selenium Grid at {grid} has {state.slots} browsers for us, fewer than {count}")
    return state.slots


async def _crawl(plan: Plan, dataset: Dataset, pool: BrowserPool | None, display: Display) -> None:
    manners, wishes = plan.manners, plan.wishes
    settings = FetchSettings(
        concurrency=manners.concurrency,
        per_host=manners.per_host,
        deadline=manners.timeout,
        max_bytes=wishes.max_bytes,
        rule=Rule(manners.rules.allow_private),
        obey_robots=manners.rules.obey_robots,
        obey_opt_out=manners.rules.obey_opt_out,
        check_pages=manners.rules.check_pages,
        contact=manners.contact,
    )
    rules = PictureRules(wishes.min_side, wishes.max_side, wishes.convert, wishes.max_bytes)
    try:
        async with Client(settings) as client:
            tools = Tools(dataset, client, Downloader(dataset, client, plan.limit, rules), pool, display)
            await Crawl(plan, tools).run()
    finally:
        if pool:
            pool.close()  # before the loop waits for its threads


def _first(group: BaseExceptionGroup[UserError]) -> UserError:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, UserError)  # noqa: S101 - `except*` gives no others
    return error


def _report(path: Path, dataset: Dataset, jobs: tuple[Job, ...], seconds: float | None) -> Report:
    searches = {record.job: record for record in dataset.searches()}
    return Report(path, jobs, dataset.counts(), searches, seconds, thumbnails=dataset.thumbnails())


def _print(report: Report, json_wanted: bool, lines: list[str] | None = None) -> None:
    console = Console(stderr=json_wanted)
    print_report(report, console)
    for line in lines or []:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if json_wanted:
        print(json.dumps(as_json(report), ensure_ascii=False, indent=2))
