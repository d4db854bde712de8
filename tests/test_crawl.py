"""`python crawler` from keywords to a dataset, over real servers (no browser here).

Most runs are inside the tests' process; the first, the one that Ctrl-C ends and two at once are programs of their own.
"""

from __future__ import annotations

import hashlib
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from curation.dataset import Dataset
from tests.crawler_runs import ALLOWED, ROOT, Done, World, crawl, program, started, world
from tests.engine_site import Manner

APIS = ("--engines", "openverse,commons")


@pytest.fixture(scope="module")
def served() -> Iterator[World]:
    with world(Manner(count=12)) as both:
        yield both


def keywords(folder: Path, text: str) -> Path:
    file = folder / "keywords.txt"
    file.write_text(text, "utf-8")
    return file


def order(served: World, folder: Path, text: str, *options: str) -> list[str | Path]:
    words = ["--keywords", keywords(folder, text), "--dataset", folder / "data", *ALLOWED, *served.engine_urls()]
    return [*words, "--json", *options]


def gather(served: World, folder: Path, text: str, *options: str) -> Done:
    return crawl(order(served, folder, text, *options))


def test_words_become_a_folder_of_whole_pictures_with_their_sources(served: World, tmp_path: Path) -> None:
    done = program(order(served, tmp_path, "고양이\ndog = big dog\n", *APIS, "--limit", "8"))
    assert done.code == 0, done.said
    assert done.summary["kept"] == 32
    assert done.summary["keywords"]["dog"]["engines"]["openverse"] == {"found": 12, "kept": 8, "state": "ok"}
    folders = sorted((tmp_path / "data" / "images").iterdir())
    assert [folder.name for folder in folders] == ["dog", "고양이"]
    for file in (tmp_path / "data" / "images").rglob("*.*"):
        with Image.open(file) as picture:
            picture.load()
            assert {"jpeg": "jpg"}.get(str(picture.format).lower(), str(picture.format).lower()) == file.suffix[1:]
    with Dataset(tmp_path / "data", create=False) as dataset:
        for source in dataset.sources():
            assert source.address in served.site.expected(source.engine, source.keyword)
            assert (source.licence, source.page.partition(":")[0]) != ("", "")
            bytes_ = (tmp_path / "data" / source.path).read_bytes()
            assert hashlib.sha256(bytes_).hexdigest() == source.sha256
        assert dataset.unaccounted() == []


def test_every_address_ends_as_a_source_or_a_refusal_and_a_second_run_fetches_nothing(
    served: World, tmp_path: Path
) -> None:
    first = gather(served, tmp_path, "hostile cats\n", *APIS, "--limit", "50")
    asked = served.host.counts()
    second = gather(served, tmp_path, "hostile cats\n", *APIS, "--limit", "50")
    assert first.code == second.code == 3
    assert {**first.summary, "seconds": 0} == {**second.summary, "seconds": 0}
    assert served.host.counts() == asked
    with Dataset(tmp_path / "data", create=False) as dataset:
        ended = {row.address for row in dataset.sources()} | {row.address for row in dataset.refusals()}
        reasons = {row.reason for row in dataset.refusals()}
    assert ended == served.expected("openverse", "hostile cats") | served.expected("commons", "hostile cats")
    assert {"truncated", "not-an-image", "not-found", "too-small"} <= reasons


def test_more_are_kept_when_the_limit_is_raised_and_none_is_fetched_again(served: World, tmp_path: Path) -> None:
    engine = ("--engines", "openverse")
    assert gather(served, tmp_path, "raised\n", *engine, "--limit", "3").summary["kept"] == 3
    with Dataset(tmp_path / "data", create=False) as dataset:
        kept = [row.address for row in dataset.sources()]
        assert {row.reason for row in dataset.refusals()} == {"not-needed"}
    assert gather(served, tmp_path, "raised\n", *engine, "--limit", "9").summary["kept"] == 9
    assert [served.host.count(address) for address in kept] == [1, 1, 1]


def test_first_good_pictures_are_kept_in_the_engines_order(served: World, tmp_path: Path) -> None:
    gather(served, tmp_path, "order\n", "--engines", "openverse", "--limit", "5")
    with Dataset(tmp_path / "data", create=False) as dataset:
        assert [row.address for row in dataset.sources()] == served.site.expected("openverse", "order")[:5]
        assert next(row.path for row in dataset.sources()).startswith("images/order/openverse_0001.")


