"""Several processes on one dataset, and kill -9 at every point: the end is that of an unbroken run."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from curation.dataset import Dataset
from curation.records import Found, Job, SearchState
from tests import dataset_worker
from tests.dataset_worker import JOBS, LIMIT, content, prepare

Process = subprocess.Popen[bytes]


@dataclass
class Place:
    root: Path
    log: Path
    started: list[Process]

    def start(self, *options: str) -> Process:
        command = [sys.executable, dataset_worker.__file__, str(self.root), str(self.log), *options]
        self.started.append(subprocess.Popen(command))
        return self.started[-1]

    def finish(self) -> None:
        assert self.start().wait(60) == 0


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path / "data", tmp_path / "log", [])
    prepare(place.root)
    yield place
    for process in place.started:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    folder = tmp_path_factory.mktemp("unbroken")
    prepare(folder / "data")
    dataset_worker.Worker(folder / "data", folder / "log").run()
    return outcome(folder / "data")


def outcome(root: Path) -> dict[str, object]:
    """All that must not depend on how often and when a worker was killed."""
    with Dataset(root) as dataset:
        for path in (row.path for row in dataset.images()):
            assert (root / path).is_file(), path
        assert dataset.unaccounted() == []
        assert dataset.live_runs() == []
        assert list((root / "incoming").iterdir()) == []
        by_address = {row.address: (root / row.path).read_bytes() for row in dataset.sources()}
        assert all(data == content(address) for address, data in by_address.items())
        # of several addresses with the same bytes any may be the one that is kept
        names = {row.path for row in dataset.sources() if row.label != "same"}
        pictures = Counter((row.label, row.sha256) for row in dataset.images())
        refusals = {(row.address, row.reason, row.detail) for row in dataset.refusals() if row.label != "same"}
        return {"names": names, "pictures": pictures, "refusals": refusals, "counts": dataset.counts()}


def nothing_fetched_after_success(log: Path) -> bool:
    settled: set[str] = set()
    for line in log.read_text().splitlines():
        what, _, id_ = line.partition(" ")
        if what == "fetch" and id_ in settled:
            return False
        if what == "settled":
            settled.add(id_)
    return bool(settled)


def test_unbroken_run_keeps_the_first_good_addresses_up_to_the_limit(unbroken: dict[str, object]) -> None:
    counts = unbroken["counts"]
    assert isinstance(counts, dict)
    assert [counts[job].kept for job in JOBS] == [LIMIT, LIMIT, LIMIT, 8]
    assert counts[JOBS[0]].refused == {"not-found": 8}  # 40 of the first 48
    assert counts[JOBS[0]].pending == 12
    assert counts[JOBS[3]].refused == {"not-found": 10, "duplicate": 42}
    names = unbroken["names"]
    assert isinstance(names, set)
    assert "images/고양이/naver_0048.jpg" in names


def test_two_processes_never_fetch_the_same_address_nor_exceed_the_limit(
    place: Place, unbroken: dict[str, object]
) -> None:
    workers = [place.start() for _ in range(3)]
    assert [worker.wait(60) for worker in workers] == [0, 0, 0]
    fetches = Counter(line for line in place.log.read_text().splitlines() if line.startswith("fetch"))
    assert set(fetches.values()) == {1}
    assert outcome(place.root) == unbroken


@pytest.mark.parametrize("point", ["before-commit", "between", "after"])
@pytest.mark.parametrize("batch", [1, 4])
def test_kill_at_a_chosen_point_is_made_good_by_the_next_run(
    point: str, batch: int, place: Place, unbroken: dict[str, object]
) -> None:
    assert place.start("--die", point, str(batch)).wait(60) == -signal.SIGKILL
    place.finish()
    assert nothing_fetched_after_success(place.log)
    assert outcome(place.root) == unbroken


def test_kills_at_random_moments_change_nothing(place: Place, unbroken: dict[str, object]) -> None:
    chance = random.Random(3)
    for _ in range(int(os.environ.get("HANDWRITER_KILLS", "8"))):
        before = place.log.stat().st_size if place.log.exists() else 0
        worker = place.start("--pause", "0.01")  # 230 fetches: more than two seconds of work
        wait_for(lambda size=before: place.log.exists() and place.log.stat().st_size > size)  # type: ignore[misc]
        time.sleep(chance.uniform(0, 0.1))
        worker.kill()
        assert worker.wait() == -signal.SIGKILL
    place.finish()
    assert nothing_fetched_after_success(place.log)
    assert outcome(place.root) == unbroken


def test_living_process_takes_over_what_a_killed_one_held(place: Place, unbroken: dict[str, object]) -> None:
    killed = place.start("--die", "before-commit", "2")
    for _ in range(3000):  # the living one must not have done everything before the other has begun
        if place.log.exists() and place.log.read_text():
            break
        time.sleep(0.01)
    living = place.start()
    assert killed.wait(60) == -signal.SIGKILL
    assert living.wait(60) == 0
    assert outcome(place.root) == unbroken


HOLDER = """
import sys, time
sys.path[0] = {root!r}
from pathlib import Path
from curation.dataset import Dataset
from tests.dataset_worker import JOBS
dataset = Dataset(Path(sys.argv[1]))
assert dataset.begin_search(JOBS[0])
assert dataset.claim(JOBS[0], 5, 5)
(dataset.incoming / "half.jpg").write_bytes(b"half a picture")
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def holder(place: Place) -> Process:
    """A process that has begun a search, claimed five addresses and half a file, and does nothing more."""
    script = HOLDER.format(root=str(Path(__file__).resolve().parent.parent))
    command = [sys.executable, "-c", script, str(place.root)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    place.started.append(process)
    assert process.stdout
    with process.stdout as out:
        assert out.readline() == b"ready\n"
    return process


def test_search_and_claims_of_a_living_process_are_left_to_it(place: Place, holder: Process) -> None:
    with Dataset(place.root) as dataset:
        assert not dataset.begin_search(JOBS[0])
        assert dataset.begin_search(JOBS[1])
        assert dataset.claim(JOBS[0], 5, 5) == []  # its five claims take all the room
        assert [run.pid for run in dataset.live_runs() if run.pid == holder.pid] == [holder.pid]
        assert dataset.counts()[JOBS[0]].claimed == 5


def wait_for(condition: Callable[[], object]) -> None:
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


def test_search_and_claims_of_a_killed_process_are_free_at_once(place: Place, holder: Process) -> None:
    with Dataset(place.root) as dataset:
        holder.kill()
        holder.wait()
        assert holder.pid not in [run.pid for run in dataset.live_runs()]
        assert dataset.begin_search(JOBS[0])
        dataset.end_search(JOBS[0], SearchState.OK)
        wait_for(lambda: dataset.claim(JOBS[0], 5, 5))
        assert dataset.unaccounted() == []


def test_opening_tidies_up_after_a_killed_process_and_leaves_a_living_one_alone(place: Place, holder: Process) -> None:
    Dataset(place.root).close()
    assert len(list((place.root / "incoming").rglob("half.jpg"))) == 1
    holder.kill()
    holder.wait()
    Dataset(place.root).close()
    assert list((place.root / "incoming").iterdir()) == []


def test_many_processes_may_create_the_same_dataset_at_once(tmp_path: Path) -> None:
    script = (
        f"import sys; sys.path[0] = {str(Path(__file__).resolve().parent.parent)!r}\n"
        "from pathlib import Path\nfrom curation.dataset import Dataset\nfrom curation.records import Found, Job\n"
        "with Dataset(Path(sys.argv[1])) as d: print(d.add(Job('a', 'a', 'google'), [Found(sys.argv[2])]))"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "data")]
    started = [subprocess.Popen([*command, f"https://x.example/{number}"]) for number in range(6)]
    assert [process.wait(60) for process in started] == [0] * 6
    with Dataset(tmp_path / "data") as dataset:
        assert dataset.counts()[Job("a", "a", "google")].pending == 6
        assert dataset.add(Job("a", "a", "google"), [Found("https://x.example/0")]) == 0
