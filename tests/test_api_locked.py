"""A server that is not for everybody, below a prefix of a proxy: log-in, limits, corrections, page."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import httpx
import pytest

from curation.dataset import Dataset
from tests.api_client import check_error
from tests.browser import Look, chromium
from tests.characters import encoded, picture_of, strokes_of
from tests.demo_server import Server, running
from tests.prefix_proxy import Proxy, prefix_proxy

SEVEN = encoded(picture_of("7"))
TOKEN = "0123456789abcdef0123456789"
PEOPLE = "나:비밀 번호\nme:secret\n"
ME = {"Authorization": "Basic " + base64.b64encode(b"me:secret").decode()}
WE = {"Authorization": "Basic " + base64.b64encode("나:비밀 번호".encode()).decode()}
ADDRESSES = count(1)
PROGRAM = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("corrections") / "되먹임"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, dataset: Path) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("words")
    (folder / "people").write_text(PEOPLE, "utf-8")
    (folder / "token").write_text(TOKEN, "ascii")
    locks = ["--auth-file", str(folder / "people"), "--api-token-file", str(folder / "token")]
    rest = ["--feedback", str(dataset), "--feedback-limit", "1", "--rate-limit", "600/m", "--root-path", "손/글씨/"]
    with running([*locks, *rest]) as started:
        yield started
    assert "Traceback" not in "".join(started.said), "".join(started.said)
    assert not any(word in "".join(started.said) for word in ("secret", "비밀", TOKEN))


@pytest.fixture(scope="module")
def proxy(server: Server) -> Iterator[Proxy]:
    with prefix_proxy(server.port, "/%EC%86%90/%EA%B8%80%EC%94%A8") as started:
        yield started


@pytest.fixture
def client(proxy: Proxy) -> Iterator[httpx.Client]:
    """Through the proxy, logged in; each test comes from an address of its own, so none spends another's tokens."""
    address = f"198.51.100.{next(ADDRESSES)}"
    with httpx.Client(headers={"X-Forwarded-For": address, **ME}, timeout=60, trust_env=False) as opened:
        opened.base_url = httpx.URL(proxy.address)
        yield opened


