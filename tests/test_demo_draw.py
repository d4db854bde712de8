"""Drawing on the paper in a real browser: mouse, finger, pen and keyboard, undo and clear, live bars, the models."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.browser import Browser
from tests.characters import strokes_of
from tests.demo_server import Server

INK = """
const g = document.querySelector('#canvas').getContext('2d');
const data = g.getImageData(0, 0, g.canvas.width, g.canvas.height).data;
let inked = 0;
for (let i = 3; i < data.length; i += 4) inked += data[i] > 127;
return inked / (data.length / 4);
"""


@pytest.fixture(scope="module")
def opened(browser: Browser, demo: Server) -> Browser:
    browser.requested()
    browser.open(demo.address)
    return browser


@pytest.fixture
def page(opened: Browser, demo: Server) -> Iterator[Browser]:
    """A page as it is found; it must not complain, and must ask nobody but its own server."""
    opened.start_over()
    yield opened
    assert opened.console_errors() == []
    assert [address for address in opened.requested() if not address.startswith(demo.address)] == []


def press(page: Browser, *keys: str, hold: str | None = None) -> None:
    """Types on the keyboard, wherever the focus is."""
    chain = ActionChains(page.driver)
    if hold:
        chain.key_down(hold)
    chain.send_keys(*keys)
    if hold:
        chain.key_up(hold)
    chain.perform()


def is_disabled(page: Browser, *names: str) -> list[bool]:
    return [page.run("return document.querySelector(arguments[0]).disabled", f"#{name}") for name in names]


@pytest.mark.parametrize("digit", ["7", "3", "0"])
def test_digit_drawn_by_mouse_is_recognised(page: Browser, digit: str) -> None:
    page.draw(strokes_of(digit))
    page.wait_for_answer(digit)
    bars = page.bars()
    assert list(bars) == list("0123456789")
    assert max(bars, key=bars.__getitem__) == digit
    assert bars[digit] > 0.5
    assert page.text("#confidence").endswith("sure")


@pytest.mark.parametrize("height", [70, 150, 185, 220, 250])
def test_bare_upright_stroke_is_a_one(page: Browser, height: int) -> None:
    page.draw([[(140, 140 - height / 2 + place * height / 12) for place in range(13)]])
    page.wait_for_answer("1")


@pytest.mark.parametrize("lean", [-70, 55])
def test_bare_slanted_stroke_of_a_thick_pen_is_a_one(page: Browser, lean: int) -> None:
    page.run("document.querySelector('#brush').focus()")
    press(page, Keys.END)
    page.draw([[(140 + lean / 2 - lean * place / 12, 50 + 15 * place) for place in range(13)]])
    page.wait_for_answer("1")


@pytest.mark.parametrize(("wide", "high"), [(60, 90), (35, 100), (90, 80)])
def test_bare_ring_is_a_zero(page: Browser, wide: int, high: int) -> None:
    turn = [place * math.tau / 24 - 1.6 for place in range(25)]
    page.draw([[(140 + wide * math.cos(angle), 140 + high * math.sin(angle)) for angle in turn]])
    page.wait_for_answer("0")


@pytest.mark.parametrize("kind", ["touch", "pen"])
def test_digit_drawn_by_finger_or_pen_is_recognised_and_the_page_does_not_scroll(page: Browser, kind: str) -> None:
    page.run("scrollTo(0, 0)")
    page.draw(strokes_of("7"), kind)
    page.wait_for_answer("7")
    assert page.run("return scrollY") == 0


def test_bars_move_while_the_pen_is_down(page: Browser) -> None:
    page.run(
        "window.during = 0; let down = false; const c = document.querySelector('#canvas');"
        "c.addEventListener('pointerdown', () => { down = true; });"
        "c.addEventListener('pointerup', () => { down = false; }, true);"
        "new MutationObserver(() => { during += down; }).observe(document.querySelector('#result'),"
        " {attributeFilter: ['data-answers']});"
    )
    page.draw(strokes_of("7"), pause_ms=50)
    page.wait_for_answer("7")
    assert page.run("return window.during") >= 4


def test_sign_that_is_no_digit_is_refused(page: Browser) -> None:
    page.draw(strokes_of(":)"))
    page.wait_for_state("rejected")
    assert page.text("#title") == "Not a digit"
    assert page.text("#winner") == "?"


def test_answer_shows_the_picture_the_network_saw_and_the_time(page: Browser) -> None:
    page.draw(strokes_of("3"))
    page.wait_for_answer("3")
    shown = "const i = document.querySelector('#seen'); return [i.naturalWidth, getComputedStyle(i).imageRendering]"
    assert page.run(shown) == [28, "pixelated"]
    assert "ms" in page.text("#time")


def test_undo_redo_and_clear_change_paper_and_answer(page: Browser, demo: Server) -> None:
    page.open(demo.address)
    assert is_disabled(page, "undo", "redo", "clear") == [True, True, True]
    page.draw(strokes_of("7"))
    page.wait_for_answer("7")
    seven = page.run(INK)
    page.draw([[(40, 40), (240, 240)], [(40, 240), (240, 40)]])
    crossed = page.run(INK)
    page.click("#undo")
    page.click("#undo")
    page.wait_for_answer("7")
    assert page.run(INK) == pytest.approx(seven, abs=1e-3)
    page.click("#redo")
    page.click("#redo")
    assert page.run(INK) == pytest.approx(crossed, abs=1e-3)
    page.click("#clear")
    page.wait_for_state("blank")
    assert page.run(INK) == 0
    assert is_disabled(page, "undo", "clear") == [False, True]
    page.click("#undo")
    assert page.run(INK) == pytest.approx(crossed, abs=1e-3), "clear can be undone"


def test_control_z_and_y_undo_and_redo(page: Browser) -> None:
    page.draw(strokes_of("7"))
    page.wait_for_answer("7")
    press(page, "z", hold=Keys.CONTROL)
    page.wait_for_state("blank")
    press(page, "y", hold=Keys.CONTROL)
    page.wait_for_answer("7")


def test_brush_changes_the_width_of_the_next_stroke(page: Browser) -> None:
    line = [[(60.0, 140.0), (220.0, 140.0)]]
    page.draw(line)
    usual = page.run(INK)
    page.click("#clear")
    page.run("document.querySelector('#brush').focus()")
    press(page, Keys.END)
    page.draw(line)
    assert page.run(INK) > 1.7 * usual


def test_digit_can_be_drawn_with_the_keyboard_alone(page: Browser) -> None:
    page.run("document.querySelector('#tab-webcam').focus(); document.querySelector('#tab-draw').focus()")
    press(page, Keys.TAB)
    assert page.run("return document.activeElement.id") == "canvas"
    press(page, *[Keys.ARROW_UP] * 11, *[Keys.ARROW_LEFT] * 10)
    press(page, Keys.SPACE, *[Keys.ARROW_RIGHT] * 20)
    press(page, *[Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_LEFT] * 13, Keys.SPACE)
    page.wait_for_answer("7")
    press(page, Keys.DELETE)
    page.wait_for_state("blank")


def test_screen_readers_get_names_roles_and_the_settled_answer(page: Browser) -> None:
    paper = page.find("#canvas")
    assert paper
    assert (paper.aria_role, paper.accessible_name) == ("application", "Drawing paper")
    assert page.run("return document.querySelector('#spoken').getAttribute('aria-live')") == "polite"
    page.draw(strokes_of("7"))
    page.wait_for_answer("7")
    spoken = "return document.querySelector('#spoken').textContent"
    page.wait(lambda: page.run(spoken).startswith("This is 7"), "the spoken answer")
    bar = page.find('#bars [role="meter"][aria-label="7"]')
    assert bar
    assert float(bar.get_attribute("aria-valuenow") or 0) > 50
    assert bar.get_attribute("aria-valuetext").endswith("%")


def test_nothing_without_a_name_can_be_reached_by_keyboard(page: Browser) -> None:
    nameless = []
    reached = ".hw :is(button, input, select, a, summary, canvas:not([aria-hidden]))"
    for element in page.driver.find_elements("css selector", reached):
        if element.is_displayed() and not element.accessible_name:
            nameless.append(element.get_attribute("outerHTML"))
    assert nameless == []


def test_example_is_written_on_the_paper_and_a_touch_ends_it(page: Browser) -> None:
    page.click("#examples button")
    page.wait_for_answer("7")
    page.run("document.querySelectorAll('#examples button')[2].click()")
    page.wait(lambda: 0.01 < page.run(INK) < 0.04, "some ink")
    page.click("#clear")
    assert page.run(INK) == 0
    page.wait_for_state("blank")
    assert page.run(INK) == 0, "the rest is not written"


def test_answer_that_comes_after_clear_is_not_shown(page: Browser) -> None:
    for _ in range(3):
        page.draw(strokes_of("7"), pause_ms=2)
        page.run("document.querySelector('#clear').click()")
    page.wait_for_state("blank")
    page.driver.execute_async_script("setTimeout(arguments[0], 800)")
    assert page.state == "blank"


def test_switching_the_model_asks_it_about_the_same_drawing(page: Browser) -> None:
    names = page.run("return [...document.querySelectorAll('#models input')].map(input => input.value)")
    names = [name for name in names if name.endswith("digits")]  # the others know no 7, or other things beside it
    if len(names) < 2:
        pytest.skip("one model of digits is served")
    page.draw(strokes_of("7"))
    page.wait_for_answer("7")
    for name in [*names[1:], names[0]]:
        before = page.answers
        page.click(f'#models input[value="{name}"]')
        page.wait(lambda before=before: page.answers > before, f"an answer of {name}")
        page.wait_for_answer("7")
        link = page.find("#about a")
        assert link
        assert link.get_attribute("href").endswith(f"/models/{name}")


def test_drawing_stays_when_another_way_was_looked_at(page: Browser) -> None:
    page.draw(strokes_of("3"))
    page.wait_for_answer("3")
    page.click("#tab-upload")
    page.wait_for_state("blank")
    page.click("#tab-draw")
    page.wait_for_answer("3")
