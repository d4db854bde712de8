"""How soon the review page stands and how soon a key press is saved, at 50 000 pictures: `python benchmarks/review.py`.

The first screen is measured in a fresh headless Chromium, from the start of the navigation until the last picture on
screen has been decoded: just after the server has started, and again with all that the first visit left. A key press is
measured in the page, from the event until the server has stored the verdict and moved the file and the page shows it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks.servers import resident_megabytes
from benchmarks.table import Figure, print_table
from tests.browser import Look, chromium
from tests.review_scene import Reviewer, agrees, fill_with_rows, reviewing

FIRST_SCREEN, KEY_PRESS, NODES = 0.8, 25.0, 500
PRESSES, VISITS = 60, 5
STANDS = """
(() => {
  const look = () => {
    const isSeen = (tile) => tile.getBoundingClientRect().top < innerHeight;
    const tiles = [...document.querySelectorAll('.tile')].filter(isSeen);
    const isThere = tiles.length && tiles.every(({ firstChild }) => firstChild.complete && firstChild.naturalWidth);
    if (isThere && document.body.dataset.ready) window.stood = performance.now(); else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})()
"""
WATCH = """
window.waits = [];
let pressed = 0;
const box = document.querySelector('#saved');
document.addEventListener('keydown', (event) => { pressed = event.timeStamp; }, true);
new MutationObserver(() => {
  if (box.dataset.state === 'saved' && pressed) { window.waits.push(performance.now() - pressed); pressed = 0; }
}).observe(box, { attributeFilter: ['data-state'] });
"""

SCROLL = "const grid = document.querySelector('#grid'); grid.scrollTop = grid.scrollHeight * arguments[0] / 100"


def first_screen(address: str) -> tuple[float, int]:
    """Seconds, and the elements in the page."""
    with chromium(Look(motion=True)) as browser:
        browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": STANDS})
        browser.driver.get(address)
        stood = browser.wait(lambda: browser.run("return window.stood"), "the first screen", 60)
        return stood / 1000, browser.run("return document.querySelectorAll('*').length")


def presses(address: str) -> tuple[list[float], int]:
    """Milliseconds of each key press, and the most elements that the page had while it was scrolled through."""
    with chromium(Look(motion=True)) as browser:
        reviewer = Reviewer(browser)
        reviewer.open(address)
        reviewer.run(WATCH)
        for number in range(PRESSES):
            reviewer.press("x" if number % 3 else "2")
            browser.wait(lambda wanted=number: len(browser.run("return window.waits")) > wanted, "it is saved")  # type: ignore[misc]
            time.sleep(0.05)
        most = 0
        for share in range(0, 101, 5):
            reviewer.run(SCROLL, share)
            time.sleep(0.1)
            most = max(most, browser.run("return document.querySelectorAll('*').length"))
        return browser.run("return window.waits"), most


def measure(root: Path, count: int) -> list[Figure]:
    """All figures over a dataset of so many pictures."""
    fill_with_rows(root, count)
    started = time.monotonic()
    with reviewing(root) as server:
        ready = time.monotonic() - started
        cold, _ = first_screen(server.address)
        warm = median(first_screen(server.address)[0] for _ in range(VISITS))
        waits, nodes = presses(server.address)
        memory = resident_megabytes(server.process.pid)
    agrees(root)
    waits.sort()
    middle, late = median(waits), waits[int(0.95 * len(waits))]
    screen, key = "first screen", "key press, saved and file moved: median (95 %)"
    return [
        Figure("command to a server that answers", f"{ready:.1f} s"),
        Figure(f"{screen}, server just started", f"{cold:.2f} s", "≤ 0.8 s", cold <= FIRST_SCREEN),
        Figure(f"{screen}, median of {VISITS} fresh browsers", f"{warm:.2f} s", "≤ 0.8 s", warm <= FIRST_SCREEN),
        Figure(key, f"{middle:.1f} ms ({late:.1f} ms)", "≤ 25 ms", middle <= KEY_PRESS),
        Figure("elements in the page, the most while scrolling", f"{nodes}", "< 500", nodes < NODES),
        Figure("memory of the server", f"{memory:.0f} MB"),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=50_000)
    parser.add_argument("--folder", help="where the dataset is made, for another disk")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        figures = measure(Path(folder) / "review", arguments.pictures)
    sys.exit(not print_table(f"Review, {arguments.pictures} pictures", figures))
