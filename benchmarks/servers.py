"""Starts a server of ours as a user would, in a process of its own, and looks at its memory."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
PATIENCE = 180.0  # a busy machine; a quiet one needs three seconds


@contextmanager
def server(arguments: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Runs `python ARGUMENTS --port N` until it answers, then gives its port and process id; ends it afterwards."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, *arguments, "--port", str(port)], cwd=ROOT, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    )
    try:
        wait_for(port, "/health", process)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(20)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, path: str, process: subprocess.Popen[bytes]) -> bytes:
    """The body of the first good answer; raises when the process ends or PATIENCE does."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            if answer.status == 200:
                return answer.read()
        except OSError:
            time.sleep(0.01)
        finally:
            connection.close()
    raise RuntimeError(f"no answer at port {port} (exit code {process.poll()})")


def resident_megabytes(process: int) -> float:
    """Resident memory of a process and its children."""
    pages = int(Path(f"/proc/{process}/statm").read_text("ascii").split()[1])
    children = Path(f"/proc/{process}/task/{process}/children").read_text("ascii").split()
    return pages * 4096 / 1e6 + sum(resident_megabytes(int(child)) for child in children)
