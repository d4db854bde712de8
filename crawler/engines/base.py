"""What every engine is to the rest of the crawler: addresses to ask for, and a pure function that reads the answer.

An engine never opens anything itself. A browser engine is driven by `crawler.search`, an API engine by
`crawler.api_search`; both hand the answer to `read`, which is tested on saved pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from curation.records import Found


class Kind(StrEnum):
    """What a page is. `CONSENT` is answered and asked again; the others end as a `SearchState`."""

    OK = "ok"
    EMPTY = "empty"
    BLOCKED = "blocked"
    CHANGED = "changed"
    CONSENT = "consent"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True)
class Page:
    """What came back: the address it ended at, the text, the JSON value an engine's script took, the HTTP status.

    `status` is 0 where a browser does not tell.
    """

    address: str
    text: str
    value: Any = None
    status: int = 0


@dataclass(frozen=True)
class Reading:
    """What a page holds, in the engine's order. `marker` names what decided the kind; `ended`: no more after this.

    `beneath`: what a page that asks for consent holds behind its banner. `passing`: the page may yet give way to
    another by itself.
    """

    kind: Kind
    found: tuple[Found, ...] = ()
    ended: bool = False
    marker: str = ""
    passing: bool = False
    beneath: tuple[Found, ...] = ()


@dataclass(frozen=True)
class Consent:
    """How a consent page is answered: the first of the selectors (CSS) that is there is clicked; all mean "reject"."""

    reject: tuple[str, ...] = ()


@dataclass(frozen=True)
class Viewer:
    """How a full-size picture is reached by hand: hover or click a tile, read the picture beside it, next."""

    tile: str  # CSS of a result
    picture: str  # CSS of the large picture; the last match counts, for viewers append one a picture
    link: str = ""  # CSS, inside the tile, of the link that a hover fills with the full address


class Engine(Protocol):
    """What `crawl` needs of every engine."""

    name: str
    title: str  # as people write it
    home: str  # scheme://host[:port], replaced by --engine-url
    needs_browser: bool
    filters: Mapping[str, tuple[str, ...]]  # filter → the values it can pass on
    dated: bool  # whether it can be asked for `since` and `until`, two filters more: YYYY-MM-DD, both days included

    def address(self, query: str, filters: Mapping[str, str], page: int = 0) -> str:
        """The path and query of result page `page`, to be put behind `home`. Percent-encoded, ASCII."""

    def read(self, page: Page) -> Reading:
        """What the page holds. Pure; never raises on hostile text; malformed tiles are passed over."""


class BrowserEngine(Engine, Protocol):
    """An engine that only answers a real browser."""

    script: str  # JavaScript, `return` of one JSON value about the page as it stands: tiles, states, links
    scrolls: bool  # True: more comes by scrolling; False: by `address(…, page + 1)`
    page_size: int
    more_buttons: tuple[str, ...]  # CSS of "show more" buttons, clicked when scrolling brings nothing
    consent: Consent
    viewer: Viewer | None


class ApiEngine(Engine, Protocol):
    """An engine with an API for programs: pages of JSON."""

    page_size: int
    headers: Mapping[str, str]
