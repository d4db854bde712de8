"""`make` and the set-up behind it, run for real in a small checkout whose only package is a wheel made here.

Nothing is downloaded. Programs from outside (apt-get, sudo, an old Python) are small scripts on PATH, as a machine
would have them; the one interpreter and pip are real.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
TOOLS = ("bash", "cat", "dirname", "env", "flock", "head", "id", "printf", "rm", "sh")
TESTS = "python -m pytest -n 2 --dist loadfile --no-loadscope-reorder"
pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="the set-up is a bash script")


def write_wheel(folder: Path) -> None:
    """A package without code, as small as a wheel can be."""
    with zipfile.ZipFile(folder / "tiny-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny.py", "")
        wheel.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        wheel.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("tiny-1.0.dist-info/RECORD", "")


def write_checkout(folder: Path) -> Path:
    (folder / ".ci").mkdir(parents=True)
    shutil.copy(REPOSITORY / ".ci" / "setup.sh", folder / ".ci")
    write_wheel(folder)
    (folder / "requirements.txt").write_text("./tiny-1.0-py3-none-any.whl\n", "utf-8")
    (folder / "requirements-extras.txt").write_text("# none\n", "utf-8")
    (folder / "requirements-dev.txt").write_text("-r requirements.txt\n-r requirements-extras.txt\n", "utf-8")
    return folder


def set_up(checkout: Path, purpose: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    return subprocess.run(
        ["bash", ".ci/setup.sh", purpose],
        cwd=checkout,
        env=inherited | {"PYTHON": sys.executable, "PIP_NO_INDEX": "1"} | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
    path.chmod(0o755)
    return path


def machine(folder: Path, programs: Mapping[str, str]) -> str:
    """A PATH with the basic tools and `programs` only: no browser, no fonts, no apt unless given."""
    for tool in TOOLS:
        place = shutil.which(tool)
        if place and tool not in programs:
            (folder / tool).parent.mkdir(parents=True, exist_ok=True)
            (folder / tool).symlink_to(place)
    for name, text in programs.items():
        script(folder / name, text)
    return str(folder)


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout that was set up once; its path has a space and Hangul in it."""
    checkout = write_checkout(tmp_path_factory.mktemp("checkouts") / "Hand Writer 손글씨")
    first = set_up(checkout, "demo")
    assert first.returncode == 0, first.stderr
    assert "making .venv" in first.stderr
    assert "installing" in first.stderr
    return checkout


def test_set_up_installs_the_requirements_into_the_environment(ready: Path) -> None:
    subprocess.run([ready / ".venv/bin/python", "-c", "import tiny"], check=True)


def test_second_set_up_is_silent_and_quick(ready: Path) -> None:
    start = time.perf_counter()
    again = set_up(ready, "demo")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert time.perf_counter() - start < 3


def test_changed_requirements_are_installed_again_and_a_half_finished_installation_does_not_count(ready: Path) -> None:
    requirements = ready / "requirements.txt"
    good = requirements.read_text("utf-8")
    requirements.write_text(good + "./absent-1.0-py3-none-any.whl\n", "utf-8")
    broken = set_up(ready, "demo")
    assert broken.returncode == 2
    assert "installing" in broken.stderr
    assert "error: the packages of requirements.txt could not be installed" in broken.stderr
    requirements.write_text(good, "utf-8")
    assert "installing" in set_up(ready, "demo").stderr
    assert set_up(ready, "demo").stderr == ""


def test_set_up_from_inside_its_own_environment_uses_the_python_behind_it(ready: Path) -> None:
    inside = set_up(ready, "demo", PYTHON=str(ready / ".venv/bin/python"))
    assert (inside.returncode, inside.stderr) == (0, "")


def test_older_python_is_refused_with_its_version(tmp_path: Path) -> None:
    old = script(tmp_path / "python3.9", 'if [ "$1" = --version ]; then echo Python 3.9.2; else exit 1; fi')
    refused = set_up(write_checkout(tmp_path / "checkout"), "demo", PYTHON=str(old))
    assert refused.returncode == 2
    assert "Python 3.9.2; 3.11 or newer is needed" in refused.stderr
    assert not (tmp_path / "checkout" / ".venv").exists()


def test_machine_without_any_python_is_told_what_to_install(tmp_path: Path) -> None:
    path = machine(tmp_path / "bin", {})
    bare = set_up(write_checkout(tmp_path / "checkout"), "demo", PYTHON="", PATH=path)
    assert bare.returncode == 2
    assert "no Python 3.11 or newer was found" in bare.stderr


def without_ensurepip(folder: Path) -> str:
    """A folder for PYTHONPATH that makes `import ensurepip` fail, as on Debian without python3-venv."""
    folder.mkdir()
    (folder / "ensurepip.py").write_text("raise ImportError\n", "utf-8")
    return str(folder)


