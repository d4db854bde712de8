"""Gradio's own interface on a public link: its client works, and nothing of the machine can be had through it."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from demo.gradio_gate import Uploads
from handwriter_models.errors import UserError
from handwriter_models.images import Limits
from tests.api_client import check_error
from tests.characters import encoded, picture_of
from tests.demo_server import Server
from tests.test_api import bomb

SEVEN = encoded(picture_of("7"))
FILE = {"meta": {"_type": "gradio.FileData"}}


@pytest.fixture(scope="module")
def client(demo: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=demo.address, timeout=60, trust_env=False) as opened:
        yield opened


def uploaded(client: httpx.Client, data: bytes) -> httpx.Response:
    return client.post("/gradio_api/upload", files={"files": ("seven.png", data)})


def test_gradio_client_gets_the_answer_and_its_errors(demo: Server, tmp_path: Path) -> None:
    from gradio_client import Client, handle_file
    from gradio_client.exceptions import AppError

    picture = tmp_path / "일곱.png"
    picture.write_bytes(SEVEN)
    ours = Client(demo.address, verbose=False, analytics_enabled=False, download_files=False)
    try:
        answer = ours.predict(handle_file(str(picture)), "digits", api_name="/predict")
        assert (answer["label"], answer["model"], answer["rejected"]) == ("7", "digits", False)
        assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-4)
        with pytest.raises(AppError, match="no-such-model"):
            ours.predict(handle_file(str(picture)), "no-such-model", api_name="/predict")
        picture.write_bytes(b"text")
        with pytest.raises(httpx.HTTPStatusError, match="415"):
            ours.predict(handle_file(str(picture)), "digits", api_name="/predict")
    finally:
        ours.close()


def test_upload_is_gone_after_the_call_that_used_it(client: httpx.Client) -> None:
    (path,) = uploaded(client, SEVEN).json()
    assert Path(path).read_bytes() == SEVEN
    called = client.post("/gradio_api/call/predict", json={"data": [{"path": path, **FILE}, ""]})
    told = client.get(f"/gradio_api/call/predict/{called.json()['event_id']}").text
    assert '"label": "7"' in told
    assert not Path(path).exists()
    check_error(client.post("/gradio_api/call/predict", json={"data": [{"path": path, **FILE}, ""]}), 400)


@pytest.mark.parametrize(("data", "status"), [(b"", 400), (b"#!/bin/sh", 415), (bomb(), 413), (SEVEN[:20], 400)])
def test_only_pictures_are_taken_and_their_size_is_looked_at_first(
    client: httpx.Client, data: bytes, status: int
) -> None:
    check_error(uploaded(client, data), status)


def test_upload_over_the_limit_is_413(client: httpx.Client) -> None:
    check_error(uploaded(client, bytes(21 * 2**20)), 413)


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "app.py",
        "../../etc/passwd",
        "http://169.254.169.254/latest/meta-data/",
        "https://example.org/x.png",
        "file:///etc/passwd",
        "",
        None,
        7,
        ["/etc/passwd"],
    ],
)
@pytest.mark.parametrize("route", ["call/predict", "call/v2/predict", "run/predict", "api/predict", "queue/join"])
def test_no_file_and_no_address_in_a_call_is_opened(client: httpx.Client, route: str, path: object) -> None:
    body = {"data": [{"path": path, "url": path, **FILE}, ""], "fn_index": 0, "session_hash": "x", "picture": path}
    check_error(client.post(f"/gradio_api/{route}", json=body), 400, "not uploaded here")


def test_file_that_hides_deep_in_a_call_is_found(client: httpx.Client) -> None:
    nested: object = {"path": "/etc/passwd", **FILE}
    for _ in range(10):
        nested = [{"deeper": nested}]
    check_error(client.post("/gradio_api/queue/join", json={"data": nested, "session_hash": "x"}), 400)
    for _ in range(60):
        nested = [nested]
    check_error(client.post("/gradio_api/queue/join", json={"data": nested, "session_hash": "x"}), 400)


def test_no_address_is_fetched_for_anybody(client: httpx.Client) -> None:
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.5)

        def listen() -> None:
            try:
                connection, _ = listener.accept()
                asked.append(connection.recv(100))
                connection.close()
            except TimeoutError:
                pass

        waiting = threading.Thread(target=listen)
        waiting.start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/x.png"
        for path in (f"file={address}", f"proxy={address}", f"file/{address}"):
            assert client.get(f"/gradio_api/{path}").status_code == 404
        client.post("/gradio_api/call/predict", json={"data": [{"path": address, "url": address, **FILE}, ""]})
        client.post("/gradio_api/call/predict", json={"data": [address, ""]})
        client.post("/predict/", files={"file": (None, address)})
        waiting.join()
    assert asked == []


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/file=app.py",
        "/gradio_api/file=../../../../etc/passwd",
        "/gradio_api/file%3D/etc/passwd",
        "/gradio_api//file=/etc/passwd",
        "/gradio_api/file/etc/passwd",
        "/gradio_api/proxy=http://127.0.0.1/",
        "/gradio_api/custom_component/1/client/component/../../../etc/passwd",
        "/gradio_api/stream/x/y/z/playlist-file",
        "/gradio_api/vibe-code",
        "/file=/etc/passwd",
        "/page/..%2f..%2fapp.py",
        "/page/%2e%2e/app.py",
        "/page//etc/passwd",
        "/examples/..%2f..%2fapp.py",
        "/examples/%2e%2e/%2e%2e/app.py",
        "/static/..%2f..%2fapp.py",
        "/assets/../../../app.py",
        "/models/digits/figures/..%2fconfig.json",
        "/models/..%2f..%2fapp.py",
    ],
)
def test_no_file_of_the_machine_can_be_read(client: httpx.Client, path: str) -> None:
    with socket.create_connection((client.base_url.host, client.base_url.port or 80), 15) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        said = b"".join(iter(lambda: connection.recv(65536), b""))
    assert said.split(b" ", 2)[1] in (b"403", b"404"), said[:300]
    assert b"root:" not in said
    assert b"Starts the demo" not in said
    assert b'"labels"' not in said


@pytest.mark.parametrize(
    "route", ["process_recording", "vibe-edit/", "component_server", "stream/x", "call/other", "login"]
)
def test_other_routes_of_gradio_do_not_answer(client: httpx.Client, route: str) -> None:
    check_error(client.post(f"/gradio_api/{route}", json={}), 404)


@pytest.mark.parametrize(
    ("body", "status"), [(b"{", 400), (bytes(20_000), 413), (b"[" * 9000, 400), (b"[]", 422), (b'{"data": 7}', 422)]
)
def test_call_that_is_no_small_json_is_refused(client: httpx.Client, body: bytes, status: int) -> None:
    check_error(client.post("/gradio_api/queue/join", content=body), status)


def test_uploads_are_bounded_together_and_go_after_an_hour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    uploads = Uploads(Limits(), most=2 * len(SEVEN) + 10)
    first, _ = uploads.put(SEVEN), uploads.put(SEVEN)
    with pytest.raises(UserError, match="too many uploads") as refused:
        uploads.put(SEVEN)
    assert refused.value.status == 503
    old = time.time() - 3700
    os.utime(first, (old, old))
    assert uploads.put(SEVEN).exists()
    assert not first.exists()
    uploads.close()
    assert list(tmp_path.iterdir()) == []


def test_only_what_lies_in_the_folder_is_an_upload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    uploads = Uploads(Limits())
    assert not uploads.has(f"{uploads.folder}/../../secret")
    assert not uploads.has(str(uploads.folder))
    assert not uploads.has(f"{uploads.folder}/nothing.png")
    with pytest.raises(UserError, match="no file that was uploaded"):
        uploads.take("/etc/passwd")
    uploads.close()
