"""`~` is a home folder in every option, argument, variable and file that takes a path."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from demo.shelf import find_models
from demo.space_file import space_models
from handwriter_models.bundle import find_bundle
from handwriter_models.paths import name_or_path, user_path
from tests.called import called
from tests.conftest import drawn_seven, write_small_bundle
from tests.training_cases import write_digit
from training.preparation import cache_folder
from training.recipes import read_recipe

STAGES = ("crawler", "curation", "training", "handwriter_models", "demo")
# Texts that may be a path as well as a name; `curation drop` and its like take paths below the dataset, as they stand.
NAMES_OR_PATHS = {
    "crawler": {"--browser", "--driver"},
    "curation suspects": {"--network", "--weights"},
    "training fit": {"source", "--recipe", "--weights"},
    "training evaluate": {"bundle", "source", "--on"},
    "training search": {"source", "--recipe", "--weights"},
    "training export": {"bundle"},
    "training publish": {"bundle"},
    "handwriter_models predict": {"--model"},
    "handwriter_models explain": {"--model"},
    "handwriter_models site": {"models"},
    "demo": {"--model"},
}


def parameters() -> Iterator[tuple[str, Any]]:
    """Every parameter of every command, and what the command is called."""

    def walk(command: Any, name: str) -> Iterator[tuple[str, Any]]:
        for word, below in getattr(command, "commands", {}).items():
            yield from walk(below, f"{name} {word}")
        if not hasattr(command, "commands"):
            yield from ((name, one) for one in command.params if hasattr(one, "type_descriptor"))

    for stage in STAGES:
        yield from walk(typer.main.get_command(import_module(f"{stage}.commands").app), stage)


def test_every_parameter_that_takes_a_path_takes_a_home() -> None:
    paths, texts = 0, dict[str, set[str]]()
    for command, one in parameters():
        kind = one.type_descriptor
        parser = getattr(kind.parameter_info, "parser", None)
        if "Path" in str(kind.annotation):
            paths += 1
            assert parser is user_path, f"{command} {one.opts}"
        elif parser is name_or_path:
            texts.setdefault(command, set()).add(one.opts[0])
    assert paths > 30
    assert texts == NAMES_OR_PATHS


def test_results_go_to_the_home_and_never_to_a_folder_called_tilde(tmp_path: Path) -> None:
    """As programs pass the words on, or quotes: no shell has put the home in."""
    home, work = tmp_path / "home", tmp_path / "work"
    work.mkdir()
    home.mkdir()
    write_small_bundle(home / "small")
    drawn_seven().save(home / "seven.png")
    for label in ("3", "7"):
        for number in range(4):
            write_digit(home / "digits" / label / f"{number}.png", label, number)
    (home / "words.txt").write_text("고양이\n", "utf-8")
    (home / "mine.toml").write_text('name = "mine"\nnetwork = { name = "mlp", arguments = { hidden = [4] } }\n')

    def run(stage: str, *words: object) -> str:
        environment = {"HOME": str(home), "HANDWRITER_CACHE": "~/cache"}
        done = called(stage, *words, environment=environment, folder=work)
        assert done.returncode == 0, done.stderr
        return done.stdout

    said = json.loads(run("handwriter_models", "predict", "--model=~/small", "~/seven.png", "--json"))
    assert said["path"] == str(home / "seven.png")
    run("handwriter_models", "explain", "~/seven.png", "--model", "~/small", "--out=~/heat")
    small = ["--epochs", "1", "--set", "data.validation=0.25", "--set", "data.test=0.25"]
    run("training", "fit", "~/digits", "--recipe=~/mine.toml", *small, "--out=~/fitted")
    run("training", "evaluate", "~/fitted", "~/digits", "--leaky", "--figures=~/figures")
    run("curation", "scan", "~/digits")
    run("curation", "export", "~/digits", "~/exported", "--format", "csv")
    assert list(work.iterdir()) == []
    made = {path.name for path in home.iterdir()}
    assert made >= {"heat", "fitted", "figures", "exported"}


def test_keywords_and_datasets_of_a_crawl(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("# nothing\n", "utf-8")
    environment = {"HOME": str(tmp_path)}
    none = called("crawler", "--keywords=~/words.txt", environment=environment)
    assert f"{tmp_path / 'words.txt'} holds no keyword" in none.stderr
    missing = called("crawler", "--status=~/data", environment=environment)
    assert str(tmp_path / "data") in missing.stderr


def test_variables_files_and_python_mean_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    small = write_small_bundle(tmp_path / "small")
    assert find_bundle("~/small") == find_bundle(Path("~/small")) == small
    assert find_models(["mine=~/small"]) == {"mine": small}
    (tmp_path / "space.json").write_text('{"models": ["~/small"]}')
    assert find_models(space_models(tmp_path / "space.json")) == {"small": small}
    monkeypatch.setenv("HANDWRITER_CACHE", "~/kept")
    assert cache_folder() == tmp_path / "kept"
    monkeypatch.delenv("HANDWRITER_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "~/xdg")
    assert cache_folder() == tmp_path / "xdg" / "handwriter"
    assert read_recipe("frozen-resnet50", ["backbone.weights=~/w.safetensors"]).backbone.weights == "~/w.safetensors"


def test_feedback_folder_of_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HANDWRITER_FEEDBACK", "~/file")
    (tmp_path / "file").write_text("no folder")
    done = CliRunner().invoke(import_module("demo.commands").app, ["--port", "0", "--model", "digits"])
    assert str(tmp_path / "file") in str(done.exception)


@pytest.mark.parametrize("text", ["mnist", "user/repo", "a/~/b", "./~", "", "a\0b", "~\0", "~no-such-user-here/x"])
def test_what_begins_with_no_home_stays_as_it_is(text: str) -> None:
    assert name_or_path(text) == text
