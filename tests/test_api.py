"""The REST API through a real socket: right answers, every kind of wrong input, and a server that goes on."""

from __future__ import annotations

import io
import socket
import struct
import zlib
from base64 import b64decode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.api_client import check_error, send
from tests.characters import encoded, picture_of
from tests.demo_server import Server

SEVEN = encoded(picture_of("7"))
LIMIT = 20 * 2**20


@pytest.fixture(scope="module")
def client(demo: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=demo.address, timeout=60, trust_env=False) as opened:
        yield opened


# Right input


@pytest.mark.parametrize("digit", ["0", "3", "7"])
def test_drawn_digit_is_recognised(client: httpx.Client, digit: str) -> None:
    answer = send(client, encoded(picture_of(digit)))
    assert answer.status_code == 200
    body = answer.json()
    assert (body["label"], body["rejected"]) == (digit, False)
    assert body["model"] == client.get("/models").json()[0]["name"]
    assert body["milliseconds"] > 0


def test_probabilities_stand_in_the_order_of_the_labels_and_sum_to_one(client: httpx.Client) -> None:
    body = send(client, SEVEN).json()
    assert list(body["probabilities"]) == client.get("/models").json()[0]["labels"]
    assert sum(body["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert 0.5 < body["confidence"] <= body["probabilities"]["7"] + 1e-6


@pytest.mark.parametrize("top", [1, 3, 999_999])
def test_only_the_most_probable_labels_are_sent_when_asked_for(client: httpx.Client, top: int) -> None:
    whole = send(client, SEVEN).json()
    body = send(client, SEVEN, top=str(top)).json()
    best = sorted(whole["probabilities"].items(), key=lambda one: -one[1])[:top]
    assert list(body["probabilities"]) == [label for label, _ in best]
    assert body["probabilities"] == pytest.approx(dict(best))
    assert (body["label"], body["confidence"]) == (whole["label"], whole["confidence"])
    assert send(client, SEVEN, top="").json()["probabilities"] == whole["probabilities"], "an empty field is none"


@pytest.mark.parametrize("top", ["0", "-1", "1.5", "1e3", "ten", " 3", "٣", "²", "1000000", "9" * 4000])
def test_top_that_is_no_number_of_labels_is_refused(client: httpx.Client, top: str) -> None:
    answer = send(client, SEVEN, top=top)
    check_error(answer, 422, "'top'")
    assert len(answer.text) < 300


def test_picture_the_network_saw_comes_only_when_asked_for(client: httpx.Client) -> None:
    assert "seen" not in send(client, SEVEN).json()
    seen = send(client, SEVEN, seen="1").json()["seen"]
    picture = Image.open(io.BytesIO(b64decode(seen.removeprefix("data:image/png;base64,"))))
    assert (picture.size, picture.mode) == ((28, 28), "L")
    assert np.asarray(picture).max() > 200


def test_every_model_on_offer_answers_under_its_name(client: httpx.Client) -> None:
    for model in client.get("/models").json():
        body = send(client, SEVEN, model=model["name"]).json()
        assert body["model"] == model["name"]
        assert body["label"] == "7" or "7" not in body["probabilities"]


def test_a_blank_sheet_is_rejected_as_blank(client: httpx.Client) -> None:
    body = send(client, encoded(Image.new("RGB", (280, 280), "white"))).json()
    assert (body["rejected"], body["reason"], body["confidence"]) == (True, "blank", 0)


def test_address_without_the_last_slash_answers_too(client: httpx.Client) -> None:
    assert client.post("/predict", files={"file": SEVEN}).json()["label"] == "7"


def odd_pictures() -> dict[str, bytes]:
    """Unusual, but all show a 7."""
    seven = picture_of("7")
    grey = np.asarray(seven.convert("L"))
    clear = seven.convert("RGBA")
    clear.putalpha(Image.fromarray(255 - grey))  # paper is transparent, its hidden colour is black
    palette = seven.quantize(2)
    lightest = max(range(2), key=lambda index: sum(palette.getpalette()[3 * index : 3 * index + 3]))
    turned = seven.rotate(90, expand=True)
    exif = turned.getexif()
    exif[0x0112] = 6
    blank = Image.new("L", (280, 280), 255)
    return {
        "cmyk.jpg": encoded(seven.convert("CMYK"), "JPEG"),
        "16 bit.png": encoded(Image.fromarray(grey.astype(np.uint16) * 257)),
        "transparent.png": encoded(clear),
        "palette with transparency.png": encoded(palette, transparency=lightest),
        "animated.gif": encoded(seven.convert("L"), "GIF", save_all=True, append_images=[blank, blank]),
        "turned by exif.jpg": encoded(turned, "JPEG", exif=exif),
        "webp": encoded(seven, "WEBP"),
        "bmp": encoded(seven, "BMP"),
        "tiff": encoded(seven, "TIFF"),
        "one bit.png": encoded(seven.convert("1")),
        "4000 pixels.jpg": encoded(seven.resize((4000, 4000)), "JPEG"),
    }


@pytest.mark.parametrize("name", odd_pictures())
def test_odd_picture_is_read_right(client: httpx.Client, name: str) -> None:
    body = send(client, odd_pictures()[name]).json()
    assert body.get("label") == "7", body


# Wrong pictures


def bomb() -> bytes:
    """A PNG of 13 000 x 13 000 pixels in a few kilobytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 13_000, 13_000, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(13_000 // 8 + 1) * 13_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


JPEG = encoded(picture_of("7"), "JPEG")
BAD_PICTURES = {
    "empty": (b"", 400),
    "half a PNG": (SEVEN[: len(SEVEN) // 2], 400),
    "half a JPEG": (JPEG[: len(JPEG) // 2], 400),
    "PNG without pixels": (SEVEN[:16] + bytes(8) + SEVEN[24:], 400),
    "only a signature": (SEVEN[:8], 400),
    "bomb": (bomb(), 413),
    "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', 415),
    "text named .png": (b"seven", 415),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3", 415),
    "noise": (bytes(range(256)) * 40, 415),
}


@pytest.mark.parametrize("name", BAD_PICTURES)
def test_bad_picture_is_refused_with_a_hint_and_the_server_goes_on(client: httpx.Client, name: str) -> None:
    data, status = BAD_PICTURES[name]
    check_error(send(client, data), status)
    assert send(client, SEVEN).json()["label"] == "7"


def test_bomb_does_not_cost_memory(client: httpx.Client, demo: Server) -> None:
    def resident() -> int:
        with open(f"/proc/{demo.process.pid}/statm", encoding="ascii") as file:  # noqa: PTH123
            return int(file.read().split()[1]) * 4096

    before = resident()
    for _ in range(3):
        send(client, bomb())
    assert resident() - before < 50e6


# Wrong forms


@pytest.mark.parametrize(
    ("files", "fields", "said"),
    [
        ({"image": SEVEN}, {}, "'image'"),
        ({}, {"model": "x"}, "no pictures"),
        ([("file", SEVEN), ("file", SEVEN)], {}, "2 pictures"),
        ({"file": SEVEN}, {"modle": "digits"}, "'modle'"),
        ({"file": SEVEN}, {"model": "no-such-model"}, "no-such-model"),
        ({"file": SEVEN, "model": b"digits"}, {}, "'model'"),
    ],
)
def test_wrong_field_is_named(client: httpx.Client, files: object, fields: dict[str, str], said: str) -> None:
    form = files if isinstance(files, list) else list(files.items())  # type: ignore[attr-defined]
    parts = [*form, *[(name, (None, value)) for name, value in fields.items()]]
    check_error(client.post("/predict/", files=parts), 422, said)


def test_unknown_model_lists_the_known_ones(client: httpx.Client) -> None:
    hint = send(client, SEVEN, model="x").json()["hint"]
    assert all(model["name"] in hint for model in client.get("/models").json())


@pytest.mark.parametrize("text", ["/etc/hostname", "http://127.0.0.1:1/x.png", "data:image/png;base64,AAAA"])
def test_text_in_place_of_a_file_is_never_opened(client: httpx.Client, text: str) -> None:
    check_error(client.post("/predict/", files={"file": (None, text)}), 422, "text, not a file")


def test_body_that_is_no_form_is_415_and_says_how(client: httpx.Client) -> None:
    for kind in ("application/json", "image/png", "application/x-www-form-urlencoded"):
        check_error(client.post("/predict/", content=SEVEN, headers={"Content-Type": kind}), 415, "curl -F")
    check_error(client.post("/predict/"), 415)


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=zzz"])
def test_broken_form_is_400(client: httpx.Client, kind: str) -> None:
    check_error(client.post("/predict/", content=b"--abc\r\nnonsense", headers={"Content-Type": kind}), 400)


@pytest.mark.parametrize("size", [LIMIT + 2**16, 2 * LIMIT])
def test_picture_over_the_limit_is_413_with_and_without_a_declared_length(client: httpx.Client, size: int) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.png"\r\n\r\n'
    kind = {"Content-Type": "multipart/form-data; boundary=b"}

    def pieces() -> Iterator[bytes]:
        yield head
        for _ in range(size // 2**16):
            yield bytes(2**16)
        yield b"\r\n--b--\r\n"

    check_error(client.post("/predict/", content=pieces(), headers=kind), 413, "20 MB")
    check_error(client.post("/predict/", content=b"".join(pieces()), headers=kind), 413, "20 MB")


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        (b"name=file; filename*=UTF-8''%EC%A7%80%EB%AF%BC%207.png", "지민 7.png"),
        (b"name=file; filename*=utf-8'ko'%EC%A7%80%EB%AF%BC.png", "지민.png"),
        (b'name="file"; filename*="UTF-8\'\'%EC%A7%80%EB%AF%BC.png"', "지민.png"),
        (b"filename*=UTF-8''7.png ; Name=file", "7.png"),
        (b"name=\"file\"; FILENAME*=ISO-8859-1'en'%A3%20rates.png", "£ rates.png"),
        (b"name=file; filename*=EUC-KR''%C7%D1.png", "한.png"),
        (b"name=file; filename*0*=UTF-8''%EC%A7%80; filename*1=\"min.png\"", "지min.png"),
        (b"name*=UTF-8''file; filename*=UTF-8''%22quoted%22%5C.png", '"quoted"\\.png'),
        (b"name=file; filename=plain.png; filename*=UTF-8''%EC%A7%80.png", "plain.png"),
        (b"name=file; filename*=UTF-8''%EC%A7%80.png; filename=plain.png", "plain.png"),
        (b"name=file; filename*=UTF-8''%ZZ%ff.png", "%ZZ\ufffd.png"),
        (b"name=file; filename*=no-such-set''%C7.png", "\u00c7.png"),
        (b"name=file; filename*=7.png", "7.png"),
    ],
)
def test_name_of_a_file_may_be_encoded_for_other_scripts(client: httpx.Client, disposition: bytes, name: str) -> None:
    body = b"--b\r\nContent-Disposition: form-data; " + disposition + b"\r\n\r\n" + SEVEN + b"\r\n--b--\r\n"
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    assert client.post("/predict/", content=body, headers=kind).json()["label"] == "7"
    batch = client.post("/predict/batch", content=body, headers=kind)
    assert [(one["name"], one["label"]) for one in batch.json()["results"]] == [(name, "7")]


@pytest.mark.parametrize(
    "disposition",
    [
        b"name=file; filename*=idna''%C7.png",
        b"name=file; filename*=undefined''%C7.png",
        b"name=file; filename*" + b"9" * 5000 + b"=7.png",
        b"name=file; " + b"filename*0=a; " * 500,
        b"name=model; filename*=UTF-8''7.png",
    ],
)
def test_name_that_cannot_be_read_is_no_fault_of_the_server(client: httpx.Client, disposition: bytes) -> None:
    body = b"--b\r\nContent-Disposition: form-data; " + disposition + b"\r\n\r\n" + SEVEN + b"\r\n--b--\r\n"
    answer = client.post("/predict/", content=body, headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert answer.status_code in (400, 422)
    assert set(answer.json()) == {"error", "hint"}


# Many at once


def test_thirty_two_clients_with_good_and_bad_pictures_each_get_their_own_answer(demo: Server) -> None:
    wanted = {digit: encoded(picture_of(digit)) for digit in "037"} | {"bad": b"x"}

    def ask(number: int) -> bool:
        name = list(wanted)[number % len(wanted)]
        # Without certificates: reading them would take longer than the answer.
        with httpx.Client(base_url=demo.address, timeout=60, trust_env=False, verify=False) as client:
            answer = send(client, wanted[name])
        return answer.status_code == 415 if name == "bad" else answer.json()["label"] == name

    with ThreadPoolExecutor(32) as pool:
        assert all(pool.map(ask, range(96)))


def test_clients_that_stop_in_the_middle_do_not_hold_up_others(client: httpx.Client, demo: Server) -> None:
    head = b"POST /predict/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    slow = []
    for length in (b"5000", b"5000", b"20000000"):
        connection = socket.create_connection(("127.0.0.1", demo.port))
        begun = b'\r\n\r\n--b\r\nContent-Disposition: form-data; name="f'
        connection.sendall(head + b"Content-Length: " + length + begun)
        slow.append(connection)
    slow[0].close()  # one leaves, two wait
    for _ in range(5):
        assert send(client, SEVEN).json()["label"] == "7"
    for connection in slow:
        connection.close()
    assert client.get("/health").json()["status"] == "ok"
