"""Both READMEs tell the truth: the tree is the tree, links lead somewhere, commands and their options exist."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.called import called

REPOSITORY = Path(__file__).resolve().parent.parent
READMES = ("README.md", "README.ko.md")
STAGES = {"crawler", "curation", "handwriter_models", "training"}
SCRIPTS = STAGES | {"app.py", "benchmarks"}


def text_of(name: str) -> str:
    return (REPOSITORY / name).read_text("utf-8")


def blocks(text: str, language: str) -> list[str]:
    """The code blocks of one language; fences are taken in pairs, or the end of one would open the next."""
    return [body for named, body in re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S) if named == language]


@cache
def tracked_files(root: Path) -> tuple[str, ...]:
    """What git has, or would take: a tree of a commit to come may name what is not added yet."""
    if not (root / ".git").exists():
        pytest.skip("not a git checkout: what belongs to the repository is not known")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    return tuple(subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE).stdout.decode().split("\0")[:-1])


def tree_of(text: str) -> list[str]:
    """The paths of a README's tree; two blanks of indentation are one folder down."""
    (block,) = blocks(text, "")
    paths: list[str] = []
    for line in block.splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        parent = next((path for path in reversed(paths) if depth and path.count("/") == depth), "")
        paths.append(parent + line.split()[0])
    return paths


def tree_faults(paths: list[str], files: tuple[str, ...]) -> list[str]:
    """Paths that are shown and absent, and parts of the top level that are there and not shown."""
    folders = {"/".join(file.split("/")[:depth]) + "/" for file in files for depth in range(1, file.count("/") + 1)}
    there = set(files) | folders
    top = {file.partition("/")[0] + ("/" if "/" in file else "") for file in files if not file.startswith(".")}
    absent = [f"{path} is shown but does not exist" for path in paths if path not in there]
    return absent + [f"{path} is not shown" for path in sorted(top - set(paths))]


def commands(text: str) -> list[str]:
    """The shell lines of the code blocks, without their comments, and those inside the prose that start with make."""
    lines = [line for block in blocks(text, "bash") for line in block.splitlines()]
    return [shlex.join(shlex.split(line, comments=True)) for line in lines] + re.findall(r"`(make [^`]+)`", text)


ALL_COMMANDS = sorted({command for name in READMES for command in commands(text_of(name))})


@cache
def help_of(*command: str) -> str:
    plain = {"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}
    if command[0] in STAGES:
        done = called(*command, "--help", environment=plain, folder=REPOSITORY)
        assert done.returncode == 0, done.stderr
        return done.stdout
    run = [sys.executable, *command, "--help"]
    environment = {**os.environ, **plain}
    return subprocess.run(run, cwd=REPOSITORY, env=environment, check=True, capture_output=True, text=True).stdout


def test_the_page_itself_names_every_part_of_the_repository() -> None:
    for name in READMES:
        shown = tree_of(text_of(name))
        itself = [path for path in READMES if path not in shown]
        assert itself == [name], "each README shows the other one"
        hidden = {"LICENSE", name}
        files = tuple(file for file in tracked_files(REPOSITORY) if file not in hidden)
        assert tree_faults(shown, files) == []


def test_a_wrong_tree_is_noticed() -> None:
    files = ("app.py", "demo/page.py", "demo/static/page.js", "Makefile", ".gitignore")
    shown = tree_of("```\napp.py     x\ndemo/      y\n  static/  z\n  old.py   gone\n```\n")
    assert shown == ["app.py", "demo/", "demo/static/", "demo/old.py"]
    assert tree_faults(shown, files) == ["demo/old.py is shown but does not exist", "Makefile is not shown"]


def test_both_languages_show_the_same_tree_and_commands() -> None:
    english, korean = (text_of(name) for name in READMES)
    trees = [[path for path in tree_of(text) if path not in READMES] for text in (english, korean)]
    assert trees[0] == trees[1]
    assert set(commands(english)) == set(commands(korean))
    assert blocks(english, "python") == blocks(korean, "python")


@pytest.mark.parametrize("name", READMES)
def test_links_and_pictures_lead_to_files_that_exist(name: str) -> None:
    text = text_of(name)
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text) + re.findall(r'(?:src|href)="([^"]+)"', text)
    assert any(link.endswith((".png", ".webp", ".jpg")) for link in links), "a page about a demo shows it"
    files = tracked_files(REPOSITORY)
    assert [link for link in links if not link.startswith("http") and link not in files] == []


@pytest.mark.parametrize("command", [line for line in ALL_COMMANDS if line.startswith("make ")])
def test_make_command_names_a_target_and_a_known_variable(command: str) -> None:
    target, *settings = shlex.split(command)[1:]
    makefile = text_of("Makefile")
    assert re.search(rf"^{target}:.*## ", makefile, re.M)
    for setting in settings:
        assert setting.partition("=")[0] in {"ARGS", "PYTHON"}
    for options in [setting.removeprefix("ARGS=") for setting in settings if target == "run" and "ARGS=" in setting]:
        assert unknown_options(["app.py", *shlex.split(options)]) == []


def unknown_options(words: list[str]) -> list[str]:
    script = words[0]
    subcommand = [words[1]] if script not in {"app.py", "benchmarks", "crawler"} else []
    known = set(re.findall(r"--[a-z][a-z-]*", help_of(script, *subcommand)))
    return [word for word in words if word.startswith("--") and word not in known]


@pytest.mark.parametrize("command", [line for line in ALL_COMMANDS if line.startswith("python ")])
def test_python_command_is_known_with_its_options(command: str) -> None:
    words = shlex.split(command)[1:]
    assert words[0] in SCRIPTS
    assert unknown_options(words) == []
    named = [word for word in words if word.startswith("demo/")]
    assert [path for path in named if not (REPOSITORY / path).exists()] == []


def test_every_recipe_that_is_named_exists() -> None:
    named = {word for command in ALL_COMMANDS for word in re.findall(r"--recipe (\S+)", command)}
    assert named
    assert named <= {path.stem for path in (REPOSITORY / "training" / "recipes").glob("*.toml")}


def test_curl_asks_a_route_that_exists_with_the_field_it_takes() -> None:
    (command,) = [line for line in ALL_COMMANDS if line.startswith("curl ")]
    found = re.search(r"-F file=@(\S+) http://127\.0\.0\.1:7860(\S+)", command)
    assert found
    assert (REPOSITORY / found[1]).is_file()
    assert f'"{found[2]}"' in text_of("demo/api.py")


def test_nothing_else_is_shown_as_a_command() -> None:
    assert {line.split()[0] for line in ALL_COMMANDS} == {"make", "python", "curl"}


def test_python_example_runs_as_it_stands() -> None:
    from handwriter_models.bundle import bundled_names

    if "digits" not in bundled_names():
        pytest.skip("no digits model is bundled")
    (example,) = blocks(text_of("README.md"), "python")
    done = subprocess.run([sys.executable, "-c", example], cwd=REPOSITORY, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("5 ")
