"""`POST /explain/`: over HTTP it says what the library says, and tells wrong questions kindly."""

from __future__ import annotations

import io
from base64 import b64decode

import httpx
import pytest
from PIL import Image

from demo.explain_routes import as_json
from handwriter_models import load
from handwriter_models.bundle import NetworkConfig, Preprocessing
from handwriter_models.classifier import Classifier
from handwriter_models.explain import explain as explained
from handwriter_models.networks import build
from tests.characters import encoded, picture_of
from tests.conftest import small_config
from tests.demo_server import Server
from tests.small_photos import photo

SEVEN = encoded(picture_of("7"))
WRONG = [
    (SEVEN, {"label": "x"}, 422),
    (SEVEN, {"model": "x"}, 422),
    (SEVEN, {"seen": "1"}, 422),
    (b"text", {}, 415),
    (b"", {}, 400),
]


def explain(server: Server, data: bytes, **fields: str) -> httpx.Response:
    return httpx.post(f"{server.address}/explain/", files={"file": data}, data=fields, timeout=60, trust_env=False)


def decoded(address: str) -> Image.Image:
    return Image.open(io.BytesIO(b64decode(address.removeprefix("data:image/png;base64,"))))


def test_answer_is_that_of_the_library(demo: Server) -> None:
    body = explain(demo, SEVEN).json()
    wanted = explained(load("digits"), SEVEN)
    assert (body["model"], body["label"], body["method"]) == ("digits", "7", "integrated-gradients")
    assert body["confidence"] == pytest.approx(wanted.confidence, abs=1e-3)
    assert body["support"] == pytest.approx([one.support for one in wanted.strokes], abs=1e-3)
    assert [decoded(body[name]).size for name in ("heat", "strokes")] == [(280, 280)] * 2


def test_another_label_of_another_model_can_be_asked_about(demo: Server) -> None:
    body = explain(demo, SEVEN, model="characters", label="z").json()
    assert (body["model"], body["label"]) == ("characters", "z")
    assert body["confidence"] < 0.1


def test_blank_picture_has_nothing_to_explain(demo: Server) -> None:
    body = explain(demo, encoded(Image.new("RGB", (60, 60), "white"))).json()
    assert (body["label"], body["confidence"], body["strokes"], body["support"]) == ("", 0, None, [])


def test_photograph_has_a_heat_map_and_no_strokes() -> None:
    network = NetworkConfig("transfer", {"outputs": 3, "backbone": "mobilenet_v3_small", "hidden": 0})
    way = Preprocessing("photograph", 128, (0.5, 0.4, 0.3), (0.2, 0.3, 0.4))
    config = small_config(
        False, kind="photographs", labels=("고양이", "dog", "bird"), network=network, preprocessing=way
    )
    model = Classifier(config, build("transfer", dict(network.arguments)))
    body = as_json(explained(model, photo(1), "고양이"))
    assert (body["label"], body["method"], body["strokes"], body["support"]) == ("고양이", "grad-cam", None, [])
    assert decoded(body["heat"]).mode == "RGB"


@pytest.mark.parametrize(("data", "fields", "status"), WRONG)
def test_wrong_question_is_told(demo: Server, data: bytes, fields: dict[str, str], status: int) -> None:
    answer = explain(demo, data, **fields)
    assert answer.status_code == status
    assert set(answer.json()) == {"error", "hint"}
