"""Who may publish from a page that runs at home: the owner, on this machine, who has seen the terminal; nobody else."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request

from demo.publishing import Publishing, publish_allowed
from tests.api_client import check_error
from tests.conftest import write_small_bundle
from tests.hub_child import hub_child
from tests.hub_site import HubSite

TOKEN, KEY = "hf_ana_writes", "4f1e90ab"
AT_HOME = Publishing(space=False, shared=False, key=KEY, token=lambda: TOKEN)


def request(client: str = "127.0.0.1", version: str = "1.1", **headers: str) -> Request:
    named = {"host": "127.0.0.1:7860", **{name.replace("_", "-"): value for name, value in headers.items()}}
    raw = [(name.encode(), value.encode()) for name, value in named.items()]
    scope = {"type": "http", "client": (client, 5), "http_version": version, "headers": raw, "path": "/"}
    return Request(scope)


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost:7860", "[::1]:7860", "localhost"])
def test_the_owner_is_known_on_this_machine(host: str) -> None:
    assert publish_allowed(AT_HOME, request(host=host)) == "owner"
    assert publish_allowed(AT_HOME, request("::1", host=host)) == "owner"


@pytest.mark.parametrize(
    "asked",
    [
        request("192.168.0.7"),
        request("203.0.113.9"),
        request("testclient"),
        request(host="192.168.0.2:7860"),
        request(host="evil.example:7860"),
        request(host="abc.gradio.live"),
        request(host="localhost.evil.example"),
        request(host=""),
        request(x_forwarded_for="127.0.0.1"),
        request(x_forwarded_host="localhost"),
        request(x_real_ip="127.0.0.1"),
        request(forwarded="for=127.0.0.1"),
        request(via="1.1 proxy"),
        request(cf_connecting_ip="127.0.0.1"),
        request(version="1.0"),
    ],
    ids=lambda asked: f"{asked.client.host} {dict(asked.headers)}",
)
def test_who_may_come_through_a_tunnel_or_a_proxy_is_not_the_owner(asked: Request) -> None:
    assert publish_allowed(AT_HOME, asked) is None


def test_without_a_log_in_behind_a_tunnel_or_on_a_space_there_is_no_owner() -> None:
    for publishing in (
        Publishing(),
        Publishing(shared=False),
        Publishing(shared=True, key=KEY),
        Publishing(space=True),
    ):
        assert publish_allowed(publishing, request()) is None


@dataclass(frozen=True)
class Scene:
    """A Hub, and a page at home."""

    site: HubSite
    address: str

    def post(self, order: object, **headers: str) -> httpx.Response:
        return httpx.post(
            f"{self.address}/publish", json=order, timeout=30, headers={"Origin": self.address, **headers}
        )


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    home = tmp_path_factory.mktemp("home")
    bundle = write_small_bundle(home / "small")
    with HubSite() as site, hub_child(site.environment(home / "hf")) as child:
        publishing = {"space": False, "shared": False, "key": KEY}
        served = child.ask("serve", bundle=str(bundle), publishing=publishing, token=TOKEN)
        yield Scene(site, served["address"])


def test_the_owner_publishes_with_the_key_of_the_terminal(scene: Scene) -> None:
    assert httpx.get(f"{scene.address}/publish").json() == {"who": "owner", "key": True, "login": None}
    done = scene.post({"model": "small", "repo": "from-page"}, **{"X-Publish-Key": KEY})
    assert done.status_code == 200, done.text
    assert done.json()["url"] == f"{scene.site.home}/ana/from-page"
    assert scene.site.repo("ana/from-page").files["model.safetensors"]


def test_a_model_whose_space_is_refused_is_published_and_both_are_told(scene: Scene) -> None:
    scene.site.pays = False
    done = scene.post({"model": "small", "repo": "half", "space": "gradio"}, **{"X-Publish-Key": KEY})
    assert done.status_code == 200, done.text
    assert scene.site.repo("ana/half").files["model.safetensors"]
    assert done.json()["space"] is None
    assert "PRO" in done.json()["space_error"] or "pay" in done.json()["space_error"]


def test_a_request_by_hand_or_of_another_site_gets_nothing(scene: Scene) -> None:
    order = {"model": "small", "repo": "stolen"}
    key = {"X-Publish-Key": KEY}
    scene.site.forget()
    cases: list[tuple[dict[str, str], str]] = [
        ({}, "the key is missing"),
        ({"X-Publish-Key": "guess"}, "the key is missing or wrong"),
        ({**key, "Origin": ""}, "own page"),
        ({**key, "Origin": "null"}, "own page"),
        ({**key, "Origin": "http://evil.example"}, "own page"),
        ({**key, "Sec-Fetch-Site": "cross-site"}, "own page"),
        ({**key, "Sec-Fetch-Site": "same-site"}, "own page"),
        ({**key, "X-Forwarded-For": "127.0.0.1"}, "not published from here"),
        ({**key, "Host": "evil.example", "Origin": "http://evil.example"}, "not published from here"),
    ]
    for headers, said in cases:
        check_error(scene.post(order, **headers), 403, said)
    check_error(httpx.post(f"{scene.address}/publish", json=order, headers=key), 403, "own page")
    old = http.client.HTTPConnection(scene.address.removeprefix("http://"))
    old._http_vsn, old._http_vsn_str = 10, "HTTP/1.0"  # type: ignore[attr-defined]
    host = scene.address.removeprefix("http://")
    old.request("POST", "/publish", b"{}", {"Host": host, "Origin": scene.address, **key})
    assert old.getresponse().status == 403
    old.close()
    assert scene.site.requests == []
    assert ("model", "ana/stolen") not in scene.site.repos


def test_a_wrong_order_is_told_in_the_shape_of_all_errors(scene: Scene) -> None:
    for order in ({}, {"repo": ""}, {"repo": "a", "color": 1}, {"repo": "a", "private": "yes"}, [], "x"):
        check_error(scene.post(order, **{"X-Publish-Key": KEY}), 422)
    check_error(scene.post({"repo": "x", "model": "none"}, **{"X-Publish-Key": KEY}), 422, "unknown model")
    check_error(scene.post({"repo": "bob/x", "model": "small"}, **{"X-Publish-Key": KEY}), 403, "not to bob")
    check_error(scene.post({"repo": "x", "session": "s"}, **{"X-Publish-Key": KEY}), 404)
    assert TOKEN not in scene.post({"repo": "bob/x", "model": "small"}, **{"X-Publish-Key": KEY}).text


def test_the_folder_of_the_space_file_is_the_programs_own() -> None:
    from demo.space_file import SPACE_FILE

    assert (SPACE_FILE.parent / "app.py").is_file()
    assert not Path(SPACE_FILE).exists(), "only a Space has one"
