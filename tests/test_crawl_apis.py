"""The engines with an API, through the crawler's own client, against the imitated ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from curation.records import SearchState
from tests.engine_searches import World, world

ENGINES = ("openverse", "commons")
QUERIES = ["고양이 110 pictures", "cat escaped", "cat malformed", "C++ & R# '\"", "🐈\u200d⬛", "../../x"]


@pytest.fixture(scope="module")
def shared_world() -> Iterator[World]:
    with world() as everything:
        yield everything


@pytest.fixture
def crawl(shared_world: World) -> World:
    shared_world.fresh()
    return shared_world


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "query", ["고양이 110 pictures", "cat escaped", "cat malformed", "C++ & R# '\"", "🐈‍⬛", "../../x"]
)
def test_all_pictures_are_found_in_order(crawl: World, engine: str, query: str) -> None:
    search = crawl.ask(engine, query)
    assert search.addresses == crawl.expected(engine, query)
    assert search.outcome.state is SearchState.OK
    assert search.outcome.exhausted
    assert not any(found.thumbnail for found in search.found)


@pytest.mark.parametrize("engine", ENGINES)
def test_licence_author_and_page_are_kept_as_plain_text(crawl: World, engine: str) -> None:
    search = crawl.ask(engine, "cat 20 pictures")
    for found, shown in zip(search.found, crawl.site.scene(engine, "cat 20 pictures").pictures, strict=True):
        assert found.licence
        assert found.licence_address.startswith("https://creativecommons.org/")
        assert found.page.startswith("https://")
        assert not set("<>") & set(found.author)
        if engine == "commons":
            assert found.author == f"Ó Someone & {shown.number}"
    assert sum(found.author != "" for found in search.found) >= 13


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("word", "states"),
    [
        ("empty", {SearchState.EMPTY}),
        ("429", {SearchState.BLOCKED}),
        ("sorry", {SearchState.BLOCKED}),
        ("changed", {SearchState.CHANGED}),
        ("500", {SearchState.UNREACHABLE, SearchState.BLOCKED}),
    ],
)
def test_no_pictures_are_called_what_they_are(
    crawl: World, engine: str, word: str, states: set[SearchState], tmp_path: Path
) -> None:
    search = crawl.ask(engine, f"cat {word}", report=tmp_path / "page.html")
    assert search.outcome.state in states
    assert search.found == []


def test_openverse_is_asked_no_deeper_than_it_allows(crawl: World) -> None:
    search = crawl.ask("openverse", "cat 500 pictures")
    assert search.addresses == crawl.expected("openverse", "cat 500 pictures")[:240]
    assert search.outcome.state is SearchState.OK
    assert [int(request.query["page"]) for request in crawl.site.asked("/v1/images/")] == list(range(1, 13))


@pytest.mark.parametrize("engine", ENGINES)
def test_search_ends_when_it_is_enough(crawl: World, engine: str) -> None:
    search = crawl.ask(engine, "cat 500 pictures", want=15)
    assert len(search.addresses) >= 15
    assert not search.outcome.exhausted
    assert len(crawl.site.requests) <= 2


def test_the_client_says_who_it_is(crawl: World) -> None:
    crawl.ask("commons", "cat", want=5)
    assert crawl.site.asked("/w/api.php")[-1].headers["User-Agent"].startswith("HandWriter/")
