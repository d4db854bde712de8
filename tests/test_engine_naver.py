"""Naver's items wherever they are written, and the addresses within its thumbnails; the plain cases are elsewhere."""

from __future__ import annotations

import json
from html import escape
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from crawler.engines.base import Kind, Page
from crawler.engines.naver import ENGINE
from tests.shared_data import shared_folder

HOME = "https://search.naver.com/search.naver?where=image&query=x"


def item(n: int) -> dict[str, Any]:
    full = f"https://pictures.example/{n}/그림.jpg?a=1&b=2"
    return {
        "type": "image",
        "thumb": f"https://search.pstatic.net/sunny/?src={quote(full, safe='')}&type=b150",
        "originalUrl": full,
        "link": f"https://blog.example/{n}",
        "title": f'"그림" {n}: it\'s {{{n}}}',
    }


def page(body: str, pictures: list[list[str]] | None = None) -> Page:
    return Page(HOME, f"<html><body>{body}</body></html>", {"items": None, "pictures": pictures or []}, 200)


LIST = json.dumps([item(n) for n in range(1, 61)], ensure_ascii=False).replace("</", "<\\/")


@pytest.mark.parametrize(
    "body",
    [
        f"<script>let zq81 = {{a: {{b: [{{items: {LIST}}}]}}}}</script>",
        f"<script>!function(){{var e=/[\"'{{]/,t={{list:1}};const r={{items: {LIST}}};}}()</script>",
        f'<script type="application/json">{{"props": {{"content": {{"items": {LIST}}}}}}}</script>',
        f"<script>x.push([1, {json.dumps(LIST, ensure_ascii=False)}])</script>",
        f"<script>render({json.dumps(LIST).replace(chr(92) + chr(34), chr(92) + 'x22')})</script>",
        f'<div data-state="{escape(LIST)}"></div>',
        f"<SCRIPT>{LIST}</SCRIPT><script>var data = {{items: {LIST}}};</script>",
    ],
    ids=["let", "after-a-pattern", "json", "text", "x22", "attribute", "twice"],
)
def test_all_items_are_read_wherever_they_are_written(body: str) -> None:
    tiles = [[item(n)["thumb"], "tile"] for n in range(1, 41)]  # those that have come into sight
    found = ENGINE.read(page(body, tiles)).found
    assert [one.address for one in found] == [item(n)["originalUrl"] for n in range(1, 61)]
    assert [one.page for one in found] == [item(n)["link"] for n in range(1, 61)]
    assert [one.title for one in found] == [item(n)["title"] for n in range(1, 61)]


@pytest.mark.parametrize("path", ["common", "sunny", "", "a/b/c"])
@pytest.mark.parametrize("host", ["search.pstatic.net", "dthumb-phinf.pstatic.net", "other.pstatic.net"])
def test_address_within_a_thumbnail_is_read_on_every_path(host: str, path: str) -> None:
    full = "https://pictures.example/그림 1.jpg?x=1&y=%26"
    for inside in (quote(full, safe=""), quote(f'"{full}"', safe=""), quote(quote(full, safe=""), safe="")):
        (found,) = ENGINE.read(page("", [[f"https://{host}/{path}/?type=b150&src={inside}", "t"]])).found
        assert not found.thumbnail
        assert found.address.startswith("https://pictures.example/그림 1.jpg?x=1&y=")


def test_thumbnail_without_an_address_within_stays_one() -> None:
    (found,) = ENGINE.read(page("", [["https://search.pstatic.net/sunny/?src=none&type=b150", "t"]])).found
    assert found.thumbnail


def test_page_that_only_speaks_of_items_is_changed() -> None:
    for body in (
        "<script>const originalUrl = 1, items = []</script>",
        '<p title="originalUrl&quot;:',
        "originalUrl&quot;",
    ):
        assert ENGINE.read(page(body)).kind is Kind.CHANGED


def test_every_real_thumbnail_gives_its_picture() -> None:
    file = shared_folder() / "data" / "pages" / "naver-2026-05-items.json"
    rows = json.loads(file.read_text("utf-8"))["results"]
    tiles = [[row["thumbnail_url"], row["title"]] for row in rows]
    reading = ENGINE.read(page("", tiles))
    inside = {parse_qs(urlsplit(row["thumbnail_url"]).query)["src"][0] for row in rows}
    offers = {address for address in inside if "shopping-phinf.pstatic.net" in address}
    assert {one.address for one in reading.found} == inside - offers
    assert not any(one.thumbnail for one in reading.found)
