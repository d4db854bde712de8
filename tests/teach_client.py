"""A visitor of the Teach page as a program: opens a session, adds classes and pictures, waits until all is learned."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import httpx
import numpy as np
from PIL import Image

from tests.characters import encoded
from training import strokes

Json = dict[str, Any]


def drawings(digit: str, count: int, seed: int = 0) -> list[bytes]:
    """PNGs of one digit as a hand draws it again and again: in several styles, bent, with another pen each time."""
    random = np.random.default_rng((seed, int(digit)))
    return [_drawn(int(digit), random) for _ in range(count)]


def _drawn(digit: int, random: np.random.Generator) -> bytes:
    lines = strokes.bent(strokes.drawn_digit(digit, random), random, 0.5)
    return encoded(Image.fromarray(strokes.paint(lines, 0.07, 160, random)).convert("RGB"))


class Visitor:
    """One session."""

    def __init__(self, client: httpx.Client, kind: str = "handwriting") -> None:
        opened = client.post("/teach/api/sessions", json={"kind": kind})
        assert opened.status_code == 201, opened.text
        self.client, self.name = client, opened.json()["session"]
        self.headers = {"X-Teach-Session": self.name}

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self.client.request(method, f"/teach/api/{path}", headers=self.headers, **more)

    def add_class(self, name: str) -> str:
        made = self.ask("POST", "classes", json={"name": name})
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    def add(self, one: str, pictures: Sequence[bytes], burst: str = "") -> list[Json]:
        """What was said of each picture."""
        files = [("file", (f"{number}.png", data)) for number, data in enumerate(pictures)]
        answer = self.ask("POST", f"classes/{one}/samples", files=files, data={"burst": burst})
        assert answer.status_code == 200, answer.text
        return list(answer.json()["added"])

    def state(self) -> Json:
        return dict(self.ask("GET", "session").json())

    def settled(self, seconds: float = 60) -> Json:
        """The state once everything is learned."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            state = self.state()
            if not state["busy"]:
                return state
            time.sleep(0.06)
        raise AssertionError(f"not learned in {seconds} s: {state}")

    def predict(self, picture: bytes) -> Json:
        answer = self.ask("POST", "predict", files={"file": ("p.png", picture)})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def teach(self, classes: dict[str, str], count: int = 8) -> dict[str, str]:
        """Classes by name, each with drawings of a digit; the ids by name."""
        ids = {name: self.add_class(name) for name in classes}
        for name, digit in classes.items():
            assert all("id" in added for added in self.add(ids[name], drawings(digit, count)))
        return ids
