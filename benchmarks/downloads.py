"""How quickly pictures come in, beside icrawler and img2dataset, and in how much memory.

`python benchmarks/downloads.py`. Server and client share the machine. Ours is the real thing: addresses out of a
dataset's database, robots.txt, sha256, every stream decoded to its end, files synced, rows committed. The peers get a
list of the same addresses and save files; neither checks what it saves. The plain program does the two checks and no
more: what it makes tells how quick the machine is. Each measurement is a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks.table import Figure, print_table

COUNT, MANY, SLOW = 2000, 10_000, 2000
ROUNDS = 3
CHECKED, UNCHECKED, DISTANT, MEGABYTES, GROWTH = 700, 1400, 280, 200, 1.1
PEERS = {"icrawler, 1 thread": ("icrawler", 1), "icrawler, 16 threads": ("icrawler", 16)} | {
    "img2dataset, 16 threads": ("img2dataset", 16)
}
PLAIN = "a plain program, 4 decode threads"
HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Place:
    """Where pictures come from and where they go. Nothing is deleted before the end: for minutes after a thousand files
    were deleted, ext4 is several times slower to make new ones."""

    home: str
    folder: Path

    def empty(self) -> Path:
        """A path below the folder that is not there yet."""
        return self.folder / str(len(list(self.folder.iterdir())))


@contextmanager
def picture_server() -> Iterator[str]:
    """Its address, while it runs."""
    process = subprocess.Popen([sys.executable, HERE / "picture_server.py"], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        port, size = process.stdout.readline().split()
        print(f"files of {int(size) / 1000:.0f} kB on average", file=sys.stderr)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def ours(home: str, folder: Path, count: int, check: bool) -> dict[str, Any]:
    """One crawl's downloads in this process."""
    from crawler.addresses import Rule
    from crawler.check import PictureRules
    from crawler.download import Downloader
    from crawler.fetch import Client, FetchSettings
    from curation.dataset import Dataset
    from curation.records import Found, Job

    sizes: list[float] = []

    async def fetch(dataset: Dataset, job: Job) -> None:
        searched = asyncio.Event()
        searched.set()
        async with Client(FetchSettings(concurrency=64, per_host=64, rule=Rule(allow_private=True))) as client:
            watch = asyncio.create_task(watch_memory(sizes))
            await Downloader(dataset, client, count, PictureRules(check=check)).run([job], searched)
            watch.cancel()

    with Dataset(folder) as dataset:
        job = Job("pictures", "pictures", "benchmark")
        dataset.add(job, [Found(f"{home}/{number}.jpg") for number in range(count)])
        started = time.monotonic()
        asyncio.run(fetch(dataset, job))
        seconds = time.monotonic() - started
        kept = dataset.counts()[job].kept
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "count": kept, "megabytes": peak, "sizes": sizes}


async def watch_memory(sizes: list[float]) -> None:
    """Notes the resident megabytes every half second."""
    from benchmarks.servers import resident_megabytes

    while True:
        sizes.append(resident_megabytes(os.getpid()))
        await asyncio.sleep(0.5)


