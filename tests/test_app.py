"""`python app.py` as its users start it: in a process of its own, with a real socket, stopped by a signal."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.demo_server import ROOT, Server, running

NO_WAY_OUT = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "https_proxy"), "http://127.0.0.1:9")


def run_app(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The finished process; it must not need more than a minute."""
    command = [sys.executable, "app.py", *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, env={**os.environ, **environment}
    )


@pytest.fixture(scope="module")
def on_a_space() -> Iterator[Server]:
    """Started as on a Hugging Face Space, with --share, and with no way to the network."""
    with running(["--share"], {"SPACE_ID": "someone/handwriter", **NO_WAY_OUT}) as server:
        yield server


def test_help_shows_an_example_and_loads_neither_torch_nor_gradio() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "app.py", "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0
    assert "Example:" in done.stdout
    assert "python app.py --model" in done.stdout
    loaded = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert "typer" in loaded
    assert loaded.isdisjoint({"torch", "gradio", "numpy", "fastapi"})


def test_taken_port_is_named_with_the_option_that_changes_it() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        started = time.monotonic()
        done = run_app("--port", str(port))
    assert done.returncode == 2
    assert f"port {port} on 127.0.0.1 is already in use" in done.stderr
    assert f"--port {port + 1}" in done.stderr
    assert "Traceback" not in done.stderr
    assert time.monotonic() - started < 20, "told before the models are loaded"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--model", "no-such-model"], "no-such-model"),
        (["--host", "203.0.113.7"], "203.0.113.7"),
        (["--port", "99999"], "99999"),
        (["--port", "many"], "--port"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_wrong_use_ends_with_2_and_names_the_value(arguments: list[str], said: str) -> None:
    port = [] if "--port" in arguments else ["--port", "0"]
    done = run_app(*arguments, *port)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_without_a_bundle_is_a_clear_error(tmp_path: Path) -> None:
    done = run_app("--model", str(tmp_path), "--port", "0")
    assert done.returncode == 2
    assert "config.json" in done.stderr
    assert "Traceback" not in done.stderr


def test_on_a_space_it_listens_on_all_interfaces(on_a_space: Server) -> None:
    # 127.0.0.2 is this machine too, but only a server on all interfaces answers there.
    answer = httpx.get(f"http://127.0.0.2:{on_a_space.port}/health", trust_env=False)
    assert answer.json()["status"] == "ok"


def test_share_without_a_network_says_why_there_is_no_link_and_the_page_stays(on_a_space: Server) -> None:
    end = time.monotonic() + 60
    while "no public link" not in "".join(on_a_space.said) and time.monotonic() < end:
        time.sleep(0.1)
    said = "".join(on_a_space.said)
    assert re.search(r"no public link: .*\(.+\)", said), said
    assert "Traceback" not in said
    assert httpx.get(on_a_space.address, trust_env=False).status_code == 200


def test_memory_stays_below_700_megabytes(on_a_space: Server) -> None:
    httpx.get(on_a_space.address, trust_env=False)
    pages = int(Path(f"/proc/{on_a_space.process.pid}/statm").read_text("ascii").split()[1])
    assert pages * os.sysconf("SC_PAGE_SIZE") <= 700e6


def test_interrupt_ends_it_cleanly_while_a_page_is_open() -> None:
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(running())
        beat = httpx.stream("GET", f"{server.address}/gradio_api/heartbeat/test", trust_env=False)
        assert stack.enter_context(beat).status_code == 200
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(15) == 0
    assert "Traceback" not in "".join(server.said)
