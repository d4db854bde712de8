"""The acts of a visitor of the Teach page in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from selenium.webdriver.common.action_chains import ActionChains

from tests.browser import Browser, Point
from tests.characters import strokes_of
from tests.demo_server import Server
from tests.static_pages import BLOB, text_of
from tests.teach_client import drawings

GIVE = (
    BLOB
    + """
const [place, texts] = arguments, given = new DataTransfer();
for (const text of texts) {
  given.items.add(new File([blob(text)], 'one.png', { type: 'image/png' }));
}
const input = document.querySelector(`#classes > li:nth-child(${place}) input[type=file]`);
input.files = given.files;
input.dispatchEvent(new Event('change'));
"""
)


@contextmanager
def fresh_page(browser: Browser, server: Server, allowed: tuple[str, ...] = ("404",)) -> Iterator[None]:
    """The page with nothing kept; it must complain of nothing but allowed answers, and ask only its own server."""
    browser.driver.get(f"{server.address}/health")
    browser.driver.execute_async_script("indexedDB.deleteDatabase('handwriter-teach').onsuccess = arguments[0]")
    browser.console_errors()
    browser.requested()
    open_page(browser, server)
    yield
    assert [line for line in browser.console_errors() if not any(status in line for status in allowed)] == []
    assert [address for address in browser.requested() if not address.startswith(server.address)] == []


def open_page(browser: Browser, server: Server) -> None:
    browser.driver.get(f"{server.address}/teach")
    browser.wait(lambda: browser.find(".ht[data-ready]"), "the page is ready")


def name(page: Browser, place: int, text: str) -> None:
    """Gives the class at that place, from 1, another name."""
    field = page.find(f"#classes > li:nth-child({place}) .ht-name")
    assert field
    field.click()
    ActionChains(page.driver).send_keys(text + "\n").perform()


def changed(strokes: list[list[Point]], turn: int) -> list[list[Point]]:
    """The same character again, as no hand draws it twice."""
    wide, slant = 0.8 + 0.08 * (turn % 5), 0.12 * (turn % 3 - 1)
    return [
        [(140 + (x - 140) * wide + slant * (y - 140), 140 + (y - 140) * 0.95 + turn) for x, y in s] for s in strokes
    ]


def teach(page: Browser, character: str, place: int, count: int = 4) -> None:
    """Draws the character so many times, each for the class at that place."""
    for turn in range(count):
        page.draw(changed(strokes_of(character), turn), pause_ms=2)
        page.click(f"#bars li:nth-child({place}) .ht-add")


def give(page: Browser, digit: str, place: int, count: int) -> None:
    """Gives the class at that place so many pictures as files: quicker than drawing, where drawing is not the point."""
    page.run(GIVE, place, [text_of(data) for data in drawings(digit, count)])
    page.wait(lambda: list(cards(page).values())[place - 1] >= count, "the pictures")


def cards(page: Browser) -> dict[str, int]:
    """Names of the classes with their number of pictures."""
    read = "return [...document.querySelectorAll('.ht-class')].map((c) => [c.dataset.name, +c.dataset.pictures])"
    return dict(page.run(read))


def wait_learned(page: Browser) -> None:
    page.wait(lambda: page.run("return document.querySelector('#estimate').dataset.busy") == "false", "learned", 40)


def wait_label(page: Browser, label: str) -> None:
    read = "return document.querySelector('#answer').dataset.label"
    page.wait(lambda: page.run(read) == label, f"the answer {label!r}", 30)


def send_publish_form(page: Browser, server: Server, repo: str, space: str = "") -> None:
    """Fills in the form, with the key that the terminal shows, and sends it."""
    (key,) = re.findall(r"key for publishing from the page: (\w+)", "".join(server.said))
    page.click("#publish summary")
    for field, text in (("#publish-repo", repo), ("#publish-key", key), ("#publish-space", space)):
        found = page.find(field)
        assert found
        if text:
            found.send_keys(text)
    page.click("#publish-send")


def publish(page: Browser, server: Server, repo: str, space: str = "") -> list[str]:
    """Publishes; the addresses that the page then links."""
    send_publish_form(page, server, repo, space)
    page.wait(lambda: page.find("#publish-done a"), "the address", 60)
    return page.text("#publish-done").split()
