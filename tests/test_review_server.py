"""The server behind the review page: who may speak to it, what it gives away, and that requests may come twice."""

from __future__ import annotations

import io
import json
import socket
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from curation.dataset import Dataset
from curation.review.serve import open_port, serve
from handwriter_models.errors import UserError
from tests.review_scene import Server, agrees, make_dataset, picture, reviewing

OURS = {"Content-Type": "application/json", "X-HandWriter": "review"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dataset(tmp_path_factory.mktemp("review") / "animals")


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[Server]:
    with reviewing(root) as started:
        yield started


def ask(
    server: Server, path: str, body: Any = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    data = None if body is None else json.dumps(body)
    try:
        connection.request("GET" if body is None else "POST", path, data, headers if headers is not None else OURS)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def drop(server: Server, number: int, **changes: object) -> dict[str, object]:
    dataset = json.loads(ask(server, "/health")[2])["dataset"]
    given = {"dataset": dataset, "by": "me", "batch": f"{number:016x}", "ids": [number], "action": "drop"}
    return {**given, **changes}


@pytest.mark.parametrize("host", ["evil.example", "evil.example:7861", "127.0.0.1.evil.example", "", "[::2]"])
def test_foreign_host_is_refused(server: Server, host: str) -> None:
    for path in ("/", "/api/index", "/thumb/1", "/page/page.js"):
        status, _, body = ask(server, path, headers={"Host": host})
        assert status == 403
        assert "hint" in json.loads(body)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
def test_own_names_are_answered(server: Server, host: str) -> None:
    assert ask(server, "/", headers={"Host": f"{host}:{server.port}"})[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/json"},
        {**OURS, "Origin": "http://evil.example"},
        {**OURS, "Origin": "null"},
        {**OURS, "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_only_the_page_may_judge(root: Path, server: Server, headers: dict[str, str]) -> None:
    assert ask(server, "/api/verdict", drop(server, 3), headers)[0] == 403
    with Dataset(root, create=False) as dataset:
        assert all(verdict.file != 3 for verdict in dataset.pictures.history())


def test_same_request_twice_is_one_decision(root: Path, server: Server) -> None:
    said = drop(server, 5)
    answers = [ask(server, "/api/verdict", said) for _ in range(2)]
    assert [status for status, _, _ in answers] == [200, 200]
    undo = {"dataset": said["dataset"], "by": "me", "batch": "f" * 16}
    assert ask(server, "/api/verdict", drop(server, 6))[0] == 200
    assert [json.loads(ask(server, "/api/undo", undo)[2])["rows"][0][0] for _ in range(2)] == [6, 6]
    agrees(root)
    with Dataset(root, create=False) as dataset:
        assert [row.id for row in dataset.pictures.rows() if row.dropped] == [5]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"ids": []}, 422),
        ({"ids": [999]}, 409),
        ({"ids": ["../x"]}, 422),
        ({"action": "delete"}, 422),
        ({"action": "undo"}, 422),
        ({"action": "relabel"}, 422),
        ({"label": "cat"}, 422),
        ({"action": "relabel", "label": "a\nb"}, 422),
        ({"action": "relabel", "label": " "}, 422),
        ({"action": "relabel", "label": "cat "}, 422),
        ({"action": "relabel", "label": "\ud800"}, 422),
        ({"by": ""}, 422),
        ({"batch": "x'; --"}, 422),
        ({"dataset": "another"}, 409),
    ],
)
def test_wrong_requests_are_told_why(server: Server, changes: dict[str, object], status: int) -> None:
    answered, _, body = ask(server, "/api/verdict", drop(server, 7, **changes))
    assert answered == status, body
    assert json.loads(body)["error"]


@pytest.mark.parametrize(
    "path",
    ["/api/index?view=x", "/api/index?verdict=x", "/api/items?ids=1;2", "/api/items?ids=", "/api/changes", "/thumb/x"],
)
def test_wrong_questions_are_told_why(server: Server, path: str) -> None:
    status, _, body = ask(server, path)
    assert status == 422
    assert json.loads(body)["error"]


