"""Naver's image search. As told by public programs up to July 2026; nobody here could ask the engine itself.

Three ways to the full address: the object that the page's own program draws its tiles from (known by its name, and by
its shape when the name has changed), the same object as it is written in the page (local, constant, JSON in a script or
in an attribute), read whenever the script saw none of it, and the address that a thumbnail carries within its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from html import unescape
from typing import Any
from urllib.parse import unquote

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
    rows,
    unquoted,
    without_pictures,
)
from curation.records import Found

# What to look at first when the page has changed
DATA = "imageSearchTabData"
TILE_PICTURES = "img._fe_image_tab_content_thumbnail_image, [class*=image_tile] img, .sp_nimage img"
ADVERTISEMENTS = ("shopAd", "ad", "brandAd")
SMALL_HOSTS = ".pstatic.net"  # search.pstatic.net/common/, /sunny/ …: whatever the path, `src` is the full address
FOREIGN_HOSTS = ("shopping-phinf.pstatic.net", "searchad-phinf.pstatic.net")  # pictures of offers
SIGNS = Signs(
    blocked=("이용이 제한되었습니다", "비정상적인 검색", "자동입력 방지", 'id="captcha"', "captcha.nid.naver"),
    empty=("not_found02", "검색결과가 없습니다", "api_noresult_wrap"),
)

WRITTEN = re.compile(rf"\b{DATA}\s{{0,99}}=(?=\s{{0,99}}{{)")
ITEM, ITEMS = "originalUrl", "items"  # an item's own field, and the list it stands in
FIELDS = ("type", "originalUrl", "link", "thumb", "title", "writerTitle", "orgWidth", "orgHeight")
STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|\'[^\'\\]*+(?:\\.[^\'\\]*+)*+\'?'  # an open one goes on to the end
TOKEN = re.compile(
    rf"(?<!\w)(?:(?P<name>{'|'.join(FIELDS)})|([\"'])(?P<quoted>{'|'.join(FIELDS)})\2)"
    rf"\s{{0,9}}:\s{{0,9}}(?P<value>{STRING}|\d{{1,9}})|{STRING}|[{{}}]",
    re.DOTALL,
)
QUOTE = re.compile(r"\\?([\"'])")
NESTED = re.compile(rf"(?:\\\"|\\x22|\\u0022){ITEM}")  # JSON within a string
INNER_QUOTE = re.compile(r"\\\\|\\\"|\\x22|\\u0022")
DEEPEST = 50
EARLIEST = "19900101"

# A picture that is not in sight yet has a blank one for its `src`; the attribute that holds the address has many names.
SCRIPT = f"""
const holds = value => {{ try {{ return Array.isArray(value?.content?.items); }} catch {{ return false; }} }};
const value = name => {{ try {{ return window[name]; }} catch {{ return null; }} }};
const constant = () => {{ try {{ return {DATA}; }} catch {{ return null; }} }};
const data = [constant(), ...Object.keys(window).map(value)].find(holds);
const kept = {list(FIELDS)!r};
const addresses = image => [image, ...image.closest('picture')?.querySelectorAll('source') ?? []]
  .flatMap(element => [...element.attributes]).filter(({{name}}) => /src|lazy|original/.test(name))
  .sort((one, other) => (one.name === 'src') - (other.name === 'src'))
  .map(({{value}}) => value.trim().split(/\\s/)[0]).filter(value => /^(https?:)?\\/\\//i.test(value));
const picture = image => addresses(image).find(value => /[?&]src=/.test(value)) ?? addresses(image)[0];
const seen = [...document.querySelectorAll({TILE_PICTURES!r})];
return {{
  items: data?.content.items.map(item => Object.fromEntries(kept.map(key => [key, item?.[key] ?? null]))) ?? null,
  pictures: seen.map(image => [picture(image) ?? image.getAttribute('src') ?? '', image.alt]),
}};
"""


class Naver:
    """Reads search.naver.com."""

    name, title, home = "naver", "Naver", "https://search.naver.com"
    needs_browser, scrolls, page_size = True, False, 50
    script = SCRIPT
    more_buttons: tuple[str, ...] = ()
    consent = Consent()
    viewer: Viewer | None = None
    filters: Mapping[str, tuple[str, ...]] = {
        "type": ("face",),
        "age": ("day", "week", "month", "year"),
        "licence": ("any-cc", "commercial"),
    }
    dated = True

    def address(self, query: str, filters: Mapping[str, str], page: int = 0) -> str:
        """Page by page, fifty pictures each. Its one licence filter is "free for commercial use"."""
        age, licence = filters.get("age", ""), filters.get("licence", "")
        since, until = (filters.get(name, "").replace("-", "") for name in ("since", "until"))
        when = f"1{age[0]}" if age in self.filters["age"] else ""
        if since or until:
            when = f"from{since or EARLIEST}to{until or f'{date.today():%Y%m%d}'}"  # it wants both
        return asked(
            "/search.naver",
            where="image",
            sm="tab_jum",
            query=query,
            face="1" if filters.get("type") == "face" else "",
            nso=f"so:r,a:all,p:{when}" if when else "",
            ccl="2" if licence in self.filters["licence"] else "",
            start=str(1 + self.page_size * page) if page else "",
        )

    def read(self, page: Page) -> Reading:
        """The items, and the tiles' pictures that no item accounts for."""
        items = rows(part(page.value, "items"))
        pictures = lists(part(page.value, "pictures"), 2)
        found = once(_all(items, pictures))
        if not items or all(one.thumbnail for one in found):
            found = once((*_all(list(_written(page.text)), pictures), *found))
        if found:
            return Reading(Kind.OK, found)
        return without_pictures(page, SIGNS, f"{len(items)} items, {len(pictures)} thumbnails")


def _all(items: list[Mapping[str, Any]], pictures: list[list[Any]]) -> Iterator[Found]:
    thumbs = (item.get("thumb") for item in items)
    known = {thumb for thumb in thumbs if isinstance(thumb, str)}
    yield from (_found(item) for item in items if item.get("type") not in ADVERTISEMENTS)
    yield from (_from_thumbnail(*picture) for picture in pictures if str(picture[0]) not in known)


def _written(text: str) -> Iterator[Mapping[str, Any]]:
    """The items as they are written in the page, whatever the object or its place is called."""
    for place in _places(text):
        first = max(0, place.find(ITEM))  # a program may stand in front of its data
        starts = {place.find("[", place.rfind(ITEMS, 0, first)) + 1, max(0, place.rfind("{", 0, first)), 0}
        starts |= {match.end() for match in [WRITTEN.search(place)] if match}
        yield from max((list(_items(place[start:])) for start in sorted(starts)), key=len)


def _places(text: str) -> Iterator[str]:
    """The scripts and attributes of the page that hold items, text within text decoded once."""
    for piece in text.split("</script"):
        script = piece.partition("<script")[2]
        if ITEM in script or DATA in script:
            yield script
            if NESTED.search(script):
                yield INNER_QUOTE.sub(lambda match: "\\" if match[0] == "\\\\" else '"', script)
    end = 0
    while (found := text.find(f"{ITEM}&quot;", end)) >= 0:
        start, end = text.rfind('"', end, found) + 1, text.find('"', found)
        yield unescape(text[start:end] if end > 0 else text[start:])
        if end < 0:
            break


def _items(text: str) -> Iterator[Mapping[str, Any]]:
    """The items in a text of JavaScript: objects, no JSON, with or without quotes around their keys."""
    objects: list[dict[str, Any]] = []
    deeper = 0
    for token in TOKEN.finditer(text):
        if token[0] == "{" and len(objects) < DEEPEST:
            objects.append({})
        elif token[0] == "{":
            deeper += 1
        elif token[0] == "}" and deeper:
            deeper -= 1
        elif token[0] == "}" and objects:
            item = objects.pop()
            if ITEM in item or item.keys() >= {"type", "thumb"}:
                yield item
        elif token["value"] and objects:
            objects[-1][token["name"] or token["quoted"]] = _written_value(token["value"])


def _written_value(literal: str) -> str:
    if literal[0] not in "\"'":
        return literal
    return unquoted(QUOTE.sub(lambda quote: '\\"' if quote[1] == '"' else "'", literal[1:-1]))


def _found(item: Mapping[str, Any]) -> Found:
    """The item's own address, else the one within its thumbnail's, else the thumbnail."""
    thumbnail = _from_thumbnail(item.get("thumb"), item.get("title"))
    address = page_address(item.get("originalUrl"))
    small = not address and thumbnail.thumbnail
    return Found(
        address or thumbnail.address,
        page_address(item.get("link")),
        plain(item.get("title")),
        author=plain(item.get("writerTitle")),
        width=0 if small else pixels(item.get("orgWidth")),
        height=0 if small else pixels(item.get("orgHeight")),
        thumbnail=small,
    )


def _from_thumbnail(source: object, title: object) -> Found:
    small = picture_address(source)
    if host_of(small).endswith(SMALL_HOSTS):
        inside = _inside(parameter(small, "src"))
        if host_of(inside) in FOREIGN_HOSTS:
            return Found("")
        if inside:
            return Found(inside, title=plain(title))
    if small[:5].lower() == "data:":
        return Found("")  # keeps the place of a picture that is not loaded yet
    return Found(small, title=plain(title), thumbnail=True)


def _inside(source: str) -> str:
    """The address in a thumbnail's `src`, which some paths put in quotes or encode twice."""
    source = source.strip('"')
    return page_address(source) or page_address(unquote(source))


ENGINE = Naver()
