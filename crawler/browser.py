"""A browser for searching: a local Chrome or Chromium with its driver, or one of a Selenium Grid. Both are used alike.

It says honestly what it is (Chromium's own User-Agent, no evasion), starts with an empty profile that is removed after
it, keeps no history, loads no pictures when nobody looks at it, and has a limit of time on everything. What it may
reach is the business of `fence`. It is started when it is first used, and it leaves no process behind (`processes`).
"""

from __future__ import annotations

import contextlib
import os
import shlex
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawler.driver_paths import BrowserPaths, find
from crawler.grid import GridRecord, end_session, status, wait_for_browser
from crawler.processes import Guarded, short_folder
from handwriter_models.errors import UserError

if TYPE_CHECKING:
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.remote.webdriver import WebDriver

__all__ = ["BrowserPaths", "Session", "SessionClosed", "Settings", "find"]

PREFIX = "handwriter-browser-"
STARTED = "started successfully on port "
SECONDS_TO_START = 30
QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-pings",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-component-update",
    "--disable-crash-reporter",  # its processes would leave the process group
    "--disable-dev-shm-usage",
    "--disable-domain-reliability",
    "--disable-extensions",
    # What drops down from the address bar is a page of its own, never seen here: a fifth of a short session's processor
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,OmniboxAimPopup,WebUIOmniboxFullPopup",
    "--disable-sync",
    "--disk-cache-size=50000000",
    "--mute-audio",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
)
BLOCK, DOWNLOADS_BLOCKED = 2, 3
ALWAYS_BLOCKED = ("notifications", "geolocation", "media_stream_mic", "media_stream_camera", "automatic_downloads")


@dataclass(frozen=True)
class Settings:
    """How browsers are started. Times in seconds; `proxy` is host:port; `host_rules` as Chromium's flag has them."""

    grid: str = ""
    grid_wait: float = 360  # for a free browser of the Grid; its own time-out for a dead client is 300
    grid_record: GridRecord | None = None
    show: bool = False
    proxy: str = ""
    host_rules: str = ""
    page_timeout: float = 30
    script_timeout: float = 20
    command_timeout: float = 60
    window: tuple[int, int] = (1280, 900)
    pictures: bool = False  # always loaded when a person looks on
    flags: tuple[str, ...] = ()
    tell: Callable[[str], None] | None = None  # a line for the person in front of the screen
    why: Callable[[str], str] | None = None  # what the proxy says about a host that was not reached


class SessionClosed(Exception):  # noqa: N818 - not a fault: somebody closed it
    """The session was closed while it was in use: the crawl is ending."""


