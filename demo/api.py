"""The REST API of the demo: `POST /predict/` and `/predict/batch`, `GET /models`, `GET /health`.

The page uses the same routes as everybody else, so there is one path through the code, with one set of limits, for a
stroke on the canvas and for a program's request. Nothing that is sent here is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import nlargest
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from PIL import Image
from starlette.requests import Request
from starlette.responses import Response

from demo import batch
from demo.answers import json_answer, png_url
from demo.metrics import Metrics
from demo.publishing import Publishing
from demo.schema import BATCH_DOCUMENTATION, ERRORS, HEALTH_EXAMPLE, MODELS_EXAMPLE, PREDICT_DOCUMENTATION
from demo.shelf import Shelf, Workers
from demo.uploads import read_picture_form
from handwriter_models.classifier import Classifier, Prediction
from handwriter_models.images import Limits

if TYPE_CHECKING:
    from demo.feedback import Feedback


@dataclass(frozen=True)
class Service:
    """What the routes need: models, threads, a picture's limits, where corrections go, numbers, who publishes."""

    shelf: Shelf
    workers: Workers
    limits: Limits = field(default_factory=Limits)
    feedback: Feedback | None = None
    metrics: Metrics = field(default_factory=Metrics)
    publishing: Publishing = field(default_factory=Publishing)

    def answer(
        self, classifier: Classifier, picture: bytes, seen: bool = False, top: int | None = None
    ) -> dict[str, Any]:
        """What a model says of a picture, as JSON types; for threads. Raises `PictureError` as `read_picture` does."""
        prediction = classifier.predict(picture)
        self.metrics.answered(prediction.model, prediction.milliseconds)
        return as_json(prediction, seen, top)


def api_routes(service: Service) -> APIRouter:
    """The four routes; each answers with and without a slash at its end, only one of which is documented."""
    router = APIRouter(tags=["HandWriter"])

    async def predict(request: Request) -> Response:
        """Says which character a picture shows."""
        form = await read_picture_form(request, service.limits.bytes)
        try:
            classifier = service.shelf.get(form.model).classifier
            return await service.workers.run(
                lambda: json_answer(service.answer(classifier, form.file.file.read(), form.seen, form.top))
            )
        finally:
            await form.file.close()

    async def predict_batch(request: Request) -> Response:
        """Says it of several pictures; one that cannot be read has an error in its place."""
        return json_answer({"results": await batch.answers(service, request)})

    async def models() -> Response:
        """The models this server offers."""
        return json_answer(service.shelf.summaries())

    async def health() -> Response:
        """Whether the server is up, and with which models."""
        return json_answer({"status": "ok", "models": service.shelf.names})

    router.post("/predict/", responses=ERRORS, openapi_extra=PREDICT_DOCUMENTATION)(predict)
    router.post("/predict/batch", responses=ERRORS, openapi_extra=BATCH_DOCUMENTATION)(predict_batch)
    router.get("/models", responses=MODELS_EXAMPLE)(models)
    router.get("/health", responses=HEALTH_EXAMPLE)(health)
    router.post("/predict", include_in_schema=False)(predict)
    router.post("/predict/batch/", include_in_schema=False)(predict_batch)
    router.get("/models/", include_in_schema=False)(models)
    router.get("/health/", include_in_schema=False)(health)
    return router


def as_json(prediction: Prediction, seen: bool = False, top: int | None = None) -> dict[str, Any]:
    """The answer as JSON types.

    `seen` adds the 28x28 picture the network was given, as a PNG data URL. `top` leaves only that many probabilities,
    the largest first: those of thousands of labels are most of an answer's bytes.
    """
    answer = {**prediction.to_json(), "reason": prediction.reason}
    if top is not None:
        answer["probabilities"] = dict(nlargest(top, prediction.probabilities.items(), key=itemgetter(1)))
    if seen:
        answer["seen"] = png_url(Image.fromarray(prediction.seen))
    return answer
