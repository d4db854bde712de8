"""Uploading in a real browser: file, drop, paste, examples; and what is not a picture, told kindly."""

from __future__ import annotations

import http.server
import threading
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.browser import Browser
from tests.characters import encoded, picture_of
from tests.demo_server import Server

PUT_ON_CLIPBOARD = """
const [kind, data, done] = arguments;
const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
const item = new ClipboardItem({[kind]: new Blob([bytes], {type: kind})});
navigator.clipboard.write([item]).then(() => done(''), (error) => done(String(error)));
"""
# Whether the newest of the last answers has a picture with both dark and light in it.
INKED = """
const canvas = document.querySelector('#history li canvas');
const data = canvas?.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data ?? [];
const red = [...data].filter((value, at) => at % 4 === 0);
return red.some((value) => value < 60) && red.some((value) => value > 200);
"""


@pytest.fixture(scope="module")
def opened(browser: Browser, demo: Server) -> Browser:
    allowed = {"origin": demo.address, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    browser.driver.execute_cdp_cmd("Browser.grantPermissions", allowed)
    browser.requested()
    browser.open(demo.address)
    return browser


@pytest.fixture
def page(opened: Browser, demo: Server) -> Iterator[Browser]:
    """A page as it is found; whatever is asked of it, it asks nobody but its own server."""
    opened.start_over()
    yield opened
    assert [address for address in opened.requested() if not address.startswith(demo.address)] == []


def choose(page: Browser, path: Path) -> None:
    """Chooses a file as the file dialogue would."""
    page.driver.find_element(By.CSS_SELECTOR, "#file").send_keys(str(path))


def upload(page: Browser, folder: Path, name: str, data: bytes) -> None:
    path = folder / name
    path.write_bytes(data)
    page.click("#tab-upload")
    choose(page, path)


def drop(page: Browser, selector: str, **what: object) -> None:
    """Drops something from outside the browser, as the system would."""
    script = "const b = document.querySelector(arguments[0]).getBoundingClientRect(); return [b.x + 40, b.y + 40]"
    x, y = page.run(script, selector)
    data = {"items": [], "dragOperationsMask": 1, **what}
    for kind in ("dragEnter", "dragOver", "drop"):
        page.driver.execute_cdp_cmd("Input.dispatchDragEvent", {"type": kind, "x": x, "y": y, "data": data})


def paste(page: Browser, kind: str, data: bytes) -> None:
    """Puts something on the clipboard and presses Ctrl+V."""
    assert page.driver.execute_async_script(PUT_ON_CLIPBOARD, kind, b64encode(data).decode()) == ""
    ActionChains(page.driver).key_down(Keys.CONTROL).send_keys("v").key_up(Keys.CONTROL).perform()


def test_chosen_file_is_shown_and_recognised(page: Browser, tmp_path: Path) -> None:
    upload(page, tmp_path, "three.png", encoded(picture_of("3")))
    page.wait_for_answer("3")
    assert page.text("#file-name") == "three.png"
    assert page.run("return document.querySelector('#picture').naturalWidth") == 280


def test_same_file_can_be_chosen_again_after_another(page: Browser, tmp_path: Path) -> None:
    upload(page, tmp_path, "7.png", encoded(picture_of("7")))
    page.wait_for_answer("7")
    upload(page, tmp_path, "0.jpg", encoded(picture_of("0"), "JPEG"))
    page.wait_for_answer("0")
    choose(page, tmp_path / "7.png")
    page.wait_for_answer("7")


def test_dropped_file_is_recognised_also_beside_the_frame_and_from_another_tab(page: Browser, tmp_path: Path) -> None:
    path = tmp_path / "7.png"
    path.write_bytes(encoded(picture_of("7")))
    drop(page, ".hw-result", files=[str(path)])
    page.wait_for_answer("7")
    assert page.run("return document.querySelector('#tab-upload').ariaSelected") == "true"


def test_picture_that_the_browser_cannot_open_is_among_the_last_answers_as_it_was_seen(
    page: Browser, tmp_path: Path
) -> None:
    page.console_errors()
    upload(page, tmp_path, "7.tif", encoded(picture_of("7"), "TIFF"))
    page.wait_for_answer("7")
    page.wait(lambda: page.run(INKED), "the digit in small")
    assert page.console_errors() == []


def test_pasted_picture_is_recognised(page: Browser) -> None:
    paste(page, "image/png", encoded(picture_of("7")))
    page.wait_for_answer("7")
    assert page.run("return document.querySelector('#tab-upload').ariaSelected") == "true"


def test_address_is_not_fetched_by_anybody(page: Browser) -> None:
    asked: list[str] = []

    class Trap(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Trap) as trap:
        threading.Thread(target=trap.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{trap.server_port}/seven.png"
        paste(page, "text/plain", address.encode())
        page.wait_for_state("error")
        assert "Addresses are not fetched" in page.text("#detail")
        page.click("#tab-draw")
        drop(page, ".hw-result", items=[{"mimeType": "text/uri-list", "data": address}])
        page.wait_for_state("error")
        assert "Addresses are not fetched" in page.text("#detail")
        trap.shutdown()
    assert asked == []


def test_pasted_text_is_told_to_be_no_picture(page: Browser) -> None:
    paste(page, "text/plain", b"seven")
    page.wait_for_state("error")
    assert "no picture" in page.text("#detail")


BAD = {
    "text.png": (b"seven", "not a picture"),
    "empty.png": (b"", "damaged, empty or cut short"),
    "half.png": (encoded(picture_of("7"))[:600], "damaged, empty or cut short"),
    "drawing.svg": (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "not a picture"),
    "huge.bmp": (b"BM" + bytes(21 * 2**20), "too large. Up to 20 MB"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_file_is_told_kindly_and_the_next_one_works(page: Browser, tmp_path: Path, name: str) -> None:
    data, said = BAD[name]
    upload(page, tmp_path, name, data)
    page.wait_for_state("error")
    assert page.text("#title") == "That did not work"
    assert said in page.text("#detail")
    assert all(share == 0 for share in page.bars().values())
    upload(page, tmp_path, "good.png", encoded(picture_of("7")))
    page.wait_for_answer("7")


def test_fault_is_told_in_korean_after_switching(page: Browser, tmp_path: Path) -> None:
    upload(page, tmp_path, "text.png", b"seven")
    page.wait_for_state("error")
    page.click('[data-language="ko"]')
    assert page.text("#title") == "읽지 못했습니다"
    assert "JPEG나 PNG" in page.text("#detail")
    page.click('[data-language="en"]')


def test_every_example_is_answered_and_what_is_no_digit_is_refused(page: Browser) -> None:
    page.click("#tab-upload")
    names = page.run("return [...document.querySelectorAll('#examples button span')].map(span => span.textContent)")
    digits = {"thin pen": "5", "marker": "2", "chalk": "8", "ruled": "9", "26 pixels": "6"}
    wanted = digits | {"a letter": "?", "Hangul": "?"}
    assert names == list(wanted)
    answered = {}
    for number, name in enumerate(names):
        before = page.answers
        page.run("document.querySelectorAll('#examples button')[arguments[0]].click()", number)
        page.wait(lambda before=before: page.answers > before, f"an answer to {name}")
        answered[name] = page.text("#winner")
    assert answered == wanted


def test_name_of_an_example_and_of_a_pasted_picture_follow_the_language(page: Browser) -> None:
    named = "return [document.querySelector('#file-name').textContent, document.querySelector('#picture').alt]"
    page.click("#tab-upload")
    page.click("#examples button:first-child")
    page.wait(lambda: page.run(named)[0] == "thin pen", "the example")
    page.click('[data-language="ko"]')
    name, alt = page.run(named)
    assert name == page.run("return document.querySelector('#examples button span').textContent") != "thin pen"
    assert alt == f"올린 사진: {name}"
    page.run(
        "const transfer = new DataTransfer(); transfer.items.add(new File([Uint8Array.from(arguments[0])], '', "
        "{type: 'image/png'})); document.dispatchEvent(new ClipboardEvent('paste', {clipboardData: transfer}))",
        list(encoded(picture_of("7"))),
    )
    page.wait(lambda: page.run(named)[0] == "붙여 넣은 사진", "it was pasted")
    page.click('[data-language="en"]')
    assert page.run(named) == ["pasted picture", "The picture you gave: pasted picture"]
    page.wait_for_answer("7")


def test_server_that_is_gone_is_told(page: Browser, tmp_path: Path) -> None:
    gone = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    page.driver.execute_cdp_cmd("Network.emulateNetworkConditions", gone)
    try:
        upload(page, tmp_path, "7.png", encoded(picture_of("7")))
        page.wait_for_state("error")
        assert "does not answer" in page.text("#detail")
    finally:
        page.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {**gone, "offline": False})
    upload(page, tmp_path, "7.png", encoded(picture_of("7")))
    page.wait_for_answer("7")
