"""DuckDuckGo's image search. As told by public programs up to September 2026; nobody here could ask the engine itself.

The page itself shows only small pictures. Two ways to the full address: the lists (`/i.js`) that the page's program has
fetched, read a second time from inside the page, once each; and the pane that a real click on a tile opens. Thumbnails
come last. The engine refuses those who ask often, in the list as well as in the page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    parsed,
    part,
    picture_address,
    pixels,
    plain,
    rows,
    without_pictures,
)
from curation.records import Found

# What to look at first when the page has changed
LIST = "/i.js?"
TILE = "figure, .tile--img"
PANE = "aside"
PROXY = "/iu/?u="  # small and large pictures come through DuckDuckGo's own host, their address within
SMALL_HOSTS = (".mm.bing.net", "th.bing.com")
SIGNS = Signs(
    blocked=("anomaly-modal", 'id="challenge-form"', "bots use duckduckgo too", "error-lite@duckduckgo.com"),
    empty=("no results found for", "no-results"),
    blocked_statuses=(202, 418),
)
REFUSALS = (202, 401, 403, 418, 429)
MANY = 8  # pictures on a page that shows results, whatever they are called
TOKEN = "vqd"  # noqa: S105 - what a page needs to ask for its list

# A list is read again only while a tile on the page stands in none of those read so far: every reading is a request.
SCRIPT = f"""
performance.setResourceTimingBufferSize(20000);
const inside = image => {{ try {{ return new URL(image.src).searchParams.get('u'); }} catch {{ return null; }} }};
const tiles = [...document.querySelectorAll({TILE!r})];
const small = tiles.map(tile => tile.querySelector('img')).map(inside).filter(address => address);
const lists = window.handwriterLists ??= new Map(), known = window.handwriterKnown ??= new Set();
for (const {{name}} of performance.getEntriesByType('resource')) {{
  if (!name.includes({LIST!r}) || lists.has(name)) continue;
  if (small.length && small.every(address => known.has(address))) break;
  const request = new XMLHttpRequest();
  lists.set(name, [0, '']);
  try {{
    request.open('GET', name, false);
    request.send();
    lists.set(name, [request.status, request.responseText]);
    for (const result of JSON.parse(request.responseText).results) known.add(result?.thumbnail);
  }} catch {{ }}
}}
const pane = [...document.querySelectorAll({PANE!r})].pop();
return {{
  lists: [...lists.values()],
  tiles: tiles.map(tile => [tile.querySelector('img')?.src ?? '', tile.querySelector('a[href^=http]')?.href ?? '',
    tile.querySelector('img')?.alt ?? '']),
  large: [...(pane?.querySelectorAll('img') ?? [])].map(image => image.src),
  links: [...(pane?.querySelectorAll('a[href^=http]') ?? [])].map(link => link.href),
}};
"""


class DuckDuckGo:
    """Reads duckduckgo.com."""

    name, title, home = "duckduckgo", "DuckDuckGo", "https://duckduckgo.com"
    needs_browser, scrolls, page_size = True, True, 100
    script = SCRIPT
    more_buttons = ("a.result--more__btn", "#more-results")
    consent = Consent()
    viewer: Viewer | None = Viewer(TILE, f'{PANE} img[src*="{PROXY}"]')
    iaf: Mapping[str, Mapping[str, str]] = {
        "size": {"large": "size:Large", "medium": "size:Medium", "small": "size:Small"},
        "type": {"photo": "type:photo", "clipart": "type:clipart", "lineart": "type:line"},
        "colour": {"color": "color:color", "gray": "color:Monochrome", "transparent": "type:transparent"},
        "age": {"day": "time:Day", "week": "time:Week", "month": "time:Month", "year": "time:Year"},
        "licence": {
            "any-cc": "license:Any",
            "commercial": "license:ShareCommercially",
            "modify": "license:Modify",
            "public-domain": "license:Public",
        },
    }
    filters: Mapping[str, tuple[str, ...]] = {key: tuple(values) for key, values in iaf.items()}
    dated = False

    def address(self, query: str, filters: Mapping[str, str], page: int = 0) -> str:
        """There is one page; more comes by scrolling."""
        del page
        terms = [self.iaf[key][value] for key, value in filters.items() if value in self.iaf.get(key, {})]
        return asked("/", q=query, iar="images", iax="images", ia="images", kl="us-en", iaf=",".join(terms))

    def read(self, page: Page) -> Reading:
        """The lists in their order, then what stands on the page and in no list."""
        answers = lists(part(page.value, "lists"), 2)
        fetched = [parsed(text) for status, text in answers if status == 200]
        listed = [row for answer in fetched for row in rows(part(answer, "results"))]
        tiles = lists(part(page.value, "tiles"), 3)
        found = once(
            (*_on_the_page(listed, tiles), *_in_the_pane(part(page.value, "large"), part(page.value, "links")))
        )
        if found:
            return Reading(Kind.OK, found, ended=bool(fetched) and not part(fetched[-1], "next"))
        statuses = [status for status, _ in answers]
        if refused := [status for status in statuses if status in REFUSALS]:
            return Reading(Kind.BLOCKED, marker=f"its list of pictures answers HTTP {refused[0]}")
        if any(part(answer, "results") == [] for answer in fetched):
            return Reading(Kind.EMPTY, ended=True, marker="an empty list")
        otherwise = without_pictures(page, SIGNS, f"{len(answers)} lists without results")
        fault = _fault(page, statuses)
        return Reading(Kind.UNREACHABLE, marker=fault) if fault and otherwise.kind is Kind.CHANGED else otherwise


def _fault(page: Page, statuses: list[Any]) -> str:
    """Why the page has no list; empty when it has one, or shows that it is made otherwise now."""
    broken = [status for status in statuses if status == 0 or (isinstance(status, int) and status >= 500)]
    if broken and len(broken) == len(statuses):
        return f"its list of pictures answers HTTP {broken[0]}" if broken[0] else "its list of pictures breaks off"
    waits = part(page.value, "lists") == [] and part(page.value, "tiles") == []
    shows = PROXY in page.text or page.text.count("<img") >= MANY
    return "its list of pictures does not come" if waits and TOKEN in page.text and not shows else ""


def _on_the_page(listed: list[Mapping[str, Any]], tiles: list[list[Any]]) -> Iterator[Found]:
    known: set[str] = set()
    for row in listed:
        found = _listed(row)
        known.update((found.address, picture_address(row.get("thumbnail"))))
        yield found
    for source, page, title in tiles:
        small = _inside(source)
        if small not in known:
            yield Found(small, page_address(page), plain(title), thumbnail=True)


def _in_the_pane(pictures: object, links: object) -> Iterator[Found]:
    """The large picture; the page it is on is the pane's other link."""
    for source in pictures if isinstance(pictures, list) else ():
        large = _inside(source)
        if large and not host_of(large).endswith(SMALL_HOSTS):
            pages = (page_address(link) for link in (links if isinstance(links, list) else ()))
            yield Found(large, next((page for page in pages if page and page != large), ""))


def _listed(row: Mapping[str, Any]) -> Found:
    full = page_address(row.get("image"))
    return Found(
        full or picture_address(row.get("thumbnail")),
        page_address(row.get("url")),
        plain(row.get("title")),
        width=pixels(row.get("width")) if full else 0,
        height=pixels(row.get("height")) if full else 0,
        thumbnail=not full,
    )


def _inside(source: object) -> str:
    """The address that one of DuckDuckGo's proxy carries; empty for other pictures."""
    return page_address(parameter(source, "u")) if isinstance(source, str) and PROXY in source else ""


ENGINE = DuckDuckGo()
