"""Answers of the engines with an API, as they were saved: `pages/<engine>/<case>.json` holds what was sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crawler.engines import engine
from crawler.engines.base import Kind, Page, Reading
from curation.records import Found

FOLDER = Path(__file__).parent / "pages"
STATUSES = {
    ("openverse", "blocked"): 429,
    ("openverse", "unauthorised"): 401,
    ("openverse", "firewall"): 403,
    ("commons", "no_agent"): 403,
    ("commons", "too_many"): 429,
}
APIS = ("openverse", "commons")
ODD: list[Any] = [None, True, -1, 1e308, "", "\ud800", "<" * 5000, [], {}, [[[]]], {"value": {"value": []}}]


def read(name: str, case: str) -> Reading:
    text = (FOLDER / name / f"{case}.json").read_text("utf-8")
    return engine(name).read(Page(engine(name).home, text, status=STATUSES.get((name, case), 200)))


def test_openverse_gives_author_licence_page_and_size() -> None:
    reading = read("openverse", "normal")
    assert reading.kind is Kind.OK
    assert not reading.ended
    assert reading.found[0] == Found(
        "https://live.staticflickr.example/65535/1_b.jpg",
        "https://www.flickr.example/photos/someone/1",
        "Black cat no. 1",
        "Ana Ñandú",
        "CC BY-SA 4.0",
        "https://creativecommons.org/licenses/by-sa/4.0/",
        1024,
        683,
    )
    licences = [found.licence for found in reading.found]
    assert licences == ["CC BY-SA 4.0", "CC0 1.0", "Public Domain Mark 1.0", "CC BY 2.0"]


def test_commons_gives_them_too_in_the_order_of_the_search_and_without_markup() -> None:
    reading = read("commons", "normal")
    assert reading.kind is Kind.OK
    assert not reading.ended
    assert [found.title for found in reading.found] == ["Cat 10.jpg", "Cat 20.jpg", "Cat 30.jpg"]
    assert reading.found[0] == Found(
        "https://upload.wikimedia.example/commons/a/ab/Cat_10.jpg",
        "https://commons.wikimedia.org/wiki/File:Cat_10.jpg",
        "Cat 10.jpg",
        "Ana Ñandú & co",
        "CC BY-SA 4.0",
        "https://creativecommons.org/licenses/by-sa/4.0",
        1600,
        1200,
    )


@pytest.mark.parametrize("name", APIS)
def test_last_page_ends_the_search(name: str) -> None:
    assert read(name, "last").ended


@pytest.mark.parametrize(
    ("name", "case", "kind", "said"),
    [
        ("openverse", "empty", Kind.EMPTY, "0 results"),
        ("openverse", "blocked", Kind.BLOCKED, "429 Request was throttled"),
        ("openverse", "unauthorised", Kind.BLOCKED, "401"),
        ("openverse", "firewall", Kind.BLOCKED, "403"),
        ("openverse", "changed", Kind.CHANGED, "no list"),
        ("commons", "empty", Kind.EMPTY, "no query"),
        ("commons", "blocked", Kind.BLOCKED, "exceeded your rate limit"),
        ("commons", "no_agent", Kind.BLOCKED, "403"),
        ("commons", "too_many", Kind.BLOCKED, "429"),
        ("commons", "wrong", Kind.CHANGED, "Unrecognized value"),
        ("commons", "changed", Kind.CHANGED, "no pages"),
    ],
)
def test_answer_without_pictures_is_called_what_it_is(name: str, case: str, kind: Kind, said: str) -> None:
    reading = read(name, case)
    assert reading.kind is kind
    assert reading.found == ()
    assert said in reading.marker


def test_malformed_rows_lose_nothing_but_themselves() -> None:
    four, five = read("openverse", "malformed").found
    assert (four.title, four.author, four.licence, four.licence_address, four.page) == ("", "", "", "", "")
    assert (four.width, four.height) == (0, 0)
    assert five.title == "Black cat no. 5"
    six, five = read("commons", "malformed").found
    assert (six.author, six.licence, six.licence_address) == ("Uploader", "", "")
    assert (five.title, five.author, five.page) == ("", "", "")
    assert (five.width, five.height) == (1600, 0)


def test_escapes_are_kept_in_addresses_and_undone_in_text() -> None:
    (found,) = read("openverse", "escaped").found
    assert found.address == "https://live.staticflickr.example/%EA%B3%A0/it's (1)&x=%26.jpg?a=1&b=%3D"
    assert found.title == "Cat & dog 🐈\u200d⬛"
    assert found.author == "A <B>"
    (found,) = read("commons", "escaped").found
    assert found.address == "https://upload.wikimedia.example/commons/%EA%B3%A0/It%27s_(1)%2C_%26.jpg?utm=a&b=c"
    assert found.title == '고양이 "&" <1>.jpg'


def spoilt(value: Any, odd: Any) -> list[Any]:
    """The value with, in turn, each of its parts replaced."""
    inside = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    changed = [odd]
    for key, part in inside:
        for one in spoilt(part, odd):
            copy = dict(value) if isinstance(value, dict) else list(value)
            copy[key] = one
            changed.append(copy)
    return changed


@pytest.mark.parametrize("name", APIS)
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:20])
def test_any_part_of_an_answer_may_be_anything(name: str, odd: Any) -> None:
    answer = json.loads((FOLDER / name / "normal.json").read_text("utf-8"))
    for changed in spoilt(answer, odd):
        reading = engine(name).read(Page(engine(name).home, json.dumps(changed), status=200))
        assert bool(reading.found) == (reading.kind is Kind.OK)
        for found in reading.found:
            assert found.address.startswith("https://")
            "".join((found.address, found.page, found.title, found.author, found.licence)).encode()
            assert min(found.width, found.height) >= 0


@pytest.mark.parametrize("name", APIS)
@pytest.mark.parametrize("text", ["", "null", "7", "[" * 100_000, "{", "<html>", "NaN", '{"results": NaN}', "\x00"])
@pytest.mark.parametrize("status", [0, 200, 404, 500])
def test_what_is_no_answer_is_called_changed(name: str, text: str, status: int) -> None:
    assert engine(name).read(Page("", text, status=status)).kind is Kind.CHANGED
