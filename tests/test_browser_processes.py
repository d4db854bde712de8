"""Nothing that a crawler started is left when it is gone, whatever killed it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crawler.processes import Guarded
from tests.browser import BROWSERS, program

REPOSITORY = Path(__file__).resolve().parent.parent
linux = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="looks at /proc")
# A program like a driver: a child in its group, and a grandchild in a session of its own whose parent has ended.
FAMILY = "sleep 321 & setsid sh -c 'sleep 321 & sleep 0.1' & echo ready; wait"


def alive(pid: int) -> bool:
    """A process that is running, not one that only waits for its parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def descendants(pid: int) -> list[int]:
    """All processes below this one."""
    children = [
        int(child) for file in Path(f"/proc/{pid}/task").glob("*/children") for child in file.read_text().split()
    ]
    return children + [below for child in children for below in descendants(child)]


def wait_for(ready: Callable[[], bool], what: str, seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.02)


def family(tmp_path: Path) -> tuple[Guarded, Path, list[int]]:
    folder = tmp_path / "profile"
    folder.mkdir()
    guarded = Guarded(["sh", "-c", FAMILY], folder)
    wait_for(lambda: "ready" in guarded.printed(), "the family is up")
    time.sleep(0.3)  # the orphan is one by now
    return guarded, folder, descendants(guarded.pid)


@linux
def test_closing_ends_children_grandchildren_and_orphans_and_removes_the_folder(tmp_path: Path) -> None:
    guarded, folder, pids = family(tmp_path)
    assert len(pids) >= 3
    guarded.close()
    guarded.close()
    assert not guarded.running()
    assert not folder.exists()
    assert [pid for pid in pids if alive(pid)] == []


@linux
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_watcher_that_is_stopped_itself_takes_the_program_along(tmp_path: Path, number: signal.Signals) -> None:
    guarded, _, pids = family(tmp_path)
    inside = [pid for pid in pids if os.getpgid(pid) == guarded.pid]
    outside = [pid for pid in pids if pid not in inside]
    os.kill(guarded.pid, number)
    wait_for(lambda: not guarded.running() and not alive(inside[0]), "the program has ended")
    guarded.close()
    wait_for(lambda: not any(map(alive, inside)), "the process group has ended")
    # After SIGKILL there is no watcher to find what has left the group; Chromium has no such child.
    assert any(map(alive, outside)) == (number == signal.SIGKILL)
    for pid in filter(alive, outside):
        os.kill(pid, signal.SIGKILL)


@linux
def test_program_that_ends_by_itself_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "profile"
    folder.mkdir()
    guarded = Guarded(["sh", "-c", "sleep 321 & echo $!"], folder)
    wait_for(lambda: not guarded.running(), "it has ended")
    assert not alive(int(guarded.printed()))
    assert not folder.exists()
    guarded.close()


def test_program_that_is_not_there_is_told_in_the_log(tmp_path: Path) -> None:
    guarded = Guarded([str(tmp_path / "nothing")], tmp_path / "folder")
    wait_for(lambda: not guarded.running(), "it has ended")
    assert "No such file" in guarded.printed()
    guarded.close()


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose name is short enough for a socket below it; pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="hw-") as folder:
        yield Path(folder)


CRAWLER = """
import sys, time
sys.path[0] = {root!r}
from crawler.browser import Session
session = Session()
session.driver.get("data:text/html,<title>here</title>")
print(session.process, flush=True)
{then}
"""
THEN = {
    "waiting": "time.sleep(60)",
    "busy": "session.driver.execute_async_script('setTimeout(arguments[0], 60000)')",
}


@linux
@pytest.mark.parametrize(
    ("number", "then"),
    [
        (signal.SIGKILL, "busy"),
        (signal.SIGTERM, "waiting"),
        (signal.SIGINT, "waiting"),
    ],
)
def test_killed_crawler_leaves_no_browser_driver_or_profile(number: signal.Signals, then: str, short: Path) -> None:
    program(BROWSERS)
    code = CRAWLER.format(root=str(REPOSITORY), then=THEN[then])
    environment = {**os.environ, "TMPDIR": str(short)}
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as crawler:
        assert crawler.stdout
        watcher = int(crawler.stdout.readline())
        pids = [watcher, *descendants(watcher)]
        assert len(pids) > 5
        assert list(short.glob("handwriter-browser-*"))
        crawler.send_signal(number)
        crawler.wait(10)
    wait_for(lambda: not any(map(alive, pids)), "all processes are gone", 5)
    assert list(short.glob("handwriter-browser-*")) == []


@linux
def test_browser_starts_where_temporary_folders_have_long_names(tmp_path: Path) -> None:
    program(BROWSERS)
    long = tmp_path / ("long-" * 20)
    long.mkdir()
    code = CRAWLER.format(root=str(REPOSITORY), then="session.close()")
    environment = {**os.environ, "TMPDIR": str(long)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0


@linux
def test_browser_that_is_opening_when_the_crawler_is_killed_is_gone_too(tmp_path: Path) -> None:
    program(BROWSERS)
    opens = "session.driver.get"
    code = CRAWLER.format(root=str(REPOSITORY), then="").replace(opens, f"print('opening', flush=True); {opens}")
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    for delay in (0.05, 0.2, 0.4, 0.7):
        with subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
        ) as crawler:
            assert crawler.stdout
            crawler.stdout.readline()
            time.sleep(delay)
            crawler.kill()
        wait_for(lambda: not using(str(tmp_path)), f"all is gone after {delay} s", 5)


def using(text: str) -> list[int]:
    """The processes that have this in their command line."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if text.encode() in file.read_bytes() and alive(int(file.parent.name)):
                found.append(int(file.parent.name))
        except OSError:
            continue
    return found
