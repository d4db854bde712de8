"""The host of pictures does what it says: a test of downloads can trust it."""

from __future__ import annotations

import gzip
import http.client
import socket
import time
from collections.abc import Iterator
from io import BytesIO

import pytest
from PIL import Image

from tests.picture_files import MEDIA, gzip_bomb, too_many_pixels
from tests.picture_host import PictureHost, Robots


@pytest.fixture(scope="module")
def host() -> Iterator[PictureHost]:
    with PictureHost() as host:
        yield host


def get(host: PictureHost, path: str, **headers: str) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection(host.address, host.port, timeout=10)
    try:
        connection.request("GET", host.url(path).removeprefix(host.home), headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.msg, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("kind", MEDIA)
def test_every_format_is_whole_and_follows_from_its_number(host: PictureHost, kind: str) -> None:
    status, headers, body = get(host, f"/{kind}/7.{kind}")
    assert (status, headers["Content-Type"]) == (200, MEDIA[kind])
    picture = Image.open(BytesIO(body))
    picture.load()
    assert picture.size == (320, 240)
    assert body == host.bytes_at(f"/{kind}/7.{kind}") != get(host, f"/{kind}/8.{kind}")[2]


def test_any_path_is_a_picture_of_its_own(host: PictureHost) -> None:
    bodies = [get(host, path)[2] for path in ("/고양이/1.jpg", "/개/1.jpg", "/a b/50% off (1).png", "/고양이/2.jpg")]
    assert len(set(bodies)) == 4
    assert all(Image.open(BytesIO(body)).width == 320 for body in bodies)
    assert get(host, "/same/7/x.jpg")[2] == get(host, "/same/7/y.jpg")[2]


def test_requests_are_counted_by_address_and_told_with_their_headers(host: PictureHost) -> None:
    host.forget()
    for _ in range(3):
        get(host, "/고양이/1.jpg?a=1", Referer="http://page/")
    assert host.count(host.url("/고양이/1.jpg?a=1")) == 3
    assert host.count(host.url("/고양이/1.jpg")) == 0
    first, _, third = host.asked("/고양이/")
    assert first.done
    assert (third.nth, third.headers["Referer"], third.query) == (3, "http://page/", {"a": "1"})


def test_robots_is_what_the_constructor_says(host: PictureHost) -> None:
    assert get(host, "/robots.txt")[0] == 404
    with PictureHost(Robots("User-agent: *\nDisallow: /")) as strict, PictureHost(Robots(status=500)) as broken:
        assert get(strict, "/robots.txt")[2].startswith(b"User-agent")
        assert get(broken, "/robots.txt")[0] == 500


def test_statuses_and_second_tries(host: PictureHost) -> None:
    host.forget()
    assert get(host, "/status/410/1.jpg")[0] == 410
    assert [get(host, "/twice-503/1.jpg")[0] for _ in range(3)] == [503, 503, 200]
    first, second = get(host, "/retry-after/1/2.jpg"), get(host, "/retry-after/1/2.jpg")
    assert (first[0], first[1]["Retry-After"], second[0]) == (429, "1", 200)
    assert get(host, "/retry-after/date/1/2.jpg")[1]["Retry-After"].endswith("GMT")


def test_redirects_lead_where_they_say(host: PictureHost) -> None:
    assert get(host, "/redirect/2/7.jpg")[1]["Location"] == "/redirect/1/7.jpg"
    assert get(host, "/redirect-loopback/7.jpg")[1]["Location"] == f"http://127.0.0.1:{host.port}/secret/1.jpg"
    assert get(host, "/redirect-round/a/7.jpg")[1]["Location"] == "/redirect-round/b/7.jpg"
    assert get(host, "/redirect-to/7.jpg?url=http://x/")[1]["Location"] == "http://x/"


def test_who_asks_matters(host: PictureHost) -> None:
    assert get(host, "/needs-referer/1.jpg")[0] == 403
    assert get(host, "/needs-referer/1.jpg", Referer="http://page/")[0] == 200
    assert get(host, "/needs-cookie/1.jpg")[0] == 302
    assert get(host, "/needs-cookie/1.jpg", Cookie="seen=1")[0] == 200
    assert get(host, "/honest-only/1.jpg", **{"User-Agent": "Mozilla/5.0"})[0] == 403
    assert get(host, "/honest-only/1.jpg", **{"User-Agent": "HandWriter"})[0] == 200
    assert get(host, "/tagged/bot:%20noai|noindex/1.jpg")[1].get_all("X-Robots-Tag") == ["bot: noai", "noindex"]


def test_bodies_break_as_promised(host: PictureHost) -> None:
    host.forget()
    with pytest.raises(ConnectionResetError):
        get(host, "/reset/1.jpg")
    with pytest.raises(ConnectionResetError):
        get(host, "/reset-once/1.jpg")
    assert get(host, "/reset-once/1.jpg")[2] == host.bytes_at("/jpg/1.jpg")
    with pytest.raises(http.client.IncompleteRead):
        get(host, "/length-too-long/1.jpg")
    with pytest.raises(http.client.RemoteDisconnected):
        get(host, "/closed/1.jpg")
    with pytest.raises(http.client.BadStatusLine):
        get(host, "/not-http/1.jpg")
    with pytest.raises(OSError, match="truncated"):
        Image.open(BytesIO(get(host, "/half/1.jpg")[2])).load()


def is_finished_within(connection: socket.socket, seconds: float) -> bool:
    connection.settimeout(seconds)
    try:
        while connection.recv(65536):
            pass
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize("path", ["/slow/1.jpg", "/slow-head/1.jpg", "/stall/1.jpg", "/never/1.jpg", "/late/60/1.jpg"])
def test_what_never_comes_does_not_come_and_ends_with_the_host(path: str) -> None:
    with PictureHost() as host, socket.create_connection((host.address, host.port)) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert not is_finished_within(connection, 0.3)
        began = time.monotonic()
        host.stop()
        assert time.monotonic() - began < 1


@pytest.mark.parametrize("path", ["/endless/1.jpg", "/huge/1.jpg", "/huge-announced/1.jpg"])
def test_what_does_not_end_goes_on_past_fifty_megabytes(host: PictureHost, path: str) -> None:
    with socket.create_connection((host.address, host.port)) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        got = 0
        while got < 50_000_000:
            part = connection.recv(1 << 20)
            assert part
            got += len(part)


def test_small_files_that_grow_are_small_and_valid() -> None:
    assert len(gzip_bomb()) < 1_000_000
    assert len(gzip.decompress(gzip_bomb(3))) == 3 << 20
    assert len(too_many_pixels()) < 50_000
    assert Image.open(BytesIO(too_many_pixels(side=1000))).convert("L").getextrema() == (0, 0)
