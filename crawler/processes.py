"""A program of ours that is gone when we are: closed, interrupted, terminated or killed with `kill -9`.

Between us and the program stands a small watcher process (`watcher.py`), tied to us by a pipe; see there how it clears
up. It costs 20 ms and 12 MB a browser. Where there is no `fork` (Windows) the program is started directly, and a killed
crawler leaves its driver behind.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

WATCHER = Path(__file__).with_name("watcher.py")
SECONDS_TO_CLOSE = 15
LONGEST_OUTPUT = 100_000  # bytes that are read of what the program prints
LONGEST_FOLDER = 60  # Chromium makes a socket below it, and the path of a socket has 107 bytes
FORKS = hasattr(os, "fork")


def short_folder(prefix: str, within: Path | None = None) -> Path:
    """A new temporary folder, in /tmp where the system's own place for them has too long a name for a socket.

    With `within` it is made there: a browser in a sandbox has a /tmp of its own.
    """
    if within:
        within.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=prefix, dir=within))
    usual = Path(tempfile.gettempdir())
    short = Path("/tmp")  # noqa: S108 - mkdtemp makes a private folder in it
    is_long = len(str(usual / prefix)) + 8 >= LONGEST_FOLDER
    return Path(tempfile.mkdtemp(prefix=prefix, dir=short if is_long and os.access(short, os.W_OK) else usual))


class Guarded:
    """A running program with everything it starts. Its temporary files go to `folder`, which is removed after it."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self._lock = threading.Lock()
        watched = [sys.executable, "-I", "-S", str(WATCHER), str(folder), *command]
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - read until the program is closed
        self._process = subprocess.Popen(  # noqa: S603 - our own command
            watched if FORKS else list(command),
            stdin=subprocess.PIPE,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TMPDIR": str(folder)} if len(str(folder)) < LONGEST_FOLDER else None,
            start_new_session=True,  # Ctrl-C in a terminal must not reach it before us
        )

    @property
    def pid(self) -> int:
        """The process that holds all the others."""
        return self._process.pid

    def printed(self) -> str:
        """What the program has printed so far."""
        with contextlib.suppress(OSError, ValueError):  # closed
            self._output.flush()
            return os.pread(self._output.fileno(), LONGEST_OUTPUT, 0).decode("utf-8", "replace")
        return ""

    def running(self) -> bool:
        """False when the program has ended, by itself or by us."""
        return self._process.poll() is None

    def close(self) -> None:
        """Ends the program and all it started, and waits until they are gone. May be called twice, from any thread."""
        with self._lock:
            if self._process.stdin and not self._process.stdin.closed:
                with contextlib.suppress(OSError):
                    self._process.stdin.close()
            if not FORKS:
                self._process.kill()
            try:
                self._process.wait(SECONDS_TO_CLOSE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            if FORKS:  # should the watcher itself have been killed
                with contextlib.suppress(OSError):
                    os.killpg(self._process.pid, signal.SIGKILL)
            self._output.close()
