"""How the review page presents itself: few elements, both languages, a phone, keys that are told, nobody else asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from curation.dataset import Dataset
from tests.browser import Browser, Look, chromium
from tests.review_scene import ROOT, Reviewer, Server, fill_with_rows, make_dataset, reviewing

STATIC = ROOT / "curation" / "review" / "static"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dataset(tmp_path_factory.mktemp("review") / "animals")


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[Server]:
    with reviewing(root) as started:
        yield started


@pytest.fixture
def reviewer(browser: Browser, server: Server) -> Reviewer:
    person = Reviewer(browser)
    person.open(server.address)
    return person


def test_fifty_thousand_pictures_are_few_elements(tmp_path: Path, browser: Browser) -> None:
    root = tmp_path / "many"
    fill_with_rows(root, 50_000)
    elements = "return document.querySelectorAll('*').length"
    known = "return [...document.querySelectorAll('.tile')].every(t => t.dataset.state !== 'unknown')"
    scroll = "const g = document.querySelector('#grid'); g.scrollTop = g.scrollHeight * arguments[0]"
    with reviewing(root) as server:
        person = Reviewer(browser)
        for view, count in (("class", 50_050), ("group", 8340), ("suspicion", 5005)):
            person.open(server.address, f"?view={view}")
            assert f"{count:,} shown" in person.text("#shown")
            for share in (0, 0.3, 0.7, 1):
                person.run(scroll, share)
                person.wait(lambda: person.run(known) and person.tiles(), "the tiles are known")
                assert person.run(elements) < 500
        person.open(server.address)
        person.press(Keys.END)
        assert person.cursor() == max(person.tiles())
        person.press("x")
        person.saved()


def test_page_asks_nobody_else(browser: Browser, server: Server) -> None:
    browser.driver.get("about:blank")  # the page of the test before still asks its own server
    browser.requested()
    Reviewer(browser).open(server.address)
    assert all(address.startswith(server.address) for address in browser.requested())


def test_korean_phone_at_night(server: Server) -> None:
    look = Look(language="ko-KR", width=400, height=800, phone=True, ratio=2.0, dark=True)
    with chromium(look) as phone:
        person = Reviewer(phone)
        person.open(server.address)
        assert person.text('[data-view="group"]') == "중복"
        assert person.run("return document.documentElement.scrollWidth") <= 400
        ground = person.run("return getComputedStyle(document.body).backgroundColor")
        assert sum(map(int, re.findall(r"\d+", ground)[:3])) < 120
        phone.click('[data-act="drop"]')
        person.saved()
        assert "dropped" in person.tiles().values()
        phone.click('[data-act="undo"]')
        person.wait(lambda: "dropped" not in person.tiles().values(), "it is back")


def test_help_tells_every_key_and_takes_a_name(reviewer: Reviewer, root: Path) -> None:
    reviewer.press("?")
    reviewer.wait(lambda: reviewer.browser.find("#keys"), "the help is open")
    assert reviewer.browser.run("return document.querySelector('#keys').ariaLabel") == "Keys"
    reviewer.browser.click("#who")
    reviewer.press(*"민수")
    reviewer.press(Keys.ESCAPE)
    reviewer.press(Keys.ESCAPE)
    reviewer.wait(lambda: not reviewer.browser.find("#keys"), "the help is closed")
    reviewer.press("x")
    reviewer.saved()
    with Dataset(root, create=False) as dataset:
        assert dataset.pictures.history()[-1].by == "민수"
    reviewer.press("z")
    reviewer.saved()
    reviewer.run("localStorage.removeItem('handwriter-reviewer-name')")


def test_both_languages_have_every_text_and_the_same_places(reviewer: Reviewer) -> None:
    read = "import(new URL('page/texts.js', document.baseURI)).then((m) => arguments[0](m.TEXTS))"
    texts = reviewer.browser.driver.execute_async_script(read)
    assert list(texts["en"]) == list(texts["ko"])
    for key, english in texts["en"].items():
        assert set(re.findall(r"\{\w+\}", texts["ko"][key])) == set(re.findall(r"\{\w+\}", english)), key
        assert re.search("[가-힣]", texts["ko"][key]) or key in {"pixels", "foundBy"}, key


def test_every_text_is_used_and_every_text_used_exists() -> None:
    known = set(re.findall(r"(?:^|,)\s+'?([\w-]+)'?: '", (STATIC / "texts.js").read_text("utf-8"), re.MULTILINE))
    used = set(re.findall(r'data-(?:text|aria|tip)="(\w+)"', (STATIC / "page.html").read_text("utf-8")))
    scripts = "".join(path.read_text("utf-8") for path in STATIC.glob("*.js") if path.name != "texts.js")
    assert used | set(re.findall(r"say\('(\w+)'", scripts)) <= known
    kinds = {"outlier", "blurry", "dark", "bright", "low-contrast", "uniform", "odd-aspect", "tiny"}
    relations = {"identical", "near", "flipped", "rotated", "inverted"}
    assert known - used - set(re.findall(r"'([\w-]+)'", scripts)) <= kinds | relations | {"train", "validation", "test"}


def test_scripts_never_read_text_as_html() -> None:
    for path in STATIC.glob("*.js"):
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", path.read_text("utf-8"))
