"""Openverse: openly licensed pictures of many collections, through its API; no browser, no key.

Anonymous use: 20 results a page, 240 a query, a limit of requests a day (answered with 429).
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

PAGE_SIZE, DEPTH = 20, 240
SIZES = {"large": "large", "medium": "medium", "small": "small"}
TYPES = {"photo": "photograph", "clipart": "illustration"}
LICENCES = {
    "any-cc": ("license", "by,by-sa,by-nc,by-nd,by-nc-sa,by-nc-nd,cc0,pdm"),
    "commercial": ("license_type", "commercial"),
    "modify": ("license_type", "modification"),
    "modify-commercial": ("license_type", "commercial,modification"),
    "public-domain": ("license", "cc0,pdm"),
}


@dataclass(frozen=True)
class Openverse:
    """See `ApiEngine`."""

    name: str = "openverse"
    title: str = "Openverse"
    home: str = "https://api.openverse.org"
    needs_browser: bool = False
    page_size: int = PAGE_SIZE
    headers: Mapping[str, str] = field(default_factory=lambda: {"Accept": "application/json"})
    filters: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: {"size": tuple(SIZES), "type": tuple(TYPES), "licence": tuple(LICENCES)}
    )

    def address(self, query: str, filters: Mapping[str, str], page: int = 0) -> str:
        """`/v1/images/?q=…`; pages count from 1 there."""
        asked = {"q": query, "page": page + 1, "page_size": PAGE_SIZE, "filter_dead": "true"}
        if filters.get("size") in SIZES:
            asked["size"] = SIZES[filters["size"]]
        if filters.get("type") in TYPES:
            asked["category"] = TYPES[filters["type"]]
        if filters.get("licence") in LICENCES:
            key, value = LICENCES[filters["licence"]]
            asked[key] = value
        return "/v1/images/?" + urlencode(asked)

    def read(self, page: Page) -> Reading:
        """The results of one page, with creator and licence."""
        if page.status in (401, 403, 429):
            return Reading(Kind.BLOCKED, marker=f"status {page.status}")
        answer = _json(page.text)
        if page.status not in (0, 200) or not isinstance(values.at(answer, "results"), list):
            return Reading(Kind.CHANGED, marker=f"status {page.status}, no list of results")
        found = tuple(one for row in values.rows(answer, "results") if (one := _found(row)))
        last = values.number(answer, "page_count") <= values.number(answer, "page")
        if found:
            return Reading(Kind.OK, found, ended=last)
        if values.rows(answer, "results") and values.at(answer, "result_count") != 0:
            return Reading(Kind.CHANGED, marker="no result has an address")
        return Reading(Kind.EMPTY, ended=True, marker="no results")


def _json(text: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _found(row: Any) -> Found | None:  # noqa: ANN401
    picture = values.address(row, "url")
    if not picture:
        return None
    kind, version = values.text(row, "license"), values.text(row, "license_version")
    return Found(
        address=picture,
        page=values.address(row, "foreign_landing_url"),
        title=values.plain(values.text(row, "title")),
        author=values.plain(values.text(row, "creator")),
        licence=f"{kind} {version}".strip(),
        licence_address=values.address(row, "license_url"),
        width=values.number(row, "width"),
        height=values.number(row, "height"),
    )


ENGINE = Openverse()
