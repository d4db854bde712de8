"""Connections that are slow or too many, over real sockets: they are let go, and others are served meanwhile."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.demo_server import ROOT

APPLICATION = """
import sys
from demo.bodies import Bodies, BodyLimits
from demo.refusals import refusal
from handwriter_models.errors import UserError
from handwriter_models.serving import Terms, end_on_sigterm, listening, run
from starlette.requests import Request
from starlette.responses import PlainTextResponse

async def echo(scope, receive, send):
    try:
        answer = PlainTextResponse(str(len(await Request(scope, receive).body())))
    except UserError as error:
        answer = refusal(error)
    await answer(scope, receive, send)

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
    else:
        await bodies(scope, receive, send)

bodies = Bodies(echo, BodyLimits(bytes=100_000, held=150_000, silence=0.6, whole=2.0))
end_on_sigterm()
opened = listening("127.0.0.1", 0)
try:
    run(app, opened, lambda: print(opened.getsockname()[1], flush=True), Terms(head_seconds=0.6, connections=20))
except KeyboardInterrupt:
    pass
"""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    command = [sys.executable, "-c", APPLICATION]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield int(process.stdout.readline())
        process.terminate()
        said = process.communicate(timeout=15)[1]
    assert process.returncode == 0, said
    assert said == ""


def connected(port: int, start: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=15)
    connection.sendall(start)
    return connection


def ending(connection: socket.socket) -> bytes:
    """What the server says before it lets go of the connection."""
    said = b""
    while piece := connection.recv(4096):
        said += piece
    connection.close()
    return said


def test_head_that_never_ends_is_not_waited_for(port: int) -> None:
    silent, begun = connected(port, b""), connected(port, b"GET / HTTP/1.1\r\nHost: x\r\n")
    assert ending(silent) == b""
    assert ending(begun) == b""


def test_second_request_of_a_kept_connection_is_not_waited_for_either(port: int) -> None:
    connection = connected(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    time.sleep(0.2)
    connection.sendall(b"GET / HTT")
    assert ending(connection).count(b"200 OK") == 1


def test_body_that_stops_is_answered_408(port: int) -> None:
    connection = connected(port, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\nabc")
    said = ending(connection)
    assert b" 408 " in said
    assert b"took too long" in said


def test_body_that_drips_is_answered_408(port: int) -> None:
    connection = connected(port, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n")
    connection.settimeout(0.2)
    said = b""
    for _ in range(40):
        try:
            connection.sendall(b"x")
            said += connection.recv(4096)
        except TimeoutError:
            continue
        break
    assert b" 408 " in said
    connection.close()


def test_body_of_no_declared_end_is_bounded(port: int) -> None:
    answer = httpx.post(f"http://127.0.0.1:{port}/", content=iter([bytes(60_000)] * 2), trust_env=False)
    assert answer.status_code == 413
    assert httpx.post(f"http://127.0.0.1:{port}/", content=bytes(90_000), trust_env=False).text == "90000"


def test_bodies_are_bounded_all_together_and_room_comes_back(port: int) -> None:
    half = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n" + bytes(80_000)
    held = connected(port, half)
    time.sleep(0.2)
    refused = httpx.post(f"http://127.0.0.1:{port}/", content=bytes(90_000), trust_env=False)
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) > 0
    with held:
        held.sendall(bytes(10_000))
        answer = b""
        while b"90000" not in answer and (piece := held.recv(4096)):  # head and body may come apart
            answer += piece
        assert b"90000" in answer
    assert httpx.post(f"http://127.0.0.1:{port}/", content=bytes(90_000), trust_env=False).status_code == 200


def test_one_connection_too_many_is_told_so_and_the_server_lives_on(port: int) -> None:
    waiting = [connected(port, b"GET") for _ in range(25)]
    assert httpx.get(f"http://127.0.0.1:{port}/", trust_env=False).status_code == 503
    for connection in waiting:
        connection.close()
    time.sleep(0.2)
    assert httpx.get(f"http://127.0.0.1:{port}/", trust_env=False).status_code == 200
