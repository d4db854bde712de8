"""Google's image search. As told by public programs up to September 2026; nobody here could ask the engine itself.

Three ways to the full address: records in the page's inline scripts (the first hundred or so pictures), the /imgres
link that a tile gets when the pointer is over it, and the large picture of the viewer. Thumbnails come last. No class
name is used: they change from day to day.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from crawler.engines.base import Consent, Kind, Page, Reading, Viewer
from crawler.engines.reading import (
    Signs,
    asked,
    host_of,
    lists,
    once,
    page_address,
    parameter,
    part,
    picture_address,
    pixels,
    plain,
    shown,
    unquoted,
    without_pictures,
)
from curation.records import Found

# What to look at first when the page has changed
BESIDE = ":not([role=dialog] *, dialog *, [aria-modal=true] *)"  # the viewer shows related pictures as tiles, too
TILE = f"[jsname=dTDiAc]{BESIDE}, div[data-lpage]{BESIDE}"
LINK = 'a[href*="imgurl="]'
LARGE = "img[jsname=kn3ccd]"
REJECT = (
    "#W0wltc",
    "form:has(input[name=set_eom][value=true]) button",
    'button[aria-label="Reject all"]',
    'input[type=submit][value="Reject all"]',
)
MORE = ("input[type=button][value='Show more results']", "[jsname=oHxHid] input", "a.show-more-results")
END = ("reached the end", "no more results")
SIGNS = Signs(
    blocked_paths=("/sorry/", "/httpservice/retry/"),
    blocked=('id="captcha-form"', "unusual traffic from your computer", "too many requests", 'class="g-recaptcha"'),
    empty=(
        "did not match any",
        "aren't any matches for your search",
        "aren’t any matches for your search",
        "no results containing all your search terms",
    ),
)
# The page that tries the browser's JavaScript before it gives way to the results, or says after two seconds that it
# will not: parts of its markup. Every page has the address in a <noscript>, but this one shows nothing else.
GATE, GATE_ADDRESS = ('id="yvlrue"', "emsg=sg_rel"), "/httpservice/retry/enablejs"
CONSENT_HOST = re.compile(r"consent\.(google|youtube)\.")
CONSENT_SIGNS = ('id="w0wltc"', 'name="set_eom"')
STRING = r'"((?:[^"\\]|\\.){0,4000})"'
SMALL = (  # a thumbnail's address, whatever its path and whosever licence the picture has
    r"https?://(?:encrypted-tbn\d{0,3}\.gstatic\.com/|[\w.-]{1,60}/(?:images|licensed-image)\?q(?:=|\\+u003d|\\+x3d)tbn)"
)
NESTED = re.compile(rf'\[\\"{SMALL}')
RECORD = re.compile(
    rf'\["({SMALL}[^"\s]{{1,1000}})",\d{{1,6}},\d{{1,6}}\]'
    rf"\s{{0,9}},\s{{0,9}}\[{STRING},(\d{{1,6}}),(\d{{1,6}})\]"
)
RECORD_NAME = re.compile(r'"([\w-]{6,60})",\s{0,9}$')
RECORD_PAGE = re.compile(rf'"2003":\[null,(?:null|"[^"\\]{{0,200}}"),{STRING}(?:,{STRING})?')
RECORD_LENGTH = 3000  # characters within which a record's page and title stand
SMALL_HOST = re.compile(r"encrypted-tbn\d*\.gstatic\.com|.*\.google\.com|www\.gstatic\.com")
PLACEHOLDER = 200  # characters: a data: picture that is shorter only keeps a place

SCRIPT = f"""
const visible = element => element?.getClientRects().length > 0;
const full = {LARGE!r}, every = [...document.querySelectorAll({TILE!r})];
// A viewer is as much around the large picture as holds no tile that stands before it; where none does, not the last.
const before = (one, other) => Boolean(one.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_PRECEDING);
const viewers = [...document.querySelectorAll(full)].map(image => {{
  const earlier = every.filter(tile => before(image, tile)), limits = earlier.length ? earlier : every.slice(-1);
  let root = image;
  while (root.parentElement && !limits.some(tile => root.parentElement.contains(tile))) root = root.parentElement;
  return root;
}});
const beside = tile => !viewers.some(root => root.contains(tile));
const tiles = every.filter(tile => !tile.parentElement?.closest({TILE!r}) && beside(tile));
return {{
  tiles: tiles.map(tile => {{
    const image = tile.querySelector('img');
    return [tile.dataset.docid ?? '', tile.dataset.lpage ?? '', tile.querySelector({LINK!r})?.href ?? '',
      image?.getAttribute('src') ?? '', image?.dataset.src ?? image?.dataset.iurl ?? '', image?.alt ?? ''];
  }}),
  large: [...document.querySelectorAll(full)].map(image => [image.getAttribute('src') ?? '',
    image.closest('a')?.href ?? '', image.alt, image.naturalWidth, image.naturalHeight]),
  consent: {list(REJECT)!r}.some(selector => [...document.querySelectorAll(selector)].some(visible)),
  said: (document.body?.innerText ?? '').slice(-1500),
}};
"""


@dataclass(frozen=True)
class _Tile:
    """A result as it stands on the page; `link` is its /imgres address once a hover has brought it out."""

    name: str
    page: str
    link: str
    small: str
    title: str


@dataclass(frozen=True)
class _Record:
    """A result as it stands in the page's scripts."""

    name: str
    small: str
    found: Found


