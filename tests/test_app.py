"""`python app.py` as its users start it: in a process of its own, with a real socket, stopped by a signal."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from demo.serve import Access, Options, guards_of, root_path, serve
from demo.share import what_it_allows
from handwriter_models.errors import UserError
from tests.characters import encoded, picture_of
from tests.demo_server import ROOT, Server, running

NO_WAY_OUT = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "https_proxy"), "http://127.0.0.1:9")
SEVEN = encoded(picture_of("7"))


def run_app(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The finished process; it must not need more than a minute."""
    command = [sys.executable, "app.py", *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, env={**os.environ, **environment}
    )


@pytest.fixture(scope="module")
def on_a_space() -> Iterator[Server]:
    """Started as on a Hugging Face Space, with --share, and with no way to the network; the last test ends it."""
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
        done = run_app("--port", str(port))
    assert done.returncode == 2
    assert f"port {port} on 127.0.0.1 is already in use" in done.stderr
    assert f"--port {port + 1}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [["--port", "many"], ["--nonsense"]])
def test_wrong_use_ends_with_2_and_names_the_value(arguments: list[str]) -> None:
    done = run_app(*arguments)
    assert done.returncode == 2
    assert arguments[0] in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (Options(models=["no-such-model"], port=0), "no-such-model"),
        (Options(host="203.0.113.7", port=0), "203.0.113.7"),
        (Options(port=99999), "99999"),
        (Options(port=0, access=Access(auth=["me"])), "user:password"),
        (Options(port=0, access=Access(api_token_file=Path("no-such-file"))), "no-such-file"),
        (Options(port=0, access=Access(rate_limit="much")), "much"),
        (Options(port=0, access=Access(root_path="/a/../b")), "/a/../b"),
        (Options(port=0, feedback=Path(__file__)), "test_app.py"),
        (Options(port=0, feedback=Path("x"), feedback_limit=0), "--feedback-limit 0"),
    ],
)
def test_wrong_option_is_told_before_anything_is_loaded(options: Options, said: str) -> None:
    before = {name: signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGINT)}
    try:
        with pytest.raises(UserError) as refused:
            serve(options)
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
    assert said in str(refused.value)
    assert refused.value.hint


def test_a_folder_without_a_bundle_is_a_clear_error(tmp_path: Path) -> None:
    done = run_app("--model", str(tmp_path), "--port", "0")
    assert done.returncode == 2
    assert "config.json" in done.stderr
    assert "Traceback" not in done.stderr


# What the options mean


def test_server_of_ones_own_is_not_slowed_and_one_for_others_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HANDWRITER_AUTH", "HANDWRITER_API_TOKEN", "SPACE_ID"):
        monkeypatch.delenv(name, raising=False)
    assert guards_of(Options()).rate is None
    behind = Options(access=Access(root_path="/hand")), Options(access=Access(proxy="10.0.0.0/8"))
    for options in (Options(host="0.0.0.0"), Options(share=True), *behind):
        rate = guards_of(options).rate
        assert rate
        assert rate.a_second >= 32, "a few people behind one address may draw"
    assert guards_of(Options(host="0.0.0.0", access=Access(rate_limit="off"))).rate is None


def test_shared_server_answers_to_the_name_of_its_link_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPACE_ID", raising=False)
    alone, shared = guards_of(Options()).names, guards_of(Options(share=True)).names
    assert alone
    assert shared
    assert shared.has("0123456789.gradio.live")
    assert not alone.has("0123456789.gradio.live")


def test_nobody_is_locked_out_and_nothing_is_kept_unless_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HANDWRITER_AUTH", "HANDWRITER_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    assert guards_of(Options(share=True)).credentials is None
    assert Options().feedback is None
    monkeypatch.setenv("HANDWRITER_AUTH", "me:secret")
    assert guards_of(Options()).credentials is not None


@pytest.mark.parametrize(("text", "path"), [("", ""), ("/", ""), ("hand", "/hand"), ("/손/글씨/", "/손/글씨")])
def test_prefix_has_one_slash_before_and_none_behind(text: str, path: str) -> None:
    assert root_path(text) == path


def test_words_about_a_link_say_what_it_allows() -> None:
    assert "anyone who has it can use" in what_it_allows(locked=False, feedback=False)
    assert "--auth" in what_it_allows(locked=False, feedback=False)
    assert "corrections" in what_it_allows(locked=True, feedback=True)
    assert "password can use" in what_it_allows(locked=True, feedback=True)


# Running


def test_on_a_space_it_listens_on_all_interfaces_and_answers_to_any_name(on_a_space: Server) -> None:
    # 127.0.0.2 is this machine too, but only a server on all interfaces answers there.
    for name in ("127.0.0.2", "someone-handwriter.hf.space", "a.domain.of.its.own"):
        answer = httpx.get(f"http://127.0.0.2:{on_a_space.port}/health", headers={"Host": name}, trust_env=False)
        assert answer.json()["status"] == "ok"
    assert httpx.get(f"{on_a_space.address}/settings", trust_env=False).json()["space"] is True


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


def refuses(port: int) -> bool:
    """Whether the port stops taking connections within ten seconds."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 5).close()
        except ConnectionRefusedError:
            return True
        time.sleep(0.05)
    return False


def test_told_to_stop_it_finishes_what_runs_refuses_what_comes_and_ends_with_0(on_a_space: Server) -> None:
    """A page is open, and half of a picture has arrived, when the signal comes."""
    address = f"{on_a_space.address}/gradio_api/heartbeat/test"
    sent = threading.Event()

    def slowly() -> Iterator[bytes]:
        head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.png"\r\n\r\n'
        yield head + SEVEN[:300]
        assert sent.wait(15)
        yield SEVEN[300:] + b"\r\n--b--\r\n"

    answers = []

    def ask() -> None:
        kind = {"Content-Type": "multipart/form-data; boundary=b"}
        answers.append(httpx.post(f"{on_a_space.address}/predict/", content=slowly(), headers=kind, trust_env=False))

    with contextlib.ExitStack() as stack:
        assert stack.enter_context(httpx.stream("GET", address, trust_env=False)).status_code == 200
        asking = threading.Thread(target=ask)
        asking.start()
        time.sleep(0.3)
        on_a_space.process.send_signal(signal.SIGINT)
        assert refuses(on_a_space.port), "what comes now is not taken any more"
        sent.set()
        asking.join(15)
        assert on_a_space.process.wait(15) == 0
    assert answers[0].json()["label"] == "7"
    said = "".join(on_a_space.said)
    assert "Traceback" not in said
    assert "stopped" in said
