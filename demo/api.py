"""The REST API of the demo: `POST /predict/`, `GET /models`, `GET /health`.

The page uses the same routes as everybody else, so there is one path through the code, with one set of limits, for a
stroke on the canvas and for a program's request. Nothing that is sent is kept.
"""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, field
from typing import Any

import orjson
from fastapi import APIRouter
from PIL import Image
from starlette.requests import Request
from starlette.responses import Response

from demo.schema import ERRORS, PREDICT_DOCUMENTATION
from demo.shelf import Shelf, Shelved, Workers
from demo.uploads import PictureForm, read_picture_form
from handwriter_models.classifier import Prediction
from handwriter_models.images import Limits


@dataclass(frozen=True)
class Service:
    """What the routes need: the models, the threads, the limits of a picture."""

    shelf: Shelf
    workers: Workers
    limits: Limits = field(default_factory=Limits)


def api_routes(service: Service) -> APIRouter:
    """The three routes; each answers with and without a slash at its end, only one of which is documented."""
    router = APIRouter(tags=["HandWriter"])

    async def predict(request: Request) -> Response:
        """Says which character a picture shows."""
        form = await read_picture_form(request, service.limits.bytes)
        try:
            model = service.shelf.get(form.model)
            return await service.workers.run(lambda: _answer(model, form))
        finally:
            await form.file.close()

    async def models() -> Response:
        """The models this server offers."""
        return _json(service.shelf.summaries())

    async def health() -> Response:
        """Whether the server is up, and with which models."""
        return _json({"status": "ok", "models": service.shelf.names})

    router.post("/predict/", responses=ERRORS, openapi_extra=PREDICT_DOCUMENTATION)(predict)
    router.get("/models")(models)
    router.get("/health")(health)
    router.post("/predict", include_in_schema=False)(predict)
    router.get("/models/", include_in_schema=False)(models)
    router.get("/health/", include_in_schema=False)(health)
    return router


def _answer(model: Shelved, form: PictureForm) -> Response:
    return _json(as_json(model.classifier.predict(form.file.file.read()), form.seen))


def as_json(prediction: Prediction, seen: bool = False) -> dict[str, Any]:
    """The answer as JSON types; `seen` adds the 28x28 picture the network was given, as a PNG data URL."""
    answer = {**prediction.to_json(), "reason": prediction.reason}
    if seen:
        answer["seen"] = _png(prediction)
    return answer


def _png(prediction: Prediction) -> str:
    file = io.BytesIO()
    Image.fromarray(prediction.seen).save(file, "PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def _json(value: object) -> Response:
    return Response(orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")
