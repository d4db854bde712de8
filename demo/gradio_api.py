"""`/predict` for `gradio_client`: the same answer as `POST /predict/`, through Gradio's queue.

    from gradio_client import Client, handle_file
    Client("http://127.0.0.1:7860").predict(handle_file("seven.png"), "digits", api_name="/predict")

It is slower than the plain route (the client alone waits 100 ms) and is there for programs that speak Gradio already.
The picture comes as an upload (see gradio_gate), is read once and deleted.
"""

from __future__ import annotations

from typing import Any

import gradio

from demo.api import Service
from demo.gradio_gate import Uploads
from handwriter_models.errors import UserError

_WAITING = 64  # calls in Gradio's queue; one more is told that it is full
_AT_ONCE = 8


def add_predict(blocks: gradio.Blocks, service: Service, uploads: Uploads) -> None:
    """Gives the page's application the endpoint and a bounded queue."""

    async def predict(picture: dict[str, Any], model: str = "") -> dict[str, Any]:
        """Says which label a picture shows: label, confidence, probabilities, rejected, reason."""
        try:
            classifier = service.shelf.get(model or None).classifier
            data = uploads.take(picture.get("path") if isinstance(picture, dict) else None)
            return await service.workers.run(lambda: service.answer(classifier, data))
        except UserError as error:
            raise gradio.Error(f"{error.what}; {error.hint}", print_exception=False) from error

    with blocks:
        gradio.api(predict, api_name="predict", concurrency_limit=_AT_ONCE)
    blocks.queue(max_size=_WAITING, status_update_rate="auto")
