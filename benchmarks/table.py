"""The table that every benchmark prints: Markdown, so that what a run said can be put into RESULTS.md as it stands."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One measured figure; `met` is None where there is nothing to meet, as for a peer."""

    what: str
    measured: str
    target: str = ""
    met: bool | None = None


def print_table(title: str, figures: Sequence[Figure]) -> bool:
    """Prints the figures under their title, date and machine; returns whether every target was met."""
    words = {None: "", True: "met", False: "**missed**"}
    print(f"\n### {title}\n\n{stamp()}\n\n| what | measured | target | |\n|---|---|---|---|")
    for figure in figures:
        print(f"| {figure.what} | {figure.measured} | {figure.target} | {words[figure.met]} |")
    print(flush=True)
    return all(figure.met is not False for figure in figures)


def stamp() -> str:
    """Date and machine of this run; the load tells whether the machine was quiet."""
    return (
        f"{datetime.now(UTC):%Y-%m-%d} · {_processor()}, {os.cpu_count()} cores · {platform.system()}, "
        f"Python {platform.python_version()} · load at the end {os.getloadavg()[0]:.1f}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
