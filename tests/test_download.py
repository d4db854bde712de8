"""Downloads out of a dataset and into it: nothing lost, nothing twice, never too much at once."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from crawler.check import PictureRules
from crawler.download import Downloader
from crawler.fetch import Client, FetchSettings
from curation.dataset import Dataset
from curation.records import Found, Job, JobCounts, Reason
from tests.picture_host import PictureHost
from tests.test_fetch import QUICK

JOB = Job("고양이", "고양이", "openverse")


async def download(dataset: Dataset, jobs: Sequence[Job] = (JOB,), limit: int = 1000, **changes: object) -> None:
    searched = asyncio.Event()
    searched.set()
    settings = replace(QUICK, obey_robots=False, **changes)  # type: ignore[arg-type]
    async with Client(settings) as client:
        await Downloader(dataset, client, limit, PictureRules()).run(jobs, searched)


def run(dataset: Dataset, addresses: Sequence[str], limit: int = 1000) -> JobCounts:
    dataset.add(JOB, [Found(address) for address in addresses])
    asyncio.run(download(dataset, limit=limit))
    return dataset.counts()[JOB]


def test_every_address_ends_with_its_reason_and_no_file_is_left_over(tmp_path: Path) -> None:
    with PictureHost() as host, Dataset(tmp_path) as dataset:
        good = [host.url(f"/x/{number}.jpg") for number in range(30)]
        bad = [host.url(f"/{kind}/{number}.jpg") for number, kind in enumerate(("half", "html", "pixels", "small"))]
        counts = run(dataset, [*good, *bad, host.url("/same/3/a.jpg"), host.url("/same/3/b.jpg"), "ftp://x/y"])
        assert (counts.kept, counts.pending, counts.claimed) == (31, 0, 0)
        once = (Reason.TRUNCATED, Reason.NOT_AN_IMAGE, Reason.TOO_MANY_PIXELS, Reason.TOO_SMALL, Reason.DUPLICATE)
        assert counts.refused == dict.fromkeys((*once, Reason.UNSUPPORTED_SCHEME), 1)
        assert dataset.unaccounted() == dataset.missing() == []


def test_first_good_ones_are_kept_in_whatever_order_they_arrive(tmp_path: Path) -> None:
    kinds = ["x", "twice-503", "half", "x", "html", "retry-after/1", "x", "x", "x"]
    with PictureHost(latency=0.02) as host, Dataset(tmp_path) as dataset:
        addresses = [host.url(f"/{kind}/{number}.jpg") for number, kind in enumerate(kinds)]
        counts = run(dataset, addresses, limit=4)
        assert [row.address for row in dataset.sources()] == [addresses[place] for place in (0, 1, 3, 5)]
        assert counts.kept == 4
        assert host.count(addresses[8]) == 0


def test_slow_host_does_not_hold_up_the_others(tmp_path: Path) -> None:
    other = Job("dog", "dog", "openverse")
    with PictureHost(latency=0.4) as slow, PictureHost() as quick, Dataset(tmp_path) as dataset:
        dataset.add(JOB, [Found(slow.url(f"/x/{number}.jpg")) for number in range(300)])
        dataset.add(other, [Found(quick.url(f"/y/{number}.jpg")) for number in range(100)])

        async def until_the_quick_are_done() -> None:
            work = asyncio.create_task(download(dataset, (JOB, other), per_host=4))
            while dataset.counts()[other].kept < 100:
                await asyncio.sleep(0.05)
                assert not work.done()
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

        asyncio.run(until_the_quick_are_done())
        assert dataset.counts()[JOB].kept < 150


def test_many_jobs_at_one_slow_host_do_not_hold_up_the_only_quick_one(tmp_path: Path) -> None:
    slow_jobs = [Job(f"cat {number}", "cat", "commons") for number in range(12)]
    with PictureHost(latency=0.4) as slow, PictureHost() as quick, Dataset(tmp_path) as dataset:
        for job in slow_jobs:
            dataset.add(job, [Found(slow.url(f"/{job.label}/{number}.jpg")) for number in range(40)])
        dataset.add(JOB, [Found(quick.url(f"/x/{number}.jpg")) for number in range(100)])

        async def until_the_quick_one_is_done() -> None:
            work = asyncio.create_task(download(dataset, (*slow_jobs, JOB), per_host=4))
            while dataset.counts()[JOB].kept < 100:
                await asyncio.sleep(0.05)
                assert not work.done()
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

        asyncio.run(until_the_quick_one_is_done())
        assert sum(dataset.counts()[job].kept for job in slow_jobs) < 100


def test_broken_off_it_saves_what_is_there_and_gives_the_rest_back(tmp_path: Path) -> None:
    with PictureHost(latency=0.05) as host, Dataset(tmp_path) as dataset:
        dataset.add(JOB, [Found(host.url(f"/x/{number}.jpg")) for number in range(200)])

        async def broken_off() -> None:
            work = asyncio.create_task(download(dataset))
            while len(host.asked("/x")) < 60:
                await asyncio.sleep(0.01)
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

        asyncio.run(broken_off())
        counts = dataset.counts()[JOB]
        assert counts.kept + counts.pending == 200
        assert counts.claimed == 0
        assert 20 < counts.kept < 200
        dataset.close()  # what was written when its claim was given back goes with the run
        with Dataset(tmp_path) as again:
            assert again.unaccounted() == []
            asyncio.run(download(again))
            assert again.counts()[JOB].kept == 200
            assert {host.count(row.address) for row in again.sources()} <= {1, 2}


def test_full_disk_ends_the_crawl_and_is_not_a_refusal(tmp_path: Path) -> None:
    with PictureHost() as host, Dataset(tmp_path) as dataset:
        dataset.add(JOB, [Found(host.url(f"/x/{number}.jpg")) for number in range(5)])
        for number in range(6):
            for kind in ("jpg", "png"):
                (dataset.incoming / f"{number}.{kind}").mkdir()  # no file can be written there
        with pytest.raises(OSError, match="directory"):
            asyncio.run(download(dataset))
        assert dataset.counts()[JOB].refused == {}
        for folder in dataset.incoming.iterdir():
            folder.rmdir()


def test_bodies_without_end_do_not_fill_the_memory(tmp_path: Path) -> None:
    with PictureHost() as host, Dataset(tmp_path) as dataset:
        dataset.add(JOB, [Found(host.url(f"/endless/{number}.jpg")) for number in range(40)])
        tracemalloc.start()
        asyncio.run(download(dataset, per_host=8, max_bytes=1_000_000))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert dataset.counts()[JOB].refused == {Reason.TOO_LARGE: 40}
        assert peak < 8 * 3_000_000


def test_settings_are_those_of_the_design() -> None:
    settings = FetchSettings()
    assert (settings.concurrency, settings.per_host) == (64, 4)
    assert settings.obey_robots
    assert settings.obey_opt_out
    assert not settings.rule.allow_private
