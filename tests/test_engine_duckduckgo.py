"""What is read from DuckDuckGo's pages and lists, as they were saved."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from crawler.engines.base import Kind, Page
from crawler.engines.duckduckgo import ENGINE
from tests.saved_pages import saved


def page(case: str) -> Page:
    return saved("duckduckgo", case)


def full(n: int) -> str:
    return f"https://pictures{n}.example/large/cat-{n}.jpg"


def with_value(read: Page, **parts: Any) -> Page:
    return replace(read, value={**read.value, **parts})


def test_list_gives_full_address_page_title_and_size() -> None:
    reading = ENGINE.read(page("normal"))
    assert (reading.kind, reading.ended) == (Kind.OK, False)
    assert [found.address for found in reading.found] == [full(1), full(2), full(3)]
    first = reading.found[0]
    assert (first.page, first.title) == ("https://site1.example/cats/1?a=1&b=2", "Cat 1")
    assert (first.width, first.height, first.thumbnail) == (1200, 800, False)


def test_list_without_a_next_one_ends_the_search() -> None:
    assert ENGINE.read(page("last")).ended


def test_several_lists_are_read_in_their_order_and_a_picture_once() -> None:
    lists = page("normal").value["lists"] + page("last").value["lists"] + page("escaped").value["lists"]
    found = ENGINE.read(with_value(page("normal"), lists=lists)).found
    assert [one.address for one in found[:3]] == [full(1), full(2), full(3)]
    assert len(found) == 7


def test_pane_gives_the_full_address_where_the_list_is_refused() -> None:
    found = ENGINE.read(page("pane")).found
    large = [one.address for one in found if not one.thumbnail]
    assert large == ["https://pictures1.example/large/고양이 1.jpg?a=1&b=2"]
    assert all("mm.bing.net" in one.address for one in found if one.thumbnail)


def test_thumbnails_are_flagged_and_have_no_size_of_the_full_picture() -> None:
    found = ENGINE.read(with_value(page("normal"), lists=[])).found
    assert [one.address for one in found] == [
        f"https://tse{n % 4 + 1}.mm.bing.net/th?id=OIP.cat{n}&pid=Api" for n in (1, 2, 3)
    ]
    assert all(one.thumbnail and not one.width for one in found)


@pytest.mark.parametrize(
    ("case", "kind", "marker"),
    [
        ("empty", Kind.EMPTY, "empty list"),
        ("limited", Kind.BLOCKED, "403"),
        ("blocked", Kind.BLOCKED, "202"),
        ("changed", Kind.CHANGED, "without results"),
    ],
)
def test_page_without_pictures_is_called_what_it_is(case: str, kind: Kind, marker: str) -> None:
    reading = ENGINE.read(page(case))
    assert (reading.kind, reading.found) == (kind, ())
    assert marker in reading.marker


def test_markup_alone_tells_block_and_no_results() -> None:
    assert ENGINE.read(replace(page("blocked"), status=0)).kind is Kind.BLOCKED
    assert ENGINE.read(replace(page("empty"), value=None)).kind is Kind.EMPTY


@pytest.mark.parametrize("status", [401, 403, 429])
def test_refused_list_is_a_block_even_when_the_page_says_no_results(status: int) -> None:
    refused = with_value(page("empty"), lists=[[status, "error-lite@duckduckgo.com"]])
    assert ENGINE.read(refused).kind is Kind.BLOCKED


def test_list_refused_in_the_middle_keeps_what_was_found() -> None:
    lists = [*page("normal").value["lists"], [403, "error-lite@duckduckgo.com"]]
    reading = ENGINE.read(with_value(page("normal"), lists=lists))
    assert reading.kind is Kind.OK
    assert not reading.ended


def test_list_that_is_no_json_is_no_end_and_no_empty_result() -> None:
    for text in ("", "<html>", "[]", '{"results": 7}', '{"results": [null]}'):
        assert ENGINE.read(Page("https://duckduckgo.com/?q=cat", "", {"lists": [[200, text]]})).kind is Kind.CHANGED


def test_advertisements_are_no_results() -> None:
    assert [found.address for found in ENGINE.read(page("advertisements")).found] == [full(1), full(2)]


def test_malformed_results_do_not_cost_the_others() -> None:
    found = ENGINE.read(page("malformed")).found
    assert [one.address for one in found if not one.thumbnail] == [full(1), full(2)]
    assert [one.title for one in found if one.thumbnail] == ["only small"]
    assert (found[-1].width, found[-1].height) == (1200, 0)


def test_escapes_are_taken_out_once() -> None:
    found = ENGINE.read(page("escaped")).found
    rows = json.loads(page("escaped").value["lists"][0][1])["results"]
    assert [one.address for one in found[:3]] == [row["image"] for row in rows[:3]]
    assert found[3].address == "https://pictures.example/no-scheme.jpg"
    assert [one.title for one in found] == ['Cats & "dogs"', "고양이 \\ 사진 🐈\u200d⬛", "it's a cat", ""]
