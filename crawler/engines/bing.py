"""Bing's image search: every tile is a link with a JSON attribute that holds all there is to know.

Ways to the full address: `murl` in the attribute `m` of `a.iusc`; `mediaurl` in the address of the same link. Last: the
small picture (`turl`), flagged as a thumbnail. More comes by scrolling, or behind a button.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from crawler.engines import values
from crawler.engines.base import Consent, Kind, Page, Reading, Viewer
from curation.records import Found

PAGE_SIZE = 35
TILE = "iusc"
CONSENT, CONSENTS = 'id="bnp_btn_reject"', Consent(("#bnp_btn_reject",))
BLOCKED = ("/turing/captcha/", 'class="captcha_header"')
EMPTY = ('class="no_results', "There are no results for")
MARKS = str.maketrans("", "", "\ue000\ue001")  # around the words that were found, in titles
MORE = (".mm_seemore a.btn_seemore", "a.btn_seemore")
QFT = {
    "size": {size: f"imagesize-{size}" for size in ("large", "medium", "small")},
    "type": {"photo": "photo-photo", "face": "face-face", "clipart": "photo-clipart", "lineart": "photo-linedrawing"},
    "colour": {"color": "color2-color", "gray": "color2-bw", "transparent": "photo-transparent"},
    "age": {"day": "age-lt1440", "week": "age-lt10080", "month": "age-lt43200", "year": "age-lt525600"},
    "licence": {
        "any-cc": "license-L2_L3_L4_L5_L6_L7",
        "commercial": "license-L2_L3_L4",
        "modify": "license-L2_L3_L5_L6",
        "modify-commercial": "license-L2_L3",
        "public-domain": "license-L1",
    },
}
SCRIPT = """
return {tiles: [...document.querySelectorAll('a.iusc')].map(
  tile => [tile.getAttribute('m') || '', tile.getAttribute('href') || ''])};
"""


@dataclass(frozen=True)
class Bing:
    """See `BrowserEngine`."""

    name: str = "bing"
    title: str = "Bing"
    home: str = "https://www.bing.com"
    needs_browser: bool = True
    filters: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: {key: tuple(choices) for key, choices in QFT.items()}
    )
    script: str = SCRIPT
    scrolls: bool = True
    page_size: int = PAGE_SIZE
    more_buttons: tuple[str, ...] = MORE
    consent: Consent = CONSENTS
    viewer: Viewer | None = None

    def address(self, query: str, filters: Mapping[str, str], page: int = 0) -> str:
        """`/images/search?q=…`; `first` counts pictures from 1."""
        asked = {"q": query, "first": str(1 + PAGE_SIZE * page), "setlang": "en"}
        chosen = [QFT[key][value] for key, value in filters.items() if value in QFT.get(key, {})]
        if chosen:
            asked["qft"] = "".join(f"+filterui:{one}" for one in chosen)
        return "/images/search?" + urlencode(asked)

    def read(self, page: Page) -> Reading:
        """The tiles as the script took them, or as they stand in the page's text."""
        if CONSENT in page.text:
            return Reading(Kind.CONSENT, marker=CONSENT)
        tiles = values.rows(page.value, "tiles") or [
            [tag.get("m", ""), tag.get("href", "")]
            for _, tag in values.tags(page.text, "a")
            if TILE in tag.get("class", "").split()
        ]
        found = tuple(_found(tiles))
        if found:
            return Reading(Kind.OK, found)
        if blocked := values.first_in(page.text, BLOCKED):
            return Reading(Kind.BLOCKED, marker=blocked)
        if page.status in (403, 429):
            return Reading(Kind.BLOCKED, marker=f"status {page.status}")
        if empty := values.first_in(page.text, EMPTY):
            return Reading(Kind.EMPTY, ended=True, marker=empty)
        return Reading(Kind.CHANGED, marker="no a.iusc")


def _found(tiles: list[Any]) -> Iterator[Found]:
    for tile in tiles:
        if not (isinstance(tile, list) and len(tile) == 2 and all(isinstance(part, str) for part in tile)):
            continue
        facts, link = _facts(tile[0]), _parameters(tile[1])
        full = values.address(facts, "murl") or values.address(link, "mediaurl")
        small = values.address(facts, "turl")
        if full or small:
            yield Found(
                address=full or small,
                page=values.address(facts, "purl"),
                title=values.plain(values.text(facts, "t").translate(MARKS)),
                width=values.number(link, "expw") if full else 0,
                height=values.number(link, "exph") if full else 0,
                thumbnail=not full,
            )


def _facts(text: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _parameters(link: str) -> dict[str, str]:
    try:
        return {name: given[0] for name, given in parse_qs(urlsplit(link).query).items()}
    except ValueError:
        return {}


ENGINE = Bing()
