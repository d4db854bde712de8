"""What a crawl came to: for programs as JSON, for people as a table of classes and one line of truth an engine.

Everything is counted from the dataset: a crawl that was resumed, or that two programs did together, is reported whole.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from crawler.order import GENERIC
from curation.records import Job, JobCounts, Reason, SearchRecord, SearchState
from handwriter_models.errors import DONE, INCOMPLETE

BAR = 30  # cells of the longest bar
MORE = "Add engines, or other words: `label = words`"
SHORT = 0.5  # a class with less than this share of the median is short
NOTHING = JobCounts(found=0, kept=0, refused={}, pending=0, claimed=0)
# From good to bad: the state of several searches together is that of the worst.
_WORST = [SearchState.OK, SearchState.EMPTY, SearchState.CHANGED, SearchState.BLOCKED, SearchState.UNREACHABLE]


@dataclass(frozen=True)
class Report:
    """Where the jobs of a crawl stand; `seconds` is None when no crawl was run (`--status`)."""

    dataset: Path
    jobs: tuple[Job, ...]
    counts: Mapping[Job, JobCounts]
    searches: Mapping[Job, SearchRecord]
    seconds: float | None = None
    notes: tuple[str, ...] = field(default=())
    thumbnails: Mapping[Job, int] = field(default_factory=dict)  # of the kept pictures

    def of(self, job: Job) -> JobCounts:
        """The counts of a job, zeros where nothing was found yet."""
        return self.counts.get(job, NOTHING)

    def labels(self) -> dict[str, int]:
        """Kept pictures by class, in the order of the keywords."""
        kept: dict[str, int] = {}
        for job in self.jobs:
            kept[job.label] = kept.get(job.label, 0) + self.of(job).kept
        return kept

    def short(self) -> list[str]:
        """The classes that hold nothing, or less than half of what the middle class holds."""
        kept = self.labels()
        middle = statistics.median(kept.values()) if kept else 0
        return [label for label, count in kept.items() if count == 0 or count < SHORT * middle]

    def exit_code(self) -> int:
        """3 when an engine gave nothing for a keyword or was not asked to the end, else 0."""
        whole = all(job in self.searches and self.searches[job].state is SearchState.OK for job in self.jobs)
        return DONE if whole and all(self.of(job).kept for job in self.jobs) else INCOMPLETE


def as_json(report: Report) -> dict[str, Any]:
    """The summary as DESIGN §5 fixes it; `state` is null only where an engine was not asked yet."""
    document: dict[str, Any] = {"dataset": str(report.dataset)}
    if report.seconds is not None:
        document["seconds"] = round(report.seconds, 3)
    document["kept"] = sum(report.of(job).kept for job in report.jobs)
    document["thumbnails"] = sum(report.thumbnails.get(job, 0) for job in report.jobs)
    document["refused"] = sum(sum(report.of(job).refused.values()) for job in report.jobs)
    document["pending"] = sum(report.of(job).pending + report.of(job).claimed for job in report.jobs)
    document["keywords"] = {label: _keyword(report, label) for label in report.labels()}
    document["short"] = report.short()
    return document


def _keyword(report: Report, label: str) -> dict[str, Any]:
    jobs = [job for job in report.jobs if job.label == label]
    engines = dict.fromkeys(job.engine for job in jobs)
    return {
        "kept": sum(report.of(job).kept for job in jobs),
        "refused": {str(reason): count for reason, count in refusals(report, jobs).most_common()},
        "engines": {engine: _engine(report, [job for job in jobs if job.engine == engine]) for engine in engines},
    }


def _engine(report: Report, jobs: list[Job]) -> dict[str, Any]:
    record = worst(report, jobs)
    entry = {
        "found": sum(report.of(job).found for job in jobs),
        "kept": sum(report.of(job).kept for job in jobs),
        "state": record and str(record.state),
    }
    if small := sum(report.thumbnails.get(job, 0) for job in jobs):
        entry["thumbnails"] = small
    if record and record.detail:
        entry["detail"] = record.detail
    return entry


def refusals(report: Report, jobs: Iterable[Job]) -> Counter[Reason]:
    """How many addresses of these jobs were refused, by reason."""
    total: Counter[Reason] = Counter()
    for job in jobs:
        total.update(report.of(job).refused)
    return total


def turned_down(counts: JobCounts) -> int:
    """Addresses that were refused for what they gave; those that were not needed were never asked for."""
    return sum(counts.refused.values()) - counts.refused.get(Reason.NOT_NEEDED, 0)


def worst(report: Report, jobs: Iterable[Job]) -> SearchRecord | None:
    """The search that went worst; None when one was not made at all."""
    records = [report.searches.get(job) for job in jobs]
    made = [record for record in records if record]
    if not made or len(made) < len(records):
        return None
    return max(made, key=lambda record: _WORST.index(record.state))


def print_report(report: Report, console: Console) -> None:
    """The table of classes, a line an engine, then warnings and where the pictures are."""
    console.print(Group(_classes(report), Text(""), _engines(report)))
    for line in [*_warnings(report), *report.notes]:
        console.print(Text(f"warning: {line}", "yellow"), soft_wrap=True)
    console.print(Text(_last_line(report), "bold"), soft_wrap=True)


def _classes(report: Report) -> RenderableType:
    kept = report.labels()
    most = max(kept.values(), default=0)
    table = Table(box=None, pad_edge=False)
    table.add_column("class", overflow="fold")
    table.add_column("pictures", justify="right")
    table.add_column("")
    short = set(report.short())
    for label, count in kept.items():
        bar = "█" * max(round(BAR * count / most), 1) if count else ""
        table.add_row(Text(label), str(count), Text(bar, "yellow" if label in short else "green"))
    return table


def _engines(report: Report) -> RenderableType:
    table = Table(box=None, pad_edge=False)
    table.add_column("engine", no_wrap=True)
    for name in ("found", "kept", "refused", "spare"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("state", overflow="fold")
    for engine in dict.fromkeys(job.engine for job in report.jobs):
        jobs = [job for job in report.jobs if job.engine == engine]
        refused = refusals(report, jobs)
        spare = refused.pop(Reason.NOT_NEEDED, 0)
        found, kept = (sum(getattr(report.of(job), what) for job in jobs) for what in ("found", "kept"))
        numbers = (str(number) for number in (found, kept, refused.total(), spare))
        table.add_row(engine, *numbers, _states(report, jobs, refused))
    return table


def _states(report: Report, jobs: list[Job], refused: Counter[Reason]) -> Text:
    """`ok; 12 not-found, 3 timeout` or `blocked 2 of 5: the page asks …; empty 1 of 5`."""
    text = Text()
    states = Counter(record.state if (record := report.searches.get(job)) else None for job in jobs)
    for state, count in sorted(states.items(), key=lambda item: _WORST.index(item[0]) if item[0] else 0):
        share = "" if count == len(jobs) else f" {count} of {len(jobs)}"
        details = {report.searches[job].detail for job in jobs if job in report.searches}
        detail = f": {_one(details)}" if state not in (None, SearchState.OK) and any(details) else ""
        text.append("; " if text else "")
        text.append(f"{state or 'not asked yet'}{share}{detail}", "green" if state is SearchState.OK else "red")
    reasons = ", ".join(f"{count} {reason}" for reason, count in refused.most_common())
    return text.append(f"; {reasons}" if reasons else "")


def _one(details: set[str]) -> str:
    said = sorted(detail for detail in details if detail)
    return said[0] + (f" (and {len(said) - 1} more)" if len(said) > 1 else "")


def _warnings(report: Report) -> list[str]:
    short = report.short()
    kept = report.labels()
    lines = []
    if short:
        named = ", ".join(f"{label} ({kept[label]})" for label in short[:12]) + (" …" if len(short) > 12 else "")
        word = "class is" if len(short) == 1 else "classes are"
        states = {record.state for record in report.searches.values()}
        offline = states == {SearchState.UNREACHABLE}
        advice = "No engine was reached: is this machine on the internet?" if offline else MORE
        lines.append(f"{len(short)} {word} short of pictures: {named}. {advice}")
    lines += _of_small_use(report)
    reports = report.dataset / "reports"
    if reports.is_dir() and report.exit_code():
        lines.append(f"pages that could not be read are kept in {reports}")
    waiting = sum(report.of(job).pending + report.of(job).claimed for job in report.jobs)
    if report.seconds is None and waiting:
        lines.append(f"{waiting} addresses are not fetched yet; the command that found them goes on with them")
    return lines


def _of_small_use(report: Report) -> list[str]:
    """What searches that are `ok` should not keep to themselves: thumbnails, and pages read in the generic way."""
    lines = []
    small = [job for job in report.jobs if report.thumbnails.get(job)]
    if small:
        count = sum(report.thumbnails[job] for job in small)
        pictures = "1 picture is a thumbnail" if count == 1 else f"{count} pictures are thumbnails"
        given = f"for which {_engines_of(small)} gave no full-size address ({_labels_of(small)})"
        lines.append(f"{pictures}, {given}; --no-thumbnails refuses them")
    generic = [job for job in report.jobs if job in report.searches and GENERIC in report.searches[job].detail]
    if generic:
        told = f"{_engines_of(generic)} has changed and was read in the generic way ({_labels_of(generic)})"
        lines.append(f"{told}; look through these pictures, and please report it with a page out of reports/")
    return lines


def _engines_of(jobs: list[Job]) -> str:
    return " and ".join(dict.fromkeys(job.engine for job in jobs))


def _labels_of(jobs: list[Job]) -> str:
    labels = list(dict.fromkeys(job.label for job in jobs))
    return ", ".join(labels[:12]) + (" …" if len(labels) > 12 else "")


def _last_line(report: Report) -> str:
    kept = report.labels()
    took = "" if report.seconds is None else f" ({_duration(report.seconds)})"
    classes = "1 class" if len(kept) == 1 else f"{len(kept)} classes"
    return f"{report.dataset}: {sum(kept.values())} pictures in {classes}{took}"


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