class Google:
    """Reads www.google.com."""

    name, title, home = "google", "Google", "https://www.google.com"
    needs_browser, scrolls, page_size = True, True, 100
    script = SCRIPT
    more_buttons = MORE
    consent = Consent(REJECT)
    viewer: Viewer | None = Viewer(TILE, LARGE, LINK)
    tbs: Mapping[str, Mapping[str, str]] = {
        "size": {"large": "isz:l", "medium": "isz:m", "small": "isz:i"},
        "type": {"photo": "itp:photo", "face": "itp:face", "clipart": "itp:clipart", "lineart": "itp:lineart"},
        "colour": {"color": "ic:color", "gray": "ic:gray", "transparent": "ic:trans"},
        "age": {"day": "qdr:d", "week": "qdr:w", "month": "qdr:m", "year": "qdr:y"},
        "licence": {"any-cc": "il:cl"},
    }
    filters: Mapping[str, tuple[str, ...]] = {key: tuple(values) for key, values in tbs.items()}
    dated = True

    def address(self, query: str, filters: Mapping[str, str], page: int = 0) -> str:
        """There is one page; more comes by scrolling. `hl` pins the language that the signs are written in."""
        del page
        terms = [self.tbs[key][value] for key, value in filters.items() if value in self.tbs.get(key, {})]
        days = {
            name: filters[key].split("-") for name, key in (("cd_min", "since"), ("cd_max", "until")) if key in filters
        }
        ends = [f"{name}:{int(month)}/{int(day)}/{year}" for name, (year, month, day) in days.items()]
        terms += ["cdr:1", *ends] if ends else []
        return asked("/search", q=query, udm="2", hl="en", tbs=",".join(terms))

    def read(self, page: Page) -> Reading:
        """Tiles in their order, each with the best address known, then what has no tile."""
        tiles = [_tile(row) for row in lists(part(page.value, "tiles"), 6)]
        records = list(_records(page.text))
        large = [_large(row) for row in lists(part(page.value, "large"), 5)]
        found = once(_joined(tiles, records, [one for one in large if one.address]))
        said = str(part(page.value, "said") or "").lower()
        if _asks_for_consent(page):
            return Reading(Kind.CONSENT, marker="consent page", beneath=found)
        if not found and (sign := _gate(page, said)):
            return Reading(Kind.BLOCKED, marker=f"its JavaScript gate ({sign})", passing=True)
        if not found:
            return without_pictures(page, SIGNS, f"{len(tiles)} tiles, {len(records)} records in scripts")
        return Reading(Kind.OK, found, ended=any(words in said for words in END))


