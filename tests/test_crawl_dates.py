"""--since and --until, from the command to the dataset: other dates or filters are another question."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from curation.dataset import Dataset
from tests.crawler_runs import Done, World, crawl, world
from tests.engine_site import Manner
from tests.test_crawl import APIS, gather

PATHS = {"commons": "/w/api.php", "openverse": "/v1/images/"}


@pytest.fixture
def served() -> Iterator[World]:
    with world(Manner(count=12)) as both:
        yield both


def searches(data: Path) -> dict[tuple[str, str], str | None]:
    """The state of every question that was asked, by keyword and engine."""
    with sqlite3.connect(data / "dataset.db") as database:
        return {
            (keyword, engine): state
            for keyword, engine, state in database.execute("SELECT keyword, engine, state FROM searches")
        }


def asked(served: World, engine: str) -> list[str]:
    """The questions that the engine has got."""
    name = {"commons": "gsrsearch", "openverse": "q"}[engine]
    return [request.query[name] for request in served.site.asked(PATHS[engine])]


def test_dates_reach_the_engine_that_has_them_and_the_other_warns(served: World, tmp_path: Path) -> None:
    done = gather(served, tmp_path, "고양이\n", *APIS, "--since", "2024-01-31", "--until", "2024-02-29", "--limit", "4")
    assert asked(served, "commons") == ["filetype:bitmap creationdate:>=2024-01-31 creationdate:<=2024-02-29 고양이"]
    assert asked(served, "openverse") == ["고양이"]
    assert "openverse cannot be asked for dates: its pictures are not filtered by --since and --until" in done.said
    assert "commons cannot" not in done.said
    assert set(searches(tmp_path / "data")) == {
        ("고양이 (since=2024-01-31 until=2024-02-29)", "commons"),
        ("고양이", "openverse"),
    }


def test_same_dates_go_on_and_other_dates_ask_anew(served: World, tmp_path: Path) -> None:
    def ask(*options: str) -> tuple[Done, int]:
        before = len(served.site.requests)
        done = gather(served, tmp_path, "cat\n", "--engines", "commons", "--limit", "100", *options)
        return done, len(served.site.requests) - before

    assert ask("--since", "2024-01-01")[1] == 1
    assert ask("--since", "2024-01-01")[1] == 0  # the engine has no more for this question
    done, requests = ask("--since", "2023-01-01")
    assert requests == 1
    assert "'cat' was searched with other filters or dates before; pictures found so count towards --limit" in done.said
    assert ask("--since", "2023-01-01", "--filter", "size=large")[1] == 1
    assert ask()[1] == 1
    assert len(searches(tmp_path / "data")) == 4
    with Dataset(tmp_path / "data", create=False) as dataset:
        assert {row.keyword for row in dataset.sources()} == {keyword for keyword, _ in searches(tmp_path / "data")}


def test_dataset_of_before_goes_on_without_asking_again(served: World, tmp_path: Path) -> None:
    gather(served, tmp_path, "cat (animal)\n", "--engines", "commons", "--limit", "100")
    assert set(searches(tmp_path / "data")) == {("cat (animal)", "commons")}  # as ever, where nothing narrows it
    before = len(served.site.requests)
    done = gather(served, tmp_path, "cat (animal)\n", "--engines", "commons", "--limit", "100")
    assert len(served.site.requests) == before
    assert "other filters" not in done.said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--since", "2024-02-30"], "--since '2024-02-30'"),
        (["--until", "tomorrow"], "--until 'tomorrow' is no date"),
        (["--since", "2999-01-01"], "is in the future"),
        (["--since", "2024-02-02", "--until", "2024-02-01"], "is later than --until"),
        (["--since", "2024-01-01", "--filter", "age=week"], "both limit the time"),
    ],
)
def test_wrong_dates_are_wrong_use(tmp_path: Path, options: list[str], said: str) -> None:
    (tmp_path / "keywords.txt").write_text("cat\n", "utf-8")
    done = crawl(["--keywords", tmp_path / "keywords.txt", "--dataset", tmp_path / "data", *options])
    assert done.code == 2
    assert said in " ".join(done.said.split())
    assert not (tmp_path / "data").exists()
