"""Bing's image search. As told by public programs up to 2026; nobody here could ask the engine itself.

Three ways to the full address: the JSON in a tile's attribute `m` (the same since 2016), the parameter `mediaurl` of
the tile's link, and the JSON or its `murl` anywhere in the page when the tiles are not known. Thumbnails come last.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
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
MARKS = re.compile(r'="(\{&quot;[^"]{9,20000})"')
MURL = re.compile(r'(?:"|&quot;)murl(?:"|&quot;)\s{0,9}:\s{0,9}(?:"|&quot;)(.{1,4000}?)(?:"|&quot;)')

SCRIPT = f"""
const visible = element => element?.getClientRects().length > 0;
return {{
  tiles: [...document.querySelectorAll({TILE!r})].map(tile => {{
    const image = tile.querySelector('img');
    return [tile.getAttribute('m') ?? '', tile.href || tile.querySelector('a[href*="mediaurl="]')?.href || '',
      image?.dataset.src || image?.getAttribute('src') || '', image?.alt ?? ''];
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
        tiles = lists(part(page.value, "tiles"), 4)
        found = once(_tile(*tile) for tile in tiles)
        if not any(not one.thumbnail for one in found):
            found = once((*found, *_loose(page.text)))
        if part(page.value, "consent") is True:
            return Reading(Kind.CONSENT, marker=REJECT[0], beneath=found)
        if found:
            return Reading(Kind.OK, found)
        return without_pictures(page, SIGNS, f"{len(tiles)} tiles")


def _tile(marks: object, link: object, source: object, title: object) -> Found:
    facts: Any = parsed(marks)
    small = picture_address(part(facts, "turl")) or picture_address(source)
    full = page_address(part(facts, "murl")) or page_address(parameter(link, "mediaurl"))
    if not full and small[:5].lower() == "data:":
        small = ""  # keeps the place of a picture that is not loaded yet
    return Found(
        full or small,
        page_address(part(facts, "purl")),
        plain(part(facts, "t")) or plain(title),
        width=pixels(parameter(link, "expw")) if full else 0,
        height=pixels(parameter(link, "exph")) if full else 0,
        thumbnail=not full,
    )


def _loose(text: str) -> Iterator[Found]:
    """What the page's text holds, whatever the elements around it are called: whole records first, then addresses."""
    yield from (_tile(unescape(match[1]), None, None, None) for match in MARKS.finditer(text))
    for match in MURL.finditer(text):
        yield Found(page_address(unquoted(unescape(match[1]))))


ENGINE = Bing()
