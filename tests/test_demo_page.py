"""What the page does with an answer: groups, many labels, two models, why, last answers, corrections, photographs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from handwriter_models.bundle import BundleConfig, NetworkConfig, Preprocessing
from tests.axe import violations
from tests.browser import Browser
from tests.characters import encoded, picture_of, strokes_of
from tests.conftest import write_small_bundle
from tests.demo_server import Server, running
from tests.small_photos import jpeg, photo

ANIMALS = ("고양이", "golden retriever", "bird")
PHOTO = jpeg(photo(1, (320, 200)))
TEXTS = "return [...document.querySelectorAll(arguments[0])].map((node) => node.textContent.trim())"
LABELS = "return [...document.querySelectorAll(arguments[0])].map((node) => node.dataset.label)"
SHARES = "return [...document.querySelectorAll(arguments[0])].map((node) => +node.style.getPropertyValue('--share'))"
SEEN = """
const image = document.querySelector('#seen');
return [image.naturalWidth, image.naturalHeight, getComputedStyle(image).imageRendering];
"""
PLACES = "return ['result', 'other-result'].map((id) => document.getElementById(id).getBoundingClientRect())"
RECORD = """
window.seen = [];
let down = true;
const canvas = document.querySelector('#canvas');
canvas.addEventListener('pointerup', () => { down = false; }, true);
canvas.addEventListener('pointerdown', () => { down = true; }, true);
const bars = () => [...document.querySelectorAll('#bars li')].map((item) => item.dataset.label);
new MutationObserver(() => down && seen.push(bars()))
  .observe(document.querySelector('#result'), {attributeFilter: ['data-answers']});
