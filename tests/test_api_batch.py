"""Several pictures in one request: each has its answer or its own error, within limits of their own."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from PIL import Image

from tests.api_client import check_error, send
from tests.characters import encoded, picture_of
from tests.demo_server import Server

SEVEN = encoded(picture_of("7"))


@pytest.fixture(scope="module")
def client(demo: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=demo.address, timeout=60, trust_env=False) as opened:
        yield opened


def batch(client: httpx.Client, pictures: list[tuple[str, bytes]], **fields: str) -> httpx.Response:
    return client.post("/predict/batch", files=[("file", one) for one in pictures], data=fields)


def test_answers_stand_in_the_order_of_the_pictures_and_are_those_of_single_requests(client: httpx.Client) -> None:
    pictures = [(f"숫자 {digit}.png", encoded(picture_of(digit))) for digit in ("0", "3", "7")]
    results = batch(client, pictures).json()["results"]
    assert [one["name"] for one in results] == [name for name, _ in pictures]
    assert [one["label"] for one in results] == ["0", "3", "7"]
    single = send(client, SEVEN).json()
    assert results[2]["probabilities"] == pytest.approx(single["probabilities"], abs=1e-5)
    assert set(results[2]) == {*single, "name"}


def test_one_bad_picture_costs_its_neighbours_nothing(client: httpx.Client) -> None:
    answer = batch(client, [("a.png", SEVEN), ("b.png", b"text"), ("c.png", SEVEN[:300]), ("d.png", SEVEN)])
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [one.get("label") for one in results] == ["7", None, None, "7"]
    assert all(set(one) == {"name", "error", "hint"} and one["hint"] for one in results[1:3])


def test_one_coloured_pixel_is_blank_and_costs_its_neighbours_nothing(client: httpx.Client) -> None:
    pixel = encoded(Image.new("RGB", (1, 1), "red"))
    results = batch(client, [("a.png", SEVEN), ("b.png", pixel), ("c.png", SEVEN)]).json()["results"]
    assert [one["label"] for one in results] == ["7", "", "7"]
    alone = send(client, pixel)
    assert (alone.status_code, alone.json()["reason"]) == (200, "blank")


def test_named_model_answers_all(client: httpx.Client) -> None:
    name = client.get("/models").json()[-1]["name"]
    results = batch(client, [("a.png", SEVEN), ("b.png", SEVEN)], model=name).json()["results"]
    assert [one["model"] for one in results] == [name, name]


def test_only_the_most_probable_labels_are_sent_when_asked_for(client: httpx.Client) -> None:
    results = batch(client, [("a.png", SEVEN), ("b.png", b"text"), ("c.png", SEVEN)], top="2").json()["results"]
    assert [len(one.get("probabilities", ())) for one in results] == [2, 0, 2]
    assert next(iter(results[2]["probabilities"])) == "7"


def test_wrong_forms_are_refused_whole(client: httpx.Client) -> None:
    check_error(batch(client, [("a.png", SEVEN)], model="no-such-model"), 422, "no-such-model")
    check_error(batch(client, [("a.png", SEVEN)], seen="1"), 422, "'seen'")
    check_error(batch(client, [("a.png", SEVEN)], top="0"), 422, "'top'")
    check_error(client.post("/predict/batch", files={"image": SEVEN}), 422, "'image'")
    check_error(client.post("/predict/batch", files={"model": (None, "digits")}), 422, "no pictures")
    check_error(batch(client, [("a.png", b"x")] * 33), 422, "33 pictures")
    check_error(batch(client, [("a.png", b"x")] * 100), 400)
    check_error(client.post("/predict/batch", content=b"[]"), 415)


def test_bytes_are_bounded_all_together(client: httpx.Client) -> None:
    check_error(batch(client, [("a.png", bytes(14 * 2**20))] * 3), 413, "40 MB")


# What stands beside


def test_corrections_are_refused_where_nobody_asked_for_them(client: httpx.Client) -> None:
    check_error(client.post("/feedback/", files={"file": SEVEN}, data={"right": "7"}), 403, "--feedback")
    assert client.get("/settings").json()["feedback"] is False


def test_metrics_are_prometheus_text_and_count_what_was_asked(client: httpx.Client) -> None:
    def value(name: str) -> float:
        lines = client.get("/metrics").text.splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))

    digits = 'handwriter_prediction_seconds_count{model="digits"}'
    asked = 'handwriter_requests_total{route="/predict",method="POST",status='
    good, bad = f'{asked}"200"', f'{asked}"415"'
    before = value(digits), value(good), value(bad)
    send(client, SEVEN, model="digits")
    send(client, b"text")
    client.get("/made/up/address")
    assert (value(digits), value(good), value(bad)) == tuple(number + 1 for number in before)
    text = client.get("/metrics").text
    assert "made" not in text, "nobody makes the table grow by asking"
    assert value("process_resident_memory_bytes") > 1e8
    assert value("handwriter_pictures_waiting") == 0
    assert value('handwriter_model_labels{model="digits"}') == 10


def test_buckets_of_a_histogram_hold_those_below_them_too(client: httpx.Client) -> None:
    send(client, SEVEN, model="digits")
    lines = [line for line in client.get("/metrics").text.splitlines() if '_bucket{model="digits"' in line]
    counts = [int(line.rsplit(" ", 1)[1]) for line in lines]
    assert counts == sorted(counts)
    assert 'le="+Inf"' in lines[-1]
    assert client.get("/metrics").headers["content-type"].startswith("text/plain; version=0.0.4")
