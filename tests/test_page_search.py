"""A search in a real headless Chromium: all that a page has is found, and none is "done" by mistake."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from crawler.browser import Session, SessionClosed, Settings
from crawler.order import Order, Outcome
from crawler.page_gate import Pace
from crawler.page_search import search
from curation.records import Found, Job, SearchState
from tests.browser import BROWSERS, program
from tests.tiny_engine import TinyEngine, TinySite, addresses

# Words and number of pictures, those that take longest first. 40 are there without scrolling.
WAYS = {"viewer": 42, "slow": 80, "button": 90, "hover endless": 90, "late": 90}
WAYS |= dict.fromkeys(("paged", "", "lazy", "endless", "says-last"), 90)
QUICK = Pace(settle=1.5, patience=1.2, consent=5, person=10, picture=0.6)
AT_ONCE = replace(QUICK, settle=0.3)  # for pages that are never filled later


@pytest.fixture(scope="module")
def site() -> Iterator[TinySite]:
    with TinySite() as site:
        yield site


@pytest.fixture(scope="module")
def sessions() -> Iterator[list[Session]]:
    program(BROWSERS)
    settings = Settings(page_timeout=3, script_timeout=4)
    with Session(settings) as first, Session(settings) as second:
        yield [first, second]


@pytest.fixture(scope="module")
def session(sessions: list[Session]) -> Session:
    return sessions[0]


@pytest.fixture(scope="module")
def spare(sessions: list[Session]) -> Session:
    """For those that wear a browser out; whatever they do to it, another can be had."""
    return sessions[1]


class Basket:
    """Takes what is found until it holds `enough`; does `then` once it holds `at`."""

    def __init__(self, enough: int = 10_000, at: int = 0, then: Callable[[], None] | None = None) -> None:
        self.found: list[Found] = []
        self.enough, self.at, self.then = enough, at, then

    def take(self, found: Sequence[Found]) -> bool:
        if self.then and len(self.found) >= self.at:
            self.then, then = None, self.then
            then()
        self.found += found
        return len(self.found) < self.enough

    @property
    def addresses(self) -> list[str]:
        return [found.address for found in self.found]


def order(site: TinySite, words: str, **changes: object) -> Order:
    return replace(Order(Job("label", words, "tiny"), site.home), **changes)  # type: ignore[arg-type]


def asked(
    session: Session, site: TinySite, words: str, pace: Pace = QUICK, **changes: object
) -> tuple[Outcome, Basket]:
    engine = TinyEngine(scrolls="paged" not in words, viewer="small" not in words)
    basket = Basket()
    return search(session, engine, order(site, words, **changes), basket.take, pace), basket


def test_every_picture_is_found_once_whatever_the_way_to_it(sessions: list[Session], site: TinySite) -> None:
    def found(lane: int) -> list[tuple[str, Outcome, Basket]]:
        return [(way, *asked(sessions[lane], site, f"cat {WAYS[way]} {way}")) for way in list(WAYS)[lane::2]]

    with ThreadPoolExecutor(2) as threads:  # much of the time is spent waiting whether more comes
        results = [one for lane in threads.map(found, (0, 1)) for one in lane]
    assert len(results) == len(WAYS)
    for way, outcome, basket in results:
        assert sorted(basket.addresses) == sorted(addresses("cat", WAYS[way])), way
        assert outcome == Outcome(SearchState.OK, "", True, WAYS[way]), way
        assert not any(found.thumbnail for found in basket.found), way


def test_search_ends_as_soon_as_it_is_enough(session: Session, site: TinySite) -> None:
    basket = Basket(enough=50)
    outcome = search(session, TinyEngine(), order(site, "cat 2000", want=50), basket.take, QUICK)
    assert outcome.state is SearchState.OK
    assert not outcome.exhausted
    assert 50 <= outcome.found == len(basket.found) < 250


def test_viewer_and_pointer_stop_when_it_is_enough(session: Session, site: TinySite) -> None:
    for way, count in (("hover", 90), ("viewer", 30)):
        basket = Basket(enough=10)
        search(session, TinyEngine(), order(site, f"cat {count} {way}", want=10), basket.take, QUICK)
        assert 10 <= len(basket.found) < count * 2 // 3


def test_viewer_that_waits_for_its_pictures_gets_a_browser_that_loads_them(spare: Session, site: TinySite) -> None:
    assert spare.driver
    starts = spare.starts
    outcome, basket = asked(spare, site, "cat 8 viewer preload says-last")
    assert spare.starts == starts + 1
    assert outcome == Outcome(SearchState.OK, "", True, 8)
    assert basket.addresses == addresses("cat", 8)
    asked(spare, site, "dog 30 says-last")
    assert spare.starts == starts + 1


def test_thumbnails_come_last_and_flagged(session: Session, site: TinySite) -> None:
    outcome, basket = asked(session, site, "cat 30 small says-last")
    assert outcome == Outcome(SearchState.OK, "thumbnails only", True, 30)
    assert all(found.thumbnail for found in basket.found)
    assert basket.addresses[0] == "http://thumbnails.example/t/cat/1.jpg"


def test_page_with_nothing_but_refused_thumbnails_is_not_done(session: Session, site: TinySite, tmp_path: Path) -> None:
    outcome, basket = asked(session, site, "cat 30 small says-last", thumbnails=False, report=tmp_path / "page.html")
    assert outcome.state is SearchState.CHANGED
    assert "30 thumbnails" in outcome.detail
    assert not basket.found


def test_consent_is_answered_with_reject_and_once(session: Session, site: TinySite) -> None:
    session.driver.delete_all_cookies()
    site.forget()
    for words in ("cat 30 consent says-last", "dog 30 consent says-last"):
        outcome, basket = asked(session, site, words)
        assert basket.addresses == addresses(words[:3], 30)
        assert outcome.state is SearchState.OK
    assert len(site.asked("/reject")) == 1
    assert not site.asked("/accept")


@pytest.mark.parametrize("kind", ["empty", "blocked", "changed", "nothing", "broken changed"])
def test_page_without_pictures_is_named_and_kept(session: Session, site: TinySite, kind: str, tmp_path: Path) -> None:
    report = tmp_path / "reports" / "tiny.html"
    outcome, basket = asked(session, site, f"cat {kind}", AT_ONCE, report=report)
    state = {"nothing": "changed", "broken changed": "unreachable"}.get(kind, kind)
    assert outcome.state == state
    assert outcome.found == 0 == len(basket.found)
    assert outcome.exhausted == (kind == "empty")
    if kind == "empty":
        assert not report.exists()
    else:
        assert f"title {kind.split()[-1] if kind != 'nothing' else 'results'}" in outcome.detail
        assert "see tiny.html" in outcome.detail
        saved = report.read_text("utf-8")
        assert saved.startswith('<meta http-equiv="Content-Security-Policy" content="default-src \'none\'')
        assert site.home in saved


def test_report_that_cannot_be_written_does_not_end_the_crawl(session: Session, site: TinySite, tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file is in the way")
    outcome, _ = asked(session, site, "cat changed", AT_ONCE, report=tmp_path / "reports" / "tiny.html")
    assert outcome.state is SearchState.CHANGED
    assert "could not be saved" in outcome.detail


def test_halves_of_characters_reach_nobody(session: Session, site: TinySite) -> None:
    _, basket = asked(session, site, "cat 30 halves says-last")
    assert "http://pictures.example/?.jpg" in basket.addresses
    "".join(basket.addresses).encode()


def test_engine_that_cannot_be_reached_is_unreachable_not_a_dead_browser(session: Session, site: TinySite) -> None:
    assert session.driver
    starts = session.starts
    for home, words, detail in (
        ("http://127.0.0.1:1", "cat", "ERR_UNSAFE_PORT"),
        (site.home, "cat reset", "ERR_CONNECTION_RESET"),
        (site.home, "cat hang", "no answer in 3 s"),  # over a page of Chromium's own
    ):
        outcome, _ = asked(session, site, words, home=home)
        assert (outcome.state, outcome.detail) == (SearchState.UNREACHABLE, detail)
    assert session.starts == starts


def test_page_of_the_last_search_is_never_read_again(session: Session, site: TinySite) -> None:
    asked(session, site, "cat 30 says-last")
    outcome, basket = asked(session, site, "dog hang")
    assert outcome.state is SearchState.UNREACHABLE
    assert not basket.found


def test_browser_killed_in_the_middle_is_replaced_and_the_search_goes_on(spare: Session, site: TinySite) -> None:
    assert spare.driver
    starts, chromium = spare.starts, children(driver_of(spare))[0]
    basket = Basket(at=40, then=lambda: os.kill(chromium, signal.SIGKILL))
    outcome = search(spare, TinyEngine(), order(site, "cat 90"), basket.take, QUICK)
    assert spare.starts == starts + 1
    assert outcome == Outcome(SearchState.OK, "", True, 90)
    assert sorted(basket.addresses) == sorted(addresses("cat", 90))


def test_turning_pages_goes_on_at_the_page_where_the_browser_died(spare: Session, site: TinySite) -> None:
    assert spare.driver
    starts = spare.starts

    def kill() -> None:
        spare.driver.command_executor.close()  # type: ignore[union-attr]
        os.kill(driver_of(spare), signal.SIGKILL)

    basket = Basket(at=20, then=kill)
    search(spare, TinyEngine(scrolls=False), order(site, "cat 90 paged"), basket.take, QUICK)
    assert spare.starts == starts + 1
    assert basket.addresses == addresses("cat", 90)


def test_page_that_hangs_costs_a_browser_and_ends(spare: Session, site: TinySite) -> None:
    spare.driver.command_executor.client_config.timeout = 6  # type: ignore[union-attr]
    basket, starts = Basket(), spare.starts
    outcome = search(spare, TinyEngine(), order(site, "cat 90 freeze"), basket.take, replace(QUICK, lives=1))
    assert spare.starts == starts
    assert outcome.state is SearchState.UNREACHABLE
    assert "1 browsers came to nothing" in outcome.detail
    assert basket.addresses[:40] == addresses("cat", 40)


def test_person_who_solves_a_captcha_is_waited_for(site: TinySite) -> None:
    told: list[str] = []

    def tell(text: str) -> None:
        told.append(text)
        threading.Timer(0.3, site.solved.set).start()

    settings = Settings(show=True, flags=("--headless=new",), tell=tell)  # nobody can look on here
    with Session(settings) as session:
        site.solved.clear()
        outcome, basket = asked(session, site, "cat 30 captcha says-last")
    assert len(told) == 1
    assert told[0].startswith("Tiny asks whether you are a person")
    assert outcome.state is SearchState.OK
    assert basket.addresses == addresses("cat", 30)


def test_window_that_a_click_opens_is_closed(session: Session, site: TinySite) -> None:
    outcome, _ = asked(session, site, "cat 8 viewer window says-last")
    assert session.driver.execute_script("return window.other.closed") is True
    assert outcome.found == 8
    assert len(session.driver.window_handles) == 1


def test_captcha_that_nobody_sees_is_blocked_at_once(session: Session, site: TinySite) -> None:
    site.solved.clear()
    began = time.monotonic()
    assert asked(session, site, "cat captcha")[0].state is SearchState.BLOCKED
    assert time.monotonic() - began < 1.5


def test_closing_a_session_ends_the_search_in_another_thread(site: TinySite) -> None:
    session = Session(Settings(page_timeout=60))
    assert session.driver
    closer = threading.Timer(0.5, session.close)
    closer.start()
    began = time.monotonic()
    with pytest.raises(SessionClosed):
        asked(session, site, "cat hang")
    closer.join()
    assert time.monotonic() - began < 5


# The last: from here on the session asks for pictures no more.
def test_pictures_that_did_not_help_are_not_loaded_again(session: Session, site: TinySite) -> None:
    assert session.driver
    starts, basket = session.starts, Basket()
    search(session, TinyEngine(), order(site, "cat 4 small says-last"), basket.take, QUICK)
    assert len(basket.found) == 4
    assert session.starts == starts + 1
    assert not session.load_pictures()
    assert not session.settings.pictures


def driver_of(session: Session) -> int:
    return children(session.process)[0]


def children(pid: int) -> list[int]:
    return [int(child) for file in Path(f"/proc/{pid}/task").glob("*/children") for child in file.read_text().split()]
