"""Saved pages are what a real browser makes of them, and nothing that stands in a page makes a reader fail."""

from __future__ import annotations

import copy
import json
import random
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from crawler.browser import Session
from crawler.engines import engine as engine_named
from crawler.engines.base import Kind, Page, Reading
from tests.browser import BROWSERS, program
from tests.saved_pages import BROWSER_ENGINES, HERE_ONLY, Shelf, cases, saved, shelf, shown

ALL = [(engine, case) for engine in BROWSER_ENGINES for case in cases(engine)]
ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    1e308,
    float("nan"),
    "",
    "\x00\ud83d\udc08\ud800",
    "http://[::bad/",
    "https://x.example/" + "%" * 50,
    "https://a.example:99999999/x",
    "data:image/png;base64,",
    "/relative",
    "<" * 5000,
    [],
    {},
    [[[]]],
    {"image": {"image": []}},
]
SECONDS = 3  # far more than any of it takes on a busy machine


@pytest.fixture(scope="module")
def browser() -> Iterator[tuple[Shelf, Session]]:
    program(BROWSERS)
    with shelf() as server, Session(HERE_ONLY) as session:
        yield server, session


def read(engine: str, page: Page) -> Reading:
    return engine_named(engine).read(page)


@pytest.mark.parametrize(("engine", "case"), ALL)
def test_script_takes_from_the_page_what_was_saved(browser: tuple[Shelf, Session], engine: str, case: str) -> None:
    server, session = browser
    now, then = shown(session, server, engine, case), saved(engine, case)
    assert now.value == then.value
    assert now.status == then.status
    assert read(engine, now) == read(engine, then)


@pytest.mark.parametrize(("engine", "case"), ALL)
def test_kind_of_page_does_not_hang_on_the_host(engine: str, case: str) -> None:
    page = saved(engine, case)
    elsewhere = "http://127.0.0.1:1/" + page.address.split("/", 3)[3]
    assert read(engine, replace(page, address=elsewhere)).kind is read(engine, page).kind


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every part of a JSON value."""
    yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inside:
        yield from places(part, (*path, key))


def spoilt(value: Any, dice: random.Random) -> Any:
    """The value with one part of it replaced by something odd."""
    *way, last = dice.choice([path for path in places(value) if path] or [("",)])
    value = copy.deepcopy(value)
    if last == "":
        return dice.choice(ODD)
    inside = value
    for key in way:
        inside = inside[key]
    inside[last] = dice.choice(ODD)
    return value


def broken(text: str, dice: random.Random) -> str:
    """The text cut, with a piece missing, or with a piece of rubbish in it."""
    start = dice.randrange(len(text) + 1)
    rubbish = dice.choice(["", '"', "\\", '\\"', "<script>", "<!--", "\x00", "]", '["', "{" * 2000, "\ud800"])
    return text[:start] + rubbish + text[start + dice.choice([0, 1, 40, 10_000]) :]


def is_sound(reading: Reading) -> bool:
    """Whether the database and the rest of the crawler can take it."""
    for found in reading.found:
        json.dumps([found.address, found.page, found.title, found.author]).encode()
        "".join((found.address, found.page, found.title)).encode()
        if not found.address.startswith(("https://", "http://", "HTTP", "data:image/")) or found.width < 0:
            return False
    return bool(reading.found) == (reading.kind is Kind.OK)


@pytest.mark.parametrize(("engine", "case"), ALL)
def test_spoilt_pages_are_read_without_failing(engine: str, case: str) -> None:
    page, dice = saved(engine, case), random.Random(f"{engine} {case}")
    for _ in range(150):
        value, text = page.value, page.text
        for _ in range(dice.randint(1, 4)):
            value, text = spoilt(value, dice), broken(text, dice)
        assert is_sound(read(engine, replace(page, value=value, text=text)))


@pytest.mark.parametrize("engine", BROWSER_ENGINES)
@pytest.mark.parametrize("value", ODD, ids=lambda value: repr(value)[:20])
def test_any_answer_of_the_script_is_read(engine: str, value: Any) -> None:
    home = engine_named(engine).home
    assert read(engine, Page(f"{home}/search?q=x", "<html>", value, 200)).kind is Kind.CHANGED
    assert read(engine, Page("", "", value, 0)).kind is Kind.CHANGED


@pytest.mark.parametrize("engine", BROWSER_ENGINES)
@pytest.mark.parametrize(
    "piece",
    [
        '["https://encrypted-tbn0.gstatic.com/images?',
        '["https://encrypted-tbn0.gstatic.com/images?q",1,1],["',
        '[\\"https://encrypted-tbn',
        '"2003":[null,"',
        '"murl":"',
        "murl&quot;:&quot;",
        "originalUrl\\",
        "imageSearchTabData = {",
        "<script",
        "<!--",
        "<" * 50,
        "\\" * 50,
        "İ",
    ],
)
def test_endless_beginnings_take_time_in_proportion(engine: str, piece: str) -> None:
    text = piece * (1_500_000 // len(piece))
    before = time.process_time()
    read(engine, Page("https://engine.example/search", text, {"tiles": [[text] * 6], "said": text}, 200))
    assert time.process_time() - before < SECONDS
