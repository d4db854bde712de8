"""Wikimedia Commons: free pictures with author and licence, through the MediaWiki API; no browser, no key.

A User-Agent that says who asks is required; give a contact with `--contact` for anything large.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from crawler.engines import values
from crawler.engines.base import Kind, Page, Reading
from curation.records import Found

PAGE_SIZE = 50
RASTER = ("image/jpeg", "image/png", "image/webp", "image/gif", "image/tiff", "image/bmp")
FREE = ("any-cc", "commercial", "modify", "modify-commercial")  # all that is on Commons
BLOCKED = ("ratelimited", "blocked", "maxlag", "readonly")


@dataclass(frozen=True)
class Commons:
    """See `ApiEngine`."""

    name: str = "commons"
    title: str = "Wikimedia Commons"
    home: str = "https://commons.wikimedia.org"
    needs_browser: bool = False
    page_size: int = PAGE_SIZE
    headers: Mapping[str, str] = field(default_factory=lambda: {"Accept": "application/json"})
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {"licence": FREE})

    def address(self, query: str, filters: Mapping[str, str], page: int = 0) -> str:  # noqa: ARG002 - as all engines
        """`/w/api.php?…`; everything on Commons is free, so the licence filters ask for nothing more."""
        asked = {
            "action": "query",
            "format": "json",
            "formatversion": 2,
            "generator": "search",
            "gsrnamespace": 6,
            "gsrsearch": f"filetype:bitmap {query}",
            "gsrlimit": PAGE_SIZE,
            "gsroffset": page * PAGE_SIZE,
            "prop": "imageinfo",
            "iiprop": "url|size|mime|user|extmetadata",
            "iiextmetadatafilter": "LicenseShortName|LicenseUrl|Artist|Credit",
        }
        return "/w/api.php?" + urlencode(asked)

    def read(self, page: Page) -> Reading:
        """The pictures of one page in the order of the search, which is not that of the answer."""
        if page.status in (403, 429):
            return Reading(Kind.BLOCKED, marker=f"status {page.status}")
        try:
            answer = json.loads(page.text)
        except (ValueError, RecursionError):
            return Reading(Kind.CHANGED, marker=f"status {page.status}, no JSON")
        if code := values.text(answer, "error", "code"):
            return Reading(Kind.BLOCKED if code in BLOCKED else Kind.CHANGED, marker=f"error {code}")
        pages = sorted(values.rows(answer, "query", "pages"), key=lambda one: values.number(one, "index"))
        found = tuple(one for row in pages if (one := _found(row)))
        ended = not isinstance(values.at(answer, "continue"), dict)
        if found:
            return Reading(Kind.OK, found, ended)
        if not pages and values.at(answer, "batchcomplete") is True and not _strange(answer):
            return Reading(Kind.EMPTY, ended=True, marker="no results")
        return Reading(Kind.CHANGED, marker="no list of pages")


def _strange(answer: Any) -> bool:  # noqa: ANN401 - any JSON
    """An answer without results holds nothing but these."""
    return bool(set(answer) - {"batchcomplete", "query", "continue", "limits", "warnings", "servedby", "curtimestamp"})


def _found(row: Any) -> Found | None:  # noqa: ANN401
    info = next(iter(values.rows(row, "imageinfo")), None)
    picture = values.address(info, "url")
    if not picture or values.text(info, "mime") not in ("", *RASTER):
        return None
    author = values.plain(_metadata(info, "Artist")) or values.text(info, "user")
    return Found(
        address=picture,
        page=values.address(info, "descriptionurl"),
        title=values.text(row, "title").removeprefix("File:"),
        author=author,
        licence=values.plain(_metadata(info, "LicenseShortName")),
        licence_address=values.address(info, "extmetadata", "LicenseUrl", "value"),
        width=values.number(info, "width"),
        height=values.number(info, "height"),
    )


def _metadata(info: Any, name: str) -> str:  # noqa: ANN401
    value = values.at(info, "extmetadata", name, "value")
    return value if isinstance(value, str) else ""


ENGINE = Commons()