# Who is let in


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/models"),
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
        ("GET", "/metrics"),
        ("GET", "/page/page.js"),
        ("GET", "/config"),
        ("GET", "/gradio_api/info"),
        ("GET", "/nothing"),
        ("GET", "/health/../models"),
        ("POST", "/predict/"),
        ("POST", "/gradio_api/upload"),
        ("POST", "/teach/api/anything"),
        ("POST", "/health"),
    ],
)
def test_no_route_answers_to_who_does_not_log_in(server: Server, method: str, path: str) -> None:
    answer = httpx.request(method, server.address + path, trust_env=False)
    if path == "/health":
        check_error(answer, 405)
        return
    check_error(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith('Basic realm="HandWriter"')


def test_health_is_open_for_whoever_watches_the_server(server: Server) -> None:
    assert httpx.get(f"{server.address}/health", trust_env=False).json()["status"] == "ok"


@pytest.mark.parametrize("words", [ME, WE, PROGRAM])
def test_people_and_programs_with_the_right_words_are_let_in(server: Server, words: dict[str, str]) -> None:
    answer = httpx.post(f"{server.address}/predict/", files={"file": SEVEN}, headers=words, trust_env=False)
    assert answer.json()["label"] == "7"


def test_wrong_words_are_slowed_down_for_their_address_only(client: httpx.Client) -> None:
    wrong = {"Authorization": "Basic " + base64.b64encode(b"me:guess").decode()}
    answers = [client.get("/models", headers=wrong) for _ in range(13)]
    assert [answer.status_code for answer in answers].count(401) in (10, 11)
    check_error(answers[-1], 429, "wrong log-ins")
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 6
    check_error(client.get("/models"), 429), "the right words are not looked at either"
    assert client.get("/models", headers={"X-Forwarded-For": "198.51.100.254"}).status_code == 200


# How often


def test_address_that_asks_too_often_is_told_when_to_come_back_and_others_are_served(client: httpx.Client) -> None:
    answers = [client.post("/predict/", content=b"x") for _ in range(60)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) >= 5
    check_error(refused[0], 429, "too many requests")
    assert int(refused[0].headers["Retry-After"]) >= 1
    other = {"X-Forwarded-For": "198.51.100.253"}
    assert client.post("/predict/", files={"file": SEVEN}, headers=other).status_code == 200


def test_pictures_of_a_batch_count_each(client: httpx.Client) -> None:
    files = [("file", ("x.png", b"x"))] * 32
    statuses = [client.post("/predict/batch", files=files).status_code for _ in range(4)]
    assert statuses[0] == 200
    assert 429 in statuses[1:]


# Corrections


def test_correction_goes_into_the_dataset_under_the_right_label(client: httpx.Client, dataset: Path) -> None:
    answer = client.post("/feedback/", files={"file": SEVEN}, data={"said": "1", "right": "7"})
    assert answer.status_code == 201, answer.text
    stored = answer.json()["stored"]
    assert (dataset / stored).read_bytes() == SEVEN
    with Dataset(dataset) as opened:
        assert [(row.label, row.title) for row in opened.sources() if row.path == stored] == [("7", "said '1'")]
    again = client.post("/feedback/", files={"file": SEVEN}, data={"said": "1", "right": "7"})
    assert (again.status_code, again.json()["stored"]) == (201, stored)


def test_none_of_the_labels_is_a_label_of_its_own(client: httpx.Client) -> None:
    answer = client.post("/feedback/", files={"file": encoded(picture_of("0"))}, data={"said": "0", "right": ""})
    assert answer.json()["stored"].startswith("images/_none/")


@pytest.mark.parametrize("field", ["said", "right"])
@pytest.mark.parametrize("label", ["cat", "../7", "7\0", "7 "])
def test_label_that_the_model_does_not_have_is_refused(client: httpx.Client, field: str, label: str) -> None:
    check_error(client.post("/feedback/", files={"file": SEVEN}, data={field: label}), 422, "no label of this model")


def test_what_is_no_picture_is_not_stored(client: httpx.Client, dataset: Path) -> None:
    check_error(client.post("/feedback/", files={"file": b"text"}, data={"right": "7"}), 415)
    check_error(client.post("/feedback/", data={"right": "7"}), 415)
    assert not list((dataset / "incoming").rglob("*.part"))


def test_full_dataset_is_507(client: httpx.Client) -> None:
    from PIL import Image

    large = Image.effect_noise((1100, 1100), 90)  # 1.2 MB that cannot be packed; the limit is one
    check_error(client.post("/feedback/", files={"file": encoded(large)}, data={"right": "7"}), 507, "no room")


def test_settings_say_what_is_on(client: httpx.Client) -> None:
    told = client.get("/settings").json()
    assert (told["feedback"], told["limit"], told["space"]) == (True, 20 * 2**20, False)


# Below a prefix


def test_documentation_and_description_work_below_the_prefix(client: httpx.Client) -> None:
    assert client.get("/docs").status_code == 200
    assert client.get("/docs/swagger-ui.css").status_code == 200
    assert "/predict/" in client.get("/openapi.json").json()["paths"]
    assert client.get("/models/digits").status_code == 200


def test_whole_page_works_below_the_prefix(proxy: Proxy) -> None:
    proxy.headers.update(ME)  # the browser's own question for a password cannot be answered without a head
    try:
        with chromium(Look()) as browser:
            browser.open(proxy.address + "/")
            browser.draw(strokes_of("7"))
            browser.wait_for_answer("7")
            asked = [address for address in browser.requested() if address.startswith("http")]
            outside = {address for address in asked if not address.startswith(proxy.address)}
            root = proxy.address.removesuffix(proxy.prefix)
            assert outside <= {f"{root}/manifest.json", f"{root}/favicon.ico"}, "Gradio's and Chromium's own"
            assert not [said for said in browser.console_errors() if "manifest" not in said and "favicon" not in said]
    finally:
        proxy.headers.clear()
