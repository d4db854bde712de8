"""Bing's image search. As told by public programs up to 2026; nobody here could ask the engine itself.

Three ways to the full address: the JSON in a tile's attribute `m` (the same since 2016), the parameter `mediaurl` of
the tile's link, and the JSON or its `murl` anywhere in the page when the tiles are not known. Thumbnails come last.
Among the results stand cards of videos, and clusters that answer other words: neither is a result.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import unescape
from typing import Any

from crawler.engines.base import Consent, Kind, Page, Reading, Viewer
from crawler.engines.reading import (
    Signs,
    asked,
    lists,
    once,
    page_address,
    parameter,
    parsed,
    part,
    picture_address,
    pixels,
    plain,
    unquoted,
    without_pictures,
)
from curation.records import Found

# What to look at first when the page has changed
TILE = 'a.iusc, [m*="murl"]'
REJECT = ("#bnp_btn_reject",)
MORE = (".mm_seemore a", "a.btn_seemore")
SIGNS = Signs(
    blocked=("solve the challenge below", "/turing/captcha/", 'class="captcha', "our services aren't available"),
    empty=('class="no_results', "there are no results for"),
)
CLUSTER = ".inline_clus, .disamClust, .clustCards"
VIDEO = "[vrhm], [mmeta], .mc_vtvc, .vrhdata"
VIDEO_FACTS = ("vt", "du", "pgurl", "smturl", "vid")  # title, length, page, moving preview, of a video's record
VIDEO_SMALL = re.compile(r"[/=](?:OV[A-Z]|OM\w?)\.")  # in a thumbnail's address; those of pictures have OIP
VIDEO_FULL = re.compile(
    r"https?://(?:(?:www|m|player)\.)?(?:youtube\.com|youtu\.be|vimeo\.com|dailymotion\.com|tiktok\.com|bilibili\.com"
    r"|douyin\.com|twitch\.tv)/|[^?#]{1,4000}\.(?:mp4|m4v|webm|mov|avi|mkv|ogv|m3u8|mpd)(?:[?#]|$)",
    re.IGNORECASE,
)
MARKS = re.compile(r'="(\{&quot;[^"]{9,20000})"')
VIDEO_MARKS = ("vrhm", "mmeta")  # the attributes of a video's record
LONGEST_TAG = 9000  # characters behind the marks in which a tile's link is looked for
MURL = re.compile(r'(?:"|&quot;)murl(?:"|&quot;)\s{0,9}:\s{0,9}(?:"|&quot;)(.{1,4000}?)(?:"|&quot;)')

SCRIPT = f"""
const visible = element => element?.getClientRects().length > 0;
return {{
  tiles: [...document.querySelectorAll({TILE!r})].map(tile => {{
    const image = tile.querySelector('img');
    const foreign = tile.closest({CLUSTER!r}) ? 'cluster' : tile.closest({VIDEO!r}) ? 'video' : '';
    return [tile.getAttribute('m') ?? '', tile.href || tile.querySelector('a[href*="mediaurl="]')?.href || '',
      image?.dataset.src || image?.getAttribute('src') || '', image?.alt ?? '', foreign];
  }}),
  consent: {list(REJECT)!r}.some(selector => visible(document.querySelector(selector))),
}};
"""


class Bing:
    """Reads www.bing.com."""

    name, title, home = "bing", "Bing", "https://www.bing.com"
    needs_browser, scrolls, page_size = True, True, 35
    script = SCRIPT
    more_buttons = MORE
    consent = Consent(REJECT)
    viewer: Viewer | None = None
    qft: Mapping[str, Mapping[str, str]] = {
        "size": {"large": "imagesize-large", "medium": "imagesize-medium", "small": "imagesize-small"},
        "type": {
            "photo": "photo-photo",
            "face": "face-face",
            "clipart": "photo-clipart",
            "lineart": "photo-linedrawing",
        },
        "colour": {"color": "color2-color", "gray": "color2-bw", "transparent": "photo-transparent"},
        "age": {"day": "age-lt1440", "week": "age-lt10080", "month": "age-lt43200", "year": "age-lt525600"},
        "licence": {
            "any-cc": "licenseType-Any",
            "commercial": "license-L2_L3_L4",
            "modify": "license-L2_L3_L5_L6",
            "public-domain": "license-L1",
        },
    }
    filters: Mapping[str, tuple[str, ...]] = {key: tuple(values) for key, values in qft.items()}
    dated = False

    def address(self, query: str, filters: Mapping[str, str], page: int = 0) -> str:
        """There is one page; more comes by scrolling. `first` counts pictures, from 1."""
        terms = [self.qft[key][value] for key, value in filters.items() if value in self.qft.get(key, {})]
        return asked(
            "/images/search",
            q=query,
            form="HDRSC2",
            setlang="en",
            first=str(1 + self.page_size * page),
            qft="".join(f"+filterui:{term}" for term in terms),
        )

    def read(self, page: Page) -> Reading:
        """Tiles in their order, each with the best address known."""
        tiles = [_Tile(*row) for row in lists(part(page.value, "tiles"), 5)]
        found = once(tile.found for tile in _results(tiles, page.address))
        if all(one.thumbnail for one in found):
            found = once((*found, *_loose(page)))
        if part(page.value, "consent") is True:
            return Reading(Kind.CONSENT, marker=REJECT[0], beneath=found)
        if found:
            return Reading(Kind.OK, found)
        return without_pictures(page, SIGNS, f"{len(tiles)} tiles")


@dataclass(frozen=True)
class _Tile:
    """A tile as it stands on the page; `foreign` says what it is when it is no result."""

    marks: object
    link: object
    source: object = ""
    title: object = ""
    foreign: object = ""

    @cached_property
    def facts(self) -> Any:  # noqa: ANN401 - JSON
        """The record in its attribute."""
        return parsed(self.marks)

    @property
    def words(self) -> str:
        """The words that it answers; empty when it does not tell."""
        return _folded(parameter(self.link, "q"))

    @property
    def is_video(self) -> bool:
        """Whether it leads to a video; by its record, its thumbnail's name, its link, or what it leads to."""
        facts = self.facts if isinstance(self.facts, Mapping) else {}
        full = page_address(facts.get("murl")) or page_address(parameter(self.link, "mediaurl"))
        small = " ".join(f"={text}" for text in (facts.get("thid"), facts.get("turl"), self.source) if text)
        leads = isinstance(self.link, str) and "/videos/" in self.link.partition("?")[0]
        marked = any(facts.get(name) for name in VIDEO_FACTS)
        return bool(leads or marked or VIDEO_SMALL.search(small) or VIDEO_FULL.match(full))

    @cached_property
    def found(self) -> Found:
        """The picture, with the best address known."""
        small = picture_address(part(self.facts, "turl")) or picture_address(self.source)
        full = page_address(part(self.facts, "murl")) or page_address(parameter(self.link, "mediaurl"))
        if not full and small[:5].lower() == "data:":
            small = ""  # keeps the place of a picture that is not loaded yet
        return Found(
            full or small,
            page_address(part(self.facts, "purl")),
            plain(part(self.facts, "t")) or plain(self.title),
            width=pixels(parameter(self.link, "expw")) if full else 0,
            height=pixels(parameter(self.link, "exph")) if full else 0,
            thumbnail=not full,
        )


