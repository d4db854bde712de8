"""How the tests of the API ask, and what every error must look like."""

from __future__ import annotations

import httpx


def send(client: httpx.Client, data: bytes, **fields: str) -> httpx.Response:
    return client.post("/predict/", files={"file": ("picture.png", data)}, data=fields)


def check_error(answer: httpx.Response, status: int, said: str = "") -> None:
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert set(body) == {"error", "hint"}
    assert body["error"]
    assert body["hint"]
    assert said in answer.text
