"""Openverse: openly licensed pictures of many collections, by its API. After its documentation.

Without an account it gives twenty pictures a page and 240 a query, and answers 429 to those who ask too often.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crawler.engines.base import Kind, Page, Reading
from crawler.engines.reading import asked, once, page_address, parsed, part, pixels, plain, rows
from curation.records import Found

DEPTH = 240  # pictures a query, for those without an account
PUBLIC_DOMAIN = {"cc0": "CC0", "pdm": "Public Domain Mark"}
REFUSALS = (202, 401, 403, 418, 429)


class Openverse:
    """Reads api.openverse.org."""

    name, title, home = "openverse", "Openverse", "https://api.openverse.org"
    needs_browser, page_size = False, 20
    headers: Mapping[str, str] = {"Accept": "application/json"}
    parameters: Mapping[str, Mapping[str, tuple[str, str]]] = {
        "size": {size: ("size", size) for size in ("large", "medium", "small")},
        "type": {"photo": ("category", "photograph"), "clipart": ("category", "illustration")},
        "licence": {
            "any-cc": ("license_type", "all-cc"),
            "commercial": ("license_type", "commercial"),
            "modify": ("license_type", "modification"),
            "public-domain": ("license", "cc0,pdm"),
        },
    }
    filters: Mapping[str, tuple[str, ...]] = {key: tuple(values) for key, values in parameters.items()}
    dated = False

    def address(self, query: str, filters: Mapping[str, str], page: int = 0) -> str:
        """Its pages are numbered from 1."""
        chosen = [
            self.parameters[key][value] for key, value in filters.items() if value in self.parameters.get(key, {})
        ]
        return asked("/v1/images/", q=query, page=str(page + 1), page_size=str(self.page_size), **dict(chosen))

    def read(self, page: Page) -> Reading:
        """The results of one page; the last one allowed ends the search."""
        answer: Any = parsed(page.text)
        results = part(answer, "results")
        if page.status in REFUSALS:
            return Reading(Kind.BLOCKED, marker=f"HTTP {page.status} {plain(part(answer, 'detail'))}".strip())
        if page.status >= 400 or not isinstance(results, list):
            return Reading(Kind.CHANGED, marker=f"HTTP {page.status}, no list of results")
        found = once(_found(row) for row in rows(results))
        if not found:
            kind = Kind.CHANGED if results else Kind.EMPTY
            return Reading(kind, ended=True, marker=f"{len(results)} results, none with an address")
        return Reading(Kind.OK, found, ended=self._is_last(answer))

    def _is_last(self, answer: Mapping[str, Any]) -> bool:
        number, pages = answer.get("page"), answer.get("page_count")
        if not isinstance(number, int):
            return False
        return number * self.page_size >= DEPTH or (isinstance(pages, int) and number >= pages)


def _found(row: Mapping[str, Any]) -> Found:
    return Found(
        page_address(row.get("url")),
        page_address(row.get("foreign_landing_url")),
        plain(row.get("title")),
        plain(row.get("creator")),
        _licence(plain(row.get("license")), plain(row.get("license_version"))),
        page_address(row.get("license_url")),
        pixels(row.get("width")),
        pixels(row.get("height")),
    )


def _licence(code: str, version: str) -> str:
    """As people write it: CC BY-SA 4.0."""
    if not code:
        return ""
    return f"{PUBLIC_DOMAIN.get(code.lower(), f'CC {code.upper()}')} {version}".strip()


ENGINE = Openverse()