def test_missing_venv_module_without_apt_says_what_to_install(tmp_path: Path) -> None:
    path, blocked = machine(tmp_path / "bin", {}), without_ensurepip(tmp_path / "blocked")
    stopped = set_up(write_checkout(tmp_path / "checkout"), "demo", PATH=path, PYTHONPATH=blocked)
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    assert stopped.returncode == 2
    assert f"apt-get install {package}" in stopped.stderr
    assert not (tmp_path / "checkout" / ".venv").exists()


def test_environment_whose_python_is_gone_is_made_again_with_venv_from_apt(ready: Path, tmp_path: Path) -> None:
    python = ready / ".venv/bin/python"
    python.unlink()
    python.symlink_to("/nowhere/python3.11")
    blocked = without_ensurepip(tmp_path / "blocked")
    apt = f'echo "$DEBIAN_FRONTEND $*" >>"{tmp_path}/apt.log"; case "$*" in *-venv) rm "{blocked}/ensurepip.py" ;; esac'
    path = machine(tmp_path / "bin", {"apt-get": apt, "id": "echo 0"})
    done = set_up(ready, "demo", PATH=path, PYTHONPATH=blocked)
    assert done.returncode == 0, done.stderr
    assert "making .venv" in done.stderr
    subprocess.run([python, "-c", "import tiny"], check=True)
    update, install = (tmp_path / "apt.log").read_text("utf-8").splitlines()
    assert update.startswith("noninteractive")
    assert update.endswith("update")
    assert install.endswith("-venv")


def test_tests_ask_apt_through_sudo_for_browser_driver_and_font(ready: Path, tmp_path: Path) -> None:
    sudo = 'echo "$*" >>"$(dirname "$0")/sudo.log"; [ "$1" = -n ] || exec "$@"'
    path = machine(tmp_path / "bin", {"apt-get": "exit 0", "id": "echo 1000", "sudo": sudo})
    done = set_up(ready, "tests", PATH=path)
    assert done.returncode == 0, done.stderr
    asked = (tmp_path / "bin" / "sudo.log").read_text("utf-8")
    assert asked.index("update") < asked.index("install chromium chromium-driver fontconfig fonts-nanum")


def test_tests_go_on_without_apt_and_say_what_is_missing(ready: Path, tmp_path: Path) -> None:
    done = set_up(ready, "tests", PATH=machine(tmp_path / "bin", {}))
    assert done.returncode == 0, done.stderr
    assert "apt-get install chromium chromium-driver fontconfig fonts-nanum" in done.stderr


def test_unknown_purpose_is_refused(tmp_path: Path) -> None:
    refused = set_up(write_checkout(tmp_path / "checkout"), "everything")
    assert refused.returncode == 2
    assert "not 'everything'" in refused.stderr


def run_make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "ARGS"}}
    return subprocess.run(["make", *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=60)


@pytest.fixture
def recorder(tmp_path: Path) -> Path:
    """A folder with our Makefile where set-up does nothing and Python tells its arguments; `fails` names what fails."""
    shutil.copy(REPOSITORY / "Makefile", tmp_path)
    script(tmp_path / ".ci" / "setup.sh", 'echo "setup $*"')
    script(tmp_path / ".venv/bin/python", 'echo "python $*"; ! grep -qsx -- "$2" fails')
    return tmp_path


def test_make_alone_lists_every_target_with_its_purpose(recorder: Path) -> None:
    listed = run_make(recorder).stdout
    for target in ("setup", "run", "test", "lint", "bench"):
        assert f"make {target} " in listed


def test_make_run_hands_its_arguments_to_the_app(recorder: Path) -> None:
    told = run_make(recorder, "run", "ARGS=--port 7861").stdout.splitlines()
    assert told == ["setup demo", "python app.py --port 7861"]


def test_make_test_checks_everything_and_ends_with_the_tests(recorder: Path) -> None:
    told = run_make(recorder, "test")
    checks = ["python -m ruff check .", "python -m ruff format --check .", "python -m mypy", TESTS]
    assert told.stdout.splitlines() == ["setup tests", *checks]
    assert told.returncode == 0


@pytest.mark.parametrize("failing", ["ruff", "mypy", "pytest"])
def test_make_test_fails_when_one_check_fails_yet_runs_the_tests(recorder: Path, failing: str) -> None:
    (recorder / "fails").write_text(failing, "utf-8")
    told = run_make(recorder, "test")
    assert told.returncode != 0
    assert told.stdout.splitlines()[-1] == TESTS


def test_make_lint_leaves_browser_and_tests_alone(recorder: Path) -> None:
    told = run_make(recorder, "lint").stdout
    assert told.startswith("setup checks\n")
    assert "pytest" not in told
