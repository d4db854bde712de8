"""robots.txt and X-Robots-Tag mean to us what they say."""

from __future__ import annotations

import asyncio

import pytest

from crawler.addresses import Refusal
from crawler.robots import FAULT_SECONDS, MOST_HOSTS, Robots, opted_out
from curation.records import Reason

RULES = """
User-agent: *
Disallow: /private
Allow: /private/open
Disallow: /*.gif$

User-agent: HandWriter
Disallow: /not-for-us
"""


async def verdict(robots: Robots, address: str) -> str:
    try:
        await robots.check(address)
    except Refusal as refusal:
        return refusal.detail
    return ""


def verdicts(status: int, text: str, *addresses: str) -> tuple[list[str], list[str]]:
    """What robots.txt says of each address, and which files were asked for."""
    asked: list[str] = []

    async def fetch(address: str) -> tuple[int, str]:
        asked.append(address)
        await asyncio.sleep(0.01)
        return status, text

    async def ask() -> list[str]:
        robots = Robots(fetch)
        return list(await asyncio.gather(*(verdict(robots, address) for address in addresses)))

    return asyncio.run(ask()), asked


def test_group_that_names_us_counts_and_the_others_do_not() -> None:
    said, _ = verdicts(200, RULES, "http://a.b/not-for-us/1.jpg", "http://a.b/private/1.jpg", "http://a.b/1.gif")
    assert said == ["robots.txt disallows it", "", ""]


def test_rules_for_everybody_hold_where_we_are_not_named() -> None:
    addresses = ("http://a.b/private/1.jpg", "http://a.b/private/open/1.jpg", "http://a.b/1.gif", "http://a.b/1.gif?x")
    said, _ = verdicts(200, RULES.replace("HandWriter", "OtherBot"), *addresses)
    assert [bool(one) for one in said] == [True, False, True, False]


@pytest.mark.parametrize(("status", "allowed"), [(404, True), (403, True), (401, True), (500, False), (503, False)])
def test_file_that_cannot_be_had_means_what_the_rfc_says(status: int, allowed: bool) -> None:
    (said,), _ = verdicts(status, "User-agent: *\nDisallow: /", "http://a.b/1.jpg")
    assert (said == "") is allowed


def test_host_is_asked_once_however_many_ask_and_each_host_for_itself() -> None:
    addresses = [f"http://{host}/{number}.jpg" for host in ("a.b", "a.b:81", "c.d") for number in range(20)]
    _, asked = verdicts(200, "", *addresses)
    assert sorted(asked) == ["http://a.b/robots.txt", "http://a.b:81/robots.txt", "http://c.d/robots.txt"]


def test_fault_of_a_server_is_not_remembered_for_ever() -> None:
    now, status, asked = [0.0], [500], []

    async def fetch(address: str) -> tuple[int, str]:
        asked.append(address)
        return status[0], ""

    async def ask() -> list[str]:
        robots = Robots(fetch, clock=lambda: now[0])
        said = [await verdict(robots, "http://a.b/1.jpg")]
        status[0] = 200
        for seconds in (FAULT_SECONDS - 1, 2, 1e9):
            now[0] += seconds
            said.append(await verdict(robots, "http://a.b/1.jpg"))
        return said

    assert [bool(one) for one in asyncio.run(ask())] == [True, True, False, False]
    assert len(asked) == 2


def test_host_that_does_not_answer_is_unreachable() -> None:
    async def fetch(address: str) -> tuple[int, str]:
        return 0, ""

    with pytest.raises(Refusal) as caught:
        asyncio.run(Robots(fetch).check("http://a.b/1.jpg"))
    assert caught.value.reason is Reason.UNREACHABLE


def test_hosts_asked_for_last_are_remembered_and_no_more_than_that() -> None:
    asked: list[str] = []

    async def fetch(address: str) -> tuple[int, str]:
        asked.append(address)
        return 404, ""

    async def ask() -> None:
        robots = Robots(fetch)
        for number in range(MOST_HOSTS + 10):
            await robots.check(f"http://{number}.org/1.jpg")
            await robots.check("http://often.org/1.jpg")
        await robots.check(f"http://{MOST_HOSTS}.org/2.jpg")
        await robots.check("http://0.org/2.jpg")

    asyncio.run(ask())
    assert asked.count("http://often.org/robots.txt") == 1
    assert asked.count(f"http://{MOST_HOSTS}.org/robots.txt") == 1
    assert asked.count("http://0.org/robots.txt") == 2


@pytest.mark.parametrize("text", ["\x00\xff", "<html>" * 1000, "User-agent: *\nDisallow: " + "*" * 5000 + "a$", "﻿"])
def test_rubbish_is_read_without_harm(text: str) -> None:
    (said,), _ = verdicts(200, text, "http://a.b/1.jpg")
    assert said in ("", "robots.txt disallows it")


@pytest.mark.parametrize(
    ("tags", "directive"),
    [
        (["noai"], "noai"),
        (["noimageai"], "noimageai"),
        (["NoIndex, nofollow"], "noindex"),
        (["nofollow", "noimageindex"], "noimageindex"),
        (["none"], "none"),
        (["noml"], "noml"),
        (["handwriter: NoML"], "noml"),
        (["otherbot: noml"], ""),
        (["handwriter: noai"], "noai"),
        (["*: noindex"], "noindex"),
        (["unavailable_after: 25 Jun 2030 15:00:00 PST, noindex"], "noindex"),
        (["googlebot: noindex"], ""),
        (["googlebot: nofollow, noindex"], ""),
        (["otherbot: noai, handwriter: noindex"], "noindex"),
        (["max-image-preview: large, all"], ""),
        (["index, follow"], ""),
        (["", ",,:,"], ""),
    ],
)
def test_opting_out_is_understood(tags: list[str], directive: str) -> None:
    assert opted_out(tags) == directive
