"""Runs one program and sees that nothing of it outlives the crawler. A script of its own: `processes` starts it.

Its standard input is a pipe that nobody writes to. The pipe ends when the crawler closes it or when the crawler is
gone, however it went: even `kill -9` closes it. Then every process that the program started is killed and the folder is
removed. Because the orphans of a killed driver are handed to this process (it is their "subreaper" on Linux), none is
missed, not even one that left the process group. Only the standard library is needed, without site-packages.

Usage: python -I -S watcher.py FOLDER PROGRAM ARGUMENT…
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h
SECONDS_TO_DIE = 10


def main() -> None:
    """Starts the program, waits for its end or for the end of the crawler, and clears up."""
    folder, command = sys.argv[1], sys.argv[2:]
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGALRM, _stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the crawler's to answer
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    child = started(command)
    with contextlib.suppress(SystemExit):
        wait_for_end(child)
    signal.alarm(SECONDS_TO_DIE)
    if sys.platform == "linux":
        with contextlib.suppress(SystemExit):
            kill_all()
    shutil.rmtree(folder, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)  # this process is the leader of the group; where /proc is not, this ends all


def _stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a handler
    raise SystemExit(0)


def prctl(option: int, value: int) -> None:
    """Linux only; elsewhere the process group has to do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def started(command: list[str]) -> int:
    """The process id of the program, which is killed when this process is."""
    watcher = os.getpid()
    child = os.fork()
    if child:
        return child
    try:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == watcher:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.execvp(command[0], command)  # noqa: S606 - the command is ours
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr, flush=True)
    os._exit(127)


def wait_for_end(child: int) -> None:
    """Returns when the program has ended, or when the pipe from the crawler has; reaps orphans meanwhile."""
    bell, ringer = os.pipe()
    os.set_blocking(ringer, False)
    signal.set_wakeup_fd(ringer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while child not in reaped():
        ready = select.select([0, bell], [], [])[0]
        if 0 in ready and not os.read(0, 1024):
            return
        if bell in ready:
            os.read(bell, 1024)


def reaped() -> list[int]:
    """The children that have ended since the last call."""
    ended: list[int] = []
    with contextlib.suppress(ChildProcessError):
        while pid := os.waitpid(-1, os.WNOHANG)[0]:
            ended.append(pid)
    return ended


def kill_all() -> None:
    """Kills generation after generation: orphans become children of this process, until there are none."""
    with contextlib.suppress(ChildProcessError):
        while True:
            for pid in children():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            os.waitpid(-1, 0)


def children() -> list[int]:
    """The processes whose parent is this one; a child cannot vanish, so no other process can take its number."""
    with contextlib.suppress(OSError):
        return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text("ascii").split()]
    return []


if __name__ == "__main__":
    main()
