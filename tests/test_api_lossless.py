"""A lossless JPEG at every door of the server: libjpeg decoded reduced would write over the server's memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import numpy as np
import pytest

from tests.api_client import send
from tests.characters import encoded, picture_of
from tests.demo_server import Server, running
from tests.jpeg_files import lossless_jpeg, with_frame_type
from tests.teach_client import Visitor
from tests.tiny_backbone import NAME, write_weights

SEVEN = picture_of("7")
GREY = np.asarray(SEVEN.convert("L").resize((1100, 1100)))[..., None]
LARGE = SEVEN.resize((2600, 2400))  # more than twice what any network looks at: it would be decoded reduced
FILES = {
    "grey": lossless_jpeg(GREY),
    "colours": lossless_jpeg(np.asarray(SEVEN.convert("RGB").resize((300, 280)))),
    # as Photoshop writes them, less ink for larger values
    "four components": lossless_jpeg(255 - np.asarray(SEVEN.convert("CMYK").resize((200, 200)))),
    "16 bits": lossless_jpeg(GREY[:200, :200], bits=16),
    "cut off": lossless_jpeg(GREY)[:9000],
    "a large baseline JPEG's data": with_frame_type(encoded(LARGE, "JPEG"), 0xC3),
    "a large progressive JPEG's data": with_frame_type(encoded(LARGE, "JPEG", progressive=True), 0xC3),
}
READ = ("grey", "colours", "four components")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    weights = write_weights(tmp_path_factory.mktemp("weights") / "tiny.safetensors")
    environment = {"HANDWRITER_TEACH_BACKBONE": f"{NAME}:{weights}", "MALLOC_CHECK_": "3"}
    corrections = tmp_path_factory.mktemp("corrections") / "corrections"
    with running(["--model", "digits", "--feedback", str(corrections)], environment) as started:
        yield started
    assert "Traceback" not in "".join(started.said), "".join(started.said)


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.address, timeout=60, trust_env=False) as opened:
        yield opened


def predict(client: httpx.Client, data: bytes) -> httpx.Response:
    return send(client, data)


def explain(client: httpx.Client, data: bytes) -> httpx.Response:
    return client.post("/explain/", files={"file": data})


def correct(client: httpx.Client, data: bytes) -> httpx.Response:
    return client.post("/feedback/", files={"file": data}, data={"said": "1", "right": "7"})


def upload(client: httpx.Client, data: bytes) -> httpx.Response:
    return client.post("/gradio_api/upload", files={"files": ("seven.jpg", data)})


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("ask", [predict, explain, correct])
def test_it_is_a_picture_or_no_picture_and_the_server_lives(
    ask: Callable[[httpx.Client, bytes], httpx.Response], name: str, server: Server, client: httpx.Client
) -> None:
    answer = ask(client, FILES[name])
    assert answer.status_code in ((200, 201) if name in READ else (400, 415)), answer.text
    assert name in READ or set(answer.json()) == {"error", "hint"}
    assert client.get("/health").json()["status"] == "ok"
    assert server.process.poll() is None


def test_several_in_one_request_are_answered_one_by_one(server: Server, client: httpx.Client) -> None:
    answer = client.post("/predict/batch", files=[("file", (name, data)) for name, data in FILES.items()])
    assert answer.status_code == 200, answer.text
    assert [not result.get("error") for result in answer.json()["results"]] == [name in READ for name in FILES]
    assert server.process.poll() is None


@pytest.mark.parametrize("kind", ["handwriting", "photographs"])
def test_taught_with_it_teach_goes_on(kind: str, server: Server, client: httpx.Client) -> None:
    visitor = Visitor(client, kind)
    sevens, blanks = visitor.add_class("7"), visitor.add_class("blank")
    added = visitor.add(sevens, list(FILES.values()))
    assert ["id" in one for one in added] == [name in READ for name in FILES]
    visitor.add(blanks, [encoded(picture_of("0").resize((side, side))) for side in (200, 220, 240)])
    visitor.settled()
    for name, data in FILES.items():
        answer = visitor.ask("POST", "predict", files={"file": ("p.jpg", data)})
        assert answer.status_code in ((200,) if name in READ else (400, 415)), answer.text
    assert server.process.poll() is None


def test_uploaded_for_gradio_it_is_predicted_or_refused(server: Server, client: httpx.Client) -> None:
    for data in FILES.values():
        answer = upload(client, data)
        assert answer.status_code in (200, 400, 415), answer.text
        if answer.status_code == 200:
            given = {"data": [{"path": answer.json()[0], "meta": {"_type": "gradio.FileData"}}, ""]}
            called = client.post("/gradio_api/call/predict", json=given)
            told = client.get(f"/gradio_api/call/predict/{called.json()['event_id']}").text
            assert "event: complete" in told or "event: error" in told
    assert client.get("/health").json()["status"] == "ok"
    assert server.process.poll() is None
