"""Values of any type become plain addresses, texts and numbers, and a page without pictures is called what it is."""

from __future__ import annotations

from typing import Any

import pytest

from crawler.engines.base import Kind, Page
from crawler.engines.reading import (
    Signs,
    once,
    page_address,
    parameter,
    parsed,
    part,
    picture_address,
    pixels,
    plain,
    rows,
    shown,
    unquoted,
    without_pictures,
)
from curation.records import Found

GOOD = [
    "https://a.example/x.jpg",
    "http://a.example:8080/그림 1.jpg?w=1&h=2#top",
    "HTTPS://A.EXAMPLE/X.JPG",
    "https://user:word@a.example/x.jpg",
    "http://[2001:db8::1]/x.jpg",
    "http://127.0.0.1/x.jpg",  # whether it may be fetched is not decided here
    "https://고양이.example/x.jpg",
    "https://a.example/it's(1),2!.jpg?u=x%3D1%26y%3D2",
]
BAD: list[Any] = [
    "",
    "x.jpg",
    "/x.jpg",
    "ht!tp://[::bad",
    "http://[::bad/x.jpg",
    "https://",
    "https:///x.jpg",
    "https://a b.example/x.jpg",
    'https://a"b.example/x.jpg',
    "ftp://a.example/x.jpg",
    "javascript:alert(1)",
    "file:///etc/passwd",
    "blob:https://a.example/1",
    "https://a.example/x\n.jpg",
    "https://a.example/" + "x" * 9000,
    None,
    7,
    ["https://a.example/x.jpg"],
    {"url": "https://a.example/x.jpg"},
]


@pytest.mark.parametrize("address", GOOD)
def test_addresses_are_kept_as_they_are_given(address: str) -> None:
    assert page_address(address) == picture_address(f"  {address}\n") == address


@pytest.mark.parametrize("value", BAD, ids=lambda value: repr(value)[:30])
def test_what_is_no_address_is_none(value: Any) -> None:
    assert page_address(value) == picture_address(value) == ""


def test_address_without_a_scheme_is_taken_with_one() -> None:
    assert page_address("//a.example/x.jpg") == "https://a.example/x.jpg"


def test_only_a_picture_may_stand_in_its_own_address() -> None:
    small = "data:image/png;base64,iVBORw0KGgo="
    assert picture_address(small) == small
    assert picture_address("data:text/html,<script>") == ""
    assert picture_address("data:image/png;base64," + "A" * 300_000) == ""
    assert page_address(small) == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("<b>Cat</b> &amp; <mark class='x'>dog</mark>", "Cat & dog"),
        ("1 < 2 > 0", "1 < 2 > 0"),
        ("\ue000고양이\ue001 \u202eabc", "고양이 abc"),
        (" a\n\t b \x00 c ", "a b c"),
        ("🐈\u200d⬛", "🐈\u200d⬛"),
        ('<a href="//x">Ó <b>S</b> &amp; 1</a>', "Ó S & 1"),
        ("cat \ud83d", "cat \ufffd"),
        ("\ud83d\udc08", "🐈"),
        ("x" * 100_000, "x" * 500),
        (None, ""),
        (7, ""),
        (["a"], ""),
    ],
)
def test_text_is_for_people(value: Any, text: str) -> None:
    assert plain(value) == text


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (320, 320),
        ("320", 320),
        (320.0, 320),
        ("wide", 0),
        ("", 0),
        ("3" * 5000, 0),
        ("٣", 0),
        (-4, 0),
        (1e300, 0),
        (True, 0),
    ]
    + [(float(text), 0) for text in ("nan", "inf")]
    + [(odd, 0) for odd in (None, [320], {})],
)
def test_a_side_is_a_number_or_not_known(value: Any, size: int) -> None:
    assert pixels(value) == size


@pytest.mark.parametrize(
    ("address", "value"),
    [
        ("/imgres?imgurl=https%3a%2F%2Fa.example%2Fx.jpg%3Fa%3D1&w=1", "https://a.example/x.jpg?a=1"),
        ("/imgres?w=1&imgurl=a+b", "a b"),
        ("/imgres?imgurl=%EA%B3%A0%FF", "고\ufffd"),
        ("/imgres?xmlimgurl=a", ""),
        ("/imgres", ""),
        ("?" + "a=1&" * 100_000 + "imgurl=late", ""),
        (None, ""),
    ],
)
def test_a_parameter_is_decoded(address: Any, value: str) -> None:
    assert parameter(address, "imgurl") == value


def test_strings_of_scripts_are_decoded() -> None:
    assert unquoted(r"https:\/\/a.example\u003d\x26\"") == 'https://a.example=&"'
    assert unquoted(r"\q broken") == r"\q broken"


def test_json_of_any_shape_is_looked_into() -> None:
    assert parsed("[" * 100_000) is None
    assert parsed(7) is None
    assert part({"a": {"b": [1]}}, "a", "b") == [1]
    assert part({"a": []}, "a", "b", "c") is None
    assert rows([{"a": 1}, None, 3, [{}], {}]) == [{"a": 1}, {}]
    assert rows({"a": 1}) == []


def test_an_address_is_found_once_and_in_full_rather_than_small() -> None:
    small, full = Found("https://a.example/1", thumbnail=True), Found("https://a.example/1", "https://b.example/")
    assert once([small, Found("https://a.example/2"), full, small, Found("")]) == (full, Found("https://a.example/2"))


SIGNS = Signs(blocked=("captcha",), empty=("no results",), blocked_paths=("/sorry/",), blocked_statuses=(202,))


@pytest.mark.parametrize(
    ("page", "kind"),
    [
        (Page("https://e.example/sorry/index?q=x", "", status=200), Kind.BLOCKED),
        (Page("https://e.example/", "No results", status=429), Kind.BLOCKED),
        (Page("https://e.example/", "No results", status=202), Kind.BLOCKED),
        (Page("https://e.example/", "<p>Captcha</p> No results"), Kind.BLOCKED),
        (Page("https://e.example/", "<p>No results</p>", status=200), Kind.EMPTY),
        (Page("https://e.example/", "<p>No results</p>", status=403), Kind.EMPTY),
        (Page("https://e.example/", "<p>What?</p>", status=403), Kind.BLOCKED),
        (Page("https://e.example/", "<p>What?</p>", status=500), Kind.CHANGED),
        (Page("https://e.example/", "<script>say = 'no results'</script>captch"), Kind.CHANGED),
        (Page("https://e.example/?next=/sorry/", ""), Kind.CHANGED),
        (Page("http://[::bad", ""), Kind.CHANGED),
    ],
)
def test_page_without_pictures_is_called_what_it_is(page: Page, kind: Kind) -> None:
    reading = without_pictures(page, SIGNS, "3 tiles")
    assert reading.kind is kind
    assert reading.marker
    assert (reading.marker == "3 tiles") is (kind is Kind.CHANGED)


@pytest.mark.parametrize(
    ("markup", "left"),
    [
        ("a<SCRIPT>b</Script>c", "a>c"),
        ("a<!-- b <script> --> c", "a c"),
        ("a<style>b", "a"),
        ("a<noscript>b</noscript>c<script>d</script>e", "a>c>e"),
        ("İ<script>b</script>c", "i̇>c"),
    ],
)
def test_programs_are_no_part_of_what_is_shown(markup: str, left: str) -> None:
    assert shown(markup) == left