def in_a_process(command: list[str | Path]) -> dict[str, Any]:
    """The JSON line that a measuring process prints last."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def measure_ours(place: Place, count: int, *options: str) -> dict[str, Any]:
    """As above, in a process of its own."""
    words: list[str | Path] = ["--ours", place.home, "--folder", place.empty(), "--count", str(count), *options]
    return in_a_process([sys.executable, Path(__file__), *words])


def measure_peer(place: Place, python: Path, name: str, threads: int) -> dict[str, Any]:
    """A peer with the same addresses."""
    saved = place.empty()
    saved.mkdir()
    addresses = saved.with_suffix(".txt")
    addresses.write_text("\n".join(f"{place.home}/{number}.jpg" for number in range(COUNT)))
    return in_a_process([python, HERE / "peer_downloads.py", name, addresses, saved, str(threads)])


def measure(peers: Path | None, disk: Path) -> list[Figure]:
    """All figures."""
    rates: dict[str, list[float]] = {}
    peaks: dict[str, float] = {}
    with picture_server() as home, tempfile.TemporaryDirectory(dir=disk) as folder:
        place = Place(home, Path(folder))
        for _ in range(ROUNDS):
            results = {"ours": measure_ours(place, COUNT), "ours, checks off": measure_ours(place, COUNT, "--no-check")}
            results[PLAIN] = measure_peer(place, Path(sys.executable), "plain", 4)
            if peers:
                results |= {name: measure_peer(place, peers, *peer) for name, peer in PEERS.items()}
            for name, result in results.items():
                assert result["count"] >= COUNT * 0.99, (name, result)
                rates.setdefault(name, []).append(result["count"] / result["seconds"])
                peaks[name] = max(peaks.get(name, 0), result["megabytes"])
        distant = measure_ours(Place(f"{home}/slow", place.folder), SLOW)
        many = measure_ours(place, MANY)
    return _figures(rates, peaks, distant, many)


def _figures(
    rates: dict[str, list[float]], peaks: dict[str, float], distant: dict[str, Any], many: dict[str, Any]
) -> list[Figure]:
    middle = {name: median(values) for name, values in rates.items()}
    targets = {"ours": CHECKED, "ours, checks off": UNCHECKED}
    figures = []
    for name, rate in middle.items():
        least = targets.get(name)
        target = (f"≥ {least}/s", rate >= least) if least else ("", None)
        figures.append(
            Figure(f"{name}: pictures a second (peak memory)", f"{rate:.0f} ({peaks[name]:.0f} MB)", *target)
        )
    figures.append(
        Figure("ours: peak memory", f"{peaks['ours']:.0f} MB", f"≤ {MEGABYTES} MB", peaks["ours"] <= MEGABYTES)
    )
    for name, wanted in (("icrawler", 2.0), ("img2dataset", 1.0)):
        best = max((rate for peer, rate in middle.items() if peer.startswith(name)), default=0)
        if best:
            ratio = middle["ours"] / best
            figures.append(Figure(f"ours / {name}", f"{ratio:.2f}", f"≥ {wanted:g}", ratio >= wanted))
    figures.append(Figure("ours / a plain program", f"{middle['ours'] / middle[PLAIN]:.2f}"))
    rate = distant["count"] / distant["seconds"]
    figures.append(Figure("ours, 50-350 ms away, 64 in flight", f"{rate:.0f}/s", f"≥ {DISTANT}/s", rate >= DISTANT))
    sizes = many["sizes"]
    half, end = max(sizes[: len(sizes) // 2]), max(sizes[len(sizes) // 2 :])
    said = f"{half:.0f} MB in the first half, {end:.0f} MB in the second"
    return [*figures, Figure(f"memory over {MANY} addresses", said, "flat", end <= GROWTH * half)]


def peers_python(given: str) -> Path | None:
    """The Python that has the peers; says so when there is none."""
    python = Path(given or "~/peers/venv/bin/python").expanduser()
    if python.exists():
        return python
    print(
        "the peers are left out: make an environment with `pip install icrawler==0.6.10 img2dataset` and name its",
        end="",
    )
    print(" Python by --peers")
    return None


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", default="", help="a Python that has icrawler 0.6.10 and img2dataset")
    parser.add_argument("--disk", type=Path, default=HERE.parent, help="folder whose disk takes the pictures")
    parser.add_argument("--ours", default="", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--count", type=int, default=COUNT, help=argparse.SUPPRESS)
    parser.add_argument("--no-check", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ours:
        print(json.dumps(ours(options.ours, options.folder, options.count, not options.no_check)))
    else:
        sys.exit(not print_table("Downloads", measure(peers_python(options.peers), options.disk)))
