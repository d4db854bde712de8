"""kill -9 at random moments, then the same command: the dataset is that of an unbroken run.

Five kills, or as many as HANDWRITER_KILLS says.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

from curation.dataset import Dataset
from tests.crawler_runs import ALLOWED, World, crawl, started, world
from tests.engine_site import Manner

KILLS = int(os.environ.get("HANDWRITER_KILLS", "5"))
WORDS = "고양이\nhostile dog\n"
ENGINES = ("--engines", "google,openverse,commons")


def words_for(served: World, folder: Path) -> list[str | Path]:
    file = folder / "keywords.txt"
    file.write_text(WORDS, "utf-8")
    options = [*ALLOWED, *ENGINES, "--limit", "200", "--browsers", "1", "--json"]
    return ["--keywords", file, "--dataset", folder / "data", *options, *served.engine_urls()]


def contents(data: Path) -> Counter[tuple[str, str]]:
    """Which bytes stand under which label: by the rows, which must agree with the files."""
    with Dataset(data, create=False) as dataset:
        assert dataset.unaccounted() == []
        assert dataset.missing() == []
        return Counter((row.label, row.sha256) for row in dataset.images())


def kept_so_far(data: Path) -> set[str]:
    if not (data / "dataset.db").exists():
        return set()
    with Dataset(data, create=False) as dataset:
        return {row.address for row in dataset.sources()}


def wait_for_another(data: Path, known: int, seconds: float = 15) -> None:
    """Until more pictures are kept than were known, or there are none to come."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and len(kept_so_far(data)) <= known:
        time.sleep(0.1)


def test_kills_change_nothing_in_the_end(tmp_path: Path) -> None:
    seed = int.from_bytes(os.urandom(4))
    print(f"seed {seed}")  # shown when the test fails
    chance = random.Random(seed)
    for name in ("whole", "broken"):
        (tmp_path / name).mkdir()
    with world(Manner(count=40), latency=0.2) as served:
        assert crawl(words_for(served, tmp_path / "whole")).code == 3  # the hostile class has nothing to keep
        served.host.forget()
        broken = words_for(served, tmp_path / "broken")
        kept: dict[str, int] = {}  # address → how often it had been asked for when it was seen to be kept
        for kill in range(KILLS):
            process = started(broken, tmp_path / "log")
            if not kill % 4:  # on a busy machine nothing might be kept before the last kill
                wait_for_another(tmp_path / "broken" / "data", len(kept))
            time.sleep(chance.uniform(0.3, 2.5))
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            for address in kept_so_far(tmp_path / "broken" / "data"):
                kept.setdefault(address, served.host.count(address))
        assert crawl(broken).code == 3
        assert {address: served.host.count(address) for address in kept} == kept
    assert kept, "some pictures were kept before the last kill"
    assert contents(tmp_path / "broken" / "data") == contents(tmp_path / "whole" / "data")
    assert "Traceback" not in (tmp_path / "log").read_text("utf-8")