@pytest.mark.parametrize("path", ["/thumb/999", "/picture/999", "/page/../server.py", "/page/%2e%2e/server.py", "/x"])
def test_what_is_not_there_is_not_given(server: Server, path: str) -> None:
    assert ask(server, path)[0] == 404


def test_answers_hold_browsers_to_our_own_origin(server: Server) -> None:
    for path in ("/", "/page/page.js", "/thumb/1", "/api/index", "/nowhere"):
        headers = ask(server, path)[1]
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"


def test_page_is_asked_for_again_and_sent_once(server: Server) -> None:
    _, headers, _ = ask(server, "/page/page.js")
    assert headers["cache-control"] == "no-cache"
    assert ask(server, "/page/page.js", headers={"If-None-Match": headers["etag"]})[0] == 304


def test_pictures_are_made_anew_and_never_the_file_itself(root: Path, server: Server) -> None:
    (number,) = [one for path, one in agrees(root).items() if path == "dog/copy.png"]
    for path, media, longest in ((f"/thumb/{number}", "image/webp", 192), (f"/picture/{number}", "image/jpeg", 1600)):
        status, headers, data = ask(server, path)
        assert (status, headers["content-type"]) == (200, media)
        with Image.open(io.BytesIO(data)) as made:
            assert max(made.size) <= longest
        assert data != (root / "dog" / "copy.png").read_bytes()


def test_thumbnail_is_kept_for_good_when_its_content_is_named(server: Server) -> None:
    sha = json.loads(ask(server, "/api/items?ids=8")[2])[0]["sha"]
    assert "immutable" in ask(server, f"/thumb/8?v={sha}")[1]["cache-control"]
    assert "immutable" not in ask(server, "/thumb/8?v=0")[1]["cache-control"]


def test_damaged_store_of_thumbnails_is_made_anew(tmp_path: Path) -> None:
    root = make_dataset(tmp_path / "animals")
    (root / "thumbnails.db").write_bytes(b"this is no database" * 100)
    with reviewing(root) as server:
        assert ask(server, "/thumb/1")[0] == 200


def test_link_out_of_the_dataset_is_not_followed(tmp_path: Path) -> None:
    root = make_dataset(tmp_path / "animals")
    secret = picture(tmp_path / "secret.png", 7)
    (root / "cat" / "cat-5.png").unlink()
    (root / "cat" / "cat-5.png").symlink_to(secret)
    with reviewing(root) as server:
        assert ask(server, f"/picture/{agrees(root)['cat/cat-5.png']}")[0] == 404


def test_scan_by_another_process_is_seen(tmp_path: Path) -> None:
    from curation.scan import scan

    root = make_dataset(tmp_path / "animals")
    with reviewing(root) as server:
        before = json.loads(ask(server, "/api/index")[2])
        picture(root / "cat" / "new.png", 4242)
        with Dataset(root, create=False) as dataset:
            scan(dataset.pictures, count=1)
        end = time.monotonic() + 20
        now = before
        while len(now["ids"]) == len(before["ids"]) and time.monotonic() < end:
            time.sleep(0.1)
            now = json.loads(ask(server, "/api/index")[2])
        assert len(now["ids"]) == len(before["ids"]) + 1
        assert now["generation"] > before["generation"]


def test_taken_port_gives_the_next_one() -> None:
    with open_port("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with open_port("127.0.0.1", port) as second:
            assert port < second.getsockname()[1] < port + 20


def test_address_of_another_machine_is_refused_in_words() -> None:
    with pytest.raises(UserError, match=r"192\.0\.2\.1"):
        open_port("192.0.2.1", 7861)


def test_dataset_without_pictures_is_told_to_be_scanned(tmp_path: Path) -> None:
    Dataset(tmp_path / "empty").close()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(UserError, match="no scanned pictures") as caught:
        serve(tmp_path / "empty", port=port, open_browser=False)
    assert "scan" in caught.value.hint