"""


@pytest.fixture(scope="module")
def feedback(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("feedback") / "corrections"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, feedback: Path) -> Iterator[Server]:
    """Digits, the two-stage model, many labels, and photographs (with random weights); corrections are taken."""
    network = NetworkConfig("transfer", {"outputs": 3, "backbone": "mobilenet_v3_small", "hidden": 4})
    way = Preprocessing("photograph", 128, (0.5, 0.4, 0.3), (0.2, 0.3, 0.4))
    config = BundleConfig("animals", "photographs", ANIMALS, network, way, metrics={"accuracy": 0.9, "n": 50})
    animals = write_small_bundle(tmp_path_factory.mktemp("bundles") / "animals", config)
    names = ["digits", "characters", "hangul", str(animals)]
    options = [word for name in names for word in ("--model", name)]
    with running([*options, "--feedback", str(feedback)]) as started:
        yield started
    assert "Traceback" not in "".join(started.said), "".join(started.said)


@pytest.fixture(scope="module")
def opened(browser: Browser, server: Server) -> Browser:
    browser.requested()
    browser.open(server.address)
    return browser


@pytest.fixture
def page(opened: Browser, server: Server) -> Iterator[Browser]:
    """The page as it is found; it must not complain, and must ask nobody but its own server."""
    opened.start_over()
    opened.requested()
    yield opened
    assert opened.console_errors() == []
    assert [address for address in opened.requested() if not address.startswith(server.address)] == []


def draw(page: Browser, character: str, answer: str) -> None:
    """Draws on blank paper, and waits for the answer to the whole drawing: only that one can be called wrong."""
    page.draw(strokes_of(character), pause_ms=2)
    page.wait_for_answer(answer)
    page.wait(lambda: not page.run("return document.querySelector('#wrong').disabled"), "the pen was lifted")


def test_group_is_shown_before_the_character(page: Browser) -> None:
    page.use("characters")
    draw(page, "a", "a")
    assert page.text("#group") == "Letter"
    assert page.text("#title") == "This is a"
    names = page.run(TEXTS, "#groups li > span:first-child")
    assert names == ["Digit", "Letter", "Pattern"]
    shares = page.run(SHARES, "#groups li")
    assert sum(shares) == pytest.approx(1, abs=1e-4)
    assert shares[1] > 0.9
    script = "return document.querySelector('#groups').compareDocumentPosition(document.querySelector('#bars'))"
    assert page.run(script) == 4, "the bars follow"
    page.click('[data-language="ko"]')
    assert page.text("#group") == "영문자"
    page.click('[data-language="en"]')
    page.use("digits")
    assert not page.shows("#groups")


def test_of_many_labels_five_are_shown_and_the_rest_opens_with_the_keyboard(page: Browser) -> None:
    page.use("hangul")
    draw(page, "ㅎ", "ㅎ")
    page.wait(lambda: next(iter(page.bars())) == "ㅎ", "the bars in order, the pen being lifted")
    shares = list(page.bars().values())
    assert len(shares) == 5
    assert shares == sorted(shares, reverse=True)
    summary = page.find("#all summary")
    assert summary
    assert summary.text == "All 40 labels"
    summary.send_keys(Keys.ENTER)
    page.wait(lambda: len(page.run(TEXTS, "#all li")) == 40, "all labels")
    assert page.run(LABELS, "#all li")[:3] == ["ㄱ", "ㄲ", "ㄴ"]
    summary.send_keys(Keys.ENTER)


def test_labels_keep_their_places_while_the_pen_moves(page: Browser) -> None:
    page.use("hangul")
    page.run(RECORD)
    page.draw([[point for stroke in strokes_of("ㄹ") for point in stroke]], pause_ms=16)
    page.wait_for_state("answer")
    shown = page.run("return seen")
    assert len(shown) >= 4
    for before, after in pairwise(shown):
        stayed = set(before) & set(after)
        assert [before.index(label) for label in stayed] == [after.index(label) for label in stayed]


def test_confidence_and_figures_are_told_in_words(page: Browser) -> None:
    draw(page, "7", "7")
    assert page.text("#detail") == "Of 100 answers this sure, about 99 are right."
    told = page.text("#about")
    assert "99.66% of 10,000 test pictures (between 99.5% and 99.8%)" in told
    assert "off by 0.1 percentage points" in told
    assert "Reads\n0–9" in told
    page.use("animals")
    assert "고양이, golden retriever, bird" in page.text("#about")


def test_two_models_answer_the_same_picture_side_by_side(page: Browser) -> None:
    draw(page, "7", "7")
    assert not page.shows("#other-result")
    page.choose("#compare", "hangul")
    page.wait(lambda: page.text("#other-winner") == "ㄱ", "the answer of the second model")
    assert [page.text("#who"), page.text("#other-who")] == ["digits", "hangul"]
    first, second = page.run(PLACES)
    assert first["y"] == second["y"]
    assert first["right"] <= second["x"]
    page.draw([[(100, 150), (160, 150)]])
    page.wait(lambda: page.run("return document.querySelector('#other-result').dataset.answers") > "1", "both answers")
    page.use("hangul")
    page.wait(lambda: [page.text("#who"), page.text("#other-who")] == ["hangul", "digits"], "they change places")
    choices = page.run("return [...document.querySelectorAll('#compare option')].map(o => o.value)")
    assert choices == ["", "digits", "characters"], "photographs are another world"


def test_why_is_asked_for_only_when_it_is_opened(page: Browser) -> None:
    draw(page, "7", "7")
    assert not [address for address in page.requested() if "explain" in address]
    page.click("#why")
    page.wait(lambda: page.shows("#why-heat") and page.shows("#why-strokes"), "both pictures")
    assert page.text("#why-note").startswith("The model is 99.8% sure of 7. Without the stroke that helps most")
    page.choose("#why-label", "1")
    page.wait(lambda: "sure of 1." in page.text("#why-note"), "the evidence for another label")
    assert page.run("return document.querySelector('#why-heat').alt") == "Where the evidence for 1 lies"
    page.click("#clear")
    page.wait(lambda: "Draw or show something first" in page.text("#why-note"), "nothing to explain")
    assert not page.shows("#why-heat")


def test_photographs_are_uploaded_and_seen_in_colour(page: Browser, tmp_path: Path) -> None:
    page.use("animals")
    assert [page.shows(part) for part in ("#tab-draw", "#panel-upload", "#examples")] == [False, True, False]
    assert "Show a picture" in page.text(".hw-brand p")
    (tmp_path / "사진.jpg").write_bytes(PHOTO)
    page.driver.find_element("css selector", "#file").send_keys(str(tmp_path / "사진.jpg"))
    page.wait_for_state("answer")
    assert list(page.bars()) == list(ANIMALS)
    page.wait(lambda: page.run(SEEN) == [128, 128, "auto"], "a smooth square")
    page.click("#why")
    page.wait(lambda: page.shows("#why-heat"), "the heat")
    assert not page.shows("#why-strokes")
    tab = page.find("#tab-upload")
    assert tab
    tab.send_keys(Keys.ARROW_RIGHT)
    assert page.run("return document.activeElement.id") == "tab-webcam", "arrow keys pass over the hidden tab"
    page.use("digits")
    assert page.shows("#tab-draw")


def test_last_answers_come_back_with_picture_and_model(page: Browser, tmp_path: Path) -> None:
    assert not page.shows("#history-part")
    draw(page, "7", "7")
    page.draw([[(40, 250), (60, 250)]])
    page.wait(lambda: len(page.run(TEXTS, "#history li")) == 1, "one more stroke is the same drawing")
    page.click("#undo")
    page.wait_for_answer("7")
    page.click("#clear")
    page.use("characters")
    draw(page, "a", "a")
    (tmp_path / "3.png").write_bytes(encoded(picture_of("3")))
    page.driver.find_element("css selector", "#file").send_keys(str(tmp_path / "3.png"))
    page.click("#tab-upload")
    page.wait_for_answer("3")
    page.wait(lambda: page.run(TEXTS, "#history li") == ["3", "a", "7"], "three answers")
    page.click("#history li:nth-child(3) button")
    page.wait_for_answer("7")
    assert page.run("return document.querySelector('#tab-draw').ariaSelected") == "true"
    assert page.run("return document.querySelector('#models :checked').value") == "digits"
    page.wait(lambda: page.run(TEXTS, "#history li") == ["7", "3", "a"], "it is the last one now, and there once")
    page.click("#history li:nth-child(2) button")
    page.wait_for_answer("3")
    assert page.text("#file-name") == "3.png"
    page.click("#history-clear")
    assert not page.shows("#history-part")
    assert page.run("return document.activeElement.id") == "tab-upload", "the focus is not lost"


def test_ten_answers_are_kept(page: Browser) -> None:
    for _ in range(11):
        before = page.answers
        page.run("document.querySelector('#clear').click()")
        page.draw([[(100, 60), (100, 220)]], pause_ms=0)
        page.wait(lambda before=before: page.answers > before and page.state != "blank", "an answer")
        page.wait(lambda: page.run(TEXTS, "#history li"), "an entry")
    page.wait(lambda: len(page.run(TEXTS, "#history li")) == 10, "ten entries")


def test_correction_is_kept_by_the_owner_who_asked_for_it(page: Browser, feedback: Path) -> None:
    assert "only a correction that you send is stored" in page.text(".hw-foot")
    assert page.run("return document.querySelector('#wrong').disabled"), "nothing to correct yet"
    draw(page, "7", "7")
    page.click("#wrong")
    assert page.run("return document.activeElement.id") == "right"
    labels = page.run(TEXTS, "#right option")
    assert labels == ["choose …", "0", "1", "2", "3", "4", "5", "6", "8", "9", "none of these"]
    assert violations(page) == []
    page.choose("#right", "1")
    page.click("#wrong-send")
    page.wait(lambda: "Thank you" in page.text("#wrong-note"), "thanks")
    assert len(list((feedback / "images" / "1").iterdir())) == 1
    page.click("#clear")
    page.draw(strokes_of("4"))
    page.wait(lambda: not page.shows("#wrong-panel"), "it is shut again")


@pytest.mark.parametrize("width", [320, 390, 820])
def test_everything_open_fits_on_phone_and_tablet(page: Browser, width: int) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        page.use("characters")
        draw(page, "7", "7")
        page.click("#why")
        page.choose("#compare", "hangul")
        page.wait(lambda: page.shows("#why-heat") and page.text("#other-winner"), "everything is open")
        for language in ("ko", "en"):
            page.click(f'[data-language="{language}"]')
            assert page.run("return document.documentElement.scrollWidth") == width
    finally:
        page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {**metrics, "width": 1280, "height": 1000})
