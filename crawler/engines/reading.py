"""What all engines need to read a page: values of any type made into plain addresses, texts and numbers, and the
verdict on a page without pictures.

Pages are written by strangers. Nothing here raises on what they hold, and all of it takes time in proportion to the
length of the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from html import unescape
from typing import Any
from urllib.parse import quote, unquote_plus, urlsplit

from crawler.engines.base import Kind, Page, Reading
from curation.records import Found

LONGEST_ADDRESS, LONGEST_DATA, LONGEST_TEXT = 8000, 200_000, 500
LARGEST_SIDE = 1_000_000
TAG = re.compile(r"</?[a-zA-Z][^<>]{0,1000}>")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
MARKS = re.compile("[\ue000-\uf8ff\u200e\u200f\u202a-\u202e]")  # private use and direction: marks of the found words
HOST = re.compile(r"[^\s<>\"'\\^`{|}%/?#@]{1,255}")
X_ESCAPE = re.compile(r"\\x([0-9a-fA-F]{2})")
HIDDEN = (("<!--", "-->"), ("<script", "</script"), ("<style", "</style"), ("<noscript", "</noscript"))
MOST_FIELDS = 200
FACTS = ("page", "title", "author", "licence", "licence_address", "width", "height")
TOO_MANY, FORBIDDEN = 429, (202, 401, 403, 418)  # 202 and 418 are what some guards answer to robots


@dataclass(frozen=True)
class Signs:
    """How a page without pictures is told: parts of its address, and of its markup without its programs.

    The parts of the markup are in lower case. They are only looked at when no picture was found.
    """

    blocked: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    blocked_paths: tuple[str, ...] = ()
    blocked_statuses: tuple[int, ...] = ()


def without_pictures(page: Page, signs: Signs, otherwise: str) -> Reading:
    """What a page is that holds no picture; `otherwise` says what was looked for in vain."""
    path = _path(page.address)
    for sign in signs.blocked_paths:
        if path.startswith(sign):
            return Reading(Kind.BLOCKED, marker=f"address {sign}")
    if page.status == TOO_MANY or page.status in signs.blocked_statuses:
        return Reading(Kind.BLOCKED, marker=f"HTTP {page.status}")
    markup = shown(page.text).lower()
    for kind, marks in ((Kind.BLOCKED, signs.blocked), (Kind.EMPTY, signs.empty)):
        for mark in marks:
            if mark in markup:
                return Reading(kind, ended=True, marker=mark)
    if page.status in FORBIDDEN:
        return Reading(Kind.BLOCKED, marker=f"HTTP {page.status}")
    return Reading(Kind.CHANGED, marker=otherwise)


def shown(markup: str) -> str:
    """The markup without comments, programs, styles and what is only for browsers without programs."""
    for opening, closing in HIDDEN:
        markup = _without(markup, opening, closing)
    return markup


def _without(markup: str, opening: str, closing: str) -> str:
    lower, kept, place = markup.lower(), [], 0
    if len(lower) != len(markup):  # a few letters grow when made small
        markup = lower
    while (start := lower.find(opening, place)) >= 0:
        kept.append(markup[place:start])
        end = lower.find(closing, start)
        if end < 0:
            return "".join(kept)
        place = end + len(closing)
    return "".join((*kept, markup[place:]))


def picture_address(value: object) -> str:
    """An address that a picture can have, http, https or data:, as it was given; empty when it is none."""
    if not isinstance(value, str):
        return ""
    address = _whole(value.strip())
    if address[:11].lower() == "data:image/":
        return address if len(address) <= LONGEST_DATA else ""
    return page_address(address)


def page_address(value: object) -> str:
    """An http or https address with a host; empty when it is none."""
    if not isinstance(value, str):
        return ""
    address = _whole(value.strip())
    if address.startswith("//"):
        address = f"https:{address}"
    if len(address) > LONGEST_ADDRESS or CONTROL.search(address):
        return ""
    try:
        parts = urlsplit(address)
        named = parts.scheme in ("http", "https") and (
            ":" in (parts.hostname or "") or HOST.fullmatch(parts.netloc.rpartition("@")[2])
        )
    except ValueError:
        return ""
    return address if named else ""


def plain(value: object) -> str:
    """Text for people: without tags, entities, marks and needless blanks; empty for what is no text."""
    if not isinstance(value, str):
        return ""
    text = unescape(TAG.sub("", value[: 20 * LONGEST_TEXT]))
    text = MARKS.sub("", CONTROL.sub(" ", _whole(text)))
    return " ".join(text.split())[:LONGEST_TEXT].strip()


def pixels(value: object) -> int:
    """A side of a picture; 0 when it is not known."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 8:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return int(value) if 0 < value <= LARGEST_SIDE else 0


def host_of(address: str) -> str:
    """The host of an address, in lower case; empty when it has none."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def parameter(address: object, name: str) -> str:
    """A parameter of an address, decoded; empty when it is not there."""
    if not isinstance(address, str):
        return ""
    query = address.partition("?")[2].partition("#")[0]
    for field in query.split("&", MOST_FIELDS)[:MOST_FIELDS]:
        key, _, value = field.partition("=")
        if key == name:
            return unquote_plus(value)
    return ""


def asked(path: str, **parameters: str) -> str:
    """A path with these parameters, percent-encoded; empty ones are left out."""
    pairs = (f"{name}={quote(value, safe='', errors='replace')}" for name, value in parameters.items() if value)
    return f"{path}?{'&'.join(pairs)}"


def parsed(text: object) -> Any:  # noqa: ANN401 - JSON
    """JSON, or None when it is none."""
    if not isinstance(text, str):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def unquoted(inside: str) -> str:
    """The inside of a string literal of JavaScript, decoded."""
    value = parsed('"' + X_ESCAPE.sub(r"\\u00\1", inside) + '"')
    return value if isinstance(value, str) else inside


def part(value: object, *keys: str) -> Any:  # noqa: ANN401 - JSON
    """What lies at `value[key][key]…`, or None."""
    for key in keys:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def rows(value: object) -> list[Mapping[str, Any]]:
    """The objects in a JSON list; anything else in it is passed over."""
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def lists(value: object, length: int) -> list[list[Any]]:
    """The lists of this length in a JSON list; anything else in it is passed over."""
    if not isinstance(value, list):
        return []
    return [row for row in value if isinstance(row, list) and len(row) == length]


def once(found: Iterable[Found]) -> tuple[Found, ...]:
    """Every address once, where it came first, with all that is said of it; one known in full is no thumbnail too."""
    by_address: dict[str, Found] = {}
    for one in found:
        known = by_address.get(one.address)
        if one.address and known != one:
            by_address[one.address] = _fuller(known, one) if known else one
    return tuple(by_address.values())


def _fuller(known: Found, one: Found) -> Found:
    """The finding that tells where the picture is from, what it lacks taken from the other of the same address."""
    better, other = (
        (one, known) if (not one.thumbnail, bool(one.page)) > (not known.thumbnail, bool(known.page)) else (known, one)
    )
    lacking = [name for name in FACTS if not getattr(better, name)]
    return replace(better, **{name: getattr(other, name) for name in lacking})


def _path(address: str) -> str:
    try:
        return urlsplit(address).path
    except ValueError:
        return ""


def _whole(text: str) -> str:
    """Without halves of characters, which no database takes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
