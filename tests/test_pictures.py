"""Verdicts move files, nothing is lost, and everything can be undone, whatever happens in between."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curation.dataset import Dataset
from curation.listing import PictureRow
from curation.pictures import Pictures
from curation.scan import scan
from curation.verdicts import Action, replayed
from handwriter_models.errors import UserError
from tests.small_photos import pets

ROOT = Path(__file__).resolve().parents[1]


def opened(root: Path) -> Dataset:
    dataset = Dataset(root)
    if not dataset.pictures.known():
        scan(dataset.pictures)
    return dataset


def agrees(root: Path, pictures: Pictures) -> None:
    """Every row's file is where the row says, no other picture lies anywhere, and the rows follow from the verdicts."""
    rows = pictures.rows()
    on_disk = {path.relative_to(root).as_posix() for path in root.rglob("*.jpg")}
    assert {row.path for row in rows} == on_disk
    first = {row.id: ("고양이" if "cat" in row.path else "dog") for row in rows}
    standing = replayed(pictures.history(), first)
    for row in rows:
        assert (bool(row.dropped), row.label) == (standing[row.id].dropped, standing[row.id].label)
        assert row.path.startswith("dropped/") == bool(row.dropped)


def row_of(pictures: Pictures, name: str) -> PictureRow:
    return next(row for row in pictures.rows() if name in row.path)


def test_drop_moves_the_file_and_undo_brings_it_back_to_its_place(tmp_path: Path) -> None:
    with opened(pets(tmp_path)) as dataset:
        pictures = dataset.pictures
        before = row_of(pictures, "cat 3")
        pictures.judge([before.id], Action.DROP, "me")
        assert row_of(pictures, "cat 3").path == "dropped/고양이/cat 3.jpg"
        assert not (tmp_path / before.path).exists()
        agrees(tmp_path, pictures)
        assert pictures.undo("me") == [before.id]
        assert row_of(pictures, "cat 3").path == before.path
        agrees(tmp_path, pictures)
        assert pictures.undo("me") == []


def test_relabel_moves_to_the_folder_of_the_label_and_keep_restores(tmp_path: Path) -> None:
    with opened(pets(tmp_path)) as dataset:
        pictures = dataset.pictures
        file = row_of(pictures, "cat 3").id
        pictures.judge([file], Action.RELABEL, "me", "dog")
        assert row_of(pictures, "cat 3").path == "dog/cat 3.jpg"
        pictures.judge([file], Action.DROP, "me")
        pictures.judge([file], Action.KEEP, "me")
        assert (row_of(pictures, "cat 3").path, row_of(pictures, "cat 3").label) == ("dog/cat 3.jpg", "dog")
        agrees(tmp_path, pictures)


@pytest.mark.parametrize("label", ["../../x", "a/b", "CON", "개 & 고양이", "x" * 300, " ", "\u202eabc"])
def test_new_label_gets_a_safe_folder_inside_the_dataset(tmp_path: Path, label: str) -> None:
    with opened(pets(tmp_path)) as dataset:
        file = row_of(dataset.pictures, "cat 3").id
        dataset.pictures.judge([file], Action.RELABEL, "me", label)
        row = row_of(dataset.pictures, "cat 3")
        assert row.label == label
        assert (tmp_path / row.path).resolve().is_relative_to(tmp_path.resolve())
        agrees(tmp_path, dataset.pictures)


def test_nothing_is_written_over(tmp_path: Path) -> None:
    with opened(pets(tmp_path)) as dataset:
        pictures = dataset.pictures
        row = row_of(pictures, "cat 3")
        data = (tmp_path / row.path).read_bytes()
        foreign = tmp_path / "dropped" / "고양이" / "cat 3.jpg"
        foreign.parent.mkdir(parents=True)
        foreign.write_bytes(b"somebody's")
        pictures.judge([row.id], Action.DROP, "me")
        assert foreign.read_bytes() == b"somebody's"
        assert row_of(pictures, "cat 3").path == "dropped/고양이/cat 3-2.jpg"
        (tmp_path / row.path).write_bytes(b"somebody else's")
        pictures.undo("me")
        assert (tmp_path / row.path).read_bytes() == b"somebody else's"
        assert (tmp_path / row_of(pictures, "cat 3").path).read_bytes() == data


