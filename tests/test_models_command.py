"""`handwriter_models list|predict`: codes, clean JSON, no torch for `list`.

A process of its own is started where the start, its environment or its streams are what is tested.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from handwriter_models.bundle import bundled_names
from tests.called import called
from tests.conftest import drawn_seven, small_config, write_small_bundle

ROOT = Path(__file__).resolve().parents[1]
FIELDS = ["path", "model", "label", "confidence", "probabilities", "rejected", "error"]


def ended(*arguments: object, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", str(ROOT / "handwriter_models"), *map(str, arguments)]
    settings = {**os.environ, "COLUMNS": "160", **environment}
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=120, env=settings)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with a 7, a 7 in a folder below, a blank sheet, text named .png and a note that is no picture."""
    folder = tmp_path / "그림 [1]"
    (folder / "below").mkdir(parents=True)
    drawn_seven().save(folder / "b.png")
    drawn_seven(100).save(folder / "below" / "seven.JPG")
    drawn_seven(10).crop((0, 0, 1, 1)).resize((50, 50)).save(folder / "c blank.webp")
    (folder / "d text.png").write_text("no picture")
    (folder / "notes.txt").write_text("not looked at")
    return folder


def test_list_names_every_bundled_model_as_json() -> None:
    done = called("handwriter_models", "list", "--json")
    assert done.returncode == 0
    models = json.loads(done.stdout)
    assert [model["name"] for model in models] == bundled_names()
    for model in models:
        assert set(model) >= {"name", "kind", "classes", "parameters", "bytes", "accuracy"}


def test_list_for_people_names_them_in_little_processor_time() -> None:
    before = os.times()
    done = ended("list")
    after = os.times()
    assert done.returncode == 0
    assert done.stdout or done.stderr
    for name in bundled_names():
        assert name in done.stdout
    # Of the child alone, so that a busy machine does not fail it; the time on the clock is benchmarked.
    used = after.children_user - before.children_user + after.children_system - before.children_system
    assert used < 0.7


def test_torch_and_gradio_are_not_loaded_to_list_or_help() -> None:
    code = (
        "import runpy, sys\n"
        "for words in (['list'], ['list', '--json'], ['--help'], ['predict', '--help']):\n"
        "    sys.argv[1:] = words\n"
        "    try:\n        runpy.run_path('handwriter_models', run_name='__main__')\n"
        "    except SystemExit as end:\n        assert not end.code, end.code\n"
        "    heavy = {'torch', 'gradio', 'torchvision', 'cv2', 'scipy', 'sklearn'} & set(sys.modules)\n"
        "    print('heavy:', sorted(heavy), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stderr.splitlines() == ["heavy: []"] * 4


def test_predict_writes_one_json_line_a_picture_and_ends_with_3_when_one_is_unreadable(
    small_bundle: Path, pictures: Path, tmp_path: Path
) -> None:
    done = called("handwriter_models", "predict", "--model", small_bundle, pictures, tmp_path / "none.png", "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 3
    assert all(list(line) == FIELDS for line in lines)
    names = ["b.png", "below/seven.JPG", "c blank.webp", "d text.png"]
    assert [line["path"] for line in lines] == [*(str(pictures / name) for name in names), str(tmp_path / "none.png")]
    seven, _, blank, text, missing = lines
    assert seven["model"] == "small"
    assert seven["error"] is None
    assert seven["label"] in seven["probabilities"]
    assert blank["rejected"] is True
    assert "is text" in text["error"]
    assert text["label"] is None
    assert "No such file" in missing["error"]
    assert "2 of 5 files could not be read" in done.stderr
    assert "Traceback" not in done.stderr


def test_program_works_from_any_folder_and_its_table_shows_any_file_name(pictures: Path, tmp_path: Path) -> None:
    """Whatever files lie there; and no file name steers the terminal."""
    (tmp_path / "json.py").write_text("raise SystemExit('shadowed')")
    write_small_bundle(tmp_path / "mine", small_config(name="mine"))
    odd = Path(os.fsdecode(os.fsencode(pictures) + b"/\xff\x1b[31m.png"))
    (pictures / "b.png").rename(odd)
    done = ended("predict", "--model", "mine", pictures.name, cwd=tmp_path, LC_ALL="C.UTF-8")
    assert (done.returncode, done.stderr) == (
        3,
        "passed over, as they are no pictures: 1\n1 of 4 files could not be read\n",
    )
    for text in ("label", "confidence", "seven.JPG", "blank", "error:", "%"):
        assert text in done.stdout
    assert "\x1b[31m" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("predict", "--model", "nonsense", "x.png"), "unknown model 'nonsense'"),
        (("predict",), "Missing argument"),
        (("predict", "--color", "x.png"), "No such option"),
        (("fly",), "No such command"),
    ],
)
def test_wrong_use_ends_with_2_and_a_message(arguments: tuple[str, ...], what: str) -> None:
    done = called("handwriter_models", *arguments, environment={"COLUMNS": "160"})
    assert (done.returncode, done.stdout) == (2, "")
    assert what in done.stderr
    assert "Traceback" not in done.stderr


def test_model_of_the_hub_without_the_hub_ends_with_2_and_a_message() -> None:
    done = ended("predict", "--model", "user/repo", "x.png", HF_HUB_OFFLINE="1")
    assert (done.returncode, done.stdout) == (2, "")
    assert "HF_HUB_OFFLINE is set" in done.stderr
    assert "Traceback" not in done.stderr


def test_damaged_bundle_ends_with_2_and_names_the_file(small_bundle: Path, pictures: Path) -> None:
    (small_bundle / "config.json").write_text("{")
    done = called("handwriter_models", "predict", "--model", small_bundle, pictures)
    assert done.returncode == 2
    assert "config.json is not valid JSON" in done.stderr


def test_folder_without_pictures_ends_with_2(small_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    done = called("handwriter_models", "predict", "--model", small_bundle, tmp_path / "nothing", "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no pictures in the folder" in done.stderr


def test_command_runs_as_a_module_too() -> None:
    module = [sys.executable, "-m", "handwriter_models", "list", "--json"]
    assert subprocess.run(module, cwd=ROOT, capture_output=True, check=False).returncode == 0
