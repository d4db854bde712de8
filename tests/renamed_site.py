"""A result page in which every name is random, other ones with each page: what is left when an engine has changed.

The way to a picture is chosen by the words of the query: `links`, `thumbs`, `pairs`, `hover` (the link of a tile gets
the address), `peek` (a large picture appears while the pointer is over a tile), `viewer` (a click opens one, with
related pictures beside it), none of them: there is no way. Around the results stands what is none: a logo, avatars,
offers, related searches.
"""

from __future__ import annotations

import json
import random
import string
from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from tests.engine_scene import template
from tests.loopback_site import LoopbackSite, Request, Wire

HTML = {"Content-Type": "text/html; charset=utf-8"}
PATHS = {"google": "/search", "naver": "/search.naver", "bing": "/images/search", "duckduckgo": "/"}
KEYS = ("imgurl", "mediaurl")
SVG = "<svg xmlns='http://www.w3.org/2000/svg' width='{0}' height='{1}'><rect width='100%' height='100%'/></svg>"


def full(n: int, word: str = "cat") -> str:
    """The address of picture `n`."""
    return f"http://pictures{n % 5}.example/{word}/그림 {n}.jpg?a=1&n={n}"


class RenamedSite(LoopbackSite):
    """Answers every path of an engine with a page of its own making, and small pictures for the tiles."""

    def respond(self, request: Request, wire: Wire) -> None:
        if request.path in PATHS.values():
            words = (request.query.get("q") or request.query.get("query") or "").split()
            start = int(request.query.get("start", "1"))
            page = "" if start > 1 else self.page(words)
            wire.send(200, HTML, (page or "<!doctype html><title>x</title><p>Nothing here").encode())
        elif request.path.startswith("/t/"):
            wire.send(200, {"Content-Type": "image/svg+xml"}, SVG.format(180, 135).encode())
        elif request.path.startswith("/f/"):
            wire.send(200, {"Content-Type": "image/svg+xml"}, SVG.format(900, 700).encode())
        else:
            wire.send(404, HTML, b"")

    def large(self, n: int) -> str:
        """The address of a picture that a viewer shows: it has to load."""
        return f"{self.home}/f/{n}.jpg"

    def expected(self, query: str) -> list[str]:
        """What a perfect reader finds, in order."""
        words = query.split()
        shown = "viewer" in words or "peek" in words
        return [self.large(n) if shown else full(n) for n in range(1, _count(words) + 1)]

    def page(self, words: Sequence[str]) -> str:
        name, count = _Names(), _count(words)
        tiles = "".join(self.tile(words, name, n) for n in range(1, count + 1))
        related = "".join(
            f"<a href='?q={quote(f'cat {n}')}&query={n}' class={name()}>"
            f"<img class={name.again('chip')} width=120 height=90 src='/t/r{n}' alt='more {n}'>cat {n}</a>"
            for n in range(10)
        )
        offers = "".join(
            f"<div class={name.again('offer')}><b>Ad</b><a href='https://shop.example/{n}'>"
            f"<img src='/t/o{n}' width=180 height=135></a></div>"
            for n in range(9)
        )
        avatars = "".join(f"<img class={name()} src='/t/a{n}' width=24 height=24>" for n in range(12))
        options = json.dumps({"words": list(words), "count": count, "home": self.home, "key": random.choice(KEYS)})
        program = template("renamed.js").replace("OPTIONS", options).replace("TILE", name.again("tile"))
        for local in ("opener", "shown", "related"):
            program = program.replace(f"${local}", name())
        return (
            f"<!doctype html><title>{name()}</title><style>.{name.again('grid')} {{ display: flex; flex-wrap: wrap }}"
            f".{name.again('tile')} {{ width: 190px; height: 180px; margin: 4px }}</style>"
            f"<header class={name()}><img src='/logo.png' width=270 height=90 alt=logo>{avatars}</header>"
            f"<div class={name()}>{offers}</div><div class={name.again('grid')} id={name()}>{tiles}</div>"
            f"<div class={name()}>{related}</div>{self.script(words, name, count)}<script>{program}</script>"
        )

    def tile(self, words: Sequence[str], name: _Names, n: int) -> str:
        thumbnail, link = f"/t/{n}", f"/{name()}?{name()}={n}"
        if "pairs" in words:
            thumbnail = f"data:image/png;base64,{'A' * 400}{n}"
        if "links" in words:
            key = random.choice(KEYS)
            address = f"/{name()}?q=cat&{key}={quote(full(n), safe='')}&w=900&h=700&imgrefurl={quote(f'https://site.example/{n}')}"
            spelt = {0: escape(address), 1: quote(address), 2: escape(json.dumps({name(): address}))}[n % 3]
            link = f"/{name()}?{name()}={n}' data-{name()}='{spelt}"
        if "thumbs" in words:
            folder = random.choice(["common", "sunny"])
            thumbnail = f"https://search.pstatic.net/{folder}/?src={quote(full(n), safe='')}&type=a340"
        return (
            f"<div class={name.again('tile')} data-n={n}><div class={name()}><a class={name()} href='{link}'>"
            f"<img class={name()} src='{thumbnail}' width=180 height=135 alt='cat {n}'></a></div>"
            f"<a href='https://site.example/{n}' class={name()}>"
            f"<img src='/t/i{n}' width=16 height=16>site {n}</a></div>"
        )

    def script(self, words: Sequence[str], name: _Names, count: int) -> str:
        if "pairs" not in words:
            return ""
        rows = [
            [0, name(), {name(): [[f"http://small.example/{n}.jpg", 135, 180], [full(n), 700, 900], None, {}]}]
            for n in range(1, count + 1)
        ]
        text = json.dumps(rows, separators=(",", ":"), ensure_ascii=count % 2 == 1).replace("&", "\\u0026")
        return (
            f"<script>var {name()} = {text};</script>"
            if "nested" not in words
            else (f"<script>{name()}({json.dumps(text)})</script>")
        )


def _count(words: Sequence[str]) -> int:
    return next((int(word) for word in words if word.isdigit()), 24)


class _Names:
    """Random names, and the same one again for what belongs together on a page."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def __call__(self) -> str:
        return "".join(random.choices(string.ascii_letters, k=random.randint(4, 9)))

    def again(self, what: str) -> str:
        return self._known.setdefault(what, self())
