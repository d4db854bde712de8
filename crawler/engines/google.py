"""Google's image search, as far as a browser is shown it.

Ways to the full address: records in the page's inline scripts; the /imgres link that a real hover writes into a tile;
the large picture in the viewer that a real click opens. Last: a tile's small picture, flagged as a thumbnail. Class
names change with every page and are not used; what is used stands below.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from crawler.engines import values
from crawler.engines.base import Consent, Kind, Page, Reading, Viewer
from curation.records import Found

PAGE_SIZE = 100
TILE, LARGE, LINK = "div[jsname=dTDiAc]", "img[jsname=kn3ccd]", 'a[href*="/imgres?"]'
VIEWER = Viewer(tile=TILE, picture=LARGE, link=LINK)
CONSENTS = Consent(
    ("#W0wltc", 'form:has(input[name="set_eom"][value="true"]) button', 'button[aria-label="Reject all"]')
)
CONSENT_HOST, CONSENT = "consent.google.", ('id="W0wltc"', 'name="set_eom"')
SORRY, BLOCKED = "/sorry/", ('id="captcha-form"', 'class="g-recaptcha"')
EMPTY = ("did not match any image results", "did not match any documents")
MORE = ('input[value="Show more results"]', 'input[jsaction*="more"]')
OWN_HOSTS = ("gstatic.com", "google.com")  # where small pictures are
TBS = {
    "size": {"large": "isz:l", "medium": "isz:m", "small": "isz:i"},
    "type": {"photo": "itp:photo", "face": "itp:face", "clipart": "itp:clipart", "lineart": "itp:lineart"},
    "colour": {"color": "ic:color", "gray": "ic:gray", "transparent": "ic:trans"},
    "age": {"day": "qdr:d", "week": "qdr:w", "month": "qdr:m", "year": "qdr:y"},
    "licence": {"any-cc": "il:cl", "commercial": "il:ol"},
}
# "<document>",["https://encrypted-tbn…",h,w],["<full>",h,w], then within REACH "2003":[null,"…","<page>","<title>"
_STRING = r'"((?:[^"\\]|\\.){1,8192})"'
RECORD = re.compile(
    rf'(?:"([\w-]{{5,60}})",\s*)?\["https?://encrypted-tbn[^"]{{1,2000}}",\s*\d+,\s*\d+\],\s*\[{_STRING},\s*(\d+),\s*(\d+)\]'
)
ABOUT = re.compile(rf'"2003":\[null,\s*"[^"]{{0,200}}",\s*{_STRING}(?:,\s*{_STRING})?')
REACH = 2000
SCRIPT = """
const tiles = [...document.querySelectorAll('div[jsname=dTDiAc]')].map(tile => {
  const link = tile.querySelector('a[href*="/imgres?"]'), image = tile.querySelector('img');
  return [tile.dataset.docid || '', link ? link.getAttribute('href') : '', tile.dataset.lpage || '',
    image ? image.getAttribute('data-src') || image.getAttribute('src') || '' : '', image ? image.alt : ''];
});
const large = [...document.querySelectorAll('img[jsname=kn3ccd]')].map(image => {
  const box = image.closest('[data-id], [data-docid]'), link = image.closest('a');
  return [box ? box.dataset.id || box.dataset.docid : '', image.getAttribute('src') || '', link ? link.href : ''];
});
return {tiles, large};
"""


@dataclass(frozen=True)
class Google:
    """See `BrowserEngine`."""

    name: str = "google"
    title: str = "Google"
    home: str = "https://www.google.com"
    needs_browser: bool = True
    filters: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: {key: tuple(choices) for key, choices in TBS.items()}
    )
    script: str = SCRIPT
    scrolls: bool = True
    page_size: int = PAGE_SIZE
    more_buttons: tuple[str, ...] = MORE
    consent: Consent = CONSENTS
    viewer: Viewer | None = VIEWER

    def address(self, query: str, filters: Mapping[str, str], page: int = 0) -> str:  # noqa: ARG002 - it scrolls
        """`/search?q=…&udm=2`, in English, so that the page says what is known of it."""
        asked = {"q": query, "udm": "2", "hl": "en"}
        chosen = [TBS[key][value] for key, value in filters.items() if value in TBS.get(key, {})]
        if chosen:
            asked["tbs"] = ",".join(chosen)
        return "/search?" + urlencode(asked)

    def read(self, page: Page) -> Reading:
        """The pictures in the order of the tiles; thumbnails where nothing better is known."""
        parts = urlsplit(page.address)
        if (parts.hostname or "").startswith(CONSENT_HOST) or all(marker in page.text for marker in CONSENT):
            return Reading(Kind.CONSENT, marker="consent page")
        if CONSENT[0] in page.text:
            return Reading(Kind.CONSENT, marker=CONSENT[0])
        if parts.path.startswith(SORRY) or page.status == 429:
            return Reading(Kind.BLOCKED, marker=f"status {page.status}" if page.status == 429 else SORRY)
        found = tuple(_found(page))
        if found:
            return Reading(Kind.OK, found)
        if blocked := values.first_in(page.text, BLOCKED):
            return Reading(Kind.BLOCKED, marker=blocked)
        if empty := values.first_in(page.text, EMPTY):
            return Reading(Kind.EMPTY, ended=True, marker=empty)
        return Reading(Kind.CHANGED, marker=f"neither {TILE} nor records in the scripts")


def _found(page: Page) -> Iterator[Found]:
    records = dict(_records(page.text))
    large = {row[0]: row for row in _rows(page.value, "large", 3) if values.address(row[1]) and not _is_small(row[1])}
    thumbnails = []
    for document, link, lands, small, title in _rows(page.value, "tiles", 5):
        record = records.pop(document, None) if document else None
        shown = large.pop(document, None) if document else None
        if record:
            yield record
        elif full := _linked(link, lands, title):
            yield full
        elif shown:
            yield Found(values.address(shown[1]), values.address(lands), values.plain(title))
        elif values.address(small) or (small.startswith("data:image/") and len(small) > 200):
            address = values.address(small) or small
            thumbnails.append(Found(address, values.address(lands), values.plain(title), thumbnail=True))
    yield from records.values()
    for _, source, lands in large.values():
        yield Found(values.address(source), values.address(lands))
    yield from thumbnails


def _rows(value: Any, key: str, size: int) -> Iterator[list[str]]:  # noqa: ANN401 - any JSON
    for row in values.rows(value, key):
        if isinstance(row, list) and len(row) == size and all(isinstance(part, str) for part in row):
            yield row


def _records(text: str) -> Iterator[tuple[str, Found]]:
    matches = list(RECORD.finditer(text))
    for place, match in enumerate(matches):
        address = values.address(_unescaped(match[2]))
        if not address or _is_small(address):
            continue
        following = matches[place + 1].start() if place + 1 < len(matches) else len(text)
        about = ABOUT.search(text, match.end(), min(match.end() + REACH, following))
        yield (
            match[1] or f"record {place}",
            Found(
                address=address,
                page=values.address(_unescaped(about[1])) if about else "",
                title=values.plain(_unescaped(about[2] or "")) if about else "",
                width=values.number(match[4]),
                height=values.number(match[3]),
            ),
        )


def _linked(link: str, lands: str, title: str) -> Found | None:
    """What a hover has written into the tile: `/imgres?imgurl=<full>&imgrefurl=<page>&w=&h=`."""
    try:
        asked = {name: given[0] for name, given in parse_qs(urlsplit(link).query).items()}
    except ValueError:
        return None
    address = values.address(asked, "imgurl")
    if not address:
        return None
    where = values.address(asked, "imgrefurl") or values.address(lands)
    return Found(address, where, values.plain(title), width=values.number(asked, "w"), height=values.number(asked, "h"))


def _is_small(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    return host.startswith("encrypted-tbn")


def _unescaped(text: str) -> str:
    r"""A JavaScript string without its escapes: `\u003d`, `\x3d`, `\/`."""
    try:
        found: str = json.loads(f'"{re.sub(_HEX, _as_unicode, text)}"', strict=False)
    except ValueError:
        return ""
    return found


_HEX = re.compile(r"\\x([0-9a-fA-F]{2})")


def _as_unicode(match: re.Match[str]) -> str:
    return f"\\u00{match[1]}"


ENGINE = Google()
