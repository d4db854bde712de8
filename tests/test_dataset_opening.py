"""Opening a dataset: made when it is not there, refused with a reason when it cannot be used, never half done."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from curation.database import Database
from curation.dataset import Dataset
from curation.records import Found, Job, JobCounts
from curation.schema import APPLICATION, STEPS
from handwriter_models.errors import UserError

JOB = Job("고양이", "고양이", "google")


def told(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def asked(path: Path, question: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(question).fetchall()


def test_new_dataset_is_a_folder_with_a_database_that_says_whose_it_is(tmp_path: Path) -> None:
    root = tmp_path / "not yet" / "데이터"
    with Dataset(root) as dataset:
        assert dataset.root == root
        assert dataset.jobs() == []
        assert dataset.counts() == {}
    assert [path.name for path in root.iterdir()] == ["dataset.db"]
    assert asked(root / "dataset.db", "PRAGMA application_id") == [(APPLICATION,)]
    assert asked(root / "dataset.db", "PRAGMA user_version") == [(len(STEPS),)]
    assert asked(root / "dataset.db", "PRAGMA journal_mode") == [("wal",)]


def test_looking_at_a_dataset_makes_no_run_and_no_folder(tmp_path: Path) -> None:
    Dataset(tmp_path).close()
    with Dataset(tmp_path, create=False) as dataset:
        dataset.searches()
        assert list(dataset.images()) == list(dataset.sources()) == list(dataset.refusals()) == []
        assert dataset.unaccounted() == dataset.missing() == dataset.live_runs() == []
    assert not (tmp_path / "incoming").exists()
    assert asked(tmp_path / "dataset.db", "SELECT count(*) FROM runs") == [(0,)]


def test_folder_with_other_files_becomes_a_dataset_and_keeps_them(tmp_path: Path) -> None:
    theirs = tmp_path / "images" / "고양이" / "google_0001.jpg"
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"mine")
    with Dataset(tmp_path) as dataset:
        assert dataset.unaccounted() == [theirs]
    assert theirs.read_bytes() == b"mine"


def a_file(root: Path) -> None:
    root.write_text("x")


def below_a_file(root: Path) -> None:
    root.parent.rmdir()
    root.parent.write_text("x")


def a_foreign_database(root: Path) -> None:
    root.mkdir()
    told(root / "dataset.db", "CREATE TABLE other (x)")


def a_foreign_application(root: Path) -> None:
    root.mkdir()
    told(root / "dataset.db", "PRAGMA application_id = 7")


def a_newer_version(root: Path) -> None:
    Dataset(root).close()
    told(root / "dataset.db", f"PRAGMA user_version = {len(STEPS) + 1}")


def no_database(root: Path) -> None:
    root.mkdir()
    (root / "dataset.db").write_bytes(b"this is not a database" * 100)


def a_folder_for_a_database(root: Path) -> None:
    (root / "dataset.db").mkdir(parents=True)


def a_damaged_database(root: Path) -> None:
    Dataset(root).close()
    data = bytearray((root / "dataset.db").read_bytes())
    data[100:5000] = b"\xff" * 4900  # the header stays
    (root / "dataset.db").write_bytes(data)


UNUSABLE: list[tuple[Callable[[Path], None], str]] = [
    (a_file, "is a file, not a folder"),
    (below_a_file, "cannot make the folder"),
    (a_foreign_database, "belongs to another program"),
    (a_foreign_application, "belongs to another program"),
    (a_newer_version, "newer version"),
    (no_database, "is not a dataset's database"),
    (a_folder_for_a_database, "cannot be opened"),
    (a_damaged_database, "is damaged"),
]


@pytest.mark.parametrize(("made", "what"), UNUSABLE, ids=lambda value: getattr(value, "__name__", ""))
def test_what_cannot_be_used_is_refused_with_a_hint_and_left_as_it_is(
    made: Callable[[Path], None], what: str, tmp_path: Path
) -> None:
    root = tmp_path / "parent" / "data"
    root.parent.mkdir()
    made(root)
    before = contents(tmp_path)
    with pytest.raises(UserError, match=what) as caught:
        Dataset(root)
    assert caught.value.hint
    assert contents(tmp_path) == before


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("path", ["/proc/nowhere", "a\0b", "x" * 300])
def test_impossible_paths_are_refused(path: str) -> None:
    with pytest.raises(UserError, match="cannot make the folder"):
        Dataset(Path("/proc" if path.startswith("/") else "/tmp") / path)


def test_looking_at_no_dataset_is_refused_and_makes_nothing(tmp_path: Path) -> None:
    for root in (tmp_path / "none", tmp_path):
        with pytest.raises(UserError, match="is not a dataset"):
            Dataset(root, create=False)
    assert list(tmp_path.iterdir()) == []


def test_creation_that_was_broken_off_is_done_again(tmp_path: Path) -> None:
    (tmp_path / "dataset.db").touch()
    with Dataset(tmp_path) as dataset:
        assert dataset.add(JOB, [Found("https://x.example/1")]) == 1


def test_dataset_stays_as_it_was_when_opened_again(tmp_path: Path) -> None:
    with Dataset(tmp_path) as dataset:
        dataset.add(JOB, [Found("https://x.example/1")])
    with Dataset(tmp_path, create=False) as dataset:
        assert dataset.counts() == {JOB: JobCounts(1, 0, {}, 1, 0)}
        assert dataset.jobs() == [JOB]


def test_older_dataset_is_stepped_up_and_keeps_its_rows(tmp_path: Path) -> None:
    with Dataset(tmp_path) as dataset:
        dataset.add(JOB, [Found("https://x.example/1")])
    newer = (*STEPS, ("CREATE TABLE marks (id INTEGER)", "INSERT INTO marks VALUES (5)"))
    for _ in range(2):
        Database(tmp_path / "dataset.db", newer).close()
    assert asked(tmp_path / "dataset.db", "PRAGMA user_version") == [(len(newer),)]
    assert asked(tmp_path / "dataset.db", "SELECT marks.id, address FROM marks, addresses") == [
        (5, "https://x.example/1")
    ]


def test_step_that_fails_leaves_the_dataset_as_it_was(tmp_path: Path) -> None:
    Dataset(tmp_path).close()
    wrong = (*STEPS, ("CREATE TABLE marks (id INTEGER)", "no statement"))
    with pytest.raises(sqlite3.OperationalError, match="syntax error"):
        Database(tmp_path / "dataset.db", wrong)
    Dataset(tmp_path).close()
    assert asked(tmp_path / "dataset.db", "SELECT count(*) FROM sqlite_master WHERE name = 'marks'") == [(0,)]


def test_full_disk_is_told_and_loses_nothing_that_was_stored(tmp_path: Path) -> None:
    script = (
        f"import resource, sys; sys.path[0] = {str(Path(__file__).resolve().parent.parent)!r}\n"
        "from pathlib import Path\nfrom curation.dataset import Dataset\nfrom curation.records import Found, Job\n"
        "from handwriter_models.errors import run_command\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))\n"
        "dataset = Dataset(Path(sys.argv[1]))\n"
        "def fill():\n"
        "    for number in range(1000):\n"
        "        dataset.add(Job('a', 'a', 'google'), [Found(f'https://x.example/{number}', title='x' * 2000)])\n"
        "        print(number, flush=True)\n"
        "run_command(fill)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("error: the disk of")
    stored = len(done.stdout.splitlines())
    assert stored > 10
    with Dataset(tmp_path) as dataset:
        assert dataset.counts()[Job("a", "a", "google")].pending == stored


def test_closed_dataset_says_so_and_may_be_closed_again(tmp_path: Path) -> None:
    dataset = Dataset(tmp_path)
    dataset.close()
    dataset.close()
    with pytest.raises(ValueError, match="closed"):
        dataset.counts()
    with pytest.raises(ValueError, match="closed"):
        dataset.claim(JOB, 1, 1)
    with pytest.raises(ValueError, match="closed"):
        next(dataset.images())
    assert [path.name for path in tmp_path.iterdir()] in (["dataset.db"], ["incoming", "dataset.db"])


def test_run_remembers_its_command_without_passwords(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["crawler", "--grid", "http://me:secret@grid.example:4444", "a b"])
    with Dataset(tmp_path) as dataset, Dataset(tmp_path) as other:
        assert dataset.incoming.is_dir()
        (run,) = other.live_runs()
        assert run.command == "crawler --grid http://***@grid.example:4444 'a b'"
        assert dataset.incoming.name == run.id
    with Dataset(tmp_path) as dataset:
        assert dataset.live_runs() == []
    assert asked(tmp_path / "dataset.db", "SELECT died FROM runs") == [(0,)]