@pytest.mark.parametrize(
    ("word", "state"), [("empty", "empty"), ("sorry", "blocked"), ("changed", "changed"), ("500", "unreachable")]
)
def test_no_pictures_are_never_done_and_the_other_engine_goes_on(
    served: World, tmp_path: Path, word: str, state: str
) -> None:
    done = gather(served, tmp_path, f"cat {word}\nplain\n", "--engines", "commons", "--limit", "4")
    assert done.code == 3, done.said
    states = {label: one["engines"]["commons"]["state"] for label, one in done.summary["keywords"].items()}
    assert states["plain"] == "ok"
    assert states[f"cat {word}"] in ({state, "blocked"} if word == "500" else {state})
    assert done.summary["keywords"]["plain"]["kept"] == 4


def test_unreachable_engine_is_said_to_be_so(tmp_path: Path) -> None:
    words = ["--keywords", keywords(tmp_path, "cat\n"), "--dataset", tmp_path / "d", "--engines", "openverse", "--json"]
    done = crawl([*words, *ALLOWED, "--engine-url", "openverse=http://127.0.0.1:9"])
    assert done.code == 3
    assert done.summary["keywords"]["cat"]["engines"]["openverse"]["state"] == "unreachable"
    assert "Traceback" not in done.said


def test_private_addresses_are_refused_unless_allowed(served: World, tmp_path: Path) -> None:
    words = ["--keywords", keywords(tmp_path, "cat\n"), "--dataset", tmp_path / "d", "--engines", "openverse"]
    served.host.forget()
    served.site.forget()
    done = crawl([*words, *served.engine_urls()])
    assert done.code == 2
    assert "--allow-private" in done.said
    assert served.site.counts() == served.host.counts() == {}


def test_redirects_in_a_circle_are_refusals_with_that_reason_and_end_soon(tmp_path: Path) -> None:
    kinds = ("redirect-loop", "redirect-round/a", "redirect-for-ever")
    with world(Manner(count=12, hostile=kinds)) as served:
        done = gather(served, tmp_path, "hostile cat\n", *APIS)
        assert (done.code, done.summary["kept"]) == (3, 0)
        assert done.summary["keywords"]["hostile cat"]["refused"] == {"redirect-loop": 24}
        for kind, most in (("redirect-loop", 8 * 1), ("redirect-round", 8 * 2), ("redirect-for-ever", 8 * 9)):
            assert len(served.host.asked(f"/{kind}/")) == most, "none is tried again"
        assert done.summary["seconds"] < 30


def test_same_bytes_are_kept_once_for_all_labels(tmp_path: Path) -> None:
    with world(Manner(count=9, shared=3)) as served:
        done = gather(served, tmp_path, "cat\n", *APIS, "--limit", "9")
        assert done.summary["keywords"]["cat"]["refused"] == {"duplicate": 3}
        assert done.summary["kept"] == 15
        with Dataset(tmp_path / "data", create=False) as dataset:
            assert all(row.duplicate_of for row in dataset.refusals())


def test_pictures_may_be_converted_and_made_smaller(served: World, tmp_path: Path) -> None:
    done = gather(served, tmp_path, "convert\n", *APIS, "--limit", "4", "--convert", "png", "--max-side", "64")
    assert done.code == 0, done.said
    for file in (tmp_path / "data" / "images").rglob("*.*"):
        with Image.open(file) as picture:
            assert (picture.format, max(picture.size)) == ("PNG", 64)


AWKWARD = ["한글 낱말", "🦊🏳️‍🌈", "C++ & R#", '"it\'s" quoted', "../../x", "a" * 200, "%2e%2e", "CON", "-rf", "<b>"]


def test_awkward_keywords_stay_inside_the_folder_and_apart(served: World, tmp_path: Path) -> None:
    text = "\ufeff" + "\r\n".join([*AWKWARD, AWKWARD[0]]) + "\r\n"
    done = gather(served, tmp_path, text, "--engines", "openverse", "--limit", "2")
    assert done.code == 0, done.said
    assert list(done.summary["keywords"]) == AWKWARD
    assert "stands more than once" in done.said
    assert done.summary["kept"] == 2 * len(AWKWARD)
    assert len(list((tmp_path / "data" / "images").iterdir())) == len(AWKWARD)
    assert {path.name for path in tmp_path.iterdir()} == {"keywords.txt", "data"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--keywords", "none.txt"], "no file"),
        (["--keywords", "."], "folder"),
        (["--keywords", "empty.txt"], "no keyword"),
        (["--keywords", "latin.txt"], "UTF-8"),
        (["--keywords", "good.txt", "--engines", "altavista"], "altavista"),
        (["--keywords", "good.txt", "--filter", "size=huge"], "huge"),
        (["--keywords", "good.txt", "--engine-url", "google"], "ENGINE=URL"),
        (["--keywords", "good.txt", "--engine-url", "google=ftp://x"], "ftp://x"),
        (["--keywords", "good.txt", "--engines", "openverse", "--dataset", "good.txt"], "good.txt"),
        (["--keywords", "good.txt", "--convert", "webm"], "webm"),
        (["--keywords", "good.txt", "--retry", "weather"], "weather"),
        (["--keywords", "good.txt", "--grid", "nowhere"], "nowhere"),
        (["--status", "none"], "none"),
        (["--limit", "3"], "--keywords"),
    ],
)
def test_wrong_use_is_one_clear_error_and_leaves_nothing(words: list[str], says: str, tmp_path: Path) -> None:
    for name, data in (("empty.txt", b""), ("latin.txt", b"na\xefve\n"), ("good.txt", b"cat\n")):
        (tmp_path / name).write_bytes(data)
    done = crawl(words, folder=tmp_path)
    assert done.code == 2
    assert done.said.startswith("error: ")
    assert says in done.said
    assert "Traceback" not in done.said + done.out
    assert {path.name for path in tmp_path.iterdir()} == {"empty.txt", "latin.txt", "good.txt"}