def _asks_for_consent(page: Page) -> bool:
    if CONSENT_HOST.match(host_of(page.address)):
        return True
    if isinstance(page.value, Mapping):
        return part(page.value, "consent") is True
    return any(sign in page.text.lower() for sign in CONSENT_SIGNS)


def _gate(page: Page, said: str) -> str:
    """The sign of the page that lets no one through whose JavaScript it does not like; empty for any other."""
    markup = shown(page.text).lower()
    sign = next((sign for sign in GATE if sign in markup), "")
    bare = isinstance(page.value, Mapping) and not said.strip() and 'name="q"' not in markup
    return sign or (GATE_ADDRESS if GATE_ADDRESS in (page.text if bare else markup) else "")


def _tile(row: list[Any]) -> _Tile:
    name, page, link, source, later, title = row
    small = next((address for address in map(_small, (source, later)) if address), "")
    return _Tile(plain(name), page_address(page), link if isinstance(link, str) else "", small, plain(title))


def _small(value: object) -> str:
    """The address of a thumbnail; empty for the blank picture that keeps its place."""
    address = picture_address(value)
    return "" if address[:5].lower() == "data:" and len(address) < PLACEHOLDER else address


def _large(row: list[Any]) -> Found:
    address, page, title, width, height = row
    address = page_address(address)
    if SMALL_HOST.fullmatch(host_of(address)):
        address = ""
    return Found(address, page_address(page), plain(title), width=pixels(width), height=pixels(height))


def _records(text: str) -> Iterator[_Record]:
    """The records in the scripts, and those that are text within text."""
    yield from _records_in(text)
    if NESTED.search(text):
        yield from _records_in(text.replace("\\\\", "\0").replace('\\"', '"').replace("\0", "\\"))


def _records_in(text: str) -> Iterator[_Record]:
    matches = list(RECORD.finditer(text))
    ends = [match.start() for match in matches[1:]] + [len(text)]
    for match, following in zip(matches, ends, strict=False):
        small, full, height, width = match.groups()
        address = page_address(unquoted(full))
        if not address:
            continue
        name = RECORD_NAME.search(text, max(0, match.start() - 70), match.start())
        facts = RECORD_PAGE.search(text, match.end(), min(match.end() + RECORD_LENGTH, following))
        page, title = (facts[1], facts[2] or "") if facts else ("", "")
        found = Found(
            address,
            page_address(unquoted(page)),
            plain(unquoted(title)),
            width=pixels(width),
            height=pixels(height),
        )
        yield _Record(name[1] if name else "", unquoted(small), found)


def _joined(tiles: list[_Tile], records: list[_Record], large: list[Found]) -> Iterator[Found]:
    """One finding a tile: its record, else its link, else its large picture, else its thumbnail."""
    by_name = {record.name: record.found for record in records if record.name}
    by_small = {record.small: record.found for record in records}
    by_page: dict[str, list[Found]] = {}
    for one in large:
        by_page.setdefault(one.page, []).append(one)
    best: dict[str, Found] = {}  # by name: an endless page begins anew with the same tiles
    for place, tile in enumerate(tiles):
        found = by_name.get(tile.name) or by_small.get(tile.small) or _linked(tile)
        if found is None and tile.page and by_page.get(tile.page):
            found = by_page[tile.page].pop(0)
        if found or tile.name not in best:
            best[tile.name or str(place)] = found or Found(tile.small, tile.page, tile.title, thumbnail=True)
    yield from best.values()
    yield from (record.found for record in records)
    yield from (one for rest in by_page.values() for one in rest)


def _linked(tile: _Tile) -> Found | None:
    address = page_address(parameter(tile.link, "imgurl"))
    if not address:
        return None
    page = page_address(parameter(tile.link, "imgrefurl")) or tile.page
    width, height = (pixels(parameter(tile.link, name)) for name in ("w", "h"))
    return Found(address, page, tile.title, width=width, height=height)


ENGINE = Google()
