"""What an engine's HTTP statuses, stalls and breaks are called: blocked, or unreachable, never "changed"."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from crawler.browser import Session
from crawler.engines import ENGINES
from crawler.engines import engine as engine_named
from crawler.engines.base import Kind, Page
from crawler.engines.duckduckgo import ENGINE as DUCKDUCKGO
from crawler.order import Order, Outcome
from crawler.page_search import search
from curation.records import Job, SearchState
from tests.browser import BROWSERS, program
from tests.engine_searches import HERMETIC, QUICK, api_asked
from tests.loopback_site import LoopbackSite, Request, Wire

HTML = {"Content-Type": "text/html; charset=utf-8"}
BROWSER_ENGINES = [name for name in ENGINES if engine_named(name).needs_browser]
APIS = [name for name in ENGINES if name not in BROWSER_ENGINES]
AT_ONCE = replace(QUICK, settle=0.2, lives=1)
BLOCKED, UNREACHABLE, CHANGED = SearchState.BLOCKED, SearchState.UNREACHABLE, SearchState.CHANGED
STATES = {
    "202": BLOCKED,
    "403": BLOCKED,
    "418": BLOCKED,
    "429": BLOCKED,
    "408": UNREACHABLE,
    "500": UNREACHABLE,
    "503": UNREACHABLE,
    "521": UNREACHABLE,
    "404": CHANGED,
    "200": CHANGED,
}
# DuckDuckGo's page, which asks for its list with a token; its own answer is sound
WAITING = """<!doctype html><title>cat at DuckDuckGo</title><section id="zci-images"></section><div id=say></div>
<script>fetch('/i.js?o=json&vqd=4-123&q=' + encodeURIComponent('QUERY')).catch(() => 0)</script>"""


ITEMS = [{"type": "image", "originalUrl": f"https://pictures.example/{n}.jpg", "thumb": ""} for n in range(50)]
FIRST_PAGE = (
    f"<!doctype html><script>var imageSearchTabData = {json.dumps({'content': {'items': ITEMS}})}</script>".encode()
)


def turned(request: Request, turn: int) -> str:
    return f"{request.target.partition('&turn=')[0]}&turn={turn}"


# Where a search is led on to: to itself, to another page that leads back, always to a new one.
CIRCLES: dict[str, Callable[[Request], str]] = {
    "itself": lambda request: request.target,
    "pair": lambda request: turned(request, 1 - int(request.query.get("turn", "0"))),
    "onward": lambda request: turned(request, 1 + int(request.query.get("turn", "0"))),
}


class Faulty(LoopbackSite):
    """Answers every search with what its query says: a status, with or without a body, a stall, a break."""

    def respond(self, request: Request, wire: Wire) -> None:
        if request.path == "/favicon.ico":
            wire.send(404, HTML, b"")
            return
        asked = request.query.get("q") or request.query.get("query") or request.query.get("gsrsearch", "").split()[-1]
        if request.path == "/" and asked.startswith("list-"):
            wire.send(200, HTML, WAITING.replace("QUERY", asked).encode())
            return
        if asked.startswith("second-") and "start" not in request.query:
            wire.send(200, HTML, FIRST_PAGE)
            return
        word = asked.removeprefix("list-").removeprefix("second-")
        if word in ("stall", "silent"):
            if word == "stall":
                wire.head(200, HTML)
                wire.raw(b"<!doctype html><title>...</title><p>")
            while wire.wait(0.1) and not wire.gone():
                pass
            wire.close()
        elif word == "reset":
            wire.reset()
        elif word in CIRCLES:
            wire.send(302, {"Location": CIRCLES[word](request)}, b"")
        else:
            status, _, bare = word.partition("-")
            wire.send(int(status), HTML, b"" if bare else b"<!doctype html><title>!</title><p>something went wrong")


@pytest.fixture(scope="module")
def site() -> Iterator[Faulty]:
    with Faulty() as site:
        yield site


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    program(BROWSERS)
    with Session(replace(HERMETIC, page_timeout=2)) as session:
        yield session


def asked(session: Session, home: str, name: str, query: str) -> Outcome:
    order = Order(Job("label", query, name), home)
    return search(session, engine_named(name), order, lambda _: True, AT_ONCE)  # type: ignore[arg-type]


@pytest.mark.parametrize("word", [*STATES, "403-bare", "429-bare", "503-bare"])
def test_status_of_a_page_is_called_what_it_means(session: Session, site: Faulty, word: str) -> None:
    for name in BROWSER_ENGINES:
        outcome = asked(session, site.home, name, word)
        assert outcome.state is STATES[word.partition("-")[0]], (name, outcome)
        assert not outcome.exhausted


@pytest.mark.parametrize("word", ["stall", "silent", "reset"])
def test_page_that_does_not_come_is_unreachable(session: Session, site: Faulty, word: str) -> None:
    names = BROWSER_ENGINES if word == "reset" else ["naver", "duckduckgo"]
    for name in names:
        outcome = asked(session, site.home, name, word)
        assert outcome.state is UNREACHABLE, (name, outcome)
        assert outcome.detail


@pytest.mark.parametrize("word", CIRCLES)
@pytest.mark.parametrize("name", ENGINES)
def test_redirects_in_a_circle_end_soon_and_are_told(session: Session, site: Faulty, name: str, word: str) -> None:
    site.forget()
    started = time.monotonic()
    if name in APIS:
        outcome = asyncio.run(api_asked(name, Order(Job("label", word, name), site.home), lambda _: True))
    else:
        outcome = asked(session, site.home, name, word)
    assert time.monotonic() - started < 10
    assert (outcome.state, outcome.exhausted) == (UNREACHABLE, False)
    assert "REDIRECT" in outcome.detail.upper()
    assert len(site.asked()) <= 20  # Chromium's own limit


@pytest.mark.parametrize("word", ["503", "408", "429", "stall", "silent", "404"])
def test_second_page_that_cannot_be_had_is_no_end_and_loses_nothing(session: Session, site: Faulty, word: str) -> None:
    outcome = asked(session, site.home, "naver", f"second-{word}")
    state = SearchState.OK if word == "404" else STATES.get(word, UNREACHABLE)
    assert (outcome.state, outcome.found) == (state, 50)
    assert outcome.exhausted is (word == "404")  # a page that says nothing, where there are no more


def test_host_that_does_not_listen_or_exist_is_unreachable(session: Session) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{taken.getsockname()[1]}"
        for home in (closed, "http://nowhere.invalid"):
            outcome = asked(session, home, "bing", "cat")
            assert (outcome.state, "ERR_" in outcome.detail) == (UNREACHABLE, True)


@pytest.mark.parametrize("word", ["202", "403", "418", "429", "500", "502", "503", "504", "stall", "silent", "reset"])
def test_duckduckgos_list_tells_the_state(session: Session, site: Faulty, word: str) -> None:
    if word in ("stall", "silent"):
        state, said = UNREACHABLE, "does not come"
    else:
        state = UNREACHABLE if word == "reset" else STATES.get(word, UNREACHABLE)
        said = "breaks off" if word == "reset" else f"HTTP {word}"
    outcome = asked(session, site.home, "duckduckgo", f"list-{word}")
    assert outcome.state is state
    assert said in outcome.detail


@pytest.mark.parametrize("name", APIS)
@pytest.mark.parametrize("word", [*STATES, "429-bare", "503-bare", "reset"])
def test_status_of_an_api_is_called_what_it_means(site: Faulty, name: str, word: str) -> None:
    outcome = asyncio.run(api_asked(name, Order(Job("label", word, name), site.home), lambda _: True))
    assert outcome.state is STATES.get(word.partition("-")[0], UNREACHABLE)


def value(**parts: Any) -> dict[str, Any]:
    return {"lists": [], "tiles": [], "large": [], "links": [], **parts}


@pytest.mark.parametrize(
    ("parts", "text", "kind"),
    [
        ({}, "<script>vqd='4-1'", Kind.UNREACHABLE),
        ({}, "<p>a page of another kind", Kind.CHANGED),
        ({}, "<script>vqd='4-1'</script><img src='/iu/?u=https%3A'>", Kind.CHANGED),  # it shows pictures, otherwise
        ({}, "<script>vqd='4-1'</script><img src=/logo.svg>", Kind.UNREACHABLE),
        ({}, "<script>vqd='4-1'</script>" + "<x-card><img></x-card>" * 12, Kind.CHANGED),
        ({}, "<script>vqd='4-1'</script><form id=\"challenge-form\">", Kind.BLOCKED),
        ({"lists": [[500, ""], [0, ""]]}, "", Kind.UNREACHABLE),
        ({"lists": [[500, ""], [418, ""]]}, "", Kind.BLOCKED),
        ({"lists": [[500, ""], [200, '{"cards": []}']]}, "", Kind.CHANGED),
        ({"lists": [[200, '{"results": []}'], [503, ""]]}, "", Kind.EMPTY),
        ({"lists": [[404, ""]]}, "", Kind.CHANGED),
        ({"lists": [["x", 7]]}, "", Kind.CHANGED),
    ],
)
def test_duckduckgo_tells_a_waiting_page_from_a_changed_one(parts: dict[str, Any], text: str, kind: Kind) -> None:
    assert DUCKDUCKGO.read(Page("https://duckduckgo.com/?q=x", text, value(**parts), 200)).kind is kind


def test_list_that_came_is_not_lost_by_one_that_fails() -> None:
    rows = [{"image": "https://pictures.example/1.jpg", "url": "https://site.example/"}]
    read = DUCKDUCKGO.read(Page("", "", value(lists=[[200, json.dumps({"results": rows})], [503, ""]]), 200))
    assert (read.kind, len(read.found)) == (Kind.OK, 1)
