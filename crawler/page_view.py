"""An engine's page in a browser, and the faults of browsers sorted into two: no page can be had, the browser is dead.

Every call to Selenium goes through here, so nothing else has to know its many exceptions.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from crawler import page_scripts
from crawler.browser import Session
from crawler.engines.base import BrowserEngine, Page, Reading
from crawler.fence import MARK

if TYPE_CHECKING:
    from selenium.webdriver.remote.webdriver import WebDriver
    from selenium.webdriver.remote.webelement import WebElement

LONGEST_TEXT = 20_000_000  # characters of a page
TRIES, PAUSE = 3, 0.1  # a script whose page is just being replaced is run again
MILLISECONDS_A_MOVE = 10
MOST_RELOADS = 3  # of a page by itself
Place = tuple[int, int]  # in the window
NET_ERROR, HTTP_ERROR = "net::", re.compile(r"HTTP ERROR (\d{3})")
PASSING = ("ERR_CONNECTION_RESET", "ERR_CONNECTION_CLOSED", "ERR_EMPTY_RESPONSE", "ERR_NETWORK_CHANGED", "ERR_ABORTED")


class Unreachable(Exception):  # noqa: N818 - an answer, not a fault
    """The page cannot be had, though the browser is well."""


class Died(Exception):  # noqa: N818 - as above
    """The browser, its tab or its driver is dead or hangs; only a new one helps."""


class View:
    """The page that an engine shows at the moment."""

    def __init__(self, session: Session, engine: BrowserEngine) -> None:
        self._session, self._engine = session, engine
        self.page = Page("", "")
        self._address = ""
        self.slow = 0.0  # seconds the page took to come
        self.stalled = ""  # that the page began and did not end in time
        self.stood = 0.0  # seconds since the document began
        self.reloads = 0  # how often the page has gone to itself or to others since it was opened

    @property
    def session(self) -> Session:
        """The session in which the page is shown."""
        return self._session

    def open(self, address: str) -> None:
        """Goes to the address and returns when the page can be read; raises `Unreachable` or `Died`."""
        from selenium.common.exceptions import TimeoutException

        self._address, self.stalled = address, ""
        self._guard()
        for final in (False, True):
            with self._faults():
                driver = self._session.driver
                before = self._age()
                try:
                    driver.get(address)
                except TimeoutException:
                    if self._age() == before:  # still the page of before
                        raise Unreachable(f"no answer in {self._session.settings.page_timeout:g} s") from None
                    self.stalled = f"the page is not whole after {self._session.settings.page_timeout:g} s"
                    driver.execute_script("window.stop()")
                except Exception as error:
                    if final or not any(fault in str(error) for fault in PASSING):
                        raise
                    continue
            return

    def _guard(self) -> None:
        """From now on a page that reloads itself again and again is stopped, unless somebody looks on."""
        from selenium.common.exceptions import WebDriverException

        if self._session.settings.show:
            return
        source = page_scripts.GUARD.replace("TOKEN", f"{time.time():.3f}").replace("MOST", str(MOST_RELOADS))
        with self._faults(), contextlib.suppress(WebDriverException):  # one of a browser that is gone is none
            self._command("Page.removeScriptToEvaluateOnNewDocument", identifier=self._session.guard)
        with self._faults(), contextlib.suppress(WebDriverException):  # without it such a page takes longer
            answer = self._command("Page.addScriptToEvaluateOnNewDocument", source=source)
            self._session.guard = answer["value"]["identifier"]

    def _command(self, name: str, **parameters: str) -> Any:  # noqa: ANN401 - JSON
        return self._session.driver.execute("executeCdpCommand", {"cmd": name, "params": parameters})

    def leave(self) -> None:
        """Goes to an empty page, so that one that reloads itself asks no more."""
        with self._faults():
            self._session.driver.get("about:blank")

    def use(self, engine: BrowserEngine) -> None:
        """From now on the page is read as this engine does."""
        self._engine = engine

    def _age(self) -> float:
        """When the document began: it tells one page from the next."""
        return float(self._session.driver.execute_script("return performance.timeOrigin"))

    def age(self) -> float:
        """When the document began: it tells one page from the next."""
        with self._faults():
            return self._age()

    def look(self, whole: bool = True) -> Reading:
        """What the page holds as it stands now; without `whole` only what the engine's script takes from it."""
        script = page_scripts.READ % self._engine.script
        for attempt in range(TRIES):
            with self._faults(leaving_ok=attempt < TRIES - 1):
                answer = json.loads(self._session.driver.execute_script(script, whole, LONGEST_TEXT))
                break
            time.sleep(PAUSE)
        page = Page(answer["address"], _clean(answer["text"]), answer["value"], int(answer["status"]))
        self.reloads, self.stood = int(answer["reloads"]), answer["stood"] / 1000
        if page.address.startswith("chrome-error:"):
            fault = self.run(page_scripts.NET_ERROR)
            if not (told := HTTP_ERROR.search(fault)):
                raise Unreachable(self._reason(fault))
            page = Page(self._address, "", None, int(told[1]))  # an answer without a body
        if whole:
            self.page, self.slow = page, answer["loaded"] / 1000
        if f"<title>{MARK}" in page.text[:200]:
            raise Unreachable(page.text.rpartition(MARK)[2].partition("<")[0].strip(": \n"))
        return self._engine.read(page)

    def run(self, script: str, *values: Any) -> Any:  # noqa: ANN401 - whatever the script returns
        """What a script in the page returns."""
        with self._faults():
            return self._session.driver.execute_script(script, *values)

    def wait(self, script: str, seconds: float, *values: Any) -> Any:  # noqa: ANN401 - as above
        """What a script that waits in the page gives, in so many seconds at most; None where the page goes away."""
        with self._faults(leaving_ok=True):
            return self._session.driver.execute_async_script(script, seconds * 1000, *values)
        return None

    def scroll(self, seconds: float, quiet: float) -> tuple[bool, float]:
        """Scrolls on for a while; whether the end of the page is reached, and for how many seconds nothing changed."""
        with self._faults(leaving_ok=True):
            moved = self._session.driver.execute_async_script(page_scripts.SCROLL, seconds * 1000, quiet * 1000)
            return bool(moved["bottom"]), float(moved["still"]) / 1000
        return False, 0.0

    def press(self, selectors: Sequence[str]) -> bool:
        """Clicks the first of these that can be seen, with a real pointer; whether there was one."""
        if not selectors:
            return False
        with self._faults():
            element = self._session.driver.execute_script(page_scripts.FIRST_VISIBLE, list(selectors))
            if element is None:
                return False
            self.click_element(element)
        return True

    def click_element(self, element: WebElement) -> None:
        """Clicks it with a real pointer; an element that is gone by now is none."""
        from selenium.common.exceptions import (
            ElementNotInteractableException,
            MoveTargetOutOfBoundsException,
            StaleElementReferenceException,
        )
        from selenium.webdriver.common.action_chains import ActionChains

        gone = (ElementNotInteractableException, MoveTargetOutOfBoundsException, StaleElementReferenceException)
        with self._faults(), contextlib.suppress(*gone):
            # Not element.click(): it refuses where something lies over the button, and waits for what it loads.
            ActionChains(self._session.driver, duration=10).move_to_element(element).click().perform()

    @contextmanager
    def elements(self) -> Iterator[WebDriver]:
        """The driver, for what deals with elements of the page; one that is gone by now ends the block."""
        from selenium.common.exceptions import NoSuchFrameException, StaleElementReferenceException

        with self._faults(leaving_ok=True), contextlib.suppress(NoSuchFrameException, StaleElementReferenceException):
            yield self._session.driver

    def move_over(self, places: Sequence[Place]) -> None:
        """Moves a real pointer from place to place."""
        self._pointer(places, press=False)

    def click(self, place: Place) -> None:
        """A real click."""
        self._pointer([place], press=True)
        with self._faults():
            _close_others(self._session.driver)

    def _pointer(self, places: Sequence[Place], press: bool) -> None:
        from selenium.webdriver.common.actions.action_builder import ActionBuilder

        with self._faults():
            actions = ActionBuilder(self._session.driver, duration=MILLISECONDS_A_MOVE)
            for place in places:
                actions.pointer_action.move_to_location(*place)  # type: ignore[no-untyped-call]
            if press:
                actions.pointer_action.click()
            actions.perform()

    def key(self, name: str) -> None:
        """A real key, by Selenium's name for it."""
        from selenium.webdriver.common.action_chains import ActionChains
        from selenium.webdriver.common.keys import Keys

        with self._faults():
            ActionChains(self._session.driver).send_keys(getattr(Keys, name)).perform()

    def _reason(self, fault: str) -> str:
        """Chromium's word for the fault, and what the proxy knows about it."""
        host, why = urlsplit(self._address).hostname or "", self._session.settings.why
        return f"{why(host)} ({fault})" if why and why(host) else fault

    @contextmanager
    def _faults(self, leaving_ok: bool = False) -> Iterator[None]:
        """Turns what Selenium raises into `Unreachable` or `Died`; with `leaving_ok` a page that goes away is none."""
        from selenium.common.exceptions import JavascriptException, WebDriverException
        from urllib3.exceptions import HTTPError

        try:
            yield
        except JavascriptException as error:
            if not leaving_ok:
                raise Died(_first_line(error)) from error
        except WebDriverException as error:
            text = _first_line(error)
            if NET_ERROR in text:
                raise Unreachable(self._reason(text.partition(NET_ERROR)[2].split()[0])) from error
            raise Died(text) from error
        except (HTTPError, OSError, json.JSONDecodeError, TypeError) as error:
            raise Died(f"{type(error).__name__}: {error}"[:200]) from error


def _close_others(driver: WebDriver) -> None:
    """A click may have opened a second window: it would leave the first one in the dark, and asleep."""
    if len(handles := driver.window_handles) > 1:
        own = driver.current_window_handle
        for other in handles:
            if other != own:
                driver.switch_to.window(other)
                driver.close()
        driver.switch_to.window(own)


def _first_line(error: BaseException) -> str:
    text = str(getattr(error, "msg", None) or type(error).__name__)
    return text.strip().splitlines()[0][:200]


def _clean(text: str) -> str:
    """Without halves of characters, which no file and no database takes."""
    return text.encode("utf-8", "replace").decode("utf-8")
