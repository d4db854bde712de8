"""axe-core on the page in its states and on a model's card: nothing serious for screen readers or poor sight."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.axe import violations
from tests.browser import Browser
from tests.characters import strokes_of
from tests.demo_server import Server

DARK = [{"name": "prefers-color-scheme", "value": "dark"}]


@pytest.fixture(scope="module")
def opened(browser: Browser, demo: Server) -> Browser:
    browser.open(demo.address)
    return browser


@pytest.fixture
def page(opened: Browser) -> Iterator[Browser]:
    """The page as it is found, in English by day."""
    opened.start_over()
    yield opened
    opened.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.mark.parametrize(("dark", "language"), [(False, "en"), (True, "ko")])
def test_nothing_serious_in_any_state(page: Browser, dark: bool, language: str) -> None:
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": DARK if dark else []})
    page.click(f'[data-language="{language}"]')
    found = {"blank": violations(page)}
    page.use("characters")
    page.draw(strokes_of("7"), pause_ms=2)
    page.wait_for_answer("7")
    page.click("#why")
    page.choose("#compare", "hangul")
    page.click("#other-all summary")
    page.wait(lambda: page.shows("#why-heat") and page.text("#other-winner"), "everything is open")
    found["everything"] = violations(page)
    page.start_over()
    page.draw(strokes_of(":)"), pause_ms=2)
    page.wait_for_state("rejected")
    found["refused"] = violations(page)
    page.click("#tab-upload")
    found["upload"] = violations(page)
    page.click("#tab-webcam")
    found["webcam"] = violations(page)
    page.click('[data-language="en"]')
    assert {state: faults for state, faults in found.items() if faults} == {}


def test_what_is_planted_is_found(page: Browser) -> None:
    faults = "<div id=planted><button></button><p style='color: #888; background: #999'>pale</p></div>"
    page.run("document.querySelector('.hw-models').insertAdjacentHTML('beforeend', arguments[0])", faults)
    rules = {rule for _, rule, *_ in violations(page)}
    page.run("document.querySelector('#planted').remove()")
    assert rules == {"button-name", "color-contrast"}


def test_card_has_nothing_serious_and_fits_on_a_phone_and_fetches_figures_late(page: Browser, demo: Server) -> None:
    metrics = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": False}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    page.driver.get(f"{demo.address}/models/characters")
    assert violations(page) == []
    assert page.run("return document.documentElement.scrollWidth") == 390
    figures = page.run("return [...document.images].map(i => i.complete && i.naturalWidth > 0)")
    assert len(figures) >= 5
    assert sum(figures) <= 3
