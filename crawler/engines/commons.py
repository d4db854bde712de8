"""Wikimedia Commons: freely licensed files, by MediaWiki's API. After its documentation.

Words in the form `key:value` are search orders there, as they are on its own search page. The API wants to be told who
asks: the client's User-Agent, with a contact.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crawler.engines.base import Kind, Page, Reading
from crawler.engines.reading import asked, once, page_address, parsed, part, pixels, plain, rows
from curation.records import Found

BUSY = ("ratelimited", "maxlag", "readonly", "blocked", "autoblocked")
HARMLESS = {"batchcomplete", "continue", "warnings", "limits", "servedby", "curtimestamp", "requestid"}
DATES = (("since", ">="), ("until", "<="))  # of the upload
REFUSALS = (202, 401, 403, 418, 429)
BEHIND = 1_000_000  # the place of a page that does not tell its own


class Commons:
    """Reads commons.wikimedia.org."""

    name, title, home = "commons", "Wikimedia Commons", "https://commons.wikimedia.org"
    needs_browser, page_size = False, 50
    headers: Mapping[str, str] = {"Accept": "application/json"}
    orders: Mapping[str, Mapping[str, str]] = {
        "size": {"large": "fileres:>1000", "medium": "fileres:400,1000", "small": "fileres:<400"},
        # Everything there may be used commercially and changed; that is its rule for uploads.
        "licence": {"any-cc": "", "commercial": "", "modify": "", "public-domain": "haslicense:unrestricted"},
    }
    filters: Mapping[str, tuple[str, ...]] = {key: tuple(values) for key, values in orders.items()}
    dated = True

    def address(self, query: str, filters: Mapping[str, str], page: int = 0) -> str:
        """Fifty files a page; `filetype:bitmap` leaves drawings, sounds and books out."""
        orders = [self.orders[key].get(value, "") for key, value in filters.items() if key in self.orders]
        orders += [f"creationdate:{than}{filters[key]}" for key, than in DATES if key in filters]
        return asked(
            "/w/api.php",
            action="query",
            format="json",
            formatversion="2",
            generator="search",
            gsrnamespace="6",
            gsrsearch=" ".join(filter(None, ("filetype:bitmap", *orders, query))),
            gsrlimit=str(self.page_size),
            gsroffset=str(self.page_size * page) if page else "",
            prop="imageinfo",
            iiprop="url|size|mime|sha1|user|extmetadata",
            iiurlwidth="1024",
        )

    def read(self, page: Page) -> Reading:
        """The files of one page, in the order of the search: the API gives them in another."""
        answer: Any = parsed(page.text)
        refused = _refusal(page.status, answer)
        if refused:
            return Reading(Kind.BLOCKED, marker=refused)
        pages = part(answer, "query", "pages")
        if not isinstance(pages, list):
            if isinstance(answer, Mapping) and answer and HARMLESS.issuperset(answer):
                return Reading(Kind.EMPTY, ended=True, marker="no query in the answer")
            trouble = plain(part(answer, "error", "info")) or "no pages in the answer"
            return Reading(Kind.CHANGED, marker=f"HTTP {page.status}, {trouble}")
        found = once(_found(one) for one in sorted(rows(pages), key=_place))
        if not found:
            return Reading(Kind.CHANGED, marker=f"{len(pages)} pages, none with an address")
        return Reading(Kind.OK, found, ended="continue" not in answer)


def _refusal(status: int, answer: object) -> str:
    code = plain(part(answer, "error", "code"))
    if code in BUSY:
        return f"{code}: {plain(part(answer, 'error', 'info'))}"
    return f"HTTP {status}" if status in REFUSALS else ""


def _place(page: Mapping[str, Any]) -> int:
    index = page.get("index")
    return index if isinstance(index, int) else BEHIND


def _found(page: Mapping[str, Any]) -> Found:
    info: Mapping[str, Any] = next(iter(rows(page.get("imageinfo"))), {})

    def said(name: str) -> str:
        return plain(part(info, "extmetadata", name, "value"))

    title = page.get("title")
    return Found(
        page_address(info.get("url")),
        page_address(info.get("descriptionurl")),
        plain(title.removeprefix("File:") if isinstance(title, str) else ""),
        said("Artist") or plain(info.get("user")),
        said("LicenseShortName"),
        page_address(part(info, "extmetadata", "LicenseUrl", "value")),
        pixels(info.get("width")),
        pixels(info.get("height")),
    )


ENGINE = Commons()
