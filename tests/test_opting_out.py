"""noml and reservations of data mining are obeyed beside noai, counted apart, and asked for once a host."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crawler.addresses import Refusal
from crawler.fetch import Client, FetchSettings
from crawler.robots import TDM_FILE, Reservations, check_page
from curation.dataset import Dataset
from curation.records import Reason
from tests.called import called
from tests.engine_site import EngineSite, Manner
from tests.loopback_site import LoopbackSite, Request, Wire
from tests.picture_files import picture
from tests.picture_host import PictureHost
from tests.test_fetch import QUICK, fetch, reason

JPEG = {"Content-Type": "image/jpeg"}
RULES = [{"location": "/reserved/", "tdm-reservation": 1}, {"location": "/reserved/but/", "tdm-reservation": 0}]


class Host(LoopbackSite):
    """Pictures with headers by their path, a tdmrep.json, and pages with meta tags."""

    def __init__(self, rules: bytes | None = None, status: int = 200) -> None:
        super().__init__()
        self.rules, self.status = rules, status

    def respond(self, request: Request, wire: Wire) -> None:
        first = request.path.split("/")[1]
        if request.path == TDM_FILE and self.status == -1:
            while wire.wait(0.1) and not wire.gone():
                pass
            wire.close()
        elif request.path == TDM_FILE and self.rules is not None:
            wire.send(self.status, {"Content-Type": "application/json"}, self.rules)
        elif request.path in (TDM_FILE, "/robots.txt"):
            wire.send(404, {}, b"")
        elif first == "page":
            wire.send(200, {"Content-Type": "text/html"}, META[request.query["says"]].encode())
        else:
            headers = [*JPEG.items(), *((name, request.query[name]) for name in request.query)]
            wire.send(200, headers, picture(1, "jpg"))


META = {
    "noml": "<html><head><META content='noml' name=ROBOTS></head>",
    "noai": '<meta name="robots" content="max-image-preview:large, noai">',
    "ours": '<meta name="HandWriter" content="noimageai">',
    "tdm": '<meta name="tdm-reservation" content="1"><meta name="tdm-policy" content="https://a.example/p">',
    "noindex": '<meta name="robots" content="noindex, nofollow">',
    "other": '<meta name="otherbot" content="noai"><meta property="og:title" content="noai">',
    "open": '<meta name="tdm-reservation" content="0">',
}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("X-Robots-Tag=noml", Reason.NOML),
        ("X-Robots-Tag=all,%20NOML", Reason.NOML),
        ("X-Robots-Tag=noai,%20noml", Reason.OPTED_OUT),
        ("X-Robots-Tag=otherbot:%20noml", None),
        ("tdm-reservation=1", Reason.TDM),
        ("TDM-Reservation=%201", Reason.TDM),
        ("tdm-reservation=0", None),
        ("tdm-reservation=yes", None),
        ("tdm-policy=https://a.example/policy.json", None),
    ],
)
def test_headers_are_obeyed_counted_apart_and_may_be_overridden(query: str, expected: Reason | None) -> None:
    with Host() as host:
        address = f"{host.home}/x/1.jpg?{query}"
        if expected:
            assert reason(address) is expected
        else:
            assert fetch(address).data
        assert fetch(address, replace(QUICK, obey_opt_out=False)).data


def test_hosts_file_is_obeyed_asked_for_once_and_overridden_by_a_header() -> None:
    async def ask(host: Host) -> list[object]:
        paths = ["/reserved/1.jpg", "/reserved/2.jpg", "/reserved/but/3.jpg", "/free/4.jpg"]
        paths += ["/reserved/5.jpg?tdm-reservation=0", "/free/6.jpg?tdm-reservation=1"]
        async with Client(QUICK) as client:
            return await asyncio.gather(*(client.picture(host.home + path) for path in paths), return_exceptions=True)

    with Host(json.dumps(RULES).encode()) as host:
        answers = asyncio.run(ask(host))
        assert host.count(TDM_FILE) == 1
        assert fetch(f"{host.home}/reserved/1.jpg", replace(QUICK, obey_opt_out=False)).data
        assert host.count(TDM_FILE) == 1
    reasons = [answer.reason if isinstance(answer, Refusal) else None for answer in answers]
    assert reasons == [Reason.TDM, Reason.TDM, None, None, None, Reason.TDM]


@pytest.mark.parametrize(
    ("rules", "status"),
    [
        (None, 200),
        (b"", 200),
        (b"<html>not here", 200),
        (b"[" * 100_000, 200),
        (b'{"location": 7}', 200),
        (b'[{"location": "/", "tdm-reservation": 2}, 5, null, {"tdm-reservation": 1}]', 200),
        (b'[{"location": "/a\\nDisallow: /", "tdm-reservation": 1}]', 200),
        (b'[{"location": "/", "tdm-reservation": 1}' + b" " * 600_000 + b"]", 200),
        (json.dumps([{"location": "/", "tdm-reservation": 1}]).encode(), 403),
        (json.dumps([{"location": "/", "tdm-reservation": 1}]).encode(), 500),
        (b"", -1),
    ],
    ids=["none", "empty", "html", "deep", "number", "odd", "lines", "huge", "forbidden", "broken", "never"],
)
def test_file_that_cannot_be_had_or_read_reserves_nothing(rules: bytes | None, status: int) -> None:
    with Host(rules, status) as host:
        assert fetch(f"{host.home}/x/1.jpg").data


@pytest.mark.parametrize(
    ("rules", "path", "reserved"),
    [
        ([("/", 1)], "/a.jpg", True),
        ([("/", "1")], "/a.jpg", True),
        ([("/", True)], "/a.jpg", True),
        ([("/*.jpg$", 1)], "/x/a.jpg", True),
        ([("/*.jpg$", 1)], "/x/a.jpg?w=1", False),
        ([("/photos/*/large", 1)], "/photos/7/large/a.jpg", True),
        ([("/a", 1), ("/a/b", 0)], "/a/b/c.jpg", False),
        ([("/a/b", 0), ("/a", 1)], "/a/c.jpg", True),
        ([("/고양이/", 1)], "/%EA%B3%A0%EC%96%91%EC%9D%B4/1.jpg", True),
        ([("photos/", 1)], "/photos/1.jpg", True),
        ([("http://a.b/photos/", 1)], "/photos/1.jpg", True),
        ([("*", 1)], "/any", True),
        ([("/a#b", 1)], "/a", False),
        ([], "/a", False),
    ],
)
def test_locations_are_patterns(rules: list[tuple[str, Any]], path: str, reserved: bool) -> None:
    async def answer(address: str) -> tuple[int, str]:
        assert address == "http://a.b/.well-known/tdmrep.json"
        return 200, json.dumps([{"location": location, "tdm-reservation": value} for location, value in rules])

    assert asyncio.run(Reservations(answer).reserved(f"http://a.b{path}")) is reserved


def test_one_object_in_place_of_a_list_is_a_rule() -> None:
    async def answer(address: str) -> tuple[int, str]:
        return 200, '{"location": "/", "tdm-reservation": 1}'

    assert asyncio.run(Reservations(answer).reserved("http://a.b/1.jpg"))


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        ("noml", Reason.NOML),
        ("noai", Reason.OPTED_OUT),
        ("ours", Reason.OPTED_OUT),
        ("tdm", Reason.TDM),
        ("noindex", None),
        ("other", None),
        ("open", None),
    ],
)
def test_meta_tags_of_the_page_are_obeyed_when_asked_for(says: str, expected: Reason | None) -> None:
    pages = replace(QUICK, check_pages=True)
    with Host() as host:
        address, page = f"{host.home}/x/1.jpg", f"{host.home}/page/?says={says}"
        if expected:
            assert reason(address, pages, page) is expected
            assert host.count("/x/1.jpg") == 0
        else:
            assert fetch(address, pages, page).data
        assert fetch(address, QUICK, page).data
        assert fetch(address, replace(pages, obey_opt_out=False), page).data
        assert host.count(page) == 1
        if expected:
            assert reason(page) is expected  # a page in a picture's place


def test_page_of_many_pictures_is_asked_for_once_and_one_that_is_not_there_forbids_nothing() -> None:
    async def ask(host: Host, settings: FetchSettings) -> None:
        async with Client(settings) as client:
            pages = [f"{host.home}/page/?says=open"] * 5 + ["http://127.0.0.1:9/", "nothing", ""]
            await asyncio.gather(*(client.picture(f"{host.home}/{n}.jpg", page) for n, page in enumerate(pages)))

    with Host() as host:
        asyncio.run(ask(host, replace(QUICK, check_pages=True)))
        assert host.count("/page/?says=open") == 1


@pytest.mark.parametrize("piece", ["<meta ", "<meta name='robots' content='", "<meta name=a=b=c", "<", "=\"'"])
def test_endless_page_is_read_in_time_in_proportion(piece: str) -> None:
    before = time.process_time()
    check_page(piece * (500_000 // len(piece)))
    assert time.process_time() - before < 3


def reserved(request: Request, wire: Wire, host: PictureHost) -> None:
    host.send_picture(request, wire, {"tdm-reservation": "1"})


WITH_RESERVED = {**PictureHost.BEHAVIOURS, "reserved": reserved}


class Reserving(PictureHost):
    """A host of pictures that has one more behaviour: /reserved/7.jpg."""

    BEHAVIOURS = WITH_RESERVED


def test_crawl_counts_them_apart_and_fetches_them_when_told(tmp_path: Path) -> None:
    (tmp_path / "keywords.txt").write_text("hostile cat 12 pictures\n", "utf-8")
    with Reserving() as host, EngineSite(host, Manner(hostile=("tagged/noml", "tagged/noai", "reserved"))) as site:
        words = ["--keywords", tmp_path / "keywords.txt", "--dataset", tmp_path / "data", "--engines", "openverse"]
        words += ["--engine-url", f"openverse={site.home}", "--allow-private", "--json", "--limit", "40"]
        done = called("crawler", *words)
        assert json.loads(done.stdout)["keywords"]["hostile cat 12 pictures"]["refused"] == {
            "noml": 4,
            "tdm": 4,
            "opted-out": 4,
        }
        assert "4 noml" in done.stderr
        again = called("crawler", *words, "--ignore-opt-out", "--retry", "noml,tdm")
        assert json.loads(again.stdout)["keywords"]["hostile cat 12 pictures"]["refused"]["opted-out"] == 4
        assert json.loads(again.stdout)["kept"] >= 1
    with Dataset(tmp_path / "data", create=False) as dataset:
        assert {row.reason for row in dataset.refusals()} <= {"opted-out", "duplicate"}
