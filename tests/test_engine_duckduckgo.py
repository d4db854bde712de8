"""How DuckDuckGo's lists and tiles are joined, and refused lists; `test_engine_pages` has the plain cases."""

from __future__ import annotations

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


def test_several_lists_are_read_in_their_order_and_a_picture_once() -> None:
    lists = page("normal").value["lists"] + page("last").value["lists"] + page("escaped").value["lists"]
    found = ENGINE.read(with_value(page("normal"), lists=lists)).found
    assert [one.address for one in found[:3]] == [full(1), full(2), full(3)]
    assert len(found) == 7


def test_thumbnails_are_flagged_and_have_no_size_of_the_full_picture() -> None:
    found = ENGINE.read(with_value(page("normal"), lists=[])).found
    assert [one.address for one in found] == [
        f"https://tse{n % 4 + 1}.mm.bing.net/th?id=OIP.cat{n}&pid=Api" for n in (1, 2, 3)
    ]
    assert all(one.thumbnail and not one.width for one in found)


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