def test_status_shows_what_a_dataset_holds_and_who_is_at_work(served: World, tmp_path: Path) -> None:
    gather(served, tmp_path, "고양이\n", *APIS, "--limit", "3")
    done = crawl(["--status", tmp_path / "data", "--json"])
    assert done.code == 0
    assert done.summary["keywords"]["고양이"]["kept"] == 6
    assert "고양이" in crawl(["--status", tmp_path / "data"]).out


def test_summary_for_people_is_on_standard_output_and_nothing_else(served: World, tmp_path: Path) -> None:
    words = ["--keywords", keywords(tmp_path, "cat\n"), "--dataset", tmp_path / "data", *ALLOWED]
    done = crawl([*words, *served.engine_urls(), *APIS, "--limit", "3"])
    assert done.code == 0
    assert "6 pictures in 1 class" in done.out
    assert "cat · openverse: ok, found" in done.said


def test_filter_that_an_engine_lacks_is_a_warning(served: World, tmp_path: Path) -> None:
    done = gather(served, tmp_path, "cat\n", "--engines", "commons", "--limit", "2", "--filter", "type=face")
    assert done.code == 0
    assert "warning: commons has no filter type=face" in done.said


def test_crawler_and_dataset_do_without_torch() -> None:
    program = "import sys, crawler.run, crawler.commands, curation.dataset; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 0


def interrupted(served: World, folder: Path, after: int) -> int:
    """Sends Ctrl-C when so many pictures have been asked for."""
    words = ["--keywords", folder / "keywords.txt", "--dataset", folder / "data", *ALLOWED, *served.engine_urls()]
    process = started([*words, *APIS, "--limit", "60", "--json"], folder / "log")
    while len(served.host.asked()) < after and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    return process.wait(30)


def test_ctrl_c_saves_everything_and_the_same_command_goes_on(tmp_path: Path) -> None:
    with world(Manner(count=24), latency=0.15) as served:
        keywords(tmp_path, "고양이\ndog\n")
        code = interrupted(served, tmp_path, 24)
        assert code == 130, (tmp_path / "log").read_text()
        assert "Traceback" not in (tmp_path / "log").read_text()
        with Dataset(tmp_path / "data", create=False) as dataset:
            assert dataset.unaccounted() == []
            assert not any(counts.claimed for counts in dataset.counts().values())
            before = {row.address: served.host.count(row.address) for row in dataset.sources()}
        assert gather(served, tmp_path, "고양이\ndog\n", *APIS, "--limit", "60").summary["kept"] == 96
        assert {address: served.host.count(address) for address in before} == before
        assert set(before.values()) <= {1}


def test_two_crawlers_on_one_dataset_share_the_work(tmp_path: Path) -> None:
    with world(Manner(count=40), latency=0.05) as served:
        file = keywords(tmp_path, "고양이\ndog\n")
        words = ["--keywords", file, "--dataset", tmp_path / "data", *ALLOWED, *served.engine_urls(), *APIS]
        both = [started([*words, "--limit", "60"], tmp_path / f"log{number}") for number in (1, 2)]
        assert [process.wait(90) for process in both] == [0, 0], (tmp_path / "log1").read_text()
        assert set(served.host.counts().values()) - {1} <= {2}
        with Dataset(tmp_path / "data", create=False) as dataset:
            assert sum(counts.kept for counts in dataset.counts().values()) == 160
            assert {served.host.count(row.address) for row in dataset.sources()} == {1}
            assert dataset.unaccounted() == []


def test_database_can_be_read_by_other_programs(served: World, tmp_path: Path) -> None:
    gather(served, tmp_path, "cat\n", *APIS, "--limit", "2")
    with sqlite3.connect(tmp_path / "data" / "dataset.db") as database:
        assert database.execute("SELECT count(*) FROM sources").fetchone() == (4,)
    database.close()
    assert subprocess.run(["ls", tmp_path / "data"], capture_output=True, text=True).stdout.split()[0] == "dataset.db"
