"""What must be found in each saved page of the browser engines, and what each page without pictures is called."""

from __future__ import annotations

import pytest

from crawler.engines import engine
from crawler.engines.base import Kind, Page, Reading
from curation.records import Found
from tests.saved_pages import BROWSER_ENGINES, cases, saved

MUST_HAVE = ("normal", "empty", "blocked", "changed", "advertisements", "malformed", "escaped")
ODD_ADDRESSES = [
    "https://pictures.example/w/index.php?title=cat&size=large&sig=a=b",
    "https://그림.example/고양이/검은 고양이.jpg",
]
QUOTED = "https://pictures.example/it's (1) 100%.jpg?u=https%3A%2F%2Fa.example%2Fb%26c"


def read(name: str, case: str) -> Reading:
    return engine(name).read(saved(name, case))


def full(name: str, case: str) -> list[str]:
    return [found.address for found in read(name, case).found if not found.thumbnail]


def small(name: str, case: str) -> list[str]:
    return [found.address for found in read(name, case).found if found.thumbnail]


def large(*numbers: int) -> list[str]:
    return [f"https://pictures{n}.example/large/cat-{n}.jpg" for n in numbers]


def blog(*numbers: int) -> list[str]:
    return [f"http://blogfiles.example/2026/{n}/고양이_{n}.jpg" for n in numbers]


@pytest.mark.parametrize("name", BROWSER_ENGINES)
def test_every_engine_has_a_page_of_each_kind(name: str) -> None:
    assert set(MUST_HAVE) <= set(cases(name))


@pytest.mark.parametrize(
    ("name", "case", "kind"),
    [(name, case, Kind(case)) for name in BROWSER_ENGINES for case in ("empty", "blocked", "changed")]
    + [(name, "too_many", Kind.BLOCKED) for name in ("google", "naver", "bing")]
    + [
        ("google", "consent", Kind.CONSENT),
        ("google", "consent_dialog", Kind.CONSENT),
        ("bing", "consent", Kind.CONSENT),
    ]
    + [("duckduckgo", "limited", Kind.BLOCKED)],
)
def test_page_without_pictures_is_called_what_it_is(name: str, case: str, kind: Kind) -> None:
    reading = read(name, case)
    assert reading.kind is kind
    assert reading.found == ()
    assert reading.marker


@pytest.mark.parametrize("name", BROWSER_ENGINES)
@pytest.mark.parametrize("case", ["empty", "changed"])
def test_text_alone_tells_it_too_where_the_script_failed(name: str, case: str) -> None:
    page = saved(name, case)
    reading = engine(name).read(Page(page.address, page.text, None, page.status))
    assert reading.kind in (Kind(case), Kind.CHANGED)
    if (name, case) != ("duckduckgo", "empty"):  # its page is empty at first, whatever it will show
        assert reading.kind is Kind(case)


@pytest.mark.parametrize(
    ("name", "case", "addresses"),
    [
        ("google", "normal", large(1, 2, 3, 4, 7)),
        ("google", "scrolled", large(1)),
        ("google", "viewer", large(1, 3)),
        ("naver", "normal", blog(1, 2, 3)),
        ("naver", "renamed", blog(1, 2, 3)),
        ("naver", "hidden", blog(1, 2, 3)),
        ("naver", "constant", blog(1, 2, 3)),
        ("naver", "json", blog(1, 2, 3)),
        ("naver", "within_text", blog(1, 2, 3)),
        ("naver", "attribute", blog(1, 2, 3)),
        ("naver", "thumbnails_with_addresses", blog(1, 2, 3)),
        ("naver", "sunny", blog(1, 2, 3)),
        ("naver", "lazy", blog(1, 2, 3, 4)),
        ("bing", "normal", large(1, 2, 3)),
        ("bing", "links", large(1, 2, 3)),
        ("bing", "loose", [*(f"{address}?a=1&b=2" for address in large(1, 2)), *large(3)]),
        ("bing", "consent_answered", large(1)),
        ("bing", "videos", large(1, 2, 3)),
        ("bing", "clusters", large(1, 2, 3)),
        ("bing", "twice", large(1, 2, 3)),
        ("duckduckgo", "normal", large(1, 2, 3)),
        ("duckduckgo", "pane", ["https://pictures1.example/large/고양이 1.jpg?a=1&b=2"]),
    ],
)
def test_each_way_gives_the_full_addresses_in_their_order(name: str, case: str, addresses: list[str]) -> None:
    assert full(name, case) == addresses


