"""A real headless Chromium for the tests and the screenshots: hermetic, quiet, and gone when its block ends.

Only 127.0.0.1 can be reached, so a request to anywhere else fails and is seen. Browser and driver are given by path:
without them Selenium would look for, download and report things. Each browser has its own profile and its own process
group, because a killed driver leaves nine processes behind.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.actions.interaction import POINTER_MOUSE, POINTER_PEN, POINTER_TOUCH
from selenium.webdriver.common.actions.pointer_input import PointerInput
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

os.environ.setdefault("SE_AVOID_STATS", "true")

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless=new",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    # What drops down from the address bar is a page of its own, never seen here: a fifth of a short session's processor
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,OmniboxAimPopup,WebUIOmniboxFullPopup",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
PAPER = 280
Point = tuple[float, float]


@dataclass(frozen=True)
class Look:
    """How the browser presents itself to a page.

    `motion`: things glide. Without a graphics card that takes a quarter of all processor time, so tests go without.
    """

    language: str = "en-US"
    width: int = 1280
    height: int = 1000
    phone: bool = False
    dark: bool = False
    camera: Path | None = None
    camera_allowed: bool = True
    ratio: float = 1.0
    motion: bool = False
    flags: tuple[str, ...] = field(default=())


def program(names: Sequence[str]) -> str:
    """The path of the first of these programs; skips the test when none is installed."""
    for name in names:
        path = shutil.which(name)
        if path:
            return path
    pytest.skip(f"{' or '.join(names)} is not installed (apt-get install chromium chromium-driver)")


@contextmanager
def chromium(look: Look = Look()) -> Iterator[Browser]:
    """A browser that is closed, with all its processes and its profile, at the end of the block."""
    profile = tempfile.mkdtemp(prefix="handwriter-browser-")
    service = Service(program(["chromedriver"]), popen_kw={"start_new_session": True})
    driver = webdriver.Chrome(options=_options(look, profile), service=service)
    group = service.process.pid
    try:
        driver.set_page_load_timeout(60)
        driver.set_script_timeout(30)
        browser = Browser(driver, look)
        browser.appear()
        yield browser
    finally:
        with contextlib.suppress(Exception):
            driver.quit()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
        shutil.rmtree(profile, ignore_errors=True)


def _options(look: Look, profile: str) -> webdriver.ChromeOptions:
    options = webdriver.ChromeOptions()
    options.binary_location = program(BROWSERS)
    flags = [*FLAGS, *look.flags, f"--user-data-dir={profile}", f"--lang={look.language}"]
    flags += [f"--window-size={look.width},{look.height}", f"--force-device-scale-factor={look.ratio}"]
    if not look.motion:
        flags.append("--force-prefers-reduced-motion")
    if os.geteuid() == 0:
        flags.append("--no-sandbox")
    if look.camera:
        flags += ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={look.camera.resolve()}"]
    if look.camera and look.camera_allowed:
        flags.append("--use-fake-ui-for-media-stream")  # answers the browser's question with yes
    for flag in flags:
        options.add_argument(flag)
    options.add_experimental_option("prefs", {"intl.accept_languages": look.language})
    if look.phone:
        metrics = {"width": look.width, "height": look.height, "pixelRatio": look.ratio, "touch": True, "mobile": True}
        options.add_experimental_option("mobileEmulation", {"deviceMetrics": metrics})
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    return options


class Browser:
    """A page in Chromium, and the acts of a person on it."""

    def __init__(self, driver: webdriver.Chrome, look: Look) -> None:
        self.driver, self.look = driver, look

    def appear(self) -> None:
        """Takes the size and the colours of its look."""
        scheme = [{"name": "prefers-color-scheme", "value": "dark"}] if self.look.dark else []
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
        if not self.look.phone:  # a window is smaller inside than asked for
            size = {"width": self.look.width, "height": self.look.height}
            inside = {**size, "deviceScaleFactor": self.look.ratio, "mobile": False}
            self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", inside)

    def be_new(self) -> None:
        """No page, one window, nothing stored, nothing logged: as after the start."""
        first, *others = self.driver.window_handles
        for window in others:
            self.driver.switch_to.window(window)
            self.driver.close()
        self.driver.switch_to.window(first)
        self.driver.get("about:blank")
        self.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
        self.driver.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": "*", "storageTypes": "all"})
        self.appear()
        self.console_errors()
        self.requested()

    def open(self, address: str) -> None:
        """Opens the demo and waits until it can be used."""
        self.driver.get(address)
        self.wait(lambda: self.find(".hw[data-ready]"), "the page is ready")

    def start_over(self) -> None:
        """The open page as a visitor finds it: the first model, blank paper, the usual pen. No page is loaded."""
        self.run(_START_OVER)
        self.wait_for_state("blank")

    def find(self, selector: str) -> WebElement | None:
        """The first element, or None."""
        found = self.driver.find_elements(By.CSS_SELECTOR, selector)
        return found[0] if found else None

    def click(self, selector: str) -> None:
        """Clicks as a person does: scrolled into sight, with a real pointer."""
        element = self.find(selector)
        assert element, selector
        element.click()

    def choose(self, selector: str, text: str) -> None:
        """Chooses what reads `text` in a list, as a person does with the keyboard."""
        element = self.find(selector)
        assert element, selector
        element.send_keys(text)
        chosen = "return document.querySelector(arguments[0]).selectedOptions[0].text"
        self.wait(lambda: text in self.run(chosen, selector), text)

    def use(self, model: str) -> None:
        """Lets this model read."""
        self.click(f'#models input[value="{model}"]')

    def shows(self, selector: str) -> bool:
        """Whether the element can be seen; a picture only when it has come."""
        script = "const n = document.querySelector(arguments[0]); return n.checkVisibility() && n.naturalWidth !== 0"
        return bool(self.run(script, selector))

    def run(self, script: str, *values: Any) -> Any:
        """What a script in the page returns."""
        return self.driver.execute_script(script, *values)

    def text(self, selector: str) -> str:
        """The text of an element as a reader sees it."""
        return self.run("return document.querySelector(arguments[0])?.innerText.trim() ?? ''", selector)

    def wait(self, ready: Callable[[], Any], what: str, seconds: float = 15) -> Any:
        """The first true value of `ready()`; fails saying what was waited for."""
        end = time.monotonic() + seconds
        pause = 0.02  # each look costs Python, driver and browser some processor: fewer the longer it takes
        while time.monotonic() < end:
            value = ready()
            if value:
                return value
            time.sleep(pause)
            pause = min(0.12, pause * 1.2)
        raise AssertionError(f"waited {seconds} s in vain: {what}; the page says {self.text('#result')!r}")

    # The answer

    @property
    def state(self) -> str:
        """One of blank, answer, rejected, error."""
        return self.run("return document.querySelector('#result').dataset.state")

    @property
    def answers(self) -> int:
        """How many answers were shown since the page was opened."""
        return int(self.run("return document.querySelector('#result').dataset.answers"))

    def bars(self) -> dict[str, float]:
        """The bars by label, in the order in which they stand."""
        script = "return [...document.querySelectorAll('#bars li')].map(i => [i.dataset.label, +i.dataset.probability])"
        return dict(self.run(script))

    def wait_for_answer(self, label: str) -> None:
        """Waits until the answer is this label."""
        self.wait(lambda: self.state == "answer" and self.text("#winner") == label, f"the answer {label}")

    def wait_for_state(self, state: str) -> None:
        """Waits until the answer is in this state."""
        self.wait(lambda: self.state == state, f"state {state}")

    # Drawing

    def draw(self, strokes: Sequence[Sequence[Point]], kind: str = POINTER_MOUSE, pause_ms: int = 8) -> None:
        """Draws strokes, given on a paper of 280 x 280, with a mouse, a finger or a pen."""
        for stroke in strokes:
            self._stroke(stroke, kind, pause_ms)

    def _stroke(self, points: Sequence[Point], kind: str, pause_ms: int) -> None:
        script = "const c = document.querySelector('#canvas'); c.scrollIntoView({block: 'center'});"
        box = self.run(script + "const b = c.getBoundingClientRect(); return [b.left, b.top, b.width]")
        places = [(round(box[0] + x / PAPER * box[2]), round(box[1] + y / PAPER * box[2])) for x, y in points]
        names = {POINTER_MOUSE: "mouse", POINTER_TOUCH: "finger", POINTER_PEN: "pen"}
        actions = ActionBuilder(self.driver, mouse=PointerInput(kind, names[kind]), duration=pause_ms)
        pointer = actions.pointer_action
        pointer.move_to_location(*places[0]).pointer_down()
        for place in places[1:]:
            pointer.move_to_location(*place)
        pointer.pointer_up()
        actions.perform()

    # What a page must not do

    def console_errors(self) -> list[str]:
        """What the page complained about since the last call."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def requested(self) -> list[str]:
        """All addresses that were asked for since the last call."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        sent = [message["params"]["request"]["url"] for message in messages if message["method"] == SENT]
        return [address for address in sent if not address.startswith(("data:", "blob:"))]


SENT = "Network.requestWillBeSent"
_START_OVER = """
const find = (id) => document.querySelector('#' + id);
const model = document.querySelector('#models input');
if (!model.checked) model.click();
find('compare').value = '';
find('compare').dispatchEvent(new Event('change'));
for (const id of ['why', 'wrong']) if (find(id).ariaExpanded === 'true') find(id).click();
find('tab-draw').click();
if (!find('clear').disabled) find('clear').click();
find('brush').value = 18;
find('brush').dispatchEvent(new Event('input'));
find('history-clear').click();
document.activeElement.blur();
scrollTo(0, 0);
"""
