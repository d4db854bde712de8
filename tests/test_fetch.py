"""The client against a host that misbehaves in every way."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from crawler.addresses import Refusal, Rule
from crawler.fetch import Client, Fetched, FetchSettings
from curation.records import Reason
from tests.picture_host import PictureHost

QUICK = FetchSettings(
    rule=Rule(allow_private=True),
    connect=2,
    idle=1.2,
    deadline=3,
    grace=0.4,
    min_rate=2000,
    back_off=0.02,
    longest_wait=2,
    retries=2,
    max_bytes=2_000_000,
    per_host=16,
)


@pytest.fixture(scope="module")
def host() -> Iterator[PictureHost]:
    with PictureHost() as served:
        yield served


def fetch(address: str, settings: FetchSettings = QUICK, referer: str = "") -> Fetched:
    async def ask() -> Fetched:
        async with Client(settings) as client:
            return await client.picture(address, referer)

    return asyncio.run(ask())


def reason(address: str, settings: FetchSettings = QUICK, referer: str = "") -> Reason:
    with pytest.raises(Refusal) as caught:
        fetch(address, settings, referer)
    assert "\n" not in caught.value.detail
    return caught.value.reason


def test_bytes_arrive_as_they_are(host: PictureHost) -> None:
    for path in ("/고양이/1.jpg", "/a b/2.png", "/x/3.webp"):
        assert fetch(host.url(path)).data == host.bytes_at(path)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/status/404/1.jpg", Reason.NOT_FOUND),
        ("/status/410/1.jpg", Reason.NOT_FOUND),
        ("/status/403/1.jpg", Reason.HTTP_ERROR),
        ("/status/500/1.jpg", Reason.HTTP_ERROR),
        ("/status/206/1.jpg", Reason.HTTP_ERROR),
        ("/always-429/1.jpg", Reason.HTTP_ERROR),
        ("/redirect-loop/1.jpg", Reason.REDIRECT_LOOP),
        ("/redirect-round/1.jpg", Reason.REDIRECT_LOOP),
        ("/redirect-for-ever/1.jpg", Reason.REDIRECT_LOOP),
        ("/needs-cookie/1.jpg", Reason.REDIRECT_LOOP),
        ("/redirect-file/1.jpg", Reason.UNSUPPORTED_SCHEME),
        ("/redirect-ftp/1.jpg", Reason.UNSUPPORTED_SCHEME),
        ("/redirect-data/1.jpg", Reason.UNSUPPORTED_SCHEME),
        ("/redirect-script/1.jpg", Reason.UNSUPPORTED_SCHEME),
        ("/redirect-broken/1.jpg", Reason.BAD_ADDRESS),
        ("/endless/1.jpg", Reason.TOO_LARGE),
        ("/huge/1.jpg", Reason.TOO_LARGE),
        ("/huge-announced/1.jpg", Reason.TOO_LARGE),
        ("/bomb/1.jpg", Reason.TOO_LARGE),
        ("/slow/1.jpg", Reason.TOO_SLOW),
        ("/never/1.jpg", Reason.TIMEOUT),
        ("/stall/1.jpg", Reason.TIMEOUT),
        ("/length-too-long/1.jpg", Reason.TRUNCATED),
        ("/reset/1.jpg", Reason.TRUNCATED),
        ("/closed/1.jpg", Reason.UNREACHABLE),
        ("/not-http/1.jpg", Reason.HTTP_ERROR),
        ("/bad-chunks/1.jpg", Reason.HTTP_ERROR),
        ("/huge-head/1.jpg", Reason.HTTP_ERROR),
        ("/many-heads/1.jpg", Reason.HTTP_ERROR),
        ("/needs-referer/1.jpg", Reason.HTTP_ERROR),
        ("/tagged/noai/1.jpg", Reason.OPTED_OUT),
        ("/tagged/nofollow|noimageindex/1.jpg", Reason.OPTED_OUT),
    ],
)
def test_misbehaviour_has_its_reason(host: PictureHost, path: str, expected: Reason) -> None:
    assert reason(host.url(path)) is expected


@pytest.mark.parametrize(
    "path",
    [
        "/twice-503/1.jpg",
        "/reset-once/1.jpg",
        "/retry-after/1/1.jpg",
        "/retry-after/date/1/1.jpg",
        "/encoded/1.jpg",
        "/not-encoded/1.jpg",
        "/redirect-name/1.jpg",
        "/redirect-userinfo/1.jpg",
        "/honest-only/1.jpg",
        "/sets-cookie/1.jpg",
        "/tagged/otherbot: noindex/1.jpg",
    ],
)
def test_trouble_that_passes_is_got_over(host: PictureHost, path: str) -> None:
    host.forget()
    fetched = fetch(host.url(path))
    assert fetched.data[:3] == b"\xff\xd8\xff"
    assert fetched.data == host.bytes_at(urlsplit(fetched.address).path)


def test_endless_body_is_left_after_the_limit(host: PictureHost) -> None:
    started = time.monotonic()
    assert reason(host.url("/endless/9.jpg")) is Reason.TOO_LARGE
    assert time.monotonic() - started < QUICK.deadline


@pytest.mark.parametrize("path", ["redirect-loopback", "redirect-mapped", "redirect-metadata", "redirect-private"])
def test_redirect_inside_is_refused_where_only_this_host_is_allowed(host: PictureHost, path: str) -> None:
    with PictureHost() as secret:
        only = replace(QUICK, rule=Rule(also=frozenset({("127.0.0.1", host.port)})))
        expected = {Reason.PRIVATE_ADDRESS} | ({Reason.BAD_ADDRESS} if path == "redirect-mapped" else set())
        inside = host.url(f"/redirect-to/1.jpg?url={secret.home}/1.jpg") if path == "redirect-loopback" else None
        assert reason(inside or host.url(f"/{path}/1.jpg"), only) in expected
        assert secret.counts() == {}


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"])
def test_this_machine_is_not_reached_by_any_name(host: PictureHost, name: str) -> None:
    host.forget()
    address = f"http://{name}:{host.port}/1.jpg"
    assert reason(address, replace(QUICK, rule=Rule())) in (Reason.PRIVATE_ADDRESS, Reason.BAD_ADDRESS)
    assert host.counts() == {}


def test_name_that_is_rebound_is_connected_to_as_it_was_checked(host: PictureHost) -> None:
    """The resolver tells an allowed address first and another one afterwards; it must not be asked twice."""
    told: list[str] = []

    async def rebinding(name: str, port: int) -> list[str]:
        told.append(allowed.address if not told else host.address)
        return told[-1:]

    async def ask() -> list[Fetched]:
        rule = Rule(also=frozenset({(allowed.address, allowed.port)}))
        async with Client(replace(QUICK, rule=rule), rebinding) as client:
            return [await client.picture(f"http://rebind.example:{allowed.port}/{number}.jpg") for number in range(3)]

    host.forget()
    with PictureHost(address="127.0.0.2") as allowed:
        assert [fetched.data for fetched in asyncio.run(ask())] == [allowed.bytes_at(f"/{n}.jpg") for n in range(3)]
    assert told == ["127.0.0.2"]
    assert host.counts() == {}


def test_name_with_one_private_address_is_not_connected_to_at_all(host: PictureHost) -> None:
    async def both(name: str, port: int) -> list[str]:
        return ["198.41.0.4", "127.0.0.1"]

    async def ask() -> None:
        async with Client(replace(QUICK, rule=Rule()), both) as client:
            await client.picture(f"http://both.example:{host.port}/1.jpg")

    host.forget()
    with pytest.raises(Refusal) as caught:
        asyncio.run(ask())
    assert caught.value.reason is Reason.PRIVATE_ADDRESS
    assert host.counts() == {}


@pytest.mark.parametrize(
    ("address", "data"),
    [
        ("data:image/png;base64,AAEC", b"\x00\x01\x02"),
        ("data:image/gif;charset=x;base64,AA%3D%3D", b"\x00"),
        ("data:image/svg+xml,%3Csvg%3E", b"<svg>"),
    ],
)
def test_data_address_is_read_without_a_server(address: str, data: bytes) -> None:
    assert fetch(address).data == data


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("data:text/html;base64,AAEC", Reason.NOT_AN_IMAGE),
        ("data:image/png;base64,A", Reason.NOT_AN_IMAGE),
        ("data:image/png;base64," + "A" * 4_000_000, Reason.TOO_LARGE),
        ("data:", Reason.NOT_AN_IMAGE),
        ("gopher://a.b/x", Reason.UNSUPPORTED_SCHEME),
    ],
)
def test_address_that_holds_no_picture_says_so(address: str, expected: Reason) -> None:
    assert reason(address) is expected


def test_nobody_listens_is_unreachable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/1.jpg"
        assert reason(address, replace(QUICK, obey_robots=False)) is Reason.UNREACHABLE
