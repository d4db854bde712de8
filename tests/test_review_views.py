"""What the review page shows: views, filters, copies side by side, where a picture is from, and no more than fits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from curation.dataset import Dataset
from tests.browser import Browser
from tests.review_scene import (
    HOSTILE,
    ODD_NAMES,
    Reviewer,
    Server,
    agrees,
    make_dataset,
    reviewing,
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dataset(tmp_path_factory.mktemp("review") / "animals")


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[Server]:
    with reviewing(root) as started:
        yield started


@pytest.fixture
def reviewer(browser: Browser, server: Server) -> Iterator[Reviewer]:
    """A person at the page; what was decided is undone afterwards, and the page has complained of nothing."""
    person = Reviewer(browser)
    person.open(server.address)
    browser.console_errors()
    yield person
    complaints = browser.console_errors()
    person.open(server.address, "?verdict=all")
    for _ in range(20):
        if person.text("#progress").startswith("0 of"):
            break
        person.press("z")
        person.saved()
    assert not complaints
    assert not person.run("return window.hacked ?? null")


@pytest.fixture(scope="module")
def ids(root: Path) -> dict[str, int]:
    return agrees(root)


def heads(reviewer: Reviewer) -> list[str]:
    script = """return [...document.querySelectorAll('#sheet h2')]
        .sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top).map(h => h.textContent)"""
    return reviewer.run(script)


def choose(reviewer: Reviewer, name: str, value: str) -> None:
    """As a person does who picks from a list."""
    script = """const box = document.querySelector(arguments[0]); box.value = arguments[1];
        document.querySelector('#grid').dataset.before = ''; box.dispatchEvent(new Event('change', {bubbles: true}))"""
    reviewer.run(script, f"#filter-{name}", value)


def shown(reviewer: Reviewer, count: int) -> list[int]:
    # The whole number: "2 shown" stands in "22 shown" as well, which is what the list before it says.
    exactly = re.compile(rf"(?<![\d,]){count} shown")
    reviewer.wait(lambda: exactly.search(reviewer.text("#shown")), f"{count} pictures are shown")
    return list(reviewer.tiles())


def test_classes_stand_under_their_names_in_every_script(reviewer: Reviewer) -> None:
    assert heads(reviewer) == ["cat · 7 pictures", "dog · 7 pictures", "odd · 4 pictures", "고양이 · 6 pictures"]
    loaded = "return [...document.querySelectorAll('.tile img')].every(i => i.complete && i.naturalWidth > 0)"
    reviewer.wait(lambda: reviewer.run(loaded), "all thumbnails are there")


def test_odd_file_names_are_shown_as_they_are(reviewer: Reviewer, ids: dict[str, int]) -> None:
    for name in ODD_NAMES:
        reviewer.go_to(ids[f"odd/{name}"])
        assert reviewer.run("return document.querySelector('#about-name').textContent") == f"odd/{name}"


def test_filters_for_class_engine_flag_and_decision(reviewer: Reviewer, ids: dict[str, int]) -> None:
    choose(reviewer, "label", "고양이")
    assert shown(reviewer, 6) == [ids[f"고양이/고양이-{number}.png"] for number in range(6)]
    choose(reviewer, "label", "")
    choose(reviewer, "engine", "bing")
    assert shown(reviewer, 1) == [ids["cat/cat-1.png"]]
    choose(reviewer, "engine", "-")
    shown(reviewer, 22)
    choose(reviewer, "engine", "")
    choose(reviewer, "flag", "blurry")
    assert shown(reviewer, 2) == [ids["cat/cat-1.png"], ids["dog/dog-2.png"]]
    choose(reviewer, "flag", "")
    shown(reviewer, 24)
    reviewer.press("x", "k")
    reviewer.saved()
    choose(reviewer, "verdict", "checked")
    assert len(shown(reviewer, 1)) == 1
    choose(reviewer, "verdict", "dropped")
    assert len(shown(reviewer, 1)) == 1
    choose(reviewer, "verdict", "open")
    shown(reviewer, 22)


def test_filter_for_the_part_of_a_split(tmp_path: Path, browser: Browser) -> None:
    root = make_dataset(tmp_path / "animals")
    with Dataset(root) as dataset:
        rows = dataset.pictures.rows()
        dataset.pictures.store_split({row.id: "test" if place < 5 else "train" for place, row in enumerate(rows)})
    with reviewing(root) as server:
        person = Reviewer(browser)
        person.open(server.address, "?part=test")
        assert len(shown(person, 5)) == 5


def test_filters_stand_in_the_address(reviewer: Reviewer, server: Server) -> None:
    choose(reviewer, "label", "dog")
    shown(reviewer, 7)
    reviewer.browser.driver.refresh()
    reviewer.wait(lambda: reviewer.run("return document.body.dataset.ready"), "the page is ready")
    shown(reviewer, 7)
    assert reviewer.run("return document.querySelector('#filter-label').value") == "dog"


def test_suspicious_pictures_come_in_order_with_reasons_in_words(reviewer: Reviewer, ids: dict[str, int]) -> None:
    reviewer.browser.click('[data-view="suspicion"]')
    expected = ["dog/dog-2.png", "cat/cat-3.png", "cat/cat-1.png", "cat/cat-4.png"]
    reviewer.wait(lambda: shown(reviewer, 4) == [ids[path] for path in expected], "the suspicious ones in order")
    texts = reviewer.run("return [...document.querySelectorAll('.tile span')].map(s => s.textContent)")
    assert "dog · blurred" in texts
    assert "cat · looks like dog" in texts
    assert f"cat · new-kind ({HOSTILE})" in texts
    reviewer.browser.click('[data-language="ko"]')
    reviewer.wait(lambda: "dog 같음" in reviewer.text("#sheet"), "reasons in Korean")
    reviewer.browser.click('[data-language="en"]')


def test_group_stands_side_by_side_and_only_one_is_kept(root: Path, reviewer: Reviewer, ids: dict[str, int]) -> None:
    reviewer.browser.click('[data-view="group"]')
    members = [ids[path] for path in ("dog/copy.png", "cat/cat-0.png", "cat/cat-0-again.jpg")]
    assert shown(reviewer, 3) == members  # the one to stay first, the others by distance
    assert heads(reviewer) == ["Group 1 · 3 pictures · two classes in one group"]
    for caption in ("dog · stays", "cat · near, 2 bits", "cat · mirrored, 6 bits"):
        assert caption in reviewer.text("#sheet")
    reviewer.press(Keys.ENTER)
    figures = "return document.querySelectorAll('#large figure').length"
    reviewer.wait(lambda: reviewer.run(figures) == 3, "three pictures side by side")
    loaded = "return [...document.querySelectorAll('#large img')].every(i => i.complete && i.naturalWidth > 0)"
    reviewer.wait(lambda: reviewer.run(loaded), "they are shown")
    reviewer.press(Keys.ARROW_RIGHT, "o")
    reviewer.wait(lambda: "2 of 24" in reviewer.text("#progress"), "the others are dropped")
    reviewer.saved()
    with Dataset(root, create=False) as dataset:
        assert {row.id for row in dataset.pictures.rows() if row.dropped} == {members[0], members[2]}
    reviewer.press(Keys.ESCAPE)
    reviewer.wait(lambda: not reviewer.browser.find("#large"), "it is closed")


def test_restore_view_takes_back(root: Path, reviewer: Reviewer, ids: dict[str, int]) -> None:
    reviewer.press("x", "x", "x")
    reviewer.saved()
    reviewer.browser.click('[data-view="restore"]')
    dropped = shown(reviewer, 3)
    reviewer.press_shift(Keys.END)
    reviewer.press("x")
    reviewer.saved()
    assert set(reviewer.tiles().values()) == {"kept"}
    with Dataset(root, create=False) as dataset:
        rows = {row.id: row for row in dataset.pictures.rows()}
    assert not any(rows[number].dropped for number in dropped)
    agrees(root)


def test_large_view_tells_source_page_and_licence(reviewer: Reviewer, ids: dict[str, int]) -> None:
    reviewer.go_to(ids["cat/cat-1.png"])
    reviewer.press(Keys.ENTER)
    reviewer.wait(lambda: "CC BY 4.0" in reviewer.text("#large"), "the licence is told")
    links = reviewer.run("return [...document.querySelectorAll('#large a')].map(a => [a.href, a.rel, a.target])")
    assert links[0] == ["https://example.org/page", "noreferrer noopener", "_blank"]
    loaded = "const i = document.querySelector('#large img'); return i.complete && i.naturalWidth"
    assert reviewer.wait(lambda: reviewer.run(loaded), "the picture is shown") == 96
    reviewer.press(Keys.ARROW_RIGHT)
    reviewer.wait(lambda: "cat/cat-2.png" in reviewer.text("#large"), "the next one")
    reviewer.press(Keys.ENTER)
    assert reviewer.cursor() == ids["cat/cat-2.png"]


def test_text_of_the_web_stays_text(reviewer: Reviewer, ids: dict[str, int]) -> None:
    reviewer.go_to(ids["cat/cat-0.png"])
    reviewer.press(Keys.ENTER)
    reviewer.wait(lambda: HOSTILE in reviewer.text("#large"), "the title is shown as text")
    assert reviewer.run("return document.querySelectorAll('#large script, #large [onerror]').length") == 0
    links = reviewer.run("return [...document.querySelectorAll('#large a')].map(a => a.href)")
    assert links == ["https://example.org/0.png"]  # the page's javascript: address is none


def test_picture_that_vanished_leaves_a_mark_and_the_rest_works(tmp_path: Path, browser: Browser) -> None:
    root = make_dataset(tmp_path / "animals")
    (root / "cat" / "cat-2.png").unlink()
    with reviewing(root) as server:
        person = Reviewer(browser)
        person.open(server.address)
        gone = agrees_without_files(root)["cat/cat-2.png"]
        broken = "return document.querySelector(arguments[0])?.hasAttribute('data-broken')"
        person.wait(lambda: person.run(broken, f'.tile[data-id="{gone}"]'), "its tile says so")
        person.press("x")
        person.saved()
        assert next(iter(person.tiles().values())) == "dropped"


def agrees_without_files(root: Path) -> dict[str, int]:
    with Dataset(root, create=False) as dataset:
        return {row.path: row.id for row in dataset.pictures.rows()}
