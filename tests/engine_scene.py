"""What an imitated engine has to show for one query: its pictures, and the words that change its behaviour.

The pictures follow from engine and query alone, so a test knows what a perfect reader finds (`EngineSite.expected`).
Addresses lead to a `PictureHost`.
"""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import quote

WORDS = {
    # what the engine does instead of answering
    *["consent", "dialog", "sorry", "captcha", "429", "500", "changed", "empty", "slow", "stuck"],
    # what its page holds
    *["ads", "malformed", "escaped", "hostile"],
    # which ways to the full address are open; "limited" is DuckDuckGo refusing its i.js
    *["hover", "viewer", "thumbs-only", "fallback", "scripts", "limited"],
    # how more comes
    *["endless", "more"],
}
EXTENSIONS = ("jpg", "jpg", "png", "jpg", "webp", "jpg", "gif")
LICENCES = (("by", "2.0"), ("cc0", "1.0"), ("by-sa", "4.0"), ("pdm", "1.0"))
TITLES = (
    "{} in the garden",
    "Best of “{}” & more – 사진",
    "<b>{}</b> | site",
    "{} \\ 1/2 'quoted' \"twice\"",
    "{} 🐈\u200d⬛",
)
ODD = (
    "그림 {n}.jpg",
    "it's (1) {n}.jpg",
    "a%20b/{n}.jpg?w=1200&h=800",
    "{n}.jpg?u=x%3D1%26y%3D2&t=é",
    "{n},{n}!.jpg?=&",
)
COUNTED = re.compile(r"(\d+) pictures")
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@cache
def template(name: str) -> str:
    """A piece of a page, from `engine_pages/`."""
    return (Path(__file__).parent / "engine_pages" / name).read_text("utf-8")


def filled(piece: str, /, **values: str) -> str:
    """A piece of a page, with `$names` replaced."""
    return Template(template(piece)).substitute(values)


def script(name: str) -> str:
    """A program of a page, from `engine_pages/`."""
    return f"<script>{template(name)}</script>"


@dataclass(frozen=True)
class Shown:
    """One picture as an engine knows it. `id` is the engine's own, short and safe."""

    number: int
    address: str
    page: str
    title: str
    id: str
    width: int = 320
    height: int = 240

    @property
    def site(self) -> str:
        return self.page.split("/")[2]


@dataclass
class Scene:
    """A query at an engine: its words, its pictures, and names that are new on every page."""

    engine: str
    query: str
    words: frozenset[str]
    pictures: Sequence[Shown]
    host: str  # where the pictures are, scheme://host:port
    dice: random.Random = field(default_factory=random.Random)

    def name(self) -> str:
        """A class name that nobody has seen before."""
        return "".join(self.dice.choices(LETTERS, k=6))

    def has(self, *words: str) -> bool:
        """Whether one of these words is in the query."""
        return not self.words.isdisjoint(words)

    @property
    def html(self) -> str:
        """The query as text of a page."""
        return escape(self.query)


def words_of(query: str, always: str = "") -> frozenset[str]:
    """The words in a query, and in what the site was made with, that mean something."""
    return frozenset(WORDS).intersection(re.findall(r"[\w-]+", f"{COUNTED.sub(' ', query)} {always}".lower()))


def number_in(query: str, otherwise: int) -> int:
    """The number before the word "pictures"."""
    match = COUNTED.search(query)
    return int(match[1]) if match else otherwise


def pictures_for(engine: str, query: str, count: int, address: Callable[[int], str]) -> list[Shown]:
    """The pictures of one query, best first."""
    return [
        Shown(
            number=n,
            address=address(n),
            page=f"https://www.example-{n % 7}.org/{engine}/{quote(query[:40], safe='')}/{n}?ref=a&id={n}",
            title=TITLES[n % len(TITLES)].format(query[:60]),
            id=short(f"{engine} {query} {n}"),
        )
        for n in range(1, count + 1)
    ]


def picture_path(engine: str, query: str, n: int, odd: bool = False) -> str:
    """Where picture `n` of a query lies on the picture host, percent-encoded."""
    folder = f"/found/{engine}/{quote(query[:40], safe='')}-{zlib.crc32(query.encode()):08x}/"
    if odd:
        return folder + ODD[n % len(ODD)].format(n=n)
    return folder + f"{n}.{EXTENSIONS[n % len(EXTENSIONS)]}"


def short(text: str) -> str:
    """Fourteen letters and digits that follow from the text, as engines name their pictures."""
    return "".join(random.Random(text).choices(f"{LETTERS}0123456789_-", k=14))