def test_long_name_gets_a_number_and_still_fits(tmp_path: Path) -> None:
    name = "가" * 83 + ".jpg"  # 253 bytes
    pets(tmp_path)
    (tmp_path / "dog" / "dog 1.jpg").rename(tmp_path / "dog" / name)
    (tmp_path / "고양이" / "cat 1.jpg").rename(tmp_path / "고양이" / name)
    with opened(tmp_path) as dataset:
        file = next(row.id for row in dataset.pictures.rows() if row.path == f"dog/{name}")
        dataset.pictures.judge([file], Action.RELABEL, "me", "고양이")
        moved = next(row for row in dataset.pictures.rows() if row.id == file)
        assert moved.path.endswith("-2.jpg")
        assert (tmp_path / moved.path).exists()


def test_verdicts_given_together_are_undone_together_each_person_their_own(tmp_path: Path) -> None:
    with opened(pets(tmp_path)) as dataset:
        pictures = dataset.pictures
        ids = [row.id for row in pictures.rows()]
        pictures.judge(ids[:4], Action.DROP, "민수")
        pictures.judge(ids[5:6], Action.DROP, "Ann")
        assert sorted(pictures.undo("민수")) == ids[:4]
        assert [row.id for row in pictures.rows() if row.dropped] == ids[5:6]


def test_undo_works_after_a_restart(tmp_path: Path) -> None:
    with opened(pets(tmp_path)) as dataset:
        file = row_of(dataset.pictures, "dog 2").id
        dataset.pictures.judge([file], Action.DROP, "me")
    with opened(tmp_path) as dataset:
        assert dataset.pictures.undo("me") == [file]
        agrees(tmp_path, dataset.pictures)


def test_crawled_picture_keeps_its_source_when_it_moves(tmp_path: Path) -> None:
    from hashlib import sha256

    from curation.records import Found, Job, Kept
    from tests.small_photos import jpeg, photo

    with Dataset(tmp_path) as dataset:
        job = Job("고양이", "cat", "google")
        dataset.add(job, [Found("https://x.example/1.jpg", page="https://x.example/", licence="CC BY 4.0")])
        claim = dataset.claim(job, 1, 10)[0]
        data = jpeg(photo(1))
        (dataset.incoming / "1.jpg").write_bytes(data)
        name = sha256(data).hexdigest()
        dataset.settle([Kept(claim.id, "1.jpg", name, name, "jpg", 160, 120, len(data))], [])
        scan(dataset.pictures)
        row = dataset.pictures.rows()[0]
        assert (row.engine, row.page, row.licence, row.label) == ("google", "https://x.example/", "CC BY 4.0", "고양이")
        dataset.pictures.judge([row.id], Action.DROP, "me")
        moved = next(dataset.sources())
        assert moved.path == "dropped/고양이/google_0001.jpg"
        assert (tmp_path / moved.path).exists()
        assert dataset.missing() == []
        assert dataset.unaccounted() == []
        assert dataset.counts()[job].kept == 1


def test_failed_move_is_told_and_made_up_for(tmp_path: Path) -> None:
    with opened(pets(tmp_path)) as dataset:
        (tmp_path / "dropped").write_text("in the way")
        row = row_of(dataset.pictures, "cat 3")
        with pytest.raises(UserError, match="cannot move"):
            dataset.pictures.judge([row.id], Action.DROP, "me")
        assert (tmp_path / row.path).exists()
        (tmp_path / "dropped").unlink()
    with Dataset(tmp_path) as dataset:
        agrees(tmp_path, dataset.pictures)
        assert row_of(dataset.pictures, "cat 3").dropped


