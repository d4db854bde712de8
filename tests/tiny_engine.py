"""The smallest image search there can be, for tests of what drives a browser: one site and the engine that reads it.

The words of the query choose how the site behaves. A tile is `<div class=tile data-n=7>`; its address is in `data-full`
once it is known. The engine's `read` looks at the JSON value alone.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from urllib.parse import quote

from crawler.engines.base import Consent, Kind, Page, Reading, Viewer
from curation.records import Found
from tests.loopback_site import LoopbackSite, Request, Wire

HTML = {"Content-Type": "text/html; charset=utf-8"}
SCRIPT = """
const title = document.title;
const tiles = [...document.querySelectorAll('.tile')].map(tile => {
  const link = tile.querySelector('a[href*="full="]');
  const full = tile.dataset.full ?? (link && new URL(link.href).searchParams.get('full'));
  return [full || tile.dataset.thumb || '', !full];
});
const large = [...document.querySelectorAll('img.large')].map(image => image.getAttribute('src'));
return {title, tiles, large, last: Boolean(document.querySelector('#last'))};
"""


class TinyEngine:
    """Reads the pages of `TinySite`. `scrolls=False` turns pages instead."""

    name, title, home, needs_browser = "tiny", "Tiny", "http://tiny.example", True
    filters: Mapping[str, tuple[str, ...]] = {}
    dated = False
    script = SCRIPT
    page_size = 20
    more_buttons: tuple[str, ...] = ("#gone", "#more")
    consent = Consent(reject=("#nothing", "#reject"))

    def __init__(self, scrolls: bool = True, viewer: bool = True) -> None:
        self.scrolls = scrolls
        self.viewer = Viewer(".tile", "img.large", "a[href*='full=']") if viewer else None

    def address(self, query: str, filters: Mapping[str, str], page: int = 0) -> str:
        return f"/search?q={quote(query)}&page={page}"

    def read(self, page: Page) -> Reading:
        title = page.value["title"]
        found = [Found(address, thumbnail=small) for address, small in page.value["tiles"] if address]
        found += [Found(address) for address in page.value["large"] if "/t/" not in address]
        kinds = {"consent": Kind.CONSENT, "blocked": Kind.BLOCKED, "empty": Kind.EMPTY, "changed": Kind.CHANGED}
        kind = kinds.get(title, Kind.OK)
        return Reading(kind, tuple(found), ended=page.value["last"], marker=f"title {title}")


class TinySite(LoopbackSite):
    """Answers by the words of the query; `pictures` are `http://pictures.example/<query's first word>/<n>.jpg`."""

    def __init__(self) -> None:
        super().__init__()
        self.solved = threading.Event()
        self.stalled = threading.Event()

    def respond(self, request: Request, wire: Wire) -> None:
        words = request.query.get("q", "").split()
        if request.path == "/reject":
            wire.send(302, {"Set-Cookie": "answer=reject; Path=/", "Location": request.query["back"]}, b"")
        elif request.path == "/solved":
            wire.send(200, HTML, b"yes" if self.solved.is_set() else b"no")
        elif request.path == "/dot.svg":
            wire.send(200, {"Content-Type": "image/svg+xml"}, b"<svg xmlns='http://www.w3.org/2000/svg'/>")
        elif request.path != "/search":
            wire.send(404, HTML, b"")
        elif "reset" in words:
            wire.reset()
        elif "hang" in words or ("stall" in words and not self.stalled.is_set()):
            self.stalled.set()
            while wire.wait(0.1) and not wire.gone():
                pass
        else:
            wire.send(500 if "broken" in words else 200, HTML, self.page(request, words).encode())

    def page(self, request: Request, words: list[str]) -> str:
        target = request.target
        if "consent" in words and "answer=reject" not in request.cookies:
            forms = "".join(
                f"<form action=/{name}><input type=hidden name=back value='{target}'><button id={name}>{name}</button>"
                "</form>"
                for name in ("accept", "reject")
            )
            return f"<title>consent</title>{forms}"
        if "captcha" in words and not self.solved.is_set():
            return (
                "<title>blocked</title>Are you a person?<script>setInterval(async () => {"
                "if (await (await fetch('/solved')).text() === 'yes') location.reload() }, 100)</script>"
            )
        for kind in ("blocked", "empty", "changed"):
            if kind in words:
                return f"<title>{kind}</title>A page without pictures \ud83d".encode("utf-8", "replace").decode()
        return self.results(words, int(request.query.get("page", "0")))

    def results(self, words: list[str], page: int) -> str:
        """A page of results; its program is at the end of the file."""
        count = next((int(word) for word in words if word.isdigit()), 60)
        numbers = list(range(1, count + 1))
        if "paged" in words:
            numbers = numbers[page * 20 : page * 20 + 20]
        options = f"{{words: {words!r}, name: {words[0]!r}, numbers: {numbers!r}}}"
        program = PROGRAM.replace("OPTIONS", options)
        return f"<!doctype html><title>results</title>{STYLE}<main></main><script>{program}</script>"


def addresses(name: str, count: int, first: int = 1) -> list[str]:
    """What a perfect reader finds."""
    return [f"http://pictures.example/{name}/{n}.jpg" for n in range(first, first + count)]


STYLE = """<style>
main { display: flex; flex-wrap: wrap } .tile { width: 150px; height: 180px; margin: 4px; background: #ccc }
#viewer { position: fixed; right: 0; top: 0; width: 300px } #more { display: block; height: 40px }
</style>"""
PROGRAM = """
const {words, name, numbers} = OPTIONS, main = document.querySelector('main');
const has = word => words.includes(word);
const full = n => `http://pictures.example/${name}/${n}.jpg`;
const hidden = has('hover') || has('viewer') || has('small');
let next = 0, busy = false;
const seen = new IntersectionObserver(entries => entries.forEach(({isIntersecting, target}) => {
  if (isIntersecting) { target.dataset.full = full(target.dataset.n); seen.unobserve(target); }
}));
function show(count) {
  for (const n of numbers.slice(next, next + count)) {
    const tile = document.createElement('div');
    tile.className = 'tile';
    tile.dataset.n = n;
    tile.textContent = n;
    if (hidden) tile.dataset.thumb = `http://thumbnails.example/t/${name}/${n}.jpg`;
    else if (has('lazy')) seen.observe(tile);
    else tile.dataset.full = full(n);
    if (has('hover')) tile.addEventListener('mouseover', event => {
      if (!event.isTrusted || tile.querySelector('a')) return;
      const link = `<a href="/go?full=${encodeURIComponent(full(n))}">go</a>`;
      setTimeout(() => tile.insertAdjacentHTML('beforeend', link), 30);
    });
    if (has('window')) tile.addEventListener('click', () => { window.other = window.open('/elsewhere') });
    if (has('viewer')) tile.addEventListener('click', event => { if (event.isTrusted) enlarge(n) });
    main.append(tile);
  }
  next += count;
  if (next >= numbers.length && has('says-last')) main.insertAdjacentHTML('afterend', '<p id=last>the end</p>');
  if (has('halves')) main.lastElementChild.dataset.full = 'http://pictures.example/\\ud83d.jpg';
}
let shown = 0;
function enlarge(n) {
  shown = n;
  const image = document.createElement('img');
  image.className = 'large';
  image.src = `http://thumbnails.example/t/${name}/${n}.jpg`;
  document.body.append(image);
  const ready = () => setTimeout(() => { image.src = full(n) }, 60);
  if (has('preload')) Object.assign(new Image(), {onload: ready, src: '/dot.svg'});
  else ready();
}
addEventListener('keydown', event => {
  if (shown && event.isTrusted && event.key === 'ArrowRight' && shown < numbers.length) enlarge(shown + 1);
});
function more() {
  if (busy || next >= numbers.length) return;
  busy = true;
  setTimeout(() => { show(20); busy = false; }, has('slow') ? 1000 : 30);
}
if (has('late')) setTimeout(() => show(40), 1200);
else if (!has('nothing')) show(has('paged') ? numbers.length : 40);
if (has('button')) {
  main.insertAdjacentHTML('afterend', '<button id=more>more</button>');
  document.querySelector('#more').addEventListener('click', event => { if (event.isTrusted) more() });
} else if (!has('paged')) {
  addEventListener('scroll', () => { if (scrollY + innerHeight > document.documentElement.scrollHeight - 50) more() });
}
const again = () => main.insertAdjacentHTML('beforeend', '<div class=tile>again</div>');
if (has('endless')) addEventListener('scroll', again);
if (has('freeze')) addEventListener('scroll', () => {  // read once before; held up without work for the processor
  const never = new XMLHttpRequest();
  never.open('GET', '/search?q=hang', false);
  never.send();
});
"""