class Session:
    """One browser, opened when it is first used and replaced by `restart`. `close` may come from any thread."""

    def __init__(self, settings: Settings = Settings(), paths: BrowserPaths | None = None) -> None:
        self.settings = settings
        self._paths = paths
        self._lock = threading.Lock()
        self._driver: WebDriver | None = None
        self._guarded: Guarded | None = None
        self._closed = False
        self._pictures_on_trial = self._pictures_in_vain = False
        self.starts = 0  # browsers that came up so far
        self.guard = ""  # which script of ours stands in front of every document (`page_view`)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def driver(self) -> WebDriver:
        """Selenium's driver of a running browser; raises `UserError` when none can be started."""
        if self._closed:
            raise SessionClosed
        if self._driver is None:
            self._driver = self._opened()
            self.starts += 1
        return self._driver

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    @property
    def process(self) -> int:
        """The process that holds the local browser and its driver; 0 when there is none."""
        return self._guarded.pid if self._guarded else 0

    def load_pictures(self) -> bool:
        """From the next start on pictures are loaded; False when they are already, or when that was tried in vain."""
        if self.settings.pictures or self.settings.show or self._pictures_in_vain:
            return False
        self.settings = replace(self.settings, pictures=True)
        self._pictures_on_trial = True
        return True

    def judge_pictures(self, helped: bool) -> None:
        """After `load_pictures`: where pictures did not help either, the next browser goes without, and for good."""
        if self._pictures_on_trial and not helped:
            self.settings = replace(self.settings, pictures=False)
            self._pictures_in_vain = True
            self.restart()
        self._pictures_on_trial = False

    def restart(self) -> None:
        """Throws the browser away; the next use starts a fresh one."""
        self._end()

    def close(self) -> None:
        """Ends the browser for good. Whoever is using it gets an error at once."""
        self._closed = True
        self._end()

    def _opened(self) -> WebDriver:
        os.environ.setdefault("SE_AVOID_STATS", "true")
        driver = self._started()
        if self._closed:  # while it was starting
            self._driver = driver
            self._end()
            raise SessionClosed
        driver.set_page_load_timeout(self.settings.page_timeout)
        driver.set_script_timeout(self.settings.script_timeout)
        return driver

    def _started(self) -> WebDriver:
        """A browser; a second try, for two drivers that start at once may want the same port."""
        from selenium.common.exceptions import WebDriverException
        from urllib3.exceptions import HTTPError

        for last in (False, True):
            try:
                return self._remote() if self.settings.grid else self._local()
            except (WebDriverException, HTTPError, OSError) as error:
                self._end()
                if self._closed:
                    raise SessionClosed from error
                if last:
                    raise self._did_not_start(error) from error
        raise AssertionError("the last try returns or raises")

    def _remote(self) -> WebDriver:
        settings = self.settings
        wait_for_browser(settings.grid, settings.grid_wait, settings.tell, lambda: self._closed)
        if self._closed:
            raise SessionClosed
        driver = self._connected(settings.grid)
        if settings.grid_record:
            settings.grid_record.opened(str(driver.session_id))
        return driver

    def _local(self) -> WebDriver:
        paths = self._paths or find()
        folder = short_folder(PREFIX, paths.profiles)
        command = [paths.driver, "--port=0", "--log-level=SEVERE"]
        guarded = Guarded(command, folder)
        with self._lock:
            self._guarded = guarded
        return self._connected(f"http://127.0.0.1:{_port(guarded)}", paths, folder)

    def _connected(self, address: str, paths: BrowserPaths | None = None, folder: Path | None = None) -> WebDriver:
        from selenium.webdriver.chromium.remote_connection import ChromiumRemoteConnection
        from selenium.webdriver.remote.client_config import ClientConfig
        from selenium.webdriver.remote.webdriver import WebDriver

        options = chromium_options(self.settings)
        if paths and folder:
            options.binary_location = paths.browser
            options.add_argument(f"--user-data-dir={folder / 'profile'}")
        config = ClientConfig(address, timeout=int(self.settings.command_timeout))
        # Without this the proxy of the environment would be asked for the driver on this machine.
        connection = ChromiumRemoteConnection(address, "goog", "chrome", ignore_proxy=bool(paths), client_config=config)
        return WebDriver(command_executor=connection, options=options)

    def _end(self) -> None:
        with self._lock:
            driver, self._driver = self._driver, None
            guarded, self._guarded = self._guarded, None
        if guarded:
            guarded.close()
        elif driver and self.settings.grid:
            session, record = str(driver.session_id), self.settings.grid_record
            if end_session(self.settings.grid, session) and record:
                record.closed(session)
        if driver:
            with contextlib.suppress(Exception):  # only sockets are left to be closed
                driver.command_executor.close()  # type: ignore[union-attr]

    def _did_not_start(self, error: Exception) -> UserError:
        reason = (getattr(error, "msg", None) or str(error) or type(error).__name__).strip().splitlines()[0]
        if self.settings.grid:
            grid = self.settings.grid.rstrip("/")
            state = status(grid)
            more = f" ({state})" if state else ""
            return UserError(f"the Selenium Grid at {grid} gives no browser: {reason}{more}", f"see {grid}/status")
        browser = shlex.quote((self._paths or find()).browser)
        hint = f"start one by hand to see why: {browser} --headless=new --dump-dom about:blank"
        if self.settings.show and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            hint = "there is no screen here (DISPLAY is not set): leave out --show-browser"
        return UserError(f"the browser does not start: {reason}", hint)


def _port(guarded: Guarded, seconds: float = SECONDS_TO_START, clock: Callable[[], float] = time.monotonic) -> int:
    """The port that the driver has chosen; two drivers started at once cannot take the same."""
    end = clock() + seconds
    while clock() < end and guarded.running():
        _, started, rest = guarded.printed().partition(STARTED)
        if started and "." in rest:
            return int(rest.partition(".")[0])
        time.sleep(0.005)
    printed = guarded.printed().strip().splitlines()
    raise OSError(printed[-1] if printed else "chromedriver says nothing")


def chromium_options(settings: Settings) -> Options:
    """What every browser is started with, local or not."""
    from selenium.webdriver.chrome.options import Options

    options = Options()
    width, height = settings.window
    flags = [*QUIET, f"--window-size={width},{height}", *settings.flags]
    if not settings.show:
        flags.append("--headless=new")
    if not settings.grid and hasattr(os, "geteuid") and os.geteuid() == 0:
        flags.append("--no-sandbox")  # Chromium refuses to start for root without it
    if settings.proxy:
        flags += [f"--proxy-server=http://{settings.proxy}", "--proxy-bypass-list=<-loopback>"]
    if settings.host_rules:
        flags.append(f"--host-resolver-rules={settings.host_rules}")
    for flag in flags:
        options.add_argument(flag)
    options.add_experimental_option("prefs", _preferences(settings))
    options.page_load_strategy = "eager"  # not until the last advertisement has come
    options.unhandled_prompt_behavior = "dismiss"
    return options


def _preferences(settings: Settings) -> dict[str, Any]:
    preferences: dict[str, Any] = {
        f"profile.default_content_setting_values.{what}": BLOCK for what in ALWAYS_BLOCKED
    } | {"download_restrictions": DOWNLOADS_BLOCKED, "credentials_enable_service": False}
    if not (settings.show or settings.pictures):
        preferences["profile.managed_default_content_settings.images"] = BLOCK
    return preferences
