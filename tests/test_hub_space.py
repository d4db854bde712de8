"""A Space is built, pushed, and started as the Hub starts it; visitors publish with their own log-in or not at all."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from itsdangerous import TimestampSigner

from handwriter_models.hub.push import Published
from handwriter_models.hub.space import SpaceOrder, belongs_to_space, write_space
from handwriter_models.static_site.build import PAGE, RUNTIME
from tests.api_client import check_error, send
from tests.conftest import drawn_seven, write_small_bundle
from tests.demo_server import Server, running
from tests.hub_site import HubSite
from tests.hub_store import Repo

ROOT = Path(__file__).resolve().parents[1]
OWNER, SECRET, HOST = "hf_bob_writes", "of the Space", "ana-served.hf.space"


@dataclass(frozen=True)
class Scene:
    """A Hub, the Space on it, and the Space's program while it runs."""

    site: HubSite
    space: Repo
    server: Server

    def client(self, **headers: str) -> httpx.Client:
        return httpx.Client(base_url=self.server.address, headers={"Host": HOST, **headers}, timeout=60)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    home = tmp_path_factory.mktemp("space")
    bundle = write_small_bundle(home / "small")
    with HubSite() as site:
        site.pays = True
        command = [sys.executable, str(ROOT / "training"), "publish", str(bundle), "--repo", "ana/served"]
        variables = {**os.environ, **site.environment(home / "hf", "hf_ana_writes")}
        done = subprocess.run(
            [*command, "--space", "gradio"], env=variables, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[1] == f"space: {site.home}/spaces/ana/served"
        space = site.repo("ana/served", "space")
        for path, data in space.files.items():
            (home / "app" / path).parent.mkdir(parents=True, exist_ok=True)
            (home / "app" / path).write_bytes(data)
        oauth = {"OAUTH_CLIENT_ID": "id", "OAUTH_CLIENT_SECRET": SECRET, "OAUTH_SCOPES": "contribute-repos"}
        as_space = {
            "SYSTEM": "spaces",
            "SPACE_ID": "ana/served",
            "SPACE_HOST": HOST,
            "OPENID_PROVIDER_URL": site.home,
            **oauth,
        }
        settings = {**site.environment(home / "elsewhere", OWNER), **as_space, "HANDWRITER_MODELS": ""}
        with running((), settings, home / "app") as server:
            site.forget()
            yield Scene(site, space, server)


def visitor(token: str, seconds: int = 600) -> str:
    """The cookie of a visitor who has logged in: the session as Gradio's routes leave it, signed by the Space."""
    session = {"oauth_info": {"access_token": token, "expires_at": int(time.time()) + seconds, "scope": "x"}}
    key = hashlib.sha256(f"{SECRET}-v4".encode()).hexdigest()
    return "session=" + TimestampSigner(key).sign(base64.b64encode(json.dumps(session).encode())).decode()


def test_the_space_names_what_the_hub_needs_to_build_it(scene: Scene) -> None:
    files = scene.space.files
    matter: dict[str, Any] = yaml.safe_load(files["README.md"].decode().split("---\n")[1])
    assert (matter["sdk"], matter["app_file"], matter["models"]) == ("gradio", "app.py", ["ana/served"])
    assert (matter["hf_oauth"], matter["hf_oauth_scopes"]) == (True, ["contribute-repos"])
    lines = files["requirements.txt"].decode().splitlines()
    names = {re.split("[=<>]", line)[0] for line in lines}
    assert {"torch", "torchvision", "safetensors", "opencv-python-headless"} <= names
    assert not names & {"gradio", "pydantic", "selenium", "optuna"}, "Gradio's own, and what no file imports"
    assert scene.space.created_with["sdk"] == "gradio"
    assert not [path for path in files if "__pycache__" in path or "bundled/digits" in path]


def test_a_zerogpu_space_leaves_torch_to_the_hub_and_declares_its_gpu(tmp_path: Path) -> None:
    bundle = write_small_bundle(tmp_path / "small")
    model = Published("https://hub/ana/small", "ana/small", "a" * 40, ())
    write_space(SpaceOrder("zerogpu", bundle, model), tmp_path / "space")
    lines = (tmp_path / "space" / "requirements.txt").read_text("utf-8").splitlines()
    assert {"torch", "torchvision"} <= set(lines), "without a version"
    assert not any(line.startswith("--") for line in lines)
    app = (tmp_path / "space" / "app.py").read_text("utf-8")
    compile(app, "app.py", "exec")
    assert app.index("import spaces") < app.index("from demo")
    assert json.loads((tmp_path / "space" / "space.json").read_text("utf-8")) == {"models": [f"ana/small@{'a' * 40}"]}
    assert 'suggested_hardware: "zero-a10g"' in (tmp_path / "space" / "README.md").read_text("utf-8")


def test_every_file_of_a_space_of_ours_is_known_as_such() -> None:
    """So that a later push may replace it, and remove it when it is no longer there."""
    static = [path.relative_to(PAGE).as_posix() for path in PAGE.rglob("*") if path.is_file()]
    static += [f"runtime/{path.name}" for path in RUNTIME.iterdir()]
    for path in (*static, "models.json", "models/한글/model.onnx.gz", "demo/page.py", "app.py", "requirements.txt"):
        assert belongs_to_space(path), path
    for path in ("thesis.pdf", "main.py", ".env", "training/fit.py", "data/train.parquet"):
        assert not belongs_to_space(path), path


def drawn(turn: int = 0) -> bytes:
    file = io.BytesIO()
    drawn_seven().rotate(turn, fillcolor="white").save(file, "PNG")
    return file.getvalue()


def test_the_space_answers_with_the_published_model(scene: Scene) -> None:
    commit = scene.site.repo("ana/served").refs["main"]
    assert f"ana/served@{commit[:7]}" in "".join(scene.server.said)
    with scene.client() as client:
        answer = send(client, drawn()).json()
        assert answer["model"] == "small"
        assert set(answer["probabilities"]) == set("0123456789")
        assert client.get("/settings").json()["publish"] is False
        assert client.get("/publish").json() == {"who": None, "key": False, "login": "login/huggingface"}


def test_the_owners_token_is_spent_for_nobody(scene: Scene) -> None:
    """Neither for a stranger, nor for a forged or an old log-in, nor for a page of another site."""
    order = {"model": "small", "repo": "bob/taken"}
    ours = f"https://{HOST}"
    forged = visitor("hf_ana_writes")[:-2] + "xx"
    cases: list[tuple[dict[str, str], int]] = [
        ({}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": ours, "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": ours}, 401),
        ({"Origin": ours, "X-Publish-Key": "guess", "X-Forwarded-For": "127.0.0.1"}, 401),
        ({"Origin": ours, "Authorization": f"Bearer {OWNER}"}, 401),
        ({"Origin": ours, "Cookie": forged}, 401),
        ({"Origin": ours, "Cookie": visitor("hf_ana_writes", -5)}, 401),
        ({"Cookie": visitor("hf_ana_writes")}, 403),
    ]
    scene.site.forget()
    for headers, status in cases:
        with scene.client(**headers) as client:
            check_error(client.post("/publish", json=order), status)
    assert scene.site.requests == []


def test_a_visitor_publishes_what_he_taught_with_his_own_token(scene: Scene) -> None:
    with scene.client(Origin=f"https://{HOST}", Cookie=visitor("hf_ana_writes")) as client:
        assert client.get("/publish").json()["who"] == "visitor"
        assert client.get("/settings").json()["publish"] is True
        check_error(client.post("/publish", json={"model": "small", "repo": "mine"}), 403, "not yours to publish")
        check_error(client.post("/publish", json={"session": "guessed", "repo": "mine"}), 404)
        check_error(client.post("/publish", json={"repo": 7}), 422)
        check_error(client.post("/publish", content=b"x" * 70_000), 413)
        opened = client.post("/teach/api/sessions", json={"kind": "handwriting"}).json()["session"]
        client.headers["X-Teach-Session"] = opened
        for name in ("일곱", "turned"):
            made = client.post("/teach/api/classes", json={"name": name}).json()["id"]
            files = [("file", (f"{turn}.png", drawn(turn + 90 * (name == "turned")))) for turn in (0, 8)]
            client.post(f"/teach/api/classes/{made}/samples", files=files).raise_for_status()
        scene.site.forget()
        done = client.post("/publish", json={"session": opened, "repo": "mine", "private": True})
        assert done.status_code == 200, done.text
    assert done.json()["repo"] == "ana/mine"
    assert json.loads(scene.site.repo("ana/mine").files["config.json"])["labels"] == ["일곱", "turned"]
    assert scene.site.repo("ana/mine").private
    spent = {request.headers["Authorization"] for request in scene.site.requests} - {None}
    assert spent == {"Bearer hf_ana_writes"}
    said = "".join(scene.server.said)
    assert "hf_ana_writes" not in said
    assert OWNER not in said
