"""A command ends with a message and a code: 2 for a wrong input, 130 when interrupted; a bug shows its trace."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from handwriter_models.errors import UserError

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = """
import sys, time, typer
from handwriter_models.errors import UserError, run_command
app = typer.Typer()
@app.command()
def go(what: str):
    if what == "wrong":
        raise UserError("the value 'x' is wrong", "give 'y'")
    if what == "bug":
        raise RuntimeError("a bug")
    if what == "wait":
        print("ready", flush=True)
        time.sleep(60)
    print("done")
run_command(app)
"""


def ended(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


def test_error_text_holds_what_and_hint() -> None:
    error = UserError("the value 'x' is wrong", "give 'y'", status=422)
    assert str(error) == "the value 'x' is wrong\n  give 'y'"
    assert str(UserError("alone")) == "alone"
    assert (error.what, error.hint, error.status) == ("the value 'x' is wrong", "give 'y'", 422)
    assert UserError("w").status == 400


def test_wrong_input_ends_with_2_and_no_trace() -> None:
    done = ended("wrong")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: the value 'x' is wrong\n  give 'y'\n"


def test_wrong_use_ends_with_2_and_the_usage() -> None:
    done = ended("--nonsense")
    assert done.returncode == 2
    assert "Usage" in done.stderr


def test_bug_shows_its_trace_and_ends_with_1() -> None:
    done = ended("bug")
    assert done.returncode == 1
    assert "RuntimeError" in done.stderr


def test_success_ends_with_0() -> None:
    assert (ended("fine").returncode, ended("fine").stdout) == (0, "done\n")


def test_interruption_ends_with_130_and_no_trace() -> None:
    command = [sys.executable, "-c", PROGRAM, "wait"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in errors
