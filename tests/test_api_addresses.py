"""The addresses beside predictions: health, models, cards, documentation, wrong methods, headers of every answer."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.api_client import check_error, send
from tests.demo_server import Server


@pytest.fixture(scope="module")
def client(demo: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=demo.address, timeout=60, trust_env=False) as opened:
        yield opened


def test_health_and_models_tell_what_is_served(client: httpx.Client) -> None:
    health, models = client.get("/health").json(), client.get("/models").json()
    assert health == {"status": "ok", "models": [model["name"] for model in models]}
    assert [model["default"] for model in models].count(True) == 1
    assert all(model["parameters"] > 0 and set(model["description"]) >= {"en", "ko"} for model in models)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/predict/", "POST"),
        ("PUT", "/predict/", "POST"),
        ("GET", "/predict", "POST"),
        ("POST", "/models", "GET"),
        ("DELETE", "/health", "GET"),
        ("POST", "/docs", "GET"),
    ],
)
def test_wrong_method_is_405_and_names_the_right_one(
    client: httpx.Client, method: str, path: str, allowed: str
) -> None:
    answer = client.request(method, path)
    check_error(answer, 405, allowed)
    assert allowed in answer.headers["Allow"]


@pytest.mark.parametrize("path", ["/nothing", "/predict/x", "/models/x", "/docs/x", "/page/x.js", "/page/../app.py"])
def test_unknown_address_is_404_with_a_hint(client: httpx.Client, path: str) -> None:
    check_error(client.get(path), 404)


@pytest.mark.parametrize("name", ["evil.example", "127.0.0.1.evil.example:80", "0123.gradio.live", "x.hf.space"])
def test_name_of_somebody_else_is_refused(client: httpx.Client, name: str) -> None:
    """A page of the web can point a name of its own here, and then reads what we answer (DNS rebinding)."""
    check_error(client.get("/models", headers={"Host": name}), 421, "--allow-host")
    check_error(client.get("/", headers={"Host": name}), 421, "--allow-host")


def test_names_of_this_machine_are_right(client: httpx.Client) -> None:
    for name in ("localhost", "127.0.0.1:1", "[::1]:7860"):
        assert client.get("/health", headers={"Host": name}).status_code == 200


def test_form_of_another_site_is_refused_and_its_link_is_not(client: httpx.Client) -> None:
    foreign = {"Sec-Fetch-Site": "cross-site"}
    check_error(client.post("/predict/", files={"file": b"x"}, headers=foreign), 403, "another site")
    assert client.get("/", headers=foreign).status_code == 200


def test_every_answer_carries_the_security_headers(client: httpx.Client) -> None:
    for answer in [*map(client.get, ("/", "/health", "/nothing", "/docs", "/page/page.js")), send(client, b"")]:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'self' https://huggingface.co" in answer.headers["Content-Security-Policy"]


# Documentation and cards


def test_documentation_needs_nothing_from_elsewhere(client: httpx.Client) -> None:
    page = client.get("/docs").text
    needed = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(needed) >= 3
    assert not [address for address in needed if address.startswith(("http", "//"))]
    assert all(client.get(f"/{address}").status_code == 200 for address in needed)


def test_documentation_describes_the_form_and_the_errors(client: httpx.Client) -> None:
    described = client.get("/openapi.json").json()
    assert described["openapi"].startswith("3.0"), "the newest that Swagger UI 4 can show"
    ours = {"/predict/", "/predict/batch", "/feedback/", "/models", "/health", "/settings", "/metrics"}
    assert ours <= set(described["paths"])
    for path in ours - {"/models", "/health"}:
        told = next(iter(described["paths"][path].values()))["description"]
        assert "curl " in told or "```sh\ncurl" in told, path
    post = described["paths"]["/predict/"]["post"]
    form = post["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert set(form["properties"]) == {"file", "model", "seen", "top"}
    assert {"200", "400", "408", "413", "415", "422", "429", "503"} <= set(post["responses"])


def test_model_card_is_a_page_whose_figures_load(client: httpx.Client) -> None:
    for model in client.get("/models").json():
        page = client.get(f"/models/{model['name']}")
        assert page.headers["content-type"].startswith("text/html")
        for source in re.findall(r'<img src="([^"]+)"', page.text):
            assert client.get(f"/models/{source}").headers["content-type"] == "image/png"


@pytest.mark.parametrize("figure", ["../config.json", "%2e%2e/README.md", "..%2fconfig.json", "none.png", ".png"])
def test_only_figures_of_the_bundle_are_served(client: httpx.Client, figure: str) -> None:
    name = client.get("/models").json()[0]["name"]
    assert client.get(f"/models/{name}/figures/{figure}").status_code == 404
