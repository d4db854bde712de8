"""robots.txt and X-Robots-Tag mean to us what they say."""

from __future__ import annotations

import asyncio

import pytest

from crawler.robots import Robots, opted_out

RULES = """
User-agent: *
Disallow: /private
Allow: /private/open
Disallow: /*.gif$

User-agent: HandWriter
Disallow: /not-for-us
"""


def verdicts(status: int, text: str, *addresses: str) -> tuple[list[str], list[str]]:
    """What robots.txt says of each address, and which files were asked for."""
    asked: list[str] = []

    async def fetch(address: str) -> tuple[int, str]:
        asked.append(address)
        await asyncio.sleep(0.01)
        return status, text

    async def ask() -> list[str]:
        robots = Robots(fetch)
        return list(await asyncio.gather(*(robots.forbids(address) for address in addresses)))

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
