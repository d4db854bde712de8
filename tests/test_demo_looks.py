"""How the page presents itself: language, light and dark, phone, and that it needs nobody but its own server."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from handwriter_models.static_site import PAGE
from tests.browser import Browser, Look, chromium
from tests.characters import strokes_of
from tests.demo_server import ROOT, Server

COLOURS = """
const colour = (selector, name) => getComputedStyle(document.querySelector(selector))[name];
return [
  colour('body', 'backgroundColor'), colour('.hw-title', 'color'),
  colour('.hw-result', 'backgroundColor'), colour('.hw-foot', 'color'),
];
"""


@pytest.fixture(scope="module")
def opened(browser: Browser, demo: Server) -> Browser:
    browser.open(demo.address)
    return browser


@pytest.fixture
def desk(opened: Browser) -> Browser:
    """The page on a desk, as it is found."""
    opened.start_over()
    return opened


@pytest.fixture(scope="module")
def phone(demo: Server) -> Iterator[Browser]:
    """A phone of a Korean reader at night."""
    look = Look(language="ko-KR", width=390, height=844, phone=True, ratio=2.0, dark=True)
    with chromium(look) as browser:
        browser.open(demo.address)
        yield browser


def brightness(colour: str) -> float:
    return sum(float(part) for part in re.findall(r"[\d.]+", colour)[:3]) / 3


def luminance(colour: str) -> float:
    parts = [float(part) / 255 for part in re.findall(r"[\d.]+", colour)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_browser_in_english_sees_english_and_can_switch_without_a_reload(desk: Browser) -> None:
    assert desk.run("return document.documentElement.lang") == "en"
    assert desk.text("#tab-draw") == "Draw"
    desk.run("window.here = true")
    desk.draw(strokes_of("7"))
    desk.wait_for_answer("7")
    desk.click('[data-language="ko"]')
    assert desk.text("#tab-draw") == "그리기"
    assert desk.text("#title") == "7입니다"
    assert desk.run("return document.documentElement.lang") == "ko"
    assert desk.run("return [window.here, document.querySelector('#canvas').ariaLabel]") == [True, "그림판"]
    desk.click('[data-language="en"]')


def test_chosen_language_is_remembered(desk: Browser, demo: Server) -> None:
    desk.open(demo.address)
    desk.click('[data-language="ko"]')
    desk.open(demo.address)
    assert desk.text("#tab-upload") == "올리기"
    desk.click('[data-language="en"]')
    assert desk.text("#tab-upload") == "Upload"


def test_both_languages_have_every_text_and_the_same_places_for_values(desk: Browser) -> None:
    read = "import(new URL('page/texts.js', document.baseURI)).then((m) => arguments[0](m.TEXTS))"
    texts = desk.driver.execute_async_script(read)
    assert set(texts) == {"en", "ko"}
    assert list(texts["en"]) == list(texts["ko"])
    for key, english in texts["en"].items():
        assert set(re.findall(r"\{\w+\}", texts["ko"][key])) == set(re.findall(r"\{\w+\}", english)), key
        assert re.search("[가-힣]", texts["ko"][key]) or key == "apiLink", key


def test_every_text_is_used_and_every_text_used_exists() -> None:
    static = ROOT / "demo" / "static"
    known = set(re.findall(r"(?:^|,)\s+(\w+): '", (static / "texts.js").read_text("utf-8"), re.MULTILINE))
    used = set(re.findall(r'data-(?:text|aria|tip)="(\w+)"', (static / "page.html").read_text("utf-8")))
    shared = ("bars", "canvas", "groups", "language", "models", "result", "search", "tabs", "upload")
    modules = [*static.glob("*.js"), *(PAGE / f"{name}.js" for name in shared)]
    scripts = "".join(path.read_text("utf-8") for path in modules if path.name != "texts.js")
    said = set(re.findall(r"say\('(\w+)'", scripts))
    assert used | said <= known
    quoted = set(re.findall(r"'(\w+)'", scripts)) | {f"error{status}" for status in (400, 413, 415, 422, 429, 503)}
    plain = {key: re.sub("(Digits|Photos)$", "", key) for key in known}  # said in place of the plain one
    assert set(plain.values()) <= known
    assert {plain[key] for key in known} - used <= quoted


def test_korean_browser_sees_korean(phone: Browser) -> None:
    assert phone.run("return document.documentElement.lang") == "ko"
    assert phone.text("#tab-webcam") == "카메라"
    assert phone.text("#title") == "글씨를 기다리고 있어요"


def test_dark_system_gets_a_dark_page_with_readable_text(phone: Browser) -> None:
    ground, text, card, foot = phone.run(COLOURS)
    assert brightness(ground) < 60
    assert min(contrast(text, card), contrast(foot, ground)) >= 4.5


def test_light_system_gets_a_light_page_with_readable_text(desk: Browser) -> None:
    ground, text, card, foot = desk.run(COLOURS)
    assert brightness(ground) > 200
    assert min(contrast(text, card), contrast(foot, ground)) >= 4.5


def test_theme_in_the_address_wins_over_the_system(desk: Browser, demo: Server) -> None:
    desk.open(f"{demo.address}/?__theme=dark")
    assert brightness(desk.run(COLOURS)[0]) < 60
    desk.run("delete document.documentElement.dataset.theme")


def test_ink_on_the_paper_follows_the_theme_and_the_answer_does_not(phone: Browser) -> None:
    phone.draw(strokes_of("7"), "touch")
    phone.wait_for_answer("7")
    assert phone.text("#title") == "7입니다"
    middle = "const c = document.querySelector('#canvas'), s = c.width / 280;"
    middle += "return [...c.getContext('2d').getImageData(140 * s, 69 * s, 1, 1).data]"
    red, green, blue, alpha = phone.run(middle)
    assert alpha == 255
    assert min(red, green, blue) > 180


@pytest.mark.parametrize("tab", ["#tab-draw", "#tab-upload", "#tab-webcam"])
def test_phone_shows_each_tab_without_scrolling_sideways(phone: Browser, tab: str) -> None:
    phone.run("document.querySelector(arguments[0]).click()", tab)
    assert phone.run("return [document.documentElement.scrollWidth, innerWidth]") == [390, 390]


def test_on_a_phone_paper_and_winner_fit_on_one_screen(phone: Browser) -> None:
    phone.run("document.querySelector('#tab-draw').click(); scrollTo(0, 0)")
    assert phone.run("return document.querySelector('#winner').getBoundingClientRect().bottom") <= 844


def test_narrowest_phone_shows_the_page_without_scrolling_sideways(desk: Browser) -> None:
    metrics = {"width": 320, "height": 700, "deviceScaleFactor": 1, "mobile": False}
    desk.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    width = desk.run("return document.documentElement.scrollWidth")
    desk.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {**metrics, "width": 1280, "height": 1000})
    assert width <= 320


def test_corrections_are_not_asked_for_where_the_owner_did_not(desk: Browser) -> None:
    assert not desk.shows("#wrong")
    assert "nothing is stored" in desk.text(".hw-foot")


def test_tabs_are_walked_with_arrow_keys(desk: Browser) -> None:
    tab = desk.find("#tab-draw")
    assert tab
    tab.send_keys("\ue014")  # arrow right
    chosen = "return [document.activeElement.id, document.querySelector('#panel-upload').hidden]"
    assert desk.run(chosen) == ["tab-upload", False]


def test_machine_without_a_camera_is_sent_to_upload(desk: Browser) -> None:
    desk.click("#tab-webcam")
    desk.click("#camera-start")
    desk.wait_for_state("error")
    assert "use Upload" in desk.text("#detail")


def test_gradio_adds_no_footer_and_only_the_endpoint_for_programs(desk: Browser) -> None:
    assert desk.run("return document.querySelectorAll('footer:not(.hw-foot)').length") == 0
    names = "return Object.values(window.gradio_config.dependencies).map((each) => each.api_name)"
    assert desk.run(names) == ["predict"]


def test_page_documentation_and_card_ask_nobody_else(desk: Browser, demo: Server) -> None:
    desk.requested()
    desk.console_errors()
    desk.open(demo.address)
    name = desk.run("return document.querySelector('#models input').value")
    desk.driver.get(f"{demo.address}/docs")
    desk.wait(lambda: desk.find(".opblock-summary-post"), "the documentation")
    desk.driver.get(f"{demo.address}/models/{name}")
    requested = desk.requested()
    assert len(requested) > 10
    assert [address for address in requested if not address.startswith(demo.address)] == []
    assert desk.console_errors() == []
