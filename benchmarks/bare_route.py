"""The peer of serve.py: the shortest FastAPI route around the same network, as one would write it in an afternoon.

The same ink preparation, the same bundle and the same torch setting; no limits, no checks, no page, no documentation.
Two versions, because neither is the faster everywhere: `/inline` works in the event loop, `/thread` in a thread.
"""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path
from typing import Annotated

sys.path[0] = str(Path(__file__).resolve().parent.parent)

import torch
import uvicorn
from fastapi import FastAPI, File
from PIL import Image

from handwriter_models import load
from handwriter_models.ink import prepare


def bare_app(model: str) -> FastAPI:
    """The application with its two routes."""
    torch.set_num_threads(1)
    classifier = load(model)
    app = FastAPI()

    def answer(file: bytes) -> dict[str, float]:
        ink = prepare(Image.open(io.BytesIO(file)).convert("RGB"))
        probabilities, _ = classifier.scores(ink.pixels[None])
        return dict(zip(classifier.labels, probabilities[0].tolist(), strict=True))

    @app.post("/inline")
    async def inline(file: Annotated[bytes, File()]) -> dict[str, float]:
        return answer(file)

    @app.post("/thread")
    def thread(file: Annotated[bytes, File()]) -> dict[str, float]:
        return answer(file)

    @app.get("/health")
    def health() -> str:
        return "ok"

    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="digits")
    parser.add_argument("--port", type=int, default=7861)
    options = parser.parse_args()
    uvicorn.run(bare_app(options.model), host="127.0.0.1", port=options.port, log_level="warning", access_log=False)