@pytest.mark.parametrize(
    ("name", "case", "count"),
    [
        ("google", "normal", 1),
        ("google", "scrolled", 1),
        ("google", "viewer", 1),
        ("naver", "thumbnails_only", 2),
        ("bing", "thumbnails_only", 2),
        ("duckduckgo", "pane", 2),
    ],
)
def test_thumbnails_are_marked_and_have_no_size(name: str, case: str, count: int) -> None:
    reading = read(name, case)
    thumbnails = [found for found in reading.found if found.thumbnail]
    assert len(thumbnails) == count
    assert all((found.width, found.height) == (0, 0) for found in thumbnails)
    assert reading.kind is Kind.OK


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("google", Found(*large(1), "https://site1.example/cats/1?a=1&b=2", "Cat number 1", width=1200, height=800)),
        (
            "naver",
            Found(*blog(1), "https://blog.example/someone/1?a=1&b=2", "고양이 사진 1", "이웃 1", width=901, height=675),
        ),
        ("bing", Found(*large(1), "https://site1.example/cats/1?a=1&b=2", "A cat no. 1", width=1200, height=800)),
        ("duckduckgo", Found(*large(1), "https://site1.example/cats/1?a=1&b=2", "Cat 1", width=1200, height=800)),
    ],
)
def test_page_title_and_size_come_with_a_picture(name: str, found: Found) -> None:
    assert read(name, "normal").found[0] == found


@pytest.mark.parametrize("case", ["constant", "json", "within_text", "attribute"])
def test_naver_reads_the_written_object_whole_though_some_tiles_have_addresses(case: str) -> None:
    found = read("naver", case).found
    assert [(one.page, one.width) for one in found] == [
        (f"https://blog.example/someone/{n}?a=1&b=2", 900 + n) for n in (1, 2, 3)
    ]


@pytest.mark.parametrize("case", ["normal", "hidden", "advertisements", "malformed", "escaped"])
def test_naver_finds_the_same_in_the_text_where_the_script_failed(case: str) -> None:
    page = saved("naver", case)
    found = engine("naver").read(Page(page.address, page.text, None, page.status)).found
    assert found == engine("naver").read(page).found


@pytest.mark.parametrize("case", ["normal", "advertisements"])
def test_bing_finds_pages_and_titles_in_the_text_where_the_script_failed(case: str) -> None:
    page = saved("bing", case)
    found = engine("bing").read(Page(page.address, page.text, None, page.status)).found
    known = engine("bing").read(page).found
    assert known
    assert [(one.address, one.page, one.title) for one in found] == [
        (one.address, one.page, one.title) for one in known
    ]


@pytest.mark.parametrize(
    ("name", "addresses"),
    [("google", large(1, 2)), ("naver", blog(1, 2)), ("bing", large(1, 2)), ("duckduckgo", large(1, 2))],
)
def test_advertisements_are_no_pictures(name: str, addresses: list[str]) -> None:
    assert [found.address for found in read(name, "advertisements").found] == addresses


@pytest.mark.parametrize(
    ("name", "addresses", "thumbnails"),
    [
        ("google", large(1, 2), []),
        ("naver", blog(1, 4, 5), ["https://ssl.pstatic.net/sstatic/thumb/6.jpg"]),
        ("bing", large(1, 2), []),
        ("duckduckgo", large(1, 2), ["https://tse2.mm.bing.net/th?id=OIP.cat9&pid=Api"]),
    ],
)
def test_malformed_tiles_lose_nothing_but_themselves(name: str, addresses: list[str], thumbnails: list[str]) -> None:
    assert full(name, "malformed") == addresses
    assert small(name, "malformed") == thumbnails


@pytest.mark.parametrize("name", BROWSER_ENGINES)
def test_escapes_are_undone_and_percent_signs_kept(name: str) -> None:
    reading = read(name, "escaped")
    addresses = [found.address for found in reading.found]
    assert addresses[:2] == ODD_ADDRESSES
    assert addresses[2] == (QUOTED if name != "google" else QUOTED.replace("100%", '"quoted"'))
    titles = " ".join(found.title for found in reading.found)
    assert "<b>" not in titles
    assert "\\u" not in titles
    assert "&amp;" not in titles
    assert "🐈\u200d⬛" in titles


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("google", "https://pictures.example/a b/고양이.jpg?x=1&y=2#z"),
        ("naver", "https://pictures.example/a+b/%EA%B3%A0 1.jpg?x=1&y=2#z"),
        ("bing", "https://pictures.example/a+b/%EA%B3%A0.jpg?x=1&y=2#z"),
    ],
)
def test_address_within_an_address_is_decoded_once(name: str, address: str) -> None:
    assert read(name, "escaped").found[-1].address == address


def test_end_is_only_told_where_the_page_tells_it() -> None:
    ended = {(name, case) for name in BROWSER_ENGINES for case in cases(name) if read(name, case).ended}
    ended = {(name, case) for name, case in ended if read(name, case).kind is Kind.OK}
    assert ended == {("google", "scrolled"), ("duckduckgo", "last")}
