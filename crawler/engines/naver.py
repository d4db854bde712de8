"""Naver's image search. Its pages hold all they show as one JavaScript value; the tiles hold every address once more.

Ways to the full address: the value `window.imageSearchTabData`; the small pictures on Naver's own host, whose address
quotes the full one. Last: a small picture that quotes nothing, flagged as a thumbnail.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from crawler.engines import values
from crawler.engines.base import Consent, Kind, Page, Reading, Viewer
from curation.records import Found

PAGE_SIZE = 50
NO_CONSENT = Consent()
SMALL = ("search.pstatic.net", "/common")  # host and path of small pictures that quote the full address
OWN_HOSTS = (".pstatic.net", ".naver.net")
ADVERT = "Ad"  # ends the type of an item that is paid for: shopAd, powerlinkAd
BLOCKED = ("검색 서비스 이용이 제한", "비정상적인 검색", 'id="captcha"')
EMPTY = ("api_noresult_wrap", "not_found02", "noresult_area")
AGES = {"day": "1d", "week": "1w", "month": "1m", "year": "1y"}
SCRIPT = """
const tiles = [...document.images].map(image => [image.getAttribute('src') || image.dataset.lazysrc || '', image.alt]);
return {data: window.imageSearchTabData ?? null, tiles};
"""


@dataclass(frozen=True)
class Naver:
    """See `BrowserEngine`."""

    name: str = "naver"
    title: str = "Naver"
    home: str = "https://search.naver.com"
    needs_browser: bool = True
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {"type": ("face",), "age": tuple(AGES)})
    script: str = SCRIPT
    scrolls: bool = False
    page_size: int = PAGE_SIZE
    more_buttons: tuple[str, ...] = ()
    consent: Consent = NO_CONSENT
    viewer: Viewer | None = None

    def address(self, query: str, filters: Mapping[str, str], page: int = 0) -> str:
        """`/search.naver?where=image…`; `start` counts pictures from 1."""
        asked = {"where": "image", "query": query, "start": str(1 + PAGE_SIZE * page)}
        if filters.get("type") == "face":
            asked["face"] = "1"
        if filters.get("age") in AGES:
            asked["nso"] = f"so:r,a:all,p:{AGES[filters['age']]}"
        return "/search.naver?" + urlencode(asked)

    def read(self, page: Page) -> Reading:
        """What the value holds; what the tiles quote, when there is no value."""
        items = values.rows(page.value, "data", "content", "items")
        found = tuple(_from_items(items)) or tuple(_from_tiles(values.rows(page.value, "tiles"), page.text))
        if found:
            return Reading(Kind.OK, found)
        if blocked := values.first_in(page.text, BLOCKED):
            return Reading(Kind.BLOCKED, marker=blocked)
        if page.status in (403, 429):
            return Reading(Kind.BLOCKED, marker=f"status {page.status}")
        if empty := values.first_in(page.text, EMPTY):
            return Reading(Kind.EMPTY, ended=True, marker=empty)
        return Reading(Kind.CHANGED, marker="neither imageSearchTabData nor small pictures")


def _from_items(items: list[Any]) -> Iterator[Found]:
    for item in items:
        if values.text(item, "type").endswith(ADVERT):
            continue
        full = values.address(item, "originalUrl") or _quoted(values.address(item, "thumb"))
        small = values.address(item, "thumb")
        if full or small:
            yield Found(
                address=full or small,
                page=values.address(item, "link"),
                title=values.plain(values.text(item, "title")),
                author=values.plain(values.text(item, "writerTitle")),
                width=values.number(item, "orgWidth") if full else 0,
                height=values.number(item, "orgHeight") if full else 0,
                thumbnail=not full,
            )


def _from_tiles(tiles: list[Any], text: str) -> Iterator[Found]:
    pairs = [(tile[0], tile[1]) for tile in tiles if isinstance(tile, list) and len(tile) > 1]
    pairs = pairs or [(image.get("src", ""), image.get("alt", "")) for _, image in values.tags(text, "img")]
    for source, title in pairs:
        small = values.address(source)
        if full := _quoted(small):
            yield Found(full, title=values.plain(values.text(title)))


def _quoted(small: str) -> str:
    """The full address inside that of a small picture; "" when there is none, or only one of Naver's own pictures."""
    parts = urlsplit(small)
    if parts.hostname != SMALL[0] or not parts.path.startswith(SMALL[1]):
        return ""
    full = values.address(parse_qs(parts.query).get("src", [""])[0])
    return full if (urlsplit(full).hostname or "").find(SMALL[0]) < 0 else ""


ENGINE = Naver()