def _results(tiles: Sequence[_Tile], address: str) -> list[_Tile]:
    """The tiles that are pictures for the words that were asked for, or for what the engine read them as."""
    told = Counter(tile.words for tile in tiles if tile.words)
    asked_for = _folded(parameter(address, "q"))
    meant = asked_for if asked_for in told else next((words for words, _ in told.most_common(1)), "")
    return [tile for tile in tiles if not (tile.foreign or tile.is_video) and (tile.words in ("", meant) or not meant)]


def _folded(words: str) -> str:
    return " ".join(words.casefold().split())


def _loose(page: Page) -> Iterator[Found]:
    """What the page's text holds, whatever the elements around it are called: whole records first, then addresses."""
    marked = [
        _Tile(
            unescape(match[1]),
            _link_behind(page.text, match.end()),
            foreign=page.text.endswith(VIDEO_MARKS, 0, match.start()),
        )
        for match in MARKS.finditer(page.text)
    ]
    results = _results(marked, page.address)
    known = {tile.found.address for tile in marked}
    yield from (tile.found for tile in results)
    for match in MURL.finditer(page.text):
        address = page_address(unquoted(unescape(match[1])))
        if address not in known and not VIDEO_FULL.match(address):
            yield Found(address)


def _link_behind(text: str, place: int) -> str:
    """The link in the same tag, behind its record."""
    tag = text[place : place + LONGEST_TAG].partition(">")[0]
    return unescape(tag.partition('href="')[2].partition('"')[0])


ENGINE = Bing()
