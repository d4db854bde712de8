"""How Google's ways to a picture are joined, and what each gives alone; `test_engine_pages` has the plain cases."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from crawler.engines.base import Kind, Page
from crawler.engines.google import ENGINE
from curation.records import Found
from tests.saved_pages import saved


def page(case: str) -> Page:
    return saved("google", case)


def full(n: int) -> str:
    return f"https://pictures{n}.example/large/cat-{n}.jpg"


def addresses(read: Page) -> list[str]:
    return [found.address for found in ENGINE.read(read).found if not found.thumbnail]


def with_value(read: Page, **parts: Any) -> Page:
    return replace(read, value={**read.value, **parts})


def test_every_tile_gives_the_best_address_there_is_and_records_without_tile_follow() -> None:
    reading = ENGINE.read(page("normal"))
    assert reading.kind is Kind.OK
    assert not reading.ended
    assert [found.thumbnail for found in reading.found] == [False, False, False, False, True, False]
    assert addresses(page("normal")) == [full(n) for n in (1, 2, 3, 4, 7)]
    assert reading.found[4].address.startswith("data:image/jpeg;base64,")
    assert [found.title for found in reading.found] == [f"Cat number {n}" for n in (1, 2, 3, 4, 5, 7)]
    assert [found.page for found in reading.found] == [
        f"https://site{n}.example/cats/{n}?a=1&b=2" for n in (1, 2, 3, 4, 5, 7)
    ]


def test_sizes_are_width_then_height_in_both_ways() -> None:
    found = ENGINE.read(page("normal")).found
    assert (found[0].width, found[0].height) == (1200, 800)
    assert (found[3].width, found[3].height) == (640, 480)


def test_records_alone_give_every_full_address() -> None:
    assert addresses(replace(page("normal"), value=None)) == [full(n) for n in (1, 2, 3, 7)]


def test_links_alone_give_their_full_address() -> None:
    assert addresses(replace(page("normal"), text="")) == [full(4)]


def test_record_is_matched_to_its_tile_by_thumbnail_when_the_name_is_gone() -> None:
    tiles = [["", *tile[1:]] for tile in page("normal").value["tiles"]]
    found = ENGINE.read(with_value(page("normal"), tiles=tiles)).found
    assert [one.address for one in found if not one.thumbnail] == [full(n) for n in (1, 3, 4, 2, 7)]
    assert len(found) == 7  # tile 2 shows a data: thumbnail, and without its name nothing joins the two


def test_records_within_text_of_scripts_are_read_and_the_end_is_seen() -> None:
    reading = ENGINE.read(page("scrolled"))
    assert addresses(page("scrolled")) == [full(1)]
    assert reading.found[0].page == "https://site1.example/cats/1?a=1&b=2"
    assert reading.ended


@pytest.mark.parametrize(
    ("case", "kind"), [("consent", Kind.CONSENT), ("blocked", Kind.BLOCKED), ("too_many", Kind.BLOCKED)]
)
def test_markup_alone_tells_consent_and_block(case: str, kind: Kind) -> None:
    bare = Page("http://127.0.0.1:9/search?q=cat", page(case).text.partition("\n")[2])
    assert ENGINE.read(bare).kind is kind


def test_words_of_a_block_in_a_page_with_pictures_are_no_block() -> None:
    talk = "<p>unusual traffic from your computer</p><p>did not match any</p>"
    read = replace(page("normal"), text=page("normal").text + talk)
    assert ENGINE.read(read) == ENGINE.read(page("normal"))


def test_class_names_may_be_anything() -> None:
    text = page("normal").text
    assert "eA0Zlc" in text
    assert "eA0Zlc" not in ENGINE.script
    assert ENGINE.read(replace(page("normal"), text=text.replace("eA0Zlc", "Zz9"))) == ENGINE.read(page("normal"))


def test_a_record_never_takes_the_page_of_the_next_one() -> None:
    text = page("normal").text.replace('"2003":[null,"nid1",', '"2009":[null,"nid1",')
    found = ENGINE.read(replace(page("normal"), text=text)).found
    assert found[0] == Found(full(1), width=1200, height=800)


def test_question_pins_the_language_of_the_markers() -> None:
    assert ENGINE.address("고양이 & co", {}) == "/search?q=%EA%B3%A0%EC%96%91%EC%9D%B4%20%26%20co&udm=2&hl=en"


@pytest.mark.parametrize("host", ["encrypted-tbn0.gstatic.com", "www.google.com"])
@pytest.mark.parametrize(
    "path", ["images?q\\u003dtbn:x", "licensed-image?q\\u003dtbn:x", "licensed-image?q=tbn:x&amp;s"]
)
@pytest.mark.parametrize("nested", [False, True])
def test_thumbnail_of_a_record_may_stand_under_either_path(host: str, path: str, nested: bool) -> None:
    record = f'[0,"abcdefgh1",["https://{host}/{path}",183,275],["{full(1)}",800,1200],null]'
    if nested:
        record = record.replace("\\", "\\\\").replace('"', '\\"')
    found = ENGINE.read(Page("https://www.google.com/search", f"<script>x({record})</script>")).found
    assert [(one.address, one.width, one.height) for one in found] == [(full(1), 1200, 800)]


GATE = '<noscript><a href="/httpservice/retry/enablejs?sei=x">x</a></noscript>'


@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        (f'{GATE}<div id="yvlrue" style="display:none">문제</div>', {"said": ""}, Kind.BLOCKED),
        (f'{GATE}<p>問題<a href="/search?q=cat&amp;emsg=SG_REL&amp;sei=x">x</a>', {"said": "問題"}, Kind.BLOCKED),
        (GATE, {"said": " "}, Kind.BLOCKED),
        (f'{GATE}<input name="q"><p>Something else', {"said": "Something else"}, Kind.CHANGED),
    ],
)
def test_javascript_gate_is_told_by_its_marks(text: str, value: dict[str, str], kind: Kind) -> None:
    reading = ENGINE.read(Page("https://www.google.com/search", text, value))
    assert reading.kind is kind
    assert reading.passing is (kind is Kind.BLOCKED)  # a browser that it likes is let through
