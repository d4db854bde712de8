"""The commands as people and programs call them: exit codes, JSON on standard output, words on standard error."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.called import Called, called
from tests.plain_user import as_plain_user
from tests.small_photos import jpeg, pets, photo, save

ROOT = Path(__file__).resolve().parents[1]


def run(*words: str | Path, code: int = 0) -> Called:
    done = called("curation", *words)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def told(*words: str | Path, code: int = 0) -> Any:
    return json.loads(run(*words, "--json", code=code).stdout)


def copied_pets(root: Path) -> Path:
    """Twelve pictures, with two copies of one, and one picture under both labels."""
    pets(root)
    save(root / "dog" / "smaller.jpg", photo(1000).resize((120, 90)))
    save(root / "dog" / "worse.jpg", photo(1000), quality=40)
    save(root / "고양이" / "a dog.jpg", photo(1005))
    return root


def test_scan_tells_what_it_found(tmp_path: Path) -> None:
    found = told("scan", copied_pets(tmp_path))
    assert found.keys() >= {"images", "unreadable", "groups", "redundant", "seconds", "images_per_second"}
    assert (found["images"], found["unreadable"], found["groups"], found["redundant"]) == (15, 0, 2, 3)


def test_scan_with_unreadable_files_ends_with_3_and_names_them(tmp_path: Path) -> None:
    (pets(tmp_path) / "dog" / "broken.jpg").write_bytes(jpeg(photo(1))[:900])
    assert told("scan", tmp_path, code=3)["unreadable"] == 1
    assert "broken.jpg" in run("scan", tmp_path, code=3).stdout


def test_groups_name_the_picture_to_keep_and_how_the_others_are_related(tmp_path: Path) -> None:
    found = told("groups", copied_pets(tmp_path))
    assert [(group["keep"], group["conflict"], len(group["members"])) for group in found] == [
        ("dog/dog 0.jpg", False, 2),
        ("dog/dog 5.jpg", True, 1),
    ]
    assert {member["relation"] for member in found[0]["members"]} == {"near"}
    assert found[1]["members"] == [
        {"path": "고양이/a dog.jpg", "label": "고양이", "relation": "identical", "distance": 0}
    ]


def test_dropping_copies_keeps_one_of_each_group_and_leaves_conflicts_to_people(tmp_path: Path) -> None:
    root = copied_pets(tmp_path)
    assert told("drop", root, "--copies")["dropped"] == ["dog/smaller.jpg", "dog/worse.jpg"]
    assert len(told("groups", root)) == 1
    assert told("restore", root, "dropped/dog/worse.jpg")["restored"] == ["dog/worse.jpg"]
    assert told("restore", root, "--all")["restored"] == ["dog/smaller.jpg"]
    assert told("stats", root)["images"] == 15


def test_relabelled_picture_moves_to_the_folder_of_its_label(tmp_path: Path) -> None:
    root = pets(tmp_path)
    found = told("relabel", root, "고양이/cat 1.jpg", "--to", "새 이름")
    assert found == {"label": "새 이름", "relabelled": ["새 이름/cat 1.jpg"]}
    assert (root / "새 이름" / "cat 1.jpg").exists()
    assert told("stats", root)["labels"] == {"dog": 6, "고양이": 5, "새 이름": 1}


def test_one_copy_stays_when_a_person_has_dropped_the_one_that_was_to_stay(tmp_path: Path) -> None:
    root = copied_pets(tmp_path)
    run("drop", root, "dog/dog 0.jpg")
    assert len(told("drop", root, "--copies")["dropped"]) == 1
    assert told("stats", root)["images"] == 13
    save(root / "dog" / "new.jpg", photo(5000))
    run("scan", root)
    assert told("groups", root) == [one for one in told("groups", root) if one["conflict"]]


def test_restored_copy_is_still_known_as_one(tmp_path: Path) -> None:
    root = copied_pets(tmp_path)
    run("drop", root, "--copies")
    save(root / "dog" / "new.jpg", photo(5000))
    run("scan", root)
    run("restore", root, "--all")
    assert len(told("groups", root)[0]["members"]) == 2
    assert told("split", root, "--shares", "0.5,0.25,0.25")["groups_straddling"] == 0


def test_split_and_stats_agree_that_nothing_straddles(tmp_path: Path) -> None:
    root = copied_pets(tmp_path)
    found = told("split", root, "--shares", "0.6,0.2,0.2", "--seed", "3")
    assert found["train"] + found["validation"] + found["test"] == 15
    assert (found["groups_straddling"], found["seed"]) == (0, 3)
    counted = told("stats", root)
    assert counted["parts"] == {part: found[part] for part in ("test", "train", "validation")}
    assert counted["labels"] == {"dog": 8, "고양이": 7}
    assert counted["leaks"] == []


def test_stats_warns_of_a_split_that_leaks_and_ends_with_3(tmp_path: Path) -> None:
    pets(tmp_path / "train", 3)
    save(tmp_path / "validation" / "dog" / "again.jpg", photo(1001), quality=60)
    save(tmp_path / "validation" / "고양이" / "new.jpg", photo(500))
    done = run("stats", tmp_path, code=3)
    assert "1 pairs of copies lie on two sides" in done.stdout
    assert "train/dog/dog 1.jpg (train)  =  validation/dog/again.jpg (validation)" in done.stdout
    assert told("stats", tmp_path, code=3)["leaks"][0]["parts"] == ["train", "validation"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["scan", "/nowhere/at/all"], "there is no folder"),
        (["split", "DATASET", "--shares", "a,b"], "not three numbers"),
        (["split", "DATASET", "--shares", "0.5,0.1,0.1"], "do not add up"),
        (["drop", "DATASET"], "nothing to drop was named"),
        (["drop", "DATASET", "dog/none.jpg"], "has no picture 'dog/none.jpg'"),
        (["relabel", "DATASET", "dog/dog 1.jpg", "--to", " "], "the label ' ' is empty"),
        (["restore", "DATASET"], "nothing to restore was named"),
        (["restore", "DATASET", "dog/dog 1.jpg"], "not dropped"),
        (["scan", "DATASET", "--identity", "40"], "less than or equal to 12"),
        (["export", "DATASET", "OUT", "--format", "zip"], "zip"),
    ],
)
def test_wrong_use_is_told_with_code_2(tmp_path: Path, words: list[str], message: str) -> None:
    pets(tmp_path / "data", 2)
    places = {"DATASET": str(tmp_path / "data"), "OUT": str(tmp_path / "out")}
    assert message in run(*(places.get(word, word) for word in words), code=2).stderr


def test_text_of_the_web_is_printed_as_it_is(tmp_path: Path) -> None:
    save(tmp_path / "[red]dog[/]" / "[link=x]1.jpg", photo(1))
    save(tmp_path / "[red]dog[/]" / "2.jpg", photo(1), quality=50)
    assert "[red]dog[/]/[link=x]1.jpg" in run("groups", tmp_path).stdout


@pytest.mark.parametrize("command", ["scan", "stats", "split"])
def test_dataset_that_cannot_be_written_is_told(tmp_path: Path, command: str) -> None:
    run("scan", pets(tmp_path, 1))
    tmp_path.chmod(0o555)
    words = as_plain_user([sys.executable, "curation", command, str(tmp_path)])
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    tmp_path.chmod(0o755)
    assert done.returncode == 2
    assert "cannot be written to" in done.stderr


def test_folder_and_file_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    pets(tmp_path, 2)
    (tmp_path / "dog").chmod(0)
    (tmp_path / "고양이" / "cat 0.jpg").chmod(0)
    words = as_plain_user([sys.executable, "curation", "scan", str(tmp_path), "--json"])
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    (tmp_path / "dog").chmod(0o755)
    assert done.returncode == 3
    told = json.loads(done.stdout)
    assert told["images"] == 1
    assert {(one["path"], one["reason"]) for one in told["faults"]} == {
        ("dog", "Permission denied"),
        ("고양이/cat 0.jpg", "Permission denied"),
    }


@pytest.mark.parametrize(
    "command", ["scan", "groups", "suspects", "review", "drop", "relabel", "restore", "split", "stats", "export"]
)
def test_help_shows_an_example(command: str) -> None:
    assert f"python curation {command} data/pets" in run(command, "--help").stdout


def test_curation_starts_without_torch(tmp_path: Path) -> None:
    code = (
        f"import sys; sys.path[0] = {str(ROOT)!r}; from pathlib import Path; from curation import tasks;"
        f" tasks.scan(Path({str(pets(tmp_path))!r}), tasks.USUAL, 0, True);"
        " print(sorted({'torch', 'gradio', 'sklearn', 'pyarrow', 'cleanlab'} & sys.modules.keys()), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr.strip().endswith("[]")
