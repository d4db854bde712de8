"""The camera in a real browser, with a film of a handheld digit in place of a lens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser import Browser, Look, chromium
from tests.characters import camera_film, strokes_of
from tests.demo_server import Server

ASK_LONG = """
window.camera = navigator.mediaDevices.getUserMedia;
navigator.mediaDevices.getUserMedia = () => new Promise((resolve, reject) => {
  window.deny = () => reject(new DOMException('no', 'NotAllowedError'));
});
"""
DENY_NOW = """
navigator.mediaDevices.getUserMedia = window.camera;
window.deny();
setTimeout(arguments[0], 50);
"""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return camera_film(tmp_path_factory.mktemp("camera"))


@pytest.fixture(scope="module")
def opened(film: Path, demo: Server) -> Iterator[Browser]:
    with chromium(Look(camera=film)) as browser:
        browser.open(demo.address)
        yield browser


@pytest.fixture
def page(opened: Browser) -> Iterator[Browser]:
    """The webcam's tab of the page, with the camera on and live."""
    opened.start_over()
    opened.click("#tab-webcam")
    opened.run("const live = document.querySelector('#live'); if (!live.checked) live.click()")
    opened.click("#camera-start")
    yield opened
    assert opened.console_errors() == []


def shows(page: Browser, name: str) -> bool:
    return page.run("return !document.querySelector(arguments[0]).hidden", f"#{name}")


def entries(page: Browser) -> int:
    """How many last answers are shown."""
    return int(page.run("return document.querySelectorAll('#history li').length"))


def pause(page: Browser, milliseconds: int) -> None:
    page.driver.execute_async_script("setTimeout(arguments[1], arguments[0])", milliseconds)


def test_digit_held_before_the_camera_is_recognised_live(page: Browser) -> None:
    page.wait_for_answer("7")
    before = page.answers
    page.wait(lambda: page.answers >= before + 3, "more answers")


def test_picture_is_not_mirrored_and_the_rear_camera_is_asked_for(page: Browser) -> None:
    page.wait_for_answer("7")
    style = "const s = getComputedStyle(document.querySelector('#video')); return [s.transform, s.scale, s.rotate]"
    assert page.run(style) == ["none"] * 3
    asked = page.run("return document.querySelector('#video').srcObject.getVideoTracks()[0].getConstraints()")
    assert asked["facingMode"] == "environment"


def test_snapshot_stops_the_picture_and_keeps_the_answer_until_live_again(page: Browser) -> None:
    page.wait_for_answer("7")
    page.click("#snapshot")
    assert (shows(page, "still"), shows(page, "video")) == (True, False)
    assert page.text("#snapshot") == "Back to live"
    pause(page, 600)
    before = page.answers
    pause(page, 800)
    assert (page.answers, page.text("#winner")) == (before, "7")
    page.click("#snapshot")
    page.wait(lambda: page.answers > before, "live answers")
    assert shows(page, "video")


def test_without_live_only_snapshots_are_answered_and_only_they_are_among_the_last_answers(page: Browser) -> None:
    page.wait_for_answer("7")
    kept = entries(page)
    page.click("#live")
    pause(page, 600)
    before = page.answers
    pause(page, 700)
    assert (page.answers, entries(page)) == (before, kept)
    page.click("#snapshot")
    page.wait(lambda: page.answers == before + 1, "the answer to the snapshot")
    page.wait(lambda: entries(page) == kept + 1, "the snapshot among the last answers")


@pytest.mark.parametrize("way_out", ["#camera-stop", "#tab-draw"])
def test_camera_goes_off_when_stopped_or_left(page: Browser, way_out: str) -> None:
    page.wait_for_answer("7")
    page.run("window.track = document.querySelector('#video').srcObject.getVideoTracks()[0]")
    page.click(way_out)
    assert page.run("return track.readyState") == "ended"
    page.wait_for_state("blank")
    pause(page, 600)
    assert page.state == "blank"


def test_forbidden_camera_is_told_with_what_to_do(demo: Server, film: Path) -> None:
    with chromium(Look(camera=film, camera_allowed=False)) as browser:
        denied = {"origin": demo.address, "permission": {"name": "camera"}, "setting": "denied"}
        browser.driver.execute_cdp_cmd("Browser.setPermission", denied)
        browser.open(demo.address)
        browser.click("#tab-webcam")
        browser.click("#camera-start")
        browser.wait_for_state("error")
        assert "Allow it in the browser" in browser.text("#detail")
        browser.click('[data-language="ko"]')
        assert "카메라가 막혀 있습니다" in browser.text("#detail")


def test_question_that_is_answered_after_the_tab_was_left_changes_nothing(opened: Browser) -> None:
    opened.start_over()
    opened.run(ASK_LONG)
    opened.click("#tab-webcam")
    opened.click("#camera-start")
    opened.wait(lambda: opened.run("return !!window.deny"), "the question")
    opened.click("#tab-draw")
    opened.draw(strokes_of("7"))
    opened.wait_for_answer("7")
    opened.driver.execute_async_script(DENY_NOW)
    assert (opened.state, opened.text("#winner")) == ("answer", "7")
