"""Teaching through a real socket: learning, privacy of sessions, hostile input, and what can be taken away."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image

from curation.dataset import Dataset
from curation.scan import scan
from demo.shelf import Shelf, Shelved
from demo.teach.eyes import VARIABLE, Eyes
from handwriter_models import load
from handwriter_models.bundle import NetworkConfig, Preprocessing, find_bundle, read_config
from handwriter_models.errors import UserError
from handwriter_models.networks import Head
from tests.api_client import check_error
from tests.characters import encoded
from tests.conftest import small_config, write_small_bundle
from tests.demo_server import Server, running
from tests.small_photos import jpeg, photo
from tests.teach_client import Visitor, drawings
from tests.tiny_backbone import NAME, write_weights
from tests.training_cases import small_recipe
from training.evaluate import evaluate_bundle
from training.fit import Order, fit

SEVEN, THREE, ZERO = "일곱", "셋/3", "zero"
CLASSES = {SEVEN: "7", THREE: "3", ZERO: "0"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    weights = write_weights(tmp_path_factory.mktemp("weights") / "tiny.safetensors")
    with running(["--model", "digits"], {"HANDWRITER_TEACH_BACKBONE": f"{NAME}:{weights}"}) as started:
        yield started
    assert "Traceback" not in "".join(started.said), "".join(started.said)


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.address, timeout=60, trust_env=False) as opened:
        yield opened


@pytest.fixture(scope="module")
def taught(client: httpx.Client) -> Visitor:
    """A session with three classes of eight drawings each; tests of it change no picture."""
    visitor = Visitor(client)
    visitor.teach(CLASSES)
    visitor.settled()
    return visitor


@pytest.fixture
def visitor(client: httpx.Client) -> Visitor:
    return Visitor(client)


def test_drawn_classes_are_told_apart_and_stand_in_their_order(taught: Visitor) -> None:
    for name, digit in CLASSES.items():
        answers = [taught.predict(picture) for picture in drawings(digit, 5, seed=9)]
        assert [row["name"] for row in answers[0]["classes"]] == list(CLASSES)
        assert sum(row["probability"] for row in answers[0]["classes"]) == pytest.approx(1, abs=1e-4)
        assert [answer["label"] for answer in answers].count(name) >= 4


def test_estimate_counts_held_out_pictures_and_says_how_sure_it_is(taught: Visitor) -> None:
    state = taught.state()
    found = state["estimate"]
    low, high = found["interval"]
    assert (found["of"], state["learned"], found["version"]) == (24, state["version"], state["version"])
    assert 0.8 < found["accuracy"] <= 1
    assert 0.5 < low < found["accuracy"] <= high <= 1
    assert "from 24 pictures" in found["text"]


def test_blank_picture_is_not_answered(taught: Visitor) -> None:
    answer = taught.predict(encoded(Image.new("RGB", (200, 200), "white")))
    assert (answer["rejected"], answer["reason"], answer["label"]) == (True, "blank", "")


def test_new_name_needs_no_new_head(visitor: Visitor) -> None:
    ids = visitor.teach({"a": "1", "b": "0"}, 3)
    before = visitor.settled()
    after = visitor.ask("PATCH", f"classes/{ids['a']}", json={"name": "  하나 "}).json()
    assert (after["version"], after["learned"], after["busy"]) == (before["version"], before["learned"], False)
    assert visitor.predict(drawings("1", 1, seed=5)[0])["label"] == "하나"


def test_removed_class_is_never_the_answer_and_order_can_be_changed(visitor: Visitor) -> None:
    ids = visitor.teach({"a": "1", "b": "0", "c": "4"}, 3)
    visitor.settled()
    visitor.ask("DELETE", f"classes/{ids['a']}")
    assert [row["name"] for row in visitor.predict(drawings("1", 1)[0])["classes"]] == ["b", "c"]
    assert visitor.ask("PUT", "classes", json={"order": [ids["c"], ids["b"]]}).status_code == 200
    state = visitor.settled()
    assert [one["name"] for one in state["classes"]] == ["c", "b"]
    assert visitor.predict(drawings("0", 1, seed=4)[0])["label"] == "b"
    check_error(visitor.ask("PUT", "classes", json={"order": [ids["c"]]}), 422)


def test_session_of_another_visitor_cannot_be_reached(client: httpx.Client, taught: Visitor) -> None:
    stranger = Visitor(client)
    for path in ("classes/c1", "samples/s4"):
        check_error(stranger.ask("DELETE", path), 404)
    check_error(stranger.ask("GET", "classes/c1/samples"), 404)
    check_error(stranger.ask("POST", "predict", files={"file": drawings("7", 1)[0]}), 409, "nothing is learned")
    assert stranger.state()["classes"] == []
    assert taught.state()["classes"][0]["pictures"] == 8
    assert stranger.name != taught.name


@pytest.mark.parametrize("headers", [{}, {"X-Teach-Session": "c1"}, {"X-Teach-Session": "x" * 5000}])
def test_without_its_name_there_is_no_session(client: httpx.Client, headers: dict[str, str]) -> None:
    for method, path in (("GET", "session"), ("POST", "bundle"), ("POST", "dataset"), ("DELETE", "session")):
        check_error(client.request(method, f"/teach/api/{path}", headers=headers), 404, "no such session")


def test_ended_session_is_forgotten(visitor: Visitor) -> None:
    assert visitor.ask("DELETE", "session").status_code == 204
    check_error(visitor.ask("GET", "session"), 404)


def test_bad_pictures_cost_their_neighbours_nothing(visitor: Visitor) -> None:
    one = visitor.add_class("a")
    head = struct.pack(">4sIIBBBBB", b"IHDR", 19_000, 19_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))
    bomb += struct.pack(">I4sI", 0, b"IDAT", zlib.crc32(b"IDAT"))
    bad = [b"no picture", bomb, encoded(Image.new("RGB", (90, 90), "white")), drawings("7", 1)[0][:200]]
    bad.append(encoded(Image.new("RGB", (1, 1), "red")))
    told = visitor.add(one, [*bad, drawings("7", 1)[0]])
    assert [set(each) for each in told] == [{"error", "hint"}] * 5 + [{"id"}]
    words = ("text", "19000", "no ink", "damaged", "no ink")
    assert [word for word, each in zip(words, told, strict=False) if word not in each["error"]] == [], told
    assert visitor.state()["classes"][0]["pictures"] == 1


def test_same_picture_counts_once_and_belongs_to_one_class(visitor: Visitor) -> None:
    one, other = visitor.add_class("a"), visitor.add_class("b")
    picture = drawings("7", 1)
    first = visitor.add(one, picture)
    assert visitor.add(one, picture) == first
    assert "'a' has this very picture" in visitor.add(other, picture)[0]["error"]


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 201, "a\ufdd0", "\u3164", "\u202eabc", 7, None, ["a"]])
def test_name_that_is_none_is_refused(visitor: Visitor, name: object) -> None:
    check_error(visitor.ask("POST", "classes", json={"name": name}), 422)


def test_names_are_kept_apart_and_their_number_is_bounded(visitor: Visitor) -> None:
    for number in range(50):
        visitor.add_class(f"이름 {number}")
    check_error(visitor.ask("POST", "classes", json={"name": "one more"}), 409)
    check_error(visitor.ask("PATCH", "classes/c1", json={"name": "이름 7"}), 409)


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"[1]", 422), (b'{"kind": "music"}', 422), (b'{"kind": "\\ud800"}', 422), (b" " * 70_000, 413)],
)
def test_wrong_body_is_told(client: httpx.Client, body: bytes, status: int) -> None:
    check_error(client.post("/teach/api/sessions", content=body), status)


def test_dataset_goes_through_scan_and_fit(taught: Visitor, tmp_path: Path) -> None:
    root = unzipped(taught.ask("POST", "dataset").content, tmp_path / "data")
    listed = json.loads((root / "taught.json").read_text("utf-8"))["classes"]
    assert [one["name"] for one in listed] == list(CLASSES)
    with Dataset(root, create=True) as dataset:
        assert (scan(dataset.pictures, count=1).images, dataset.pictures.faults()) == (24, [])
    result = fit(Order(str(root), small_recipe(epochs=1), tmp_path / "bundle"))
    assert set(read_config(result.bundle).labels) == set(CLASSES), "also the one whose folder is called otherwise"
    assert result.unreadable == []


def test_bundle_answers_as_the_page_does(taught: Visitor, tmp_path: Path) -> None:
    answer = taught.ask("POST", "bundle", json={"name": "내 글씨!"})
    folder = unzipped(answer.content, tmp_path) / "내-글씨"
    classifier = load(folder)
    assert (classifier.config.network.name, classifier.labels) == ("adapted", tuple(CLASSES))
    for digit in "7304":
        picture = drawings(digit, 1, seed=3)[0]
        ours, theirs = classifier.predict(picture), taught.predict(picture)
        assert (ours.label, ours.rejected) == (theirs["label"], theirs["rejected"])
        shares = [row["probability"] for row in theirs["classes"]]
        assert list(ours.probabilities.values()) == pytest.approx(shares, abs=1e-3)
    metrics = classifier.config.metrics
    assert metrics["accuracy"] == pytest.approx(taught.state()["estimate"]["accuracy"], abs=1e-4)
    assert metrics["cross_validation"]["folds"] == 5
    assert "Results on 24 cross-validated pictures" in (folder / "README.md").read_text("utf-8")


def test_bundle_knows_the_pictures_again_that_it_learned(visitor: Visitor, tmp_path: Path) -> None:
    visitor.teach({"일곱": "7", "zero": "0"}, 4)
    visitor.settled()
    bundle = unzipped(visitor.ask("POST", "bundle").content, tmp_path) / "taught"
    root = unzipped(visitor.ask("POST", "dataset").content, tmp_path / "data")
    with pytest.raises(UserError, match="same picture"):
        evaluate_bundle(str(bundle), str(root), None)
    assert evaluate_bundle(str(bundle), str(root), None, "measure").metrics()["leaky"]["pictures"] == 8
    learned = read_config(bundle).data["learned"]
    assert learned["before"][0] == read_config(find_bundle("characters")).data["learned"], "and the network's own"


def test_bundle_of_too_little_is_refused_with_what_is_missing(visitor: Visitor) -> None:
    check_error(visitor.ask("POST", "bundle"), 409, "two classes")
    check_error(visitor.ask("POST", "dataset"), 409, "no pictures")
    visitor.teach({"a": "1", "b": "0"}, 1)
    check_error(visitor.ask("POST", "bundle"), 409, "'a' has one picture")
    visitor.add_class("c")
    check_error(visitor.ask("POST", "bundle"), 409, "'c' has no pictures")


def test_photographs_are_taught_on_a_borrowed_backbone(client: httpx.Client, tmp_path: Path) -> None:
    visitor = Visitor(client, "photographs")
    bright = [jpeg(photo(number).point(lambda value: 170 + value // 3)) for number in range(7)]
    dark = [jpeg(photo(100 + number).point(lambda value: value // 4)) for number in range(7)]
    ids = {name: visitor.add_class(name) for name in ("밝다", "dark")}
    visitor.add(ids["밝다"], bright[:6], burst="one")
    visitor.add(ids["dark"], dark[:6])
    state = visitor.settled()
    assert [warning["code"] for warning in state["warnings"]] == ["single"]
    assert state["warnings"][0]["classes"] == [ids["밝다"]]
    answers = {"밝다": visitor.predict(bright[6]), "dark": visitor.predict(dark[6])}
    assert [answer["label"] for answer in answers.values()] == list(answers)
    folder = unzipped(visitor.ask("POST", "bundle").content, tmp_path) / "taught"
    classifier = load(folder)
    assert (classifier.config.kind, classifier.config.network.arguments["backbone"]) == ("photographs", NAME)
    ours = classifier.predict(dark[6])
    assert ours.label == "dark"
    assert ours.probabilities["dark"] == pytest.approx(answers["dark"]["classes"][1]["probability"], abs=0.02)
    assert "**Too good for 밝다:**" in (folder / "README.md").read_text("utf-8")
    root = unzipped(visitor.ask("POST", "dataset").content, tmp_path / "data")
    with pytest.raises(UserError, match="same picture"):
        evaluate_bundle(str(folder), str(root), None)
    assert "Fitted to the optimum" in (folder / "README.md").read_text("utf-8")


def test_without_weights_photographs_are_refused_with_what_to_do_and_asked_for_once_a_minute() -> None:
    eyes = Eyes(Shelf([Shelved(load("mlp-digits"), find_bundle("mlp-digits"))]), f"{NAME}:missing.safetensors")
    said = []
    for _ in range(2):
        with pytest.raises(UserError, match="photographs cannot be taught here") as raised:
            eyes.of("photographs")
        assert (raised.value.status, VARIABLE in raised.value.hint) == (503, True)
        said.append(raised.value)
    assert said[0].what == said[1].what
    assert said[1].__cause__ is None, "the second time nothing was tried"


def test_bundle_for_photographs_lends_its_backbone(tmp_path: Path) -> None:
    arguments = {"outputs": 2, "backbone": NAME, "hidden": 0}
    parts = Preprocessing("photograph", 64, (0.5,) * 3, (0.5,) * 3)
    changes = {"labels": ("a", "b"), "network": NetworkConfig("transfer", arguments), "preprocessing": parts}
    folder = write_small_bundle(tmp_path / "pets", small_config(False, name="pets", kind="photographs", **changes))
    eye = Eyes(Shelf([Shelved(load(folder), folder)]), "").of("photographs")
    assert (eye.parent["name"], eye.preprocessing.size) == ("pets", 64)
    assert Eyes(Shelf([Shelved(load(folder), folder)]), "", lends=False)._lender() is None, "what is private stays so"
    assert eye.base.arguments == {"backbone": NAME, "classes": 0}
    outputs = eye.network.dimension
    network, state = eye.joined(Head(outputs, 0, 3), 3)
    assert (network.arguments["outputs"], state["head.1.weight"].shape) == (3, (3, outputs))


def test_thumbnails_are_small_pictures_in_order(taught: Visitor) -> None:
    listed = taught.ask("GET", "classes/c1/samples").json()["samples"]
    assert [one["id"] for one in listed] == [f"s{number}" for number in range(4, 12)]
    assert all(one["thumbnail"].startswith("data:image/jpeg;base64,") for one in listed)


def test_api_is_described(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert "requestBody" in paths["/teach/api/classes/{class_id}/samples"]["post"]
    assert client.get("/settings").json()["teach"] is True


def unzipped(data: bytes, folder: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        archive.extractall(folder)
    return folder
