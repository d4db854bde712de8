"""What a person sees while a crawl runs: a live table, one row a keyword × engine, over one bar.

On a terminal the table is redrawn a few times a second and shows what is being worked on; anywhere else (a log, a pipe)
one plain line is printed when a job ends and one now and then for the whole. All of it goes to standard error.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from crawler.report import NOTHING, turned_down
from curation.records import Job, JobCounts

Clock = Callable[[], float]
WINDOW = 5.0  # seconds over which a rate is taken
QUIET = 30.0  # seconds between two plain lines for the whole
FRAME = 7  # lines of the screen that are not rows: heading, bar, edges, "and n more"


class Display:
    """Shows counts as they come; `update` may be called as often as one likes."""

    def __init__(self, console: Console, jobs: Sequence[Job], limit: int, clock: Clock = time.monotonic) -> None:
        self._console, self._jobs, self._limit, self._clock = console, tuple(jobs), limit, clock
        self._states: dict[Job, str] = {}
        self._counts: Mapping[Job, JobCounts] = {}
        self._history: deque[tuple[float, dict[Job, int]]] = deque()
        self._last_line = clock()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            TextColumn("{task.fields[rate]:.0f} pictures/s"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=console,
            expand=True,
        )
        self._task = self._bar.add_task("", total=max(1, len(self._jobs) * limit), rate=0.0)
        self._live = Live(console=console, refresh_per_second=4, transient=True, get_renderable=self._screen)

    def __enter__(self) -> Display:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def state(self, job: Job, state: str, ended: bool = False) -> None:
        """What a job is doing (`searching`, `downloading`) or how it ended."""
        self._states[job] = state
        if self._live.is_started:
            self._live.refresh()
        if ended and not self._console.is_terminal:
            counts = self._counts.get(job, NOTHING)
            self._say(f"{_name(job)} · {job.engine}: {state}, {_numbers(counts)}")

    def warn(self, text: str) -> None:
        """A line that stays on the screen above the table."""
        self._console.print(Text(f"warning: {text}", "yellow"), soft_wrap=True)

    def update(self, counts: Mapping[Job, JobCounts], ended: set[Job]) -> None:
        """Takes the counts of the dataset; jobs in `ended` count as complete whatever they kept."""
        self._counts = counts
        now = self._clock()
        self._history.append((now, {job: _done(counts.get(job, NOTHING)) for job in self._jobs}))
        while len(self._history) > 2 and now - self._history[0][0] > WINDOW:
            self._history.popleft()
        of = (self._limit if job in ended else min(counts.get(job, NOTHING).kept, self._limit) for job in self._jobs)
        kept = sum(counts.get(job, NOTHING).kept for job in self._jobs)
        self._bar.update(self._task, completed=sum(of), rate=self._rate(self._jobs), description=f"{kept} pictures")
        if now - self._last_line > QUIET and not self._console.is_terminal:
            self._last_line = now
            self._say(f"{kept} pictures, {len(ended)} of {len(self._jobs)} searches done")

    def _rate(self, jobs: Sequence[Job]) -> float:
        """Addresses settled a second, over the last few seconds."""
        if len(self._history) < 2:
            return 0.0
        (since, first), (until, last) = self._history[0], self._history[-1]
        settled = sum(last[job] - first.get(job, 0) for job in jobs)
        return max(0, settled) / max(until - since, 1e-3)

    def _screen(self) -> RenderableType:
        table = Table(box=None, pad_edge=False, expand=True)
        table.add_column("keyword", ratio=1, no_wrap=True, overflow="ellipsis")
        table.add_column("engine", no_wrap=True)
        for name in ("found", "kept", "refused", "per s"):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("state", no_wrap=True, overflow="ellipsis", max_width=28)
        rows = self._rows(max(3, self._console.size.height - FRAME))
        for job in rows:
            counts = self._counts.get(job, NOTHING)
            numbers = (
                str(counts.found),
                str(counts.kept),
                str(turned_down(counts)),
                f"{self._rate([job]):.0f}",
            )
            table.add_row(Text(_name(job)), job.engine, *numbers, Text(self._states.get(job, "waiting")))
        more = len(self._jobs) - len(rows)
        return Group(table, Text(f"… and {more} more" if more else "", "dim"), self._bar)

    def _rows(self, room: int) -> list[Job]:
        """All jobs when they fit; else those at work first, then the ones that ended last, in the order of the file."""
        if len(self._jobs) <= room:
            return list(self._jobs)
        recent = list(self._states)  # in the order of their first state
        busy = [job for job in recent if self._states[job] in BUSY]
        rest = [job for job in reversed(recent) if job not in set(busy)]
        waiting = [job for job in self._jobs if job not in self._states]
        chosen = set((busy + rest[: room // 3] + waiting + rest)[:room])
        return [job for job in self._jobs if job in chosen]

    def _say(self, line: str) -> None:
        self._console.print(Text(line), soft_wrap=True, highlight=False)


BUSY = frozenset({"searching", "downloading"})


def _name(job: Job) -> str:
    return job.label if job.label == job.keyword else f"{job.label} = {job.keyword}"


def _done(counts: JobCounts) -> int:
    return counts.kept + turned_down(counts)


def _numbers(counts: JobCounts) -> str:
    return f"found {counts.found}, kept {counts.kept}, refused {turned_down(counts)}"
