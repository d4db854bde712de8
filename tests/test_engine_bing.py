"""What stands among Bing's results and is none, and what is said of a picture twice; the plain cases are elsewhere."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from html import escape
from typing import Any

import pytest

from crawler import page_scripts
from crawler.browser import Session
from crawler.engines.base import Kind, Page
from crawler.engines.bing import ENGINE
from crawler.engines.reading import once
from curation.records import Found
from tests.browser import BROWSERS, program
from tests.engine_searches import HERMETIC
from tests.loopback_site import LoopbackSite, Request, Wire
from tests.saved_pages import saved
from tests.shared_data import shared_folder

ADDRESS = "https://www.bing.com/images/search?q=cat"
FULL = "https://pictures.example/1.jpg"


def read(*rows: list[str], address: str = ADDRESS, text: str = "") -> list[str]:
    return [one.address for one in ENGINE.read(Page(address, text, {"tiles": [*rows]}, 200)).found]


def row(full: str, link: str = "", source: str = "", foreign: str = "", **facts: Any) -> list[str]:
    return [json.dumps({"murl": full, **facts}), link, source, "", foreign]


@pytest.mark.parametrize("case", ["twice", "clusters", "videos"])
def test_every_picture_has_its_page_and_title(case: str) -> None:
    page = saved("bing", case)
    for value in (page.value, None) if case != "videos" else (page.value,):
        found = ENGINE.read(replace(page, value=value)).found
        assert [(one.page, one.title) for one in found] == [
            (f"https://site{n}.example/cats/{n}", f"Cat {n}") for n in (1, 2, 3)
        ]


def test_what_is_said_of_one_address_is_put_together_where_it_came_first() -> None:
    bare, other = Found("https://a.example/1.jpg"), Found("https://a.example/2.jpg", "https://p.example/2")
    paged = replace(bare, page="https://p.example/1", width=7)
    titled = replace(bare, title="One", author="Ana")
    whole = replace(bare, page="https://p.example/1", width=7, title="One", author="Ana")
    for order in ((bare, other, paged, titled), (titled, other, bare, paged), (paged, other, titled)):
        assert once(order) == (whole, other)
    assert once((replace(paged, thumbnail=True), titled)) == (replace(whole, thumbnail=False),)
    assert once((paged, replace(bare, page="https://p.example/x", title="One", author="Ana"))) == (whole,)


@pytest.mark.parametrize(
    "video",
    [
        row("https://www.youtube.com/watch?v=1"),
        row("https://youtu.be/1"),
        row("https://m.bilibili.com/video/1"),
        row("https://cdn.example/a.b/clip.MP4?x=1#t"),
        row("https://cdn.example/live/index.m3u8"),
        row("https://cdn.example/poster.jpg", "https://www.bing.com/videos/search?q=cat&view=detail"),
        row("https://cdn.example/poster.jpg", turl="https://tse1.mm.bing.net/th?id=OVP.x&pid=Api"),
        row("https://cdn.example/poster.jpg", source="https://th.bing.com/th/id/OVF.x?w=1"),
        row("https://cdn.example/poster.jpg", thid="OM2.x_1"),
        row("https://cdn.example/poster.jpg", du="1:02"),
        row("https://cdn.example/poster.jpg", pgurl="https://site.example/watch"),
        row("https://cdn.example/poster.jpg", foreign="video"),
        ["", "/images/search?mediaurl=https%3a%2f%2fwww.youtube.com%2fwatch%3fv%3d2", "", "", ""],
    ],
)
def test_video_is_no_picture(video: list[str]) -> None:
    assert read(video, row(FULL)) == [FULL]
    assert ENGINE.read(Page(ADDRESS, "", {"tiles": [video]}, 200)).kind is Kind.CHANGED


@pytest.mark.parametrize(
    "picture",
    [
        "https://i.ytimg.com/vi/1/maxresdefault.jpg",
        "https://video.example/videos/1.jpg",
        "https://a.example/x.mp4.jpg",
        "https://a.example/OVP.jpg",
        "https://notyoutube.com/1.jpg",
        "https://a.example/get?file=1.mp4",
    ],
)
def test_picture_that_sounds_like_a_video_is_one(picture: str) -> None:
    assert read(row(picture, turl="https://tse1.mm.bing.net/th?id=OIP.OVPx")) == [picture]


def test_tiles_of_other_words_are_left_out_unless_the_engine_read_the_words_so() -> None:
    def tile(n: int, words: str) -> list[str]:
        return row(f"https://pictures.example/{n}.jpg", f"/images/search?view=detailV2&q={words}")

    plain = row("https://pictures.example/9.jpg", "/images/search?view=detailV2")
    assert read(tile(1, "Cat"), tile(2, "cat+art"), tile(3, "cat+art"), tile(4, "cat"), plain) == [
        f"https://pictures.example/{n}.jpg" for n in (1, 4, 9)
    ]
    misspelt = "https://www.bing.com/images/search?q=caat"
    assert read(tile(1, "cat"), tile(2, "cat"), tile(3, "dog"), address=misspelt) == [
        f"https://pictures.example/{n}.jpg" for n in (1, 2)
    ]
    korean = "https://www.bing.com/images/search?q=%EA%B3%A0%EC%96%91%EC%9D%B4++%EC%82%AC%EC%A7%84"
    assert read(tile(1, "%ea%b3%a0%ec%96%91%ec%9d%b4+%ec%82%ac%ec%a7%84"), tile(2, "dog"), address=korean) == [
        "https://pictures.example/1.jpg"
    ]


def test_clusters_and_videos_are_left_out_of_the_text_too() -> None:
    def card(name: str, full: str, words: str, **facts: Any) -> str:
        marks = escape(json.dumps({"murl": full, **facts}))
        return f'<x-card {name}="{marks}" data-a="1" href="/images/search?q={words}&amp;x=1"></x-card>'

    text = "".join(
        (
            card("data-m", FULL, "cat"),
            card("data-m", "https://pictures.example/2.jpg", "cat+art"),
            card("mmeta", "https://pictures.example/3.jpg", "cat"),
            card("data-m", "https://pictures.example/4.jpg", "cat", vt="A video"),
            '<script>x = {"murl":"https://vimeo.com/7"}, y = {"murl":"https://pictures.example/5.jpg"}</script>',
        )
    )
    assert read(text=text) == [FULL, "https://pictures.example/5.jpg"]


class Gopher(LoopbackSite):
    """One real page of results."""

    text = b""

    def respond(self, request: Request, wire: Wire) -> None:
        found = request.path == "/images/search"
        wire.send(200 if found else 404, {"Content-Type": "text/html; charset=utf-8"}, self.text if found else b"")


def test_real_page_gives_its_35_results_and_none_of_the_clusters() -> None:
    file = shared_folder() / "data" / "pages" / "bing-2026-04-gopher.html.gz"
    text = gzip.decompress(file.read_bytes())
    pages = [Page("https://www.bing.com/images/search?q=golang+gopher", text.decode(), None, 200)]
    program(BROWSERS)
    with Gopher() as site, Session(HERMETIC) as session:
        site.text = text
        session.driver.get(f"{site.home}/images/search?q=golang+gopher")
        answer = json.loads(session.driver.execute_script(page_scripts.READ % ENGINE.script, True, 10_000_000))
        pages.append(Page(answer["address"], answer["text"], answer["value"], 200))
    for page in pages:
        found = ENGINE.read(page).found
        assert len(found) == 35
        assert all(one.page and one.title and one.width and not one.thumbnail for one in found)
