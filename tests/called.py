"""Commands called inside the tests' own process: all of a command but the start of Python and of its heavy imports.

That start takes most of a short command's time. One test at least of each stage starts the real program.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pytest

from handwriter_models.errors import run_command

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Called:
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


def called(stage: str, *words: object, environment: Mapping[str, str] = {}, folder: Path = ROOT) -> Called:
    """What `python STAGE WORDS…` does, in that folder with these variables besides."""
    app = import_module(f"{stage}.commands").app
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with redirect_stdout(out), redirect_stderr(err), chdir(folder), pytest.MonkeyPatch.context() as changes:
        changes.setattr(sys, "argv", [stage, *map(str, words)])
        for name, value in environment.items():
            changes.setenv(name, value)
        try:
            run_command(app)
        except SystemExit as end:
            code = int(end.code or 0)
    return Called(code, out.getvalue(), err.getvalue())
