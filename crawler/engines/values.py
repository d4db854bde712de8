"""Careful looks into JSON that anybody may have written: the wrong type is an absent value, never an error."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

LONGEST_TEXT, LONGEST_ADDRESS = 500, 8192
SIDE = 100_000  # pixels; more is nonsense


def text(value: Any, *keys: str) -> str:  # noqa: ANN401 - any JSON
    """The string at that path, on one line and bounded; "" when there is none."""
    found = at(value, *keys)
    return " ".join(found.split())[:LONGEST_TEXT] if isinstance(found, str) else ""


def address(value: Any, *keys: str) -> str:  # noqa: ANN401
    """The http address at that path; "" when there is none."""
    found = at(value, *keys)
    if not isinstance(found, str) or len(found) > LONGEST_ADDRESS:
        return ""
    found = found.strip()
    found = f"https:{found}" if found.startswith("//") else found
    try:
        parts = urlsplit(found)
    except ValueError:
        return ""
    return found if parts.scheme in ("http", "https") and parts.hostname else ""


def number(value: Any, *keys: str) -> int:  # noqa: ANN401
    """The number of pixels at that path; 0 when there is none."""
    found = at(value, *keys)
    try:
        size = int(found) if isinstance(found, int | float | str) and not isinstance(found, bool) else 0
    except (ValueError, OverflowError):
        return 0
    return size if 0 < size <= SIDE else 0


def rows(value: Any, *keys: str) -> list[Any]:  # noqa: ANN401
    """The list at that path; empty when there is none."""
    found = at(value, *keys)
    return found if isinstance(found, list) else []


def at(value: Any, *keys: str) -> Any:  # noqa: ANN401
    """The value at that path of objects, or None."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def plain(markup: str) -> str:
    """The text of a piece of HTML, on one line and bounded."""
    without = re.sub(r"(?is)<(script|style)\b.*?</\1>|<[^>]{0,2000}>", " ", markup[:20_000])
    return " ".join(html.unescape(without).split())[:LONGEST_TEXT]


class Tags(HTMLParser):
    """The tags of a page with their attributes, in order; malformed HTML is read as far as it goes."""

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__(convert_charrefs=True)
        self._names = names
        self.found: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keeps the tags that were asked for."""
        if tag in self._names:
            self.found.append((tag, {name: value or "" for name, value in attrs}))


def tags(page: str, *names: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The tags of these names in a page, with their attributes."""
    parser = Tags(frozenset(names))
    parser.feed(page)
    yield from parser.found


def first_in(page: str, markers: tuple[str, ...]) -> str:
    """The first of the markers that stands in a page; "" when none does."""
    return next((marker for marker in markers if marker in page), "")
