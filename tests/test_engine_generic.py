"""Pictures are read out of a page none of whose names is known, and nothing else is."""

from __future__ import annotations

import json
import random
import string
import time
from html import escape
from urllib.parse import quote

import pytest

from crawler.engines import engine
from crawler.engines.base import Page
from crawler.engines.generic import Generic, carried, enlarged, inside, pictures, written_pictures
from curation.records import Found
from tests.saved_pages import BROWSER_ENGINES, cases, saved

FULL = "https://pictures.example/a b/고양이 1.jpg?a=1&n=1"
CODED = quote(FULL, safe="")
LINK = f"/x?q=cat&imgurl={CODED}&imgrefurl=https%3A%2F%2Fsite.example%2Fcat&w=900&h=700"

AND = "\\u0026"


def name() -> str:
    return "".join(random.choices(string.ascii_letters, k=7))


def addresses(text: str) -> list[str]:
    return [found.address for found in pictures(Page("https://e.example/search?q=cat", text))]


@pytest.mark.parametrize(
    "text",
    [
        f"<a href='{escape(LINK)}'>",
        f"<a href='{LINK}'>",
        f"<div data-{name()}='{escape(json.dumps({name(): LINK}))}'>",
        f"<div data-{name()}='{escape(quote(LINK))}'>",
        f"<a href='https://r.example/go?to={quote('https://e.example' + LINK, safe='')}&amp;x=1'>",
        f"<script>var {name()} = {json.dumps(LINK).replace('&', AND).replace('=', chr(92) + 'u003d')}</script>",
        f"<script>{name()}('{LINK.replace('&', chr(92) + 'x26').replace('/', chr(92) + '/')}')</script>",
        f"<script>{name()}({json.dumps(json.dumps({name(): LINK}))})</script>",
        f"<p {name()}='mediaurl={CODED}&amp;expw=9'>",
        f"<script>{name()}={{mediaurl:{json.dumps(FULL)}}}</script>",
        f"<div {name()}='{escape(json.dumps({'murl': FULL}))}'>",
        f"<script>x({json.dumps([['http://s.example/1', 9, 12], [FULL, 700, 900]])})</script>",
        f"<script>x([['http://s.example/1',9,12] , ['{FULL}', 700, 900]])</script>",
        f"<script>x({json.dumps(json.dumps([['http://s.example/1', 9, 12], [FULL, 700, 900]]))})</script>",
        f"<div x='{escape(json.dumps([['//s.example/1', 9, 12], [FULL, 700, 900], None]))}'>",
        f"<script>x({json.dumps([[FULL, 700, 900], ['http://s.example/1', 9, 12]])})</script>",
        f"<script>x({json.dumps([['data:image/png;base64,' + 'A' * 9000, 9, 12], [FULL, 700, 900]])})</script>",
    ],
    ids=range(17),
)
def test_address_is_found_however_it_is_written(text: str) -> None:
    assert addresses(f"<html><p>{name()}</p>{text}<p>{name()}</p></html>") == [FULL]


def test_link_tells_page_and_size_too() -> None:
    assert pictures(Page("", f"<a href='{LINK}'>")) == (Found(FULL, "https://site.example/cat", width=900, height=700),)
    (small, found), *_ = written_pictures(json.dumps([["http://s.example/1", 9, 12], [FULL, 700, 900]]))
    assert (small, found.width, found.height) == ("http://s.example/1", 900, 700)


@pytest.mark.parametrize("folder", ["common", "sunny"])
def test_thumbnails_of_known_hosts_carry_their_address(folder: str) -> None:
    full = [f"https://blog.example/{n}.jpg?a=1&b={n}" for n in range(6)]
    small = [f"https://search.pstatic.net/{folder}/?src={quote(one, safe='')}&type=a340" for one in full]
    assert addresses("".join(f"<img {name()}='{escape(one)}'>" for one in small)) == full
    assert addresses(json.dumps(json.dumps(small))) == full
    assert addresses(f"<img src='{small[0]}'>") == []  # one alone is an icon
    assert inside(small[0]) == full[0]


