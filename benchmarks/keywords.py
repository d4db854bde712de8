"""How soon a browser finds, on the local imitation of the engines: `python benchmarks/keywords.py`.

A keyword is a whole search: the page opened, read, scrolled, read to the end. Two kinds are measured: a hundred
pictures wanted out of more, and all that there are, where the search has to see that no more comes.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from statistics import median

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks.table import Figure, print_table
from crawler.addresses import Rule
from crawler.browser import Session, Settings
from crawler.engines import engine
from crawler.fence import fenced
from crawler.order import Order
from crawler.page_search import search
from curation.records import Found, Job, SearchState
from tests.engine_site import EngineSite
from tests.picture_host import PictureHost
from tests.tiny_engine import TinyEngine, TinySite

SECONDS_FOR_200, KEYWORDS_A_MINUTE = 3.0, 60.0
BROWSERS, ROUNDS = 2, 5
ENGINES = ("google", "naver", "bing", "duckduckgo")


@dataclass(frozen=True)
class Asked:
    """One search: which engine, where, which words, how many pictures are enough."""

    engine: str
    home: str
    words: str
    want: int


def asked(session: Session, job: Asked) -> int:
    """The number of pictures found; ends the program when the search went wrong."""
    found: list[Found] = []

    def take(new: Sequence[Found]) -> bool:
        found.extend(new)
        return len(found) < job.want

    reader = TinyEngine() if job.engine == "tiny" else engine(job.engine)
    order = Order(Job(job.words, job.words, job.engine), job.home, want=job.want)
    outcome = search(session, reader, order, take)  # type: ignore[arg-type]
    if outcome.state is not SearchState.OK:
        sys.exit(f"error: {job.engine} for {job.words!r}: {outcome.state} {outcome.detail}")
    return len(found)


def seconds_for_200(settings: Settings, site: TinySite) -> float:
    """From the order to the last address of a page with 200 lazily loaded pictures, browser running; the median."""
    times = []
    with Session(settings) as session:
        asked(session, Asked("tiny", site.home, "warm 20", 20))
        for n in range(ROUNDS):
            start = time.perf_counter()
            count = asked(session, Asked("tiny", site.home, f"word{n} 200 lazy", 200))
            times.append(time.perf_counter() - start)
            if count != 200:
                sys.exit(f"error: {count} of 200 addresses were found")
    return median(times)


def keywords_a_minute(settings: Settings, jobs: Sequence[Asked]) -> float:
    """With two browsers that are started first and take the next keyword when they have done one."""
    free: SimpleQueue[Session] = SimpleQueue()
    with Session(settings) as one, Session(settings) as other, ThreadPoolExecutor(BROWSERS) as threads:
        for session in (one, other):
            asked(session, jobs[0])
            free.put(session)

        def work(job: Asked) -> None:
            session = free.get()
            asked(session, job)
            free.put(session)

        start = time.perf_counter()
        list(threads.map(work, jobs))
        return 60 * len(jobs) / (time.perf_counter() - start)


def measured(keywords: int) -> list[Figure]:
    """All figures; every browser is behind the fence, as in a crawl."""
    figures = []
    with TinySite() as tiny, PictureHost() as pictures, EngineSite(pictures) as site:
        rule = Rule(also=frozenset({("127.0.0.1", tiny.port), ("127.0.0.1", site.port), ("127.0.0.1", pictures.port)}))
        with fenced(Settings(), rule) as settings:
            seconds = seconds_for_200(settings, tiny)
            target = f"≤ {SECONDS_FOR_200:g} s"
            figures.append(
                Figure("200 lazily loaded pictures, one page", f"{seconds:.2f} s", target, seconds <= SECONDS_FOR_200)
            )
            for name in ENGINES:
                for what, count in (("100 of 300 pictures", 300), ("all of 60 pictures", 60)):
                    jobs = [Asked(name, site.home, f"word {n}, {count} pictures", 100) for n in range(keywords)]
                    rate = keywords_a_minute(settings, jobs)
                    target = f"≥ {KEYWORDS_A_MINUTE:g} keywords/min"
                    figures.append(
                        Figure(
                            f"{name}, {what}, 2 browsers",
                            f"{rate:.0f} keywords/min",
                            target,
                            rate >= KEYWORDS_A_MINUTE,
                        )
                    )
    return figures


def main() -> None:
    """Measures and prints; ends with 1 when a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keywords", type=int, default=20, help="keywords for each figure (20)")
    options = parser.parse_args()
    sys.exit(not print_table("Searching with browsers", measured(options.keywords)))


if __name__ == "__main__":
    main()
