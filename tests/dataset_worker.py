"""A small crawler without a network, as a process that can be killed: claims, "fetches", settles until nothing is left.

What an address holds follows from the address alone, so any number of workers, killed or not, must come to the same
end: `…/missing/…` is refused, `…/same/…` gives the same bytes as its neighbours, all else a picture of its own. Every
fetch and every settled row is a line in the log. `--die before-commit|between|after 3` kills this process, as kill -9
would, at that point of its third batch.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from hashlib import sha256
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from curation.dataset import Dataset, Outside
from curation.records import Claim, Found, Job, Kept, Reason, Refused

CLAIMS, BATCH, LIMIT = 5, 7, 40
JOBS = [
    Job("고양이", "고양이", "google"),
    Job("고양이", "고양이", "naver"),
    Job("a/b", "a or b", "google"),
    Job("same", "same", "google"),
]


def found_for(job: Job, count: int = 60) -> list[Found]:
    """The addresses that a search for the job finds: every sixth is missing."""
    kinds = ["missing" if number % 6 == 0 else job.label for number in range(count)]
    return [Found(f"https://{job.engine}.example/{kind}/{number}") for number, kind in enumerate(kinds)]


def content(address: str) -> bytes:
    """What is at the address; the label `same` has only eight pictures under sixty addresses."""
    if "/same/" in address:
        address = f"same {int(address.rpartition('/')[2]) % 8}"
    return sha256(address.encode()).digest() * 20


def prepare(root: Path) -> None:
    """A dataset with everything found and nothing fetched."""
    with Dataset(root) as dataset:
        for job in JOBS:
            dataset.add(job, found_for(job))


def fetched(dataset: Dataset, claim: Claim) -> Kept | Refused:
    """The claim's picture among the arrivals, or a refusal."""
    if "/missing/" in claim.address:
        return Refused(claim.id, Reason.NOT_FOUND, "HTTP 404")
    data = content(claim.address)
    file = dataset.incoming / f"{claim.id}.jpg"
    file.write_bytes(data)
    digest = sha256(data).hexdigest()
    return Kept(claim.id, file.name, digest, digest, "jpg", 10, 10, len(data))


class Worker:
    """Works until every job has enough or nothing to fetch; `die` names the point and the batch of its death."""

    def __init__(self, root: Path, log: Path, die: tuple[str, int] | None = None, pause: float = 0) -> None:
        self._die, self._pause, self._batches = die, pause, 0
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._dataset = Dataset(root, outside=Outside(rename=self._rename))

    def run(self) -> None:
        """Leaves the dataset closed."""
        with self._dataset:
            while any(self._is_open(job) for job in JOBS):
                if not self._work():
                    time.sleep(0.02)
        os.close(self._log)

    def _is_open(self, job: Job) -> bool:
        counts = self._dataset.counts()[job]
        return counts.kept < LIMIT and bool(counts.pending + counts.claimed)

    def _work(self) -> bool:
        claims = [claim for job in JOBS for claim in self._dataset.claim(job, CLAIMS, LIMIT)]
        for start in range(0, len(claims), BATCH):
            self._batch(claims[start : start + BATCH])
        return bool(claims)

    def _batch(self, claims: list[Claim]) -> None:
        self._batches += 1
        results = []
        for claim in claims:
            self._say("fetch", claim.id)
            results.append(fetched(self._dataset, claim))
            time.sleep(self._pause)
        self._maybe_die("before-commit")
        kept = [result for result in results if isinstance(result, Kept)]
        self._dataset.settle(kept, [result for result in results if isinstance(result, Refused)])
        for claim in claims:
            self._say("settled", claim.id)
        self._maybe_die("after")

    def _say(self, what: str, id_: int) -> None:
        os.write(self._log, f"{what} {id_}\n".encode())

    def _rename(self, source: Path, target: Path) -> None:
        os.replace(source, target)  # noqa: PTH105
        self._maybe_die("between")  # the rest of the batch is committed but not moved

    def _maybe_die(self, point: str) -> None:
        if self._die == (point, self._batches):
            os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """The command line of the worker."""
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("log", type=Path)
    parser.add_argument("--die", nargs=2, metavar=("POINT", "BATCH"))
    parser.add_argument("--pause", type=float, default=0)
    asked = parser.parse_args()
    Worker(asked.root, asked.log, (asked.die[0], int(asked.die[1])) if asked.die else None, asked.pause).run()


if __name__ == "__main__":
    main()
