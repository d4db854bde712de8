"""The client's manners: it says who it is, does as hosts ask, and gives a busy one time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from crawler.addresses import Refusal
from crawler.fetch import Client, Fetched
from curation.records import Reason
from tests.picture_host import PictureHost, Robots
from tests.test_fetch import QUICK, fetch, reason


@pytest.fixture(scope="module")
def host() -> Iterator[PictureHost]:
    with PictureHost() as served:
        yield served


def test_retry_after_is_waited_for(host: PictureHost) -> None:
    host.forget()
    fetch(host.url("/retry-after/1/5.jpg"))
    first, second = host.asked("/retry-after")
    assert second.time - first.time >= 1.0


def test_busy_host_is_left_alone_by_all_downloads_for_as_long_as_it_asked() -> None:
    async def ask(host: PictureHost) -> None:
        async with Client(replace(QUICK, obey_robots=False, obey_opt_out=False, per_host=2)) as client:
            first = asyncio.create_task(client.picture(host.url("/retry-after/1/1.jpg")))
            while not host.requests:
                await asyncio.sleep(0.01)
            await asyncio.gather(first, *(client.picture(host.url(f"/x/{number}.jpg")) for number in range(4)))

    with PictureHost() as host:
        asyncio.run(ask(host))
        first, *others = host.requests
    assert len(others) == 5
    assert sum(other.time - first.time < 0.95 for other in others) <= 1  # one may have been on its way


def test_host_that_asks_for_a_day_is_asked_no_more_while_others_are() -> None:
    async def ask(busy: PictureHost, other: PictureHost) -> list[object]:
        async with Client(replace(QUICK, obey_robots=False, obey_opt_out=False, per_host=1)) as client:
            asked = [client.picture(busy.url(f"/always-429/{number}.jpg")) for number in range(5)]
            said = [await asyncio.gather(one, return_exceptions=True) for one in asked]
            return [one[0] for one in said] + [await client.picture(other.url("/x/1.jpg"))]

    with PictureHost() as busy, PictureHost() as other:
        *said, good = asyncio.run(ask(busy, other))
        assert len(busy.requests) == 1
    assert isinstance(good, Fetched)
    assert [one.reason for one in said if isinstance(one, Refusal)] == [Reason.HTTP_ERROR] * 5


def test_referer_is_the_page_of_the_picture(host: PictureHost) -> None:
    fetch(host.url("/needs-referer/1.jpg"), referer="https://example.org/page")
    assert host.asked("/needs-referer")[-1].headers["Referer"] == "https://example.org/page"


@pytest.mark.parametrize(
    ("page", "sent"),
    [
        ("https://me:secret@example.org/a#b", "https://example.org/a"),
        ("https://한국.kr/고양이 1", "https://xn--3e0b707e.kr/%EA%B3%A0%EC%96%91%EC%9D%B4%201"),
        ("http://a.b/\r\nX-Mine: 1", "http://a.b/X-Mine:%201"),
        ("http://[bad", None),
        ("about:blank", None),
    ],
)
def test_referer_is_harmless_whatever_the_page_is_called(host: PictureHost, page: str, sent: str | None) -> None:
    fetch(host.url("/x/1.jpg"), referer=page)
    headers = host.asked("/x/1.jpg")[-1].headers
    assert (headers["Referer"], headers["X-Mine"]) == (sent, None)


def test_agent_says_who_it_is_and_how_to_reach_us(host: PictureHost) -> None:
    fetch(host.url("/x/1.jpg"), replace(QUICK, contact="me@example.org"))
    agent = host.asked("/x/1.jpg")[-1].headers["User-Agent"]
    assert agent.startswith("HandWriter/")
    assert "me@example.org" in agent
    assert "Mozilla" not in agent


DISALLOW = "User-agent: *\nDisallow: /secret"


def test_robots_txt_is_obeyed_asked_for_once_and_may_be_overridden() -> None:
    with PictureHost(Robots(DISALLOW)) as host:
        assert reason(host.url("/secret/1.jpg")) is Reason.ROBOTS
        assert host.count("/secret/1.jpg") == 0
        assert fetch(host.url("/secret/1.jpg"), replace(QUICK, obey_robots=False)).data
        assert host.count("/robots.txt") == 1


@pytest.mark.parametrize(
    ("robots", "allowed"),
    [
        (Robots(status=404), True),
        (Robots(status=500), False),
        (Robots(text="User-agent: *\nDisallow: /" + "\n# x" * 300_000), False),
        (Robots(text=b"\xff\xfe\x00rubbish"), True),
    ],
    ids=["none", "broken", "huge", "rubbish"],
)
def test_robots_txt_in_every_state(robots: Robots, allowed: bool) -> None:
    with PictureHost(robots) as host:
        if allowed:
            assert fetch(host.url("/x/1.jpg")).data
        else:
            assert reason(host.url("/x/1.jpg")) is Reason.ROBOTS


@pytest.mark.parametrize("wait", [5, 0], ids=["late", "nobody listens"])
def test_host_whose_robots_txt_does_not_come_is_unreachable(wait: float) -> None:
    with PictureHost(Robots(text=DISALLOW, wait=wait)) as host:
        address = host.url("/secret/1.jpg")
        if wait:
            assert reason(address) is Reason.UNREACHABLE
    if not wait:
        assert reason(address) is Reason.UNREACHABLE


def test_opting_out_may_be_overridden(host: PictureHost) -> None:
    assert fetch(host.url("/tagged/noai/1.jpg"), replace(QUICK, obey_opt_out=False)).data


@pytest.mark.parametrize(("concurrency", "per_host"), [(64, 4), (6, 4), (3, 64)])
def test_no_more_are_in_flight_than_host_and_client_allow(concurrency: int, per_host: int) -> None:
    async def ask(hosts: list[PictureHost]) -> None:
        settings = replace(QUICK, concurrency=concurrency, per_host=per_host, obey_robots=False)
        async with Client(settings) as client:
            addresses = [host.url(f"/x/{number}.jpg") for number in range(16) for host in hosts]
            await asyncio.gather(*(client.picture(address) for address in addresses))

    with PictureHost(latency=0.05) as one, PictureHost(latency=0.05) as other:
        asyncio.run(ask([one, other]))
        most = [one.most_at_once, other.most_at_once]
    assert max(most) <= min(per_host, concurrency)
    assert max(most) >= min(per_host, concurrency) - 1
    assert sum(most) <= max(concurrency, max(most) * 2)
