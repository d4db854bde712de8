"""How soon the bars follow the pen, in a headless Chromium: `python benchmarks/canvas.py`.

A digit is drawn with a real pointer again and again. The page itself notes when the pen was lifted and, one frame after
each new answer, that the bars stand: what counts is the last answer of a stroke, the one about the finished picture.
"""

from __future__ import annotations

import argparse
import sys
import time
from itertools import pairwise
from pathlib import Path
from statistics import median

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks.servers import server
from benchmarks.table import Figure, print_table
from tests.browser import Browser, Look, chromium

MILLISECONDS, UPDATES = 150.0, 4
STROKES, POINTS, QUIET_SECONDS = 20, 50, 0.4
SEVEN = ((70.0, 70.0), (205.0, 70.0), (120.0, 220.0))
WATCH = """
const watch = window.watch = {down: 0, up: 0, answers: []};
const canvas = document.querySelector('#canvas'), result = document.querySelector('#result');
canvas.addEventListener('pointerdown', () => Object.assign(watch, {down: performance.now(), up: 0, answers: []}), true);
canvas.addEventListener('pointerup', () => { watch.up = performance.now(); }, true);
new MutationObserver(() => requestAnimationFrame(() => watch.answers.push(performance.now())))
  .observe(result, {attributeFilter: ['data-answers']});
"""


def stroke() -> list[tuple[float, float]]:
    """The 7 as one stroke of POINTS steps, as slow as a hand."""
    half = POINTS // 2
    legs = pairwise(SEVEN)
    return [(a + (c - a) * i / half, b + (d - b) * i / half) for (a, b), (c, d) in legs for i in range(half)]


def draw_once(browser: Browser) -> tuple[float, int]:
    """Milliseconds from pen-up to the last bars, and the updates while the pen was down."""
    if browser.run("return !document.querySelector('#clear').disabled"):
        browser.click("#clear")
    browser.draw([stroke()], pause_ms=16)
    browser.wait(lambda: browser.run("return watch.up && watch.answers.some(time => time > watch.up)"), "an answer")
    time.sleep(QUIET_SECONDS)
    up, answers = browser.run("return [watch.up, watch.answers]")
    return answers[-1] - up, sum(answer < up for answer in answers)


def measure(arguments: list[str]) -> list[Figure]:
    """The two figures over STROKES strokes; the first stroke warms the page up."""
    with server(["app.py", *arguments]) as (port, _), chromium(Look(motion=True)) as browser:
        browser.open(f"http://127.0.0.1:{port}/")
        browser.run(WATCH)
        drawn = [draw_once(browser) for _ in range(STROKES + 1)][1:]
    waits, updates = sorted(wait for wait, _ in drawn), min(number for _, number in drawn)
    middle, late = median(waits), waits[int(0.95 * len(waits))]
    return [
        Figure(
            "pen-up to updated bars: median (95 %)",
            f"{middle:.0f} ms ({late:.0f} ms)",
            "≤ 150 ms",
            middle <= MILLISECONDS,
        ),
        Figure("updates during a stroke of 0.8 s, the fewest", f"{updates}", f"≥ {UPDATES}", updates >= UPDATES),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="name or folder of a bundle (all bundled ones otherwise)")
    model = parser.parse_args().model
    sys.exit(not print_table("Canvas", measure(["--model", model] if model else [])))
