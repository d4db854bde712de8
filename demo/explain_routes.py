"""`POST /explain/`: why a model says what it says of a picture, as two pictures and a few numbers.

The work is that of `handwriter_models.explain`: some 50 ms for handwriting on one core, a forward and a backward pass
for photographs. It waits in the same bounded queue as predictions, so a rush of questions is refused, not piled up.
Nothing that is sent is kept. It does not say whether an answer is right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from demo.answers import json_answer, png_url
from demo.schema import ERRORS, EXPLAIN_DOCUMENTATION
from demo.uploads import read_picture_form

if TYPE_CHECKING:
    from demo.api import Service
    from handwriter_models.explain import Explanation

FIELDS = ("file", "model", "label")


def explain_routes(service: Service) -> APIRouter:
    """The route, with and without a slash at its end, only one of which is documented."""
    from handwriter_models.explain import explain as explained

    router = APIRouter(tags=["HandWriter"])

    async def explain(request: Request) -> Response:
        """Says where in a picture the evidence for a label lies."""
        form = await read_picture_form(request, service.limits.bytes, FIELDS)
        try:
            classifier = service.shelf.get(form.model).classifier
            return await service.workers.run(
                lambda: json_answer(as_json(explained(classifier, form.file.file.read(), form.label)))
            )
        finally:
            await form.file.close()

    router.post("/explain/", responses=ERRORS, openapi_extra=EXPLAIN_DOCUMENTATION)(explain)
    router.post("/explain", include_in_schema=False)(explain)
    return router


def as_json(found: Explanation) -> dict[str, Any]:
    """The answer as JSON types; pictures are PNG data URLs, `strokes` is null where there are none to show.

    `support` holds one number a stroke: the confidence in the label that is lost without it, -1..1.
    """
    from handwriter_models.overlays import overlay, stroke_overlay

    seen = found.prediction.seen
    return {
        "model": found.prediction.model,
        "label": found.label,
        "confidence": found.confidence,
        "method": found.method,
        "heat": png_url(overlay(seen, found.heat)),
        "strokes": png_url(stroke_overlay(seen, found.strokes)) if found.strokes else None,
        "support": [round(one.support, 4) for one in found.strokes],
    }
