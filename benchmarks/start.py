"""How soon the demo answers, how large it is, and how soon the commands answer: `python benchmarks/start.py`."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks.servers import ROOT, free_port, resident_megabytes, wait_for
from benchmarks.table import Figure, print_table

START_SECONDS, START_MEGABYTES, LIST_SECONDS = 6.0, 700.0, 0.7
STARTS, LISTS = 5, 10


def start_once(arguments: list[str]) -> tuple[float, float]:
    """Seconds from the command to the first page, and the megabytes that are then resident."""
    port, start = free_port(), time.perf_counter()
    command = [sys.executable, "app.py", "--port", str(port), *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        page = wait_for(port, "/", process)
        seconds = time.perf_counter() - start
        assert b"<html" in page, "the first answer is no page"
        return seconds, resident_megabytes(process.pid)
    finally:
        process.terminate()
        process.wait(20)


def command_once(*words: str) -> float:
    """Seconds of `python WORDS…`."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *words], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def measure(arguments: list[str]) -> list[Figure]:
    """All figures; the first start is not counted, it reads the files into the machine's cache."""
    first, _ = start_once(arguments)
    starts = [start_once(arguments) for _ in range(STARTS)]
    seconds, megabytes = median(start[0] for start in starts), max(start[1] for start in starts)
    lists = median(command_once("handwriter_models", "list") for _ in range(LISTS + 1))
    helps = median(command_once("crawler", "--help") for _ in range(LISTS + 1))
    return [
        Figure("`python app.py`, first start on this machine", f"{first:.1f} s"),
        Figure("`python app.py` to the first page", f"{seconds:.1f} s", "≤ 6 s", seconds <= START_SECONDS),
        Figure("resident then", f"{megabytes:.0f} MB", "≤ 700 MB", megabytes <= START_MEGABYTES),
        Figure("`python handwriter_models list`", f"{lists:.2f} s", "≤ 0.7 s", lists <= LIST_SECONDS),
        Figure("`python crawler --help`", f"{helps:.2f} s", "≤ 0.7 s", helps <= LIST_SECONDS),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="name or folder of a bundle (all bundled ones otherwise)")
    model = parser.parse_args().model
    sys.exit(not print_table("Start", measure(["--model", model] if model else [])))
