"""Every browser engine, in a real headless Chromium, against everything the imitated engines can do."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from curation.records import SearchState
from tests.engine_searches import AT_ONCE, HERMETIC, QUICK, World, world, world_at_real_names

ENGINES = ("google", "naver", "bing", "duckduckgo")
PATHS = {"google": "/search", "naver": "/search.naver", "bing": "/images/search", "duckduckgo": "/"}
TITLES = {1: "Best of “{}” & more – 사진", 4: "{} 🐈\u200d⬛", 5: "{} in the garden"}
IN_VAIN = replace(QUICK, patience=0.5, picture=0.6)  # where nothing better is to be had
ODD_KEYWORDS = [
    "고양이",
    "🐈‍⬛ 🎉",
    "C++ & R#",
    """"twice" 'once' `back` 100%""",
    "../../x?a=b&c=d#e",
    "<script>alert(1)</script>",
    "긴 " * 150,
]


@pytest.fixture(scope="module")
def shared_world() -> Iterator[World]:
    with world(browsers=2) as everything:
        yield everything


@pytest.fixture
def crawl(shared_world: World) -> Iterator[World]:
    """All that is asked here: whatever was searched, no picture was fetched for it."""
    shared_world.fresh()
    yield shared_world
    assert shared_world.pictures.requests == []


@pytest.fixture(scope="module")
def shared_window() -> Iterator[World]:
    # A window that is not shown: what matters is that the crawler waits for the person in front of it.
    with world(replace(HERMETIC, show=True, flags=("--headless=new",))) as everything:
        yield everything


@pytest.fixture
def watched(shared_window: World) -> World:
    """The same in a browser before which a person sits: it loads pictures, too."""
    shared_window.fresh()
    return shared_window


def each(query: str) -> dict[str, str]:
    """The same question for every engine."""
    return dict.fromkeys(ENGINES, query)


def test_all_pictures_are_found_in_order_with_page_title_and_size(crawl: World) -> None:
    query = "고양이 40 pictures"
    for engine, search in crawl.ask_each(each(query)).items():
        assert search.addresses == crawl.expected(engine, query)
        assert search.outcome.state is SearchState.OK
        assert search.outcome.found == 40
        for found, shown in zip(search.found, crawl.site.scene(engine, query).pictures, strict=True):
            assert (found.page, found.width, found.height, found.thumbnail) == (shown.page, 320, 240, False)
        for place, title in TITLES.items():
            assert search.found[place - 1].title == title.format(query)
        asked = next(request for request in crawl.site.requests if request.path == PATHS[engine])
        assert asked.headers["User-Agent"].find("HeadlessChrome") > 0


def test_more_pictures_come_by_scrolling_or_turning_pages(crawl: World) -> None:
    query = "cat 110 pictures"
    for engine, search in crawl.ask_each(each(query)).items():
        assert set(search.addresses) == set(crawl.expected(engine, query))
        assert len(search.addresses) == 110
        assert search.outcome.state is SearchState.OK
        assert search.outcome.exhausted


@pytest.mark.parametrize("engine", ENGINES)
def test_search_ends_when_it_is_enough(crawl: World, engine: str) -> None:
    search = crawl.ask(engine, "cat 300 pictures", want=20)
    assert len(search.addresses) >= 20
    assert not search.outcome.exhausted
    assert search.addresses[:20] == crawl.expected(engine, "cat 300 pictures")[:20]
    more = [r for r in crawl.site.asked("/") if r.path in ("/images/async", "/i.js") or "async" in r.query]
    assert len(more) <= 2  # DuckDuckGo's page has asked once before us


def test_an_engine_that_begins_anew_does_not_hold_the_search(crawl: World) -> None:
    query = "cat 110 pictures endless scripts"
    for engine, search in crawl.ask_each(each(query)).items():
        assert sorted(search.addresses) == sorted(crawl.expected(engine, query))
        assert search.outcome.state is SearchState.OK
    assert max(Counter(request.path for request in crawl.site.requests).values()) < 40


def test_odd_pages_give_exactly_their_pictures(crawl: World) -> None:
    query = "cat escaped ads malformed 30 pictures"
    for engine, search in crawl.ask_each(each(query)).items():
        assert search.addresses == crawl.expected(engine, query)
        assert search.outcome.state is SearchState.OK


def test_slow_engine_is_waited_for(crawl: World) -> None:
    search = crawl.ask("bing", "cat slow 30 pictures")
    assert search.addresses == crawl.expected("bing", "cat slow 30 pictures")
    assert search.outcome.state is SearchState.OK


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("empty", SearchState.EMPTY),
        ("sorry", SearchState.BLOCKED),
        ("429", SearchState.BLOCKED),
        ("changed", SearchState.CHANGED),
        ("500", SearchState.UNREACHABLE),
    ],
)
def test_no_pictures_are_called_what_they_are(crawl: World, word: str, state: SearchState, tmp_path: Path) -> None:
    pace = QUICK if word == "empty" else AT_ONCE  # DuckDuckGo's page asks for its list before it says so
    for engine in ENGINES:
        report = tmp_path / engine / "page.html"
        search = crawl.ask(engine, f"cat {word}", pace=pace, report=report)
        assert search.outcome.state is state, engine
        assert search.found == []
        assert search.outcome.exhausted is (word == "empty")
        if word != "empty":
            assert "<" in report.read_text("utf-8")
            assert report.name in search.outcome.detail


def test_duckduckgo_that_refuses_its_list_is_blocked(crawl: World) -> None:
    assert crawl.ask("duckduckgo", "cat limited").outcome.state is SearchState.BLOCKED


@pytest.mark.parametrize(("engine", "word"), [("google", "consent"), ("google", "dialog"), ("bing", "consent")])
def test_consent_is_rejected_once_and_never_given(crawl: World, engine: str, word: str) -> None:
    query = f"cat {word} 110 pictures scripts"
    search = crawl.ask(engine, query)
    assert set(search.addresses) == set(crawl.expected(engine, query))
    assert crawl.site.consents in (["reject"], [] if engine == "bing" else ["reject"])
    again = crawl.ask(engine, f"dog {word} 30 pictures", want=30)
    assert again.addresses == crawl.expected(engine, f"dog {word} 30 pictures")
    assert len(crawl.site.consents) <= 1


def test_second_and_third_way_to_the_full_address(crawl: World) -> None:
    ways = {"google": "viewer 12", "naver": "fallback 30", "bing": "fallback 30"}
    queries = {engine: f"cat {way} pictures" for engine, way in ways.items()}
    for engine, search in crawl.ask_each(queries).items():
        full = [found.address for found in search.found if not found.thumbnail]
        expected = crawl.expected(engine, queries[engine])
        assert len(full) >= len(expected) - 1  # a viewer may leave its first
        assert set(full) <= set(expected)
        assert search.outcome.state is SearchState.OK


def test_pictures_that_scrolling_brings_are_reached_by_hand_where_scripts_are_silent(crawl: World) -> None:
    query = "cat hover 110 pictures"
    search = crawl.ask("google", query)
    expected = crawl.expected("google", query)
    assert len(set(search.addresses) & set(expected)) >= 105
    assert set(search.addresses) <= set(expected)
    assert search.outcome.state is SearchState.OK


# In a browser that loads pictures anyway: any other would be replaced to try whether they help (`test_page_search`).
@pytest.mark.parametrize("engine", ["google", "bing", "duckduckgo"])
def test_thumbnails_are_the_last_resort_and_say_so(watched: World, engine: str) -> None:
    search = watched.ask(engine, "cat thumbs-only 6 pictures", pace=IN_VAIN)
    assert search.outcome.state is SearchState.OK
    assert len(search.found) == 6
    assert all(found.thumbnail for found in search.found)
    assert "thumbnails" in search.outcome.detail
    if engine == "bing":  # what is refused is no business of the engine's
        refused = watched.ask(engine, "cat thumbs-only 6 pictures", pace=IN_VAIN, thumbnails=False)
        assert refused.found == []
        assert refused.outcome.state is SearchState.CHANGED


def test_show_more_button_is_pressed(crawl: World) -> None:
    queries = {engine: f"cat more scripts {count} pictures" for engine, count in (("google", 180), ("bing", 100))}
    for engine, search in crawl.ask_each(queries).items():  # pressed twice
        assert set(search.addresses) == set(crawl.expected(engine, queries[engine]))


# Every keyword at one engine and every engine with two of them: what is odd is the same code for all.
@pytest.mark.parametrize(
    ("engine", "keyword"), [*zip(ENGINES * 2, ODD_KEYWORDS, strict=False)], ids=lambda value: value[:12]
)
def test_any_keyword_reaches_the_engine_as_it_is(crawl: World, engine: str, keyword: str) -> None:
    search = crawl.ask(engine, keyword.strip(), want=30)
    parameter = "query" if engine == "naver" else "q"
    assert crawl.site.asked(PATHS[engine])[0].query[parameter] == keyword.strip()
    assert search.addresses[:30] == crawl.expected(engine, keyword.strip())[:30]


@pytest.mark.parametrize(
    ("engine", "parameter", "value"),
    [("google", "tbs", "itp:face"), ("bing", "qft", "face-face")],
)
def test_filters_are_in_the_question(crawl: World, engine: str, parameter: str, value: str) -> None:
    crawl.ask(engine, "cat", want=10, filters={"type": "face", "size": "large"})
    assert value in crawl.last(PATHS[engine])[parameter]


def test_an_engine_at_its_real_address_with_consent_on_another_host(tmp_path: Path) -> None:
    names = ["www.google.com", "consent.google.com", "www.bing.com", "search.naver.com", "duckduckgo.com"]
    with world_at_real_names(names, tmp_path) as real:
        from crawler.engines import engine as named

        for name in ENGINES:
            query = "cat consent 30 pictures"
            search = real.ask(name, query, want=30, home=named(name).home)
            assert search.addresses == real.expected(name, query), name
        assert real.site.consents.count("accept") == 0
        assert real.site.asked("/m")[0].headers["Host"] == "consent.google.com"
        assert real.ask("google", "cat sorry", home=named("google").home).outcome.state is SearchState.BLOCKED


def test_a_page_that_never_ends_ends_for_us(crawl: World) -> None:
    for session in crawl.sessions:
        session.driver.set_page_load_timeout(1.5)
    began = time.monotonic()
    for engine, search in crawl.ask_each(each("cat stuck"), pace=AT_ONCE).items():
        assert search.outcome.state is SearchState.UNREACHABLE, engine
    assert time.monotonic() - began < 24
    for session in crawl.sessions:
        session.driver.set_page_load_timeout(HERMETIC.page_timeout)
    assert crawl.ask("google", "cat 20 pictures", want=20).addresses == crawl.expected("google", "cat 20 pictures")


@pytest.mark.parametrize("engine", ["google", "duckduckgo"])
def test_a_person_may_solve_the_captcha(watched: World, engine: str) -> None:
    def answer() -> None:
        end = time.monotonic() + 20
        while watched.site.count("/sorry/status") < 2 and time.monotonic() < end:  # the page is there and waits
            time.sleep(0.05)
        watched.site.solve()

    person = threading.Thread(target=answer)
    person.start()
    search = watched.ask(engine, "cat captcha 20 pictures", want=20)
    person.join()
    assert watched.site.asked("/sorry/status")
    assert search.addresses == watched.expected(engine, "cat captcha 20 pictures")
