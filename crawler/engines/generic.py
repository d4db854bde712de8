"""Reads a result page without knowing any of its names: the last way, when what an engine's module knows has changed.

Four kinds of evidence: links that carry the address of a picture as a parameter, pairs `[small, h, w], [full, h, w]`
in scripts, thumbnails that carry the address of their picture, and a grid of similar pictures whose cells hold or link
to an address. What only a pointer brings out is added by `page_grid`. Never used where the engine's own module tells
that the page is empty, blocked or asks for consent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

from crawler import page_scripts
from crawler.engines.base import BrowserEngine, Kind, Page, Reading, Viewer
from crawler.engines.reading import (
    LONGEST_ADDRESS,
    host_of,
    lists,
    once,
    page_address,
    part,
    picture_address,
    pixels,
    plain,
    unquoted,
)
from curation.records import Found

FULL = ("imgurl", "mediaurl", "murl", "objurl", "imageurl", "image_url", "img_url", "media_url")
PAGES = ("imgrefurl", "purl", "refurl", "pageurl", "page_url", "fromurl")
WIDTHS, HEIGHTS = ("w", "expw", "width", "imgw"), ("h", "exph", "height", "imgh")
INSIDE = ("src", "u", "url", "image")  # parameters of a thumbnail's address
SMALL_HOST = re.compile(
    r"encrypted-tbn\d*\.gstatic\.com|www\.gstatic\.com|([a-z0-9-]+\.)*(google|bing|duckduckgo|naver)\.com"
    r"|([a-z0-9-]+\.)*mm\.bing\.net|(search|ssl|s)\.pstatic\.net"
)
OFFERS = re.compile(r"(shopping|searchad)-phinf\.pstatic\.net|(.*\.)?(doubleclick\.net|googleadservices\.com)")
PICTURE = re.compile(r"\.(jpe?g|jfif|png|gif|webp|bmp|avif|tiff?|heic|jxl|jp2)$", re.IGNORECASE)
FEW = 4  # thumbnails that carry an address; fewer may be icons of a page without results
LONGEST_LINK = 4000  # characters of a link before its parameter

ADDRESS = r"(?:https?:|(?:\\?/){2}|data:image)"
STRING = rf"""(?:"({ADDRESS}[^"\\\n]*+(?:\\.[^"\\\n]*+)*+)"|'({ADDRESS}[^'\\\n]*+(?:\\.[^'\\\n]*+)*+)')"""
SIZE, GAP = r"(\d{1,6})", r"\s{0,9},\s{0,9}"
PAIR = re.compile(
    rf"[\[{{(]\s{{0,9}}{STRING}{GAP}{SIZE}{GAP}{SIZE}\s{{0,9}}[\]}})]{GAP}[\[{{(]\s{{0,9}}{STRING}{GAP}{SIZE}{GAP}{SIZE}"
)
KEY = re.compile(
    rf"(?<![\w-])(?:{'|'.join(FULL)})(?:=(?=[\w%/:\\])|[\"']?\s{{0,9}}[:=]\s{{0,9}}{STRING})", re.IGNORECASE
)
ENCODED_KEY = re.compile(rf"(?:%3F|%26|^)(?:{'|'.join(FULL)})%3D", re.IGNORECASE)
ENCODED_THUMBNAIL = re.compile(
    r"(?:https?%3A)?%2F%2F(?:search\.pstatic\.net|(?:external-content\.)?duckduckgo\.com)%2F[\w%.~+*-]{9,4000}",
    re.IGNORECASE,
)
UNLIKE_LINK = " \t\n\"'<>`\\"
OUTSIDE_LINK = re.compile(f"[{re.escape(UNLIKE_LINK)}]")
THUMBNAIL = re.compile(
    r"(?:https?:)?//(?:search\.pstatic\.net|(?:external-content\.)?duckduckgo\.com)/[^\s\"'<>`\\()]{9,4000}",
    re.IGNORECASE,
)
ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,8}\d{0,2});")  # others are parameters of links
CODE = re.compile(r"\\(?:u00|x)(22|26|27|2[fF]|3[aAdDfF])")


class Generic:
    """An engine read in the generic way: asked as before, and what `shown` tells of thumbnails is joined in."""

    def __init__(self, engine: BrowserEngine) -> None:
        self._engine = engine
        self.name, self.title, self.home = engine.name, engine.title, engine.home
        self.needs_browser, self.filters, self.dated = engine.needs_browser, engine.filters, engine.dated
        self.scrolls, self.page_size, self.more_buttons = engine.scrolls, engine.page_size, engine.more_buttons
        self.consent = engine.consent
        self.viewer: Viewer | None = None
        self.script = f"return {{own: (() => {{ {engine.script} }})(), cells: (() => {{ {page_scripts.CELLS} }})()}};"
        self.shown: dict[str, str] = {}  # address that the pointer brought out, by thumbnail
        self.helps = False  # whether the generic way has found anything yet
        self._written: list[tuple[str, Found]] = []  # in the text that was read last

    def address(self, query: str, filters: Mapping[str, str], page: int = 0) -> str:
        """As the engine."""
        return self._engine.address(query, filters, page)

    def read(self, page: Page) -> Reading:
        """What the engine's module finds, else what stands in the page in any other form."""
        own = self._engine.read(replace(page, value=part(page.value, "own")))
        if own.kind in (Kind.EMPTY, Kind.BLOCKED):
            return own
        full = [one for one in (*own.found, *own.beneath) if not one.thumbnail]
        if page.text:
            self._written = list(written_pictures(page.text))
        other = joined(page, self._written, self.shown)
        self.helps = self.helps or bool(other)
        found = once((*full, *other))
        if own.kind is Kind.CONSENT:
            return replace(own, beneath=found)
        return Reading(Kind.OK, found, own.ended, own.marker) if other else own


def pictures(page: Page) -> tuple[Found, ...]:
    """The pictures of a result page, in its order, each once; a cell of the grid without address as a thumbnail.

    `page.value["cells"]` are `[thumbnail, title, [text of an attribute, …]]`, as the script takes them.
    """
    return joined(page, list(written_pictures(page.text)))


def joined(page: Page, written: list[tuple[str, Found]], shown: Mapping[str, str] = {}) -> tuple[Found, ...]:
    """Cells with what is written and what was `shown` for their thumbnails, then what is written and has no cell."""
    by_small = {small: found for small, found in written if small}
    by_small |= {small: Found(address) for small, address in shown.items()}
    cells = [_cell(cell, by_small, page.address) for cell in lists(part(page.value, "cells"), 3)]
    loose = [found for _, found in written]
    found = once((*cells, *loose))
    full = tuple(one for one in found if not one.thumbnail)
    # With as many pictures as cells they are the same ones, though nothing tells which is which.
    enough = len(full) >= len(cells) or (2 * len(full) >= len(cells) and all(one.thumbnail for one in cells))
    return full if enough else found


def written_pictures(text: str) -> Iterator[tuple[str, Found]]:
    """(thumbnail or "", picture) for all that is written anywhere in a page, in its order, each picture once."""
    best: dict[str, tuple[str, Found]] = {}
    for layer in _layers(text):
        found = [*_links(layer), *_pairs(layer)]
        proxied = list(_within_thumbnails(layer))
        found += proxied if len({one.address for _, _, one in proxied}) >= FEW else []
        for _, small, one in sorted(found, key=lambda row: row[0]):
            known = best.get(one.address)
            if known is None or (one.page and not known[1].page) or (small and not known[0]):
                best[one.address] = (small or (known[0] if known else ""), one)
    yield from best.values()


def _layers(text: str) -> Iterator[str]:
    """The text with its entities undone, then as text within a script."""
    text = _without_entities(text)
    yield text
    for _ in range(2):
        undone = text.replace("\\\\", "\0").replace('\\"', '"').replace("\0", "\\").replace("\\/", "/")
        undone = _without_entities(CODE.sub(lambda code: chr(int(code[1], 16)), undone))
        if undone == text:
            break
        text = undone
        yield text


def _without_entities(text: str) -> str:
    return ENTITY.sub(lambda entity: unescape(entity[0]), text) if "&" in text else text


def _links(text: str) -> Iterator[tuple[int, str, Found]]:
    end = 0  # of the link that was read last: what stands within it is part of it
    for match in KEY.finditer(text):
        if written := match[1] or match[2]:
            address = page_address(unquoted(written))
            if _is_full(address):
                yield match.start(), "", Found(address)
        elif match.start() >= end:
            start, end = _span(text, match)
            link = text[start:end]
            found = linked(link if "?" in link[: match.start() - start] else f"?{text[match.start() : end]}")
            if found:
                yield match.start(), "", found
    end = 0
    for match in ENCODED_KEY.finditer(text):  # the whole link within another
        if match.start() < end:
            continue
        start, end = _span(text, match)
        before, after = text[start : match.start()], text[match.start() : end]
        found = linked(unquote(before[max(before.rfind("?"), before.rfind("&")) + 1 :] + after.partition("&")[0]))
        if found:
            yield match.start(), "", found


def _span(text: str, match: re.Match[str]) -> tuple[int, int]:
    """Where the link around the match begins and ends."""
    start = max(0, match.start() - LONGEST_LINK)
    start = max(start, *(text.rfind(sign, start, match.start()) + 1 for sign in UNLIKE_LINK))
    after = OUTSIDE_LINK.search(text, match.end(), match.end() + LONGEST_ADDRESS)
    return start, after.start() if after else match.end() + LONGEST_ADDRESS


def _pairs(text: str) -> Iterator[tuple[int, str, Found]]:
    for match in PAIR.finditer(text):
        one, single, height, width, other, alone, high, wide = match.groups()
        small, full = picture_address(unquoted(one or single)), page_address(unquoted(other or alone))
        first, second = (int(height), int(width)), (int(high), int(wide))
        if small and first[0] * first[1] > second[0] * second[1]:
            small, full, second = full, page_address(small), first
        if small and _is_full(full):
            yield match.start(), small, Found(full, width=pixels(second[1]), height=pixels(second[0]))


def _within_thumbnails(text: str) -> Iterator[tuple[int, str, Found]]:
    for match in ENCODED_THUMBNAIL.finditer(text):
        if address := inside(unquote(match[0])):
            yield match.start(), picture_address(unquote(match[0])), Found(address)
    for match in THUMBNAIL.finditer(text):
        if address := inside(match[0]):
            yield match.start(), picture_address(match[0]), Found(address)


def linked(link: str) -> Found | None:
    """The picture that a link carries as a parameter, with page and size where they stand there too."""
    fields: dict[str, str] = {}
    for key, value in _fields(link):
        fields.setdefault(key.lower(), value)
    address = next((full for key in FULL if (full := _addressed(fields.get(key, ""))) and _is_full(full)), "")
    if not address:
        return None
    page = next((page for key in PAGES if (page := _addressed(fields.get(key, "")))), "")
    width, height = (next((fields[key] for key in keys if key in fields), "") for keys in (WIDTHS, HEIGHTS))
    return Found(address, page, width=pixels(width), height=pixels(height))


def inside(thumbnail: str) -> str:
    """The address of the picture that a thumbnail's own address carries; empty when it carries none."""
    for key, value in _fields(thumbnail):
        address = _addressed(value) if key.lower() in INSIDE else ""
        if _is_full(address):
            return address
    return ""


def enlarged(address: str, link: str = "") -> str:
    """The full address of a large picture that the page shows, or that its link carries; empty for a thumbnail."""
    found = linked(link)
    full = inside(address) or (found.address if found else "") or page_address(address)
    return full if _is_full(full) else ""


def carried(text: str, base: str = "") -> Found | None:
    """The picture that the text of one attribute leads to: named parameters first, then any, then the link itself."""
    text = text.strip()
    found = linked(text)
    if found:
        return found
    values = [address for _, value in _fields(text) if (address := _addressed(value))]
    full = next((address for address in values if _is_full(address) and _is_picture(address)), "")
    if not full and not any(map(_is_picture, values)):
        address = page_address(urljoin(base, text)) if base and text[:1] == "/" else page_address(text)
        full = address if _is_full(address) and _is_picture(address) else ""
    if not full:
        return None
    return Found(full, next((address for address in values if not _is_picture(address)), ""))


def _cell(cell: list[Any], by_small: Mapping[str, Found], base: str) -> Found:
    source, title, texts = cell
    small, title = picture_address(source), plain(title)
    texts = [text for text in texts if isinstance(text, str)] if isinstance(texts, list) else []
    found = by_small.get(small) or next(
        (one for text in texts if (one := carried(text, base)) and one.address != small), None
    )
    if found is None and (address := inside(small)):
        found = Found(address)
    if found is None:
        return Found(small, _page(texts, base), title, thumbnail=True)
    return replace(found, page=found.page or _page(texts, base), title=found.title or title)


def _page(texts: Iterable[str], base: str) -> str:
    """The first link that leads elsewhere."""
    pages = (page_address(text) for text in texts)
    return next((page for page in pages if page and host_of(page) != host_of(base) and not _is_picture(page)), "")


def _fields(link: str) -> list[tuple[str, str]]:
    query = link.partition("?")[2] or link.partition("#")[2]
    try:
        return parse_qsl(query.partition("#")[0], max_num_fields=200, errors="replace")
    except ValueError:
        return []


def _addressed(value: str) -> str:
    """An address that is encoded once more, or twice."""
    for _ in range(3):
        if address := page_address(value):
            return address
        value = unquote(value)
    return ""


def _is_full(address: str) -> bool:
    host = host_of(address)
    return bool(host) and not SMALL_HOST.fullmatch(host) and not OFFERS.fullmatch(host)


def _is_picture(address: str) -> bool:
    try:
        return bool(PICTURE.search(urlsplit(address).path))
    except ValueError:
        return False