KILLED = """
import os, signal, sys; sys.path[0] = sys.argv[2]
from pathlib import Path
from curation import moves
from curation.dataset import Dataset
from curation.verdicts import Action
when = sys.argv[3]
real = os.unlink if when == "between link and unlink" else os.link
def killed(*arguments, **options):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(moves.os, real.__name__, killed)
with Dataset(Path(sys.argv[1])) as dataset:
    dataset.pictures.judge([row.id for row in dataset.pictures.rows()][:3], Action.DROP, "me")
"""


@pytest.mark.parametrize("when", ["before the move", "between link and unlink"])
def test_killed_between_verdict_and_move_the_next_one_finishes_it(tmp_path: Path, when: str) -> None:
    opened(pets(tmp_path)).close()
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), str(ROOT), when], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    with Dataset(tmp_path) as dataset:
        agrees(tmp_path, dataset.pictures)
        assert sum(row.dropped for row in dataset.pictures.rows()) == 3


BURST = """
import sys; sys.path[0] = sys.argv[2]
from pathlib import Path
from curation.dataset import Dataset
from curation.verdicts import Action
with Dataset(Path(sys.argv[1])) as dataset:
    ids = [row.id for row in dataset.pictures.rows()]
    print("ready", flush=True)
    for turn in range(10_000):
        dataset.pictures.judge([ids[turn % len(ids)]], Action.DROP, sys.argv[3])
        dataset.pictures.judge([ids[turn % len(ids)]], Action.RELABEL, sys.argv[3], f"new {turn % 3}")
        dataset.pictures.undo(sys.argv[3])
"""


def test_two_reviewers_killed_in_a_burst_leave_database_and_folders_in_agreement(tmp_path: Path) -> None:
    opened(pets(tmp_path)).close()
    for moment in (0.2, 0.5, 0.9):
        reviewers = [
            subprocess.Popen(
                [sys.executable, "-c", BURST, str(tmp_path), str(ROOT), name], stdout=subprocess.PIPE, text=True
            )
            for name in ("a", "b")
        ]
        for reviewer in reviewers:
            assert reviewer.stdout
            assert reviewer.stdout.readline() == "ready\n"
        threading.Event().wait(moment)
        for reviewer in reviewers:
            reviewer.kill()
            reviewer.wait()
            assert reviewer.stdout
            reviewer.stdout.close()
        with Dataset(tmp_path) as dataset:
            agrees(tmp_path, dataset.pictures)
            assert len(dataset.pictures.rows()) == 12
            assert dataset.pictures.history()


step = st.tuples(st.sampled_from(["keep", "drop", "relabel", "undo"]), st.integers(0, 3), st.sampled_from("ab"))


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(step, max_size=12))
def test_any_sequence_of_verdicts_and_undos_equals_its_replay(steps: list[tuple[str, int, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = pets(Path(folder).resolve(), 2)
        with opened(root) as dataset:
            ids = [row.id for row in dataset.pictures.rows()]
            for action, place, who in steps:
                if action == "undo":
                    dataset.pictures.undo(who)
                else:
                    label = ["dog", "고양이", "새"][place % 3] if action == "relabel" else None
                    dataset.pictures.judge(ids[place : place + 2], Action(action), who, label)
            agrees(root, dataset.pictures)
        with Dataset(root) as dataset:
            agrees(root, dataset.pictures)
            while dataset.pictures.undo("a") or dataset.pictures.undo("b"):
                pass
            agrees(root, dataset.pictures)
            assert sorted(row.path for row in dataset.pictures.rows()) == sorted(
                path.relative_to(root).as_posix() for path in [*root.glob("dog/*"), *root.glob("고양이/*")]
            )


def test_dropped_files_stay_dropped_when_the_folder_is_scanned_again(tmp_path: Path) -> None:
    with opened(pets(tmp_path)) as dataset:
        file = row_of(dataset.pictures, "dog 2").id
        dataset.pictures.judge([file], Action.DROP, "me")
        assert scan(dataset.pictures).images == 11
        assert row_of(dataset.pictures, "dog 2").dropped
        assert [path.name for path in (tmp_path / "dropped" / "dog").iterdir()] == ["dog 2.jpg"]