@pytest.mark.parametrize(
    "text",
    [
        "<img src='https://e.example/logo.png'><a href='https://shop.example/x.jpg?src=1'>",
        "<a href='/search?q=imgurl%3Dcat'>imgurl= mediaurl=</a>",
        "<a href='/x?imgurl=javascript:alert(1)&mediaurl=/relative.jpg'>",
        "<a href='/x?imgurl=https%3A%2F%2Fencrypted-tbn0.gstatic.com%2Fimages%3Fq%3Dtbn:x'>",
        "<a href='/x?mediaurl=https%3A%2F%2Fth.bing.com%2Fth%3Fid%3DOIP'>",
        "<a href='/x?imgurl=https%3A%2F%2Fshopping-phinf.pstatic.net%2F1.jpg'>",
        '<script>x([["https://a.example/1.jpg",3,4],[5,6,7]])</script>',
        '<script>x([["https://a.example/1.jpg",3,4],["name",6,7]])</script>',
        "",
    ],
)
def test_what_is_no_picture_is_none(text: str) -> None:
    assert addresses(text) == []


def test_order_is_kept_and_nothing_comes_twice() -> None:
    full = [f"https://p.example/{n}.jpg" for n in random.sample(range(100), 40)]
    links = [f"<a href='/y?mediaurl={quote(one, safe='')}'>" for one in full]
    assert addresses("".join(links * 2)) == full
    pairs = json.dumps([[f"http://s.example/{n}", 9, 9, name()] for n in range(3)])
    assert addresses(pairs + "".join(links)) == full


def cells(*cell: tuple[str, list[str]]) -> Page:
    return Page("https://e.example/search", "", {"cells": [[small, "a title", texts] for small, texts in cell]})


def test_cells_give_what_their_links_carry_else_their_thumbnail() -> None:
    found = pictures(
        cells(
            ("https://s.example/1", [f"/z?{name()}=https%3A%2F%2Fp.example%2F1.jpg%3Fx%3D1", "https://site.example/1"]),
            ("https://s.example/2", ["https://p.example/2.png"]),
            ("https://s.example/3?url=https%3A%2F%2Fp.example%2F3", []),
            ("https://s.example/4", ["https://site.example/4", "/only/here"]),
        )
    )
    assert [(one.address, one.page, one.thumbnail) for one in found] == [
        ("https://p.example/1.jpg?x=1", "https://site.example/1", False),
        ("https://p.example/2.png", "", False),
        ("https://p.example/3", "", False),
        ("https://s.example/4", "https://site.example/4", True),
    ]


def test_thumbnail_whose_picture_stands_in_a_script_is_not_a_second_one() -> None:
    page = cells(*((f"https://s.example/{n}", []) for n in range(9)))
    rows = [[[f"https://s.example/{n}", 9, 9], [f"https://p.example/{n}.jpg", 99, 99]] for n in range(8)]
    found = pictures(Page(page.address, json.dumps(rows), page.value))
    assert [one.address for one in found] == [f"https://p.example/{n}.jpg" for n in range(8)] + ["https://s.example/8"]


@pytest.mark.parametrize(
    ("address", "link", "full"),
    [
        ("https://p.example/1.jpg", "", "https://p.example/1.jpg"),
        ("https://th.bing.com/th?id=1", "", ""),
        (
            "https://external-content.duckduckgo.com/iu/?u=https%3A%2F%2Fp.example%2F1.jpg",
            "",
            "https://p.example/1.jpg",
        ),
        ("https://th.bing.com/th?id=1", "/x?mediaurl=https%3A%2F%2Fp.example%2F1.jpg", "https://p.example/1.jpg"),
        ("data:image/png;base64,AAAA", "", ""),
    ],
)
def test_large_picture_is_full_size_or_carries_it(address: str, link: str, full: str) -> None:
    assert enlarged(address, link) == full


def test_page_is_not_taken_for_the_picture() -> None:
    assert carried("https://site.example/cat") is None
    assert carried("/go?to=https%3A%2F%2Fsite.example%2Fcat") is None


@pytest.mark.parametrize("engine_name", BROWSER_ENGINES)
def test_page_that_is_empty_blocked_or_asks_remains_that(engine_name: str) -> None:
    for case in cases(engine_name):
        page = saved(engine_name, case)
        own = engine(engine_name).read(page)
        rubbish = [["https://s.example/1", "x", [LINK]]] * 9
        mixed = Page(page.address, page.text, {"own": page.value, "cells": rubbish}, page.status)
        reading = Generic(engine(engine_name)).read(mixed)  # type: ignore[arg-type]
        if own.kind not in ("ok", "changed"):
            assert (reading.kind, reading.found) == (own.kind, ()), case


def test_time_is_in_proportion_to_the_page() -> None:
    for text in ("[" * 400_000, '["https://' * 100_000, "imgurl=" * 100_000, "%3Fimgurl%3D" * 60_000, '\\"' * 300_000):
        start = time.process_time()
        pictures(Page("https://e.example/", text))
        assert time.process_time() - start < 10
