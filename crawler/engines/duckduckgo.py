"""DuckDuckGo's image search: its page draws what it fetches from `/i.js`, which only answers with the page's token.

Ways to the full address: `/i.js` at the address the page itself used; `/i.js` with the token (`vqd`) that stands in the
page; the pane that a real click opens. Last: the tiles' small pictures, flagged as thumbnails. Often rate-limited.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from crawler.engines import values
from crawler.engines.base import Consent, Kind, Page, Reading, Viewer
from curation.records import Found

PAGE_SIZE = 100
NO_CONSENT = Consent()
TILE, PANE = "#zci-images figure", "aside img"
BLOCKED = ("anomaly-modal", 'action="//duckduckgo.com/anomaly.js')
REFUSED = (202, 403, 418, 429)
IFRAME = {
    "size": {"large": "size:Large", "medium": "size:Medium", "small": "size:Small"},
    "colour": {"color": "color:color", "gray": "color:Monochrome", "transparent": "type:transparent"},
    "type": {"photo": "type:photo", "clipart": "type:clipart", "lineart": "type:line"},
    "age": {"day": "time:Day", "week": "time:Week", "month": "time:Month", "year": "time:Year"},
    "licence": {
        "any-cc": "license:Any",
        "public-domain": "license:Public",
        "commercial": "license:ShareCommercially",
        "modify": "license:Modify",
        "modify-commercial": "license:ModifyCommercially",
    },
}
# Every look asks for one page more, so the reading grows while the page is scrolled. What has come is kept in the page.
SCRIPT = """
const kept = window.handwriterRows ??= {rows: [], status: 0, listed: false, busy: false, next: null, begun: false};
const token = () => (document.documentElement.innerHTML.match(/vqd=["']?([\\d-]{10,})/) || [])[1];
if (!kept.begun) {
  const own = performance.getEntriesByType('resource').map(entry => entry.name).find(name => /\\/i\\.js\\?/.test(name));
  const made = token() && '/i.js?' + new URLSearchParams({l: 'us-en', o: 'json', f: ',,,,,', p: '1', vqd: token(),
    q: new URLSearchParams(location.search).get('q')});
  kept.next = own || made || null;
  kept.begun = Boolean(kept.next);
}
if (kept.next && !kept.busy) {
  kept.busy = true;
  const asked = kept.next;
  kept.next = null;
  fetch(asked).then(async answer => {
    kept.status = answer.status;
    const data = await answer.json();
    kept.listed ||= Array.isArray(data.results);
    kept.rows.push(...(data.results || []));
    if (data.next && (data.results || []).length) {
      const next = new URL(data.next, location.origin + '/');
      if (!next.searchParams.get('vqd')) next.searchParams.set('vqd', token() || '');
      kept.next = next.href;
    }
  }).catch(() => {}).finally(() => { kept.busy = false; });
}
const tiles = [...document.querySelectorAll('#zci-images figure')].map(tile => {
  const image = tile.querySelector('img'), link = tile.querySelector('a');
  return [image ? image.getAttribute('src') || '' : '', link ? link.href : '', image ? image.alt : ''];
});
const pane = [...document.querySelectorAll('aside a')].map(link => link.href).slice(0, 2);
return {rows: kept.rows, status: kept.status, listed: kept.listed, more: Boolean(kept.next) || kept.busy, tiles, pane};
"""


@dataclass(frozen=True)
class DuckDuckGo:
    """See `BrowserEngine`."""

    name: str = "duckduckgo"
    title: str = "DuckDuckGo"
    home: str = "https://duckduckgo.com"
    needs_browser: bool = True
    filters: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: {key: tuple(choices) for key, choices in IFRAME.items()}
    )
    script: str = SCRIPT
    scrolls: bool = True
    page_size: int = PAGE_SIZE
    more_buttons: tuple[str, ...] = ()
    consent: Consent = NO_CONSENT
    viewer: Viewer | None = None

    def address(self, query: str, filters: Mapping[str, str], page: int = 0) -> str:  # noqa: ARG002 - it scrolls
        """`/?q=…&iax=images&ia=images`."""
        asked = {"q": query, "iax": "images", "ia": "images", "kl": "us-en"}
        chosen = [IFRAME[key][value] for key, value in filters.items() if value in IFRAME.get(key, {})]
        if chosen:
            asked["iaf"] = ",".join(chosen)
        return "/?" + urlencode(asked)

    def read(self, page: Page) -> Reading:
        """What `/i.js` has given so far; what the tiles show, when it gave nothing."""
        found = tuple(_from_rows(values.rows(page.value, "rows")))
        found = found or tuple(_from_pane(page.value)) + tuple(_from_tiles(values.rows(page.value, "tiles")))
        if found:
            return Reading(Kind.OK, found, ended=values.at(page.value, "more") is False)
        if blocked := values.first_in(page.text, BLOCKED):
            return Reading(Kind.BLOCKED, marker=blocked)
        status = next((code for code in (values.at(page.value, "status"), page.status) if code in REFUSED), 0)
        if status:
            return Reading(Kind.BLOCKED, marker=f"status {status}")
        if values.at(page.value, "listed") is True and not values.rows(page.value, "rows"):
            return Reading(Kind.EMPTY, ended=True, marker="an empty list of results")
        return Reading(Kind.CHANGED, marker="no list of results from /i.js")


def _from_rows(rows: list[Any]) -> Iterator[Found]:
    for row in rows:
        full, small = values.address(row, "image"), values.address(row, "thumbnail")
        if full or small:
            yield Found(
                address=full or small,
                page=values.address(row, "url"),
                title=values.plain(values.text(row, "title")),
                width=values.number(row, "width") if full else 0,
                height=values.number(row, "height") if full else 0,
                thumbnail=not full,
            )


def _from_pane(value: Any) -> Iterator[Found]:  # noqa: ANN401 - any JSON
    links = [values.address(link) for link in values.rows(value, "pane")]
    if links and links[0]:
        yield Found(links[0], links[1] if len(links) > 1 else "")


def _from_tiles(tiles: list[Any]) -> Iterator[Found]:
    """The small pictures come through DuckDuckGo's own host, which quotes where they are."""
    for tile in tiles:
        if not (isinstance(tile, list) and len(tile) == 3):
            continue
        source = values.address(tile[0])
        small = values.address(parse_qs(urlsplit(source).query).get("u", [""])[0]) or source
        if small:
            yield Found(small, values.address(tile[1]), values.plain(values.text(tile[2])), thumbnail=True)


ENGINE = DuckDuckGo()
