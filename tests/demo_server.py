"""Starts `app.py` as its users do, in a process of its own, and stops it with SIGTERM."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from handwriter_models.bundle import bundled_names

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Server:
    """A running demo."""

    address: str
    process: subprocess.Popen[str]
    said: list[str]

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.address.rsplit(":", 1)[1])


def models_to_serve() -> list[str]:
    """What HANDWRITER_MODELS names (to try other models), or the bundled ones; skips the test when there is none."""
    named = os.environ.get("HANDWRITER_MODELS", "").split()
    if not named and "digits" not in bundled_names():
        pytest.skip("no model is bundled yet")
    return named


@contextmanager
def running(
    options: Sequence[str] = (), environment: dict[str, str] | None = None, root: Path = ROOT
) -> Iterator[Server]:
    """A demo on a free port, its program below `root`; it must end within seconds of SIGTERM, with code 0."""
    models = [word for name in models_to_serve() for word in ("--model", name)]
    command = [sys.executable, str(root / "app.py"), "--port", "0", *models, *options]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **(environment or {})},
    )
    said: list[str] = []
    try:
        yield Server(_address(process, said), process, said)
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0, "".join(said)
    finally:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


def _address(process: subprocess.Popen[str], said: list[str]) -> str:
    """The address of the "ready" line; what the server says later is collected, so that it never waits for a reader."""
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        assert process.stdout
        try:
            for line in process.stdout:
                said.append(line)
                lines.put(line)
        except ValueError:  # closed
            pass
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    while (line := lines.get(timeout=60)) is not None:
        found = re.search(r"ready in .* (http://\S+)", line)
        if found:
            return found[1]
    raise AssertionError("the demo ended before it was ready:\n" + "".join(said))
