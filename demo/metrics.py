"""`GET /metrics`: what the server does, in the text that Prometheus reads.

Written by hand: four families of numbers do not need a package. Names of routes come from a fixed list, so that
nobody can make the table grow by asking for addresses that are not there. Nothing here says what was in a picture.
Format: https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4.
"""

from __future__ import annotations

import os
import re
import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.refusals import route_path

_BOUNDS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_ROUTES = re.compile(
    r"/(predict/batch|predict|explain|feedback|models|health|settings|metrics|docs|openapi\.json|page|examples|teach"
    r"|publish|gradio_api|assets|static)(?:/|$)"
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_KIND = "text/plain; version=0.0.4; charset=utf-8"


class Histogram:
    """How many values lie below each bound, their number and their sum. Seconds."""

    def __init__(self) -> None:
        self.counts = [0] * (len(_BOUNDS) + 1)
        self.sum = 0.0

    def add(self, seconds: float) -> None:
        """One more value."""
        self.counts[bisect_left(_BOUNDS, seconds)] += 1
        self.sum += seconds

    def lines(self, name: str, labels: str) -> Iterator[str]:
        """The family's lines; each bucket holds those below it too, as the format wants."""
        total = 0
        for bound, count in zip((*_BOUNDS, "+Inf"), self.counts, strict=True):
            total += count
            yield f'{name}_bucket{{{labels},le="{bound}"}} {total}'
        yield f"{name}_sum{{{labels}}} {self.sum:.6f}"
        yield f"{name}_count{{{labels}}} {total}"


class Metrics:
    """The numbers of one process. Predictions are counted by threads, answers by the event loop alone."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str, int]] = Counter()
        self.predictions: dict[str, Histogram] = {}
        self._counting = threading.Lock()
        self._started = time.time()

    def answered(self, model: str, milliseconds: float) -> None:
        """One prediction, with its time inside the server: decoding, preparing, network."""
        with self._counting:
            self.predictions.setdefault(model, Histogram()).add(milliseconds / 1000)

    def text(self, gauges: Mapping[str, float], models: Mapping[str, int]) -> str:
        """All of it; `models` are names with their number of labels."""
        return "\n".join([*self._lines(gauges, models), ""])

    def _lines(self, gauges: Mapping[str, float], models: Mapping[str, int]) -> Iterator[str]:
        yield from _head("handwriter_requests_total", "counter", "Answers by route, method and status.")
        for (route, method, status), count in sorted(self.requests.items()):
            yield f'handwriter_requests_total{{route="{route}",method="{method}",status="{status}"}} {count}'
        name = "handwriter_prediction_seconds"
        yield from _head(name, "histogram", "Time of a prediction: decoding, preparing, network.")
        for model, histogram in sorted(self.predictions.items()):
            yield from histogram.lines(name, f'model="{_escaped(model)}"')
        yield from _head("handwriter_model_labels", "gauge", "Labels of each model on offer.")
        for model, count in models.items():
            yield f'handwriter_model_labels{{model="{_escaped(model)}"}} {count}'
        own = {"process_resident_memory_bytes": resident_bytes(), "process_start_time_seconds": self._started}
        for gauge, value in {**gauges, **own}.items():
            yield from _head(gauge, "gauge", gauge.replace("_", " ").capitalize() + ".")
            yield f"{gauge} {value:.15g}"


class Counted:
    """The layer that counts answers. It stands outside all others, so that what they refuse is counted too."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._requests = app, metrics.requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Notes the status of each answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                method = scope["method"] if scope["method"] in _METHODS else "other"
                self._requests[_route(route_path(scope)), method, message["status"]] += 1
            await send(message)

        await self._app(scope, receive, noted)


def metrics_routes(
    metrics: Metrics, gauges: Callable[[], Mapping[str, float]], models: Callable[[], Mapping[str, int]]
) -> APIRouter:
    """The route; gauges and models are asked for at each call."""
    router = APIRouter(tags=["The server"])

    async def numbers() -> Response:
        """What the server has done, for Prometheus.

        `curl http://127.0.0.1:7860/metrics`
        """
        return Response(metrics.text(gauges(), models()), media_type=_KIND)

    router.get("/metrics", response_class=Response, responses=_TEXT)(numbers)
    return router


_TEXT: dict[int | str, dict[str, object]] = {
    200: {
        "description": "Prometheus text, version 0.0.4",
        "content": {"text/plain": {"schema": {"type": "string"}, "example": "handwriter_pictures_waiting 0\n"}},
    }
}


def resident_bytes() -> float:
    """Memory of this process as the system counts it; 0 where it cannot be read."""
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0.0


def _route(path: str) -> str:
    found = _ROUTES.match(path)
    return f"/{found[1]}" if found else "/" if path in ("", "/") else "other"


def _head(name: str, kind: str, words: str) -> Iterator[str]:
    yield f"# HELP {name} {words}"
    yield f"# TYPE {name} {kind}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
