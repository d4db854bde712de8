"""A session is one browser: honest, fresh, fenced in time, replaceable, and clear about why it does not start."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from crawler.browser import BrowserPaths, Session, SessionClosed, Settings, chromium_options
from handwriter_models.errors import UserError
from tests.browser import BROWSERS, program
from tests.loopback_site import LoopbackSite, Request, Wire


class Plain(LoopbackSite):
    """A page with a picture, and a download."""

    def respond(self, request: Request, wire: Wire) -> None:
        kinds = {"/file": "application/zip", "/picture": "image/svg+xml"}
        page = b"<!doctype html><title>plain</title><img src=/picture onload='loaded = 1'><p>hello"
        svg = b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>"
        wire.send(200, {"Content-Type": kinds.get(request.path, "text/html")}, svg if request.path != "/" else page)


@pytest.fixture(scope="module")
def plain() -> Iterator[Plain]:
    program(BROWSERS)
    with Plain() as plain:
        yield plain


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home folder of the browser below."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def session(plain: Plain, home: Path) -> Iterator[Session]:
    """One browser for those that only look at it; the last of them throws it away."""
    before = os.environ.get("HOME")
    os.environ["HOME"] = str(home)
    try:
        with Session() as session:
            assert session.driver
            yield session
    finally:
        os.environ["HOME"] = before or ""


def test_browser_says_what_it_is_and_where_it_stands(session: Session, plain: Plain) -> None:
    plain.forget()
    session.driver.get(plain.home)
    agent = session.driver.execute_script("return navigator.userAgent")
    assert session.driver.execute_script("return navigator.webdriver") is True
    width, height = session.driver.execute_script("return [outerWidth, outerHeight]")
    assert "HeadlessChrome/" in agent
    assert plain.requests[0].headers["User-Agent"] == agent
    assert (width, height) == Settings().window


def test_pictures_are_not_loaded_unless_somebody_looks_on(session: Session, plain: Plain) -> None:
    with Session(Settings(pictures=True)) as looked_at:
        for browser, loaded in ((session, 0), (looked_at, 1)):
            plain.forget()
            browser.driver.get(plain.home)
            time.sleep(0.5)
            assert plain.count("/picture") == loaded


def test_file_is_never_saved(session: Session, plain: Plain, home: Path) -> None:
    plain.forget()
    session.driver.get(plain.home)
    session.driver.execute_script("location.href = '/file'")
    time.sleep(0.7)
    assert session.driver.title == "plain"
    assert plain.count("/file") == 1
    assert not [file for file in home.rglob("*") if "file" in file.name.lower() and file.suffix == ".zip"]


def test_two_sessions_open_at_once_with_a_profile_each(plain: Plain) -> None:
    with Session() as one, Session() as other, ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda session: session.driver.get(plain.home), (one, other)))
        assert one.driver.title == other.driver.title == "plain"
        assert one.process != other.process


def test_restart_gives_a_fresh_browser_without_the_cookies_of_the_old(session: Session, plain: Plain) -> None:
    session.driver.get(plain.home)
    session.driver.add_cookie({"name": "old", "value": "1"})
    first, starts = session.process, session.starts
    session.restart()
    session.driver.get(plain.home)
    assert session.driver.get_cookies() == []
    assert session.process != first
    assert session.starts == starts + 1


def test_session_is_lazy_and_closes_for_good(plain: Plain) -> None:
    session = Session()
    assert session.process == 0
    session.close()
    session.close()
    with pytest.raises(SessionClosed):
        _ = session.driver
    assert session.starts == 0


def test_session_closed_while_it_opens_leaves_nothing(plain: Plain) -> None:
    for delay in (0.02, 0.1, 0.2):
        session = Session()
        closer = threading.Timer(delay, session.close)
        closer.start()
        with pytest.raises(SessionClosed):
            _ = session.driver
        closer.join()
        assert session.process == 0


@pytest.mark.parametrize(
    ("script", "reason"),
    [("echo dying >&2; exit 1", "dying"), ("exit 3", "chromedriver says nothing"), ("kill -9 $$", "says nothing")],
)
def test_driver_that_does_not_start_is_a_clear_error(tmp_path: Path, script: str, reason: str) -> None:
    driver = tmp_path / "chromedriver"
    driver.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    driver.chmod(0o755)
    with Session(paths=BrowserPaths("/usr/bin/chromium", str(driver), 1)) as session:
        with pytest.raises(UserError, match=reason) as caught:
            _ = session.driver
        assert "start one by hand" in caught.value.hint
        assert session.process == 0


def test_browser_that_does_not_start_is_a_clear_error(tmp_path: Path) -> None:
    browser = tmp_path / "chromium"
    browser.write_text("#!/bin/sh\nexit 1\n", "utf-8")
    browser.chmod(0o755)
    with Session(paths=BrowserPaths(str(browser), program(["chromedriver"]), 1)) as session:
        with pytest.raises(UserError, match="the browser does not start: session not created") as caught:
            _ = session.driver
        assert "\n" not in caught.value.what


@pytest.mark.skipif(bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")), reason="there is a screen")
def test_window_without_a_screen_is_told(plain: Plain) -> None:
    with Session(Settings(show=True)) as session, pytest.raises(UserError) as caught:
        _ = session.driver
    assert "leave out --show-browser" in caught.value.hint


def test_grid_that_is_not_there_is_a_clear_error() -> None:
    with Session(Settings(grid="http://127.0.0.1:9")) as session:
        with pytest.raises(UserError, match=r"Grid at http://127\.0\.0\.1:9 gives no browser") as caught:
            _ = session.driver
        assert caught.value.hint == "see http://127.0.0.1:9/status"


def test_nothing_of_the_traffic_goes_past_a_proxy() -> None:
    flags = chromium_options(Settings(proxy="127.0.0.1:1", host_rules="MAP * ~NOTFOUND")).arguments
    assert "--proxy-server=http://127.0.0.1:1" in flags
    assert "--proxy-bypass-list=<-loopback>" in flags
    assert "--disable-quic" in flags
    assert "--host-resolver-rules=MAP * ~NOTFOUND" in flags
    assert "--webrtc-ip-handling-policy=disable_non_proxied_udp" in flags
