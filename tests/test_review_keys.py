"""What keys do on the review page, in a real browser: each press is in the database and on the disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from curation.dataset import Dataset
from curation.listing import PictureRow
from curation.verdicts import Verdict
from tests.browser import Browser, Look, chromium
from tests.review_scene import Reviewer, Server, agrees, make_dataset, reviewing


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_dataset(tmp_path / "animals")


@pytest.fixture
def server(root: Path) -> Iterator[Server]:
    with reviewing(root) as started:
        yield started


@pytest.fixture
def reviewer(browser: Browser, server: Server) -> Reviewer:
    person = Reviewer(browser)
    person.open(server.address)
    return person


def rows_of(root: Path) -> dict[int, PictureRow]:
    agrees(root)
    with Dataset(root, create=False) as dataset:
        return {row.id: row for row in dataset.pictures.rows()}


def history_of(root: Path) -> list[Verdict]:
    with Dataset(root, create=False) as dataset:
        return dataset.pictures.history()


@pytest.mark.parametrize("key", [Keys.SPACE, "x"])
def test_a_drop_moves_the_file_and_goes_on(root: Path, reviewer: Reviewer, key: str) -> None:
    first, second = list(reviewer.tiles())[:2]
    reviewer.press(key)
    reviewer.saved()
    assert reviewer.tiles()[first] == "dropped"
    assert reviewer.cursor() == second
    row = rows_of(root)[first]
    assert row.dropped
    assert row.path.startswith("dropped/cat/")


def test_space_on_a_dropped_picture_takes_it_back(root: Path, reviewer: Reviewer) -> None:
    first = reviewer.cursor()
    reviewer.press("x", Keys.ARROW_LEFT, Keys.SPACE)
    reviewer.saved()
    assert reviewer.tiles()[first] == "kept"
    assert not rows_of(root)[first].dropped


def test_undo_takes_back_one_press_at_a_time_and_works_after_a_reload(
    root: Path, reviewer: Reviewer, server: Server
) -> None:
    first, second = list(reviewer.tiles())[:2]
    reviewer.press("x", "x", "z")
    reviewer.saved()
    assert [reviewer.tiles()[one] for one in (first, second)] == ["dropped", "open"]
    assert reviewer.cursor() == second
    reviewer.open(server.address, "?verdict=all")
    reviewer.press("z")
    reviewer.saved()
    assert set(reviewer.tiles().values()) == {"open"}
    assert not any(row.dropped or row.judged for row in rows_of(root).values())
    reviewer.press("z")
    reviewer.wait(lambda: "nothing left to undo" in reviewer.text("#notice"), "it is told that nothing is left")


def test_undo_works_after_the_server_was_started_anew(root: Path, browser: Browser) -> None:
    person = Reviewer(browser)
    with reviewing(root) as server:
        port = server.port
        person.open(server.address)
        first = person.cursor()
        person.press("x")
        person.saved()
    with reviewing(root, port) as server:
        assert server.port == port
        person.open(server.address)
        person.press("z")
        person.saved()
        person.wait(lambda: not [row for row in rows_of(root).values() if row.dropped], "it is back")
    assert not rows_of(root)[first].dropped


def test_number_relabels_and_moves_to_the_folder_of_the_label(root: Path, reviewer: Reviewer) -> None:
    first = reviewer.cursor()
    assert reviewer.text("#numbers") == "\n".join(("1", "cat", "2", "dog", "3", "odd", "4", "고양이"))
    reviewer.press("4")
    reviewer.saved()
    row = rows_of(root)[first]
    assert (row.label, row.path.partition("/")[0]) == ("고양이", "고양이")


def test_box_relabels_to_a_class_that_is_typed_and_zero_repeats_it(root: Path, reviewer: Reviewer) -> None:
    first, second = list(reviewer.tiles())[:2]
    reviewer.press("l")
    reviewer.wait(lambda: reviewer.browser.find("#relabel input"), "the box is open")
    reviewer.press(*"강아지 x", Keys.ENTER)
    reviewer.wait(lambda: not reviewer.browser.find("#relabel"), "the box is closed")
    reviewer.press("0")
    reviewer.saved()
    rows = rows_of(root)
    assert [rows[one].label for one in (first, second)] == ["강아지 x", "강아지 x"]
    assert len(history_of(root)) == 2


def test_shift_extends_and_one_undo_takes_all_back(root: Path, reviewer: Reviewer) -> None:
    chosen = list(reviewer.tiles())[:3]
    reviewer.press_shift(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert "3 chosen" in reviewer.text("#about")
    reviewer.press("x")
    reviewer.saved()
    rows = rows_of(root)
    assert [number for number in rows if rows[number].dropped] == chosen
    assert len({verdict.batch for verdict in history_of(root)}) == 1
    reviewer.press("z")
    reviewer.saved()
    assert not any(row.dropped for row in rows_of(root).values())


def test_a_keeps_all_on_the_screen_but_not_what_was_dropped(root: Path, reviewer: Reviewer) -> None:
    dropped, *others = reviewer.tiles()
    reviewer.press("x", "a")
    reviewer.saved()
    rows = rows_of(root)
    assert rows[dropped].dropped
    assert all(rows[number].judged and not rows[number].dropped for number in others)
    assert "24 of 24" in reviewer.text("#progress")


def test_arrows_go_through_the_grid_in_two_directions(reviewer: Reviewer) -> None:
    order = list(reviewer.tiles())
    reviewer.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert reviewer.cursor() == order[2]
    reviewer.press(Keys.ARROW_DOWN)  # cat has seven, so this is the third of dog
    assert reviewer.cursor() == order[9]
    reviewer.press(Keys.ARROW_UP, Keys.ARROW_LEFT)
    assert reviewer.cursor() == order[1]
    reviewer.press(Keys.END)
    assert reviewer.cursor() == order[-1]
    reviewer.press(Keys.HOME)
    assert reviewer.cursor() == order[0]


def test_keys_of_a_korean_keyboard_do_the_same(root: Path, reviewer: Reviewer) -> None:
    first = reviewer.cursor()
    reviewer.run("document.dispatchEvent(new KeyboardEvent('keydown', {key: 'ㅌ', code: 'KeyX', bubbles: true}))")
    reviewer.saved()
    assert rows_of(root)[first].dropped


def test_letters_typed_into_a_filter_decide_nothing(root: Path, reviewer: Reviewer) -> None:
    reviewer.browser.click("#filter-label")
    reviewer.press(*"xazk 1")
    assert not history_of(root)
    assert set(reviewer.tiles().values()) == {"open"}


def test_two_people_see_each_other_and_undo_only_their_own(root: Path, reviewer: Reviewer, server: Server) -> None:
    with chromium(Look()) as second_browser:
        other = Reviewer(second_browser)
        other.open(server.address)
        first, second = list(other.tiles())[:2]
        reviewer.press("x")
        reviewer.saved()
        other.wait(lambda: other.tiles()[first] == "dropped", "the other sees it")
        other.press(Keys.ARROW_RIGHT, "x")
        other.saved()
        reviewer.wait(lambda: reviewer.tiles()[second] == "dropped", "the first sees it")
        reviewer.press("z")
        reviewer.saved()
        other.wait(lambda: other.tiles()[first] == "open", "the other sees the undo")
        assert other.tiles()[second] == "dropped"
    rows = rows_of(root)
    assert (bool(rows[first].dropped), bool(rows[second].dropped)) == (False, True)
    assert len({verdict.by for verdict in history_of(root)}) == 2


def test_server_killed_in_a_burst_loses_nothing(root: Path, browser: Browser) -> None:
    person = Reviewer(browser)
    with reviewing(root) as server:
        port = server.port
        person.open(server.address)
        wanted = list(person.tiles())[:12]
        person.press(*"xxxx")
        server.kill()
        person.press(*"xxxxxxxx")
        person.wait(lambda: person.state("#saved") == "offline", "the page says that the server is gone")
        assert "wait and will be sent" in person.text("#saved")
        assert [person.tiles()[number] for number in wanted] == ["dropped"] * 12
    agrees(root)
    with reviewing(root, port):
        person.saved()
    rows = rows_of(root)
    assert [number for number in rows if rows[number].dropped] == sorted(wanted)
    assert len(history_of(root)) == 12  # a press whose answer was lost is not stored twice


def test_page_says_saved_again_when_the_server_is_back_and_nothing_waited(root: Path, browser: Browser) -> None:
    person = Reviewer(browser)
    with reviewing(root) as server:
        port = server.port
        person.open(server.address)
        server.kill()
        person.wait(lambda: person.state("#saved") == "offline", "the page says that the server is gone")
    with reviewing(root, port) as server:
        assert server.port == port
        person.saved()


def test_page_closed_while_the_server_is_gone_loses_nothing(root: Path, browser: Browser) -> None:
    person = Reviewer(browser)
    with reviewing(root) as server:
        port = server.port
        person.open(server.address)
        first, second = list(person.tiles())[:2]
        server.kill()
        person.press("x", "x")
        person.wait(lambda: person.state("#saved") == "offline", "the page says that the server is gone")
    browser.driver.get("about:blank")
    with reviewing(root, port) as server:
        person.open(server.address)
        person.wait(lambda: "2 of 24" in person.text("#progress"), "the page sends what was left behind")
        person.saved()
    rows = rows_of(root)
    assert [number for number in rows if rows[number].dropped] == [first, second]


def test_page_of_another_dataset_judges_nothing(root: Path, tmp_path: Path, browser: Browser) -> None:
    person = Reviewer(browser)
    other = make_dataset(tmp_path / "other")
    with reviewing(root) as server:
        port = server.port
        person.open(server.address)
        server.kill()
        person.press("x")
    with reviewing(other, port):
        person.wait(lambda: person.text("#dataset") == "other", "the page has loaded the other dataset")
        person.wait(lambda: person.state("#saved") == "saved", "nothing waits")
    assert not history_of(other)
