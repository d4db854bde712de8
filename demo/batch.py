"""`POST /predict/batch`: several pictures in one request, each with its answer or its own error.

They are answered one after the other by one thread, so that a long list takes one place in the queue and leaves the
other threads to people who draw. A picture that cannot be read costs its neighbours nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.datastructures import UploadFile
from starlette.requests import Request

from demo.rate_limit import charge
from demo.uploads import FormRules, pictures_of, read_form, text_of, top_of
from handwriter_models.errors import item_error

if TYPE_CHECKING:
    from demo.api import Service
    from handwriter_models.classifier import Classifier

FIELDS = ("file", "model", "top")
MOST = 32  # pictures a request


def rules(limit: int) -> FormRules:
    """What a request may hold: 32 pictures, in all twice the bytes of the largest single one."""
    return FormRules(2 * limit, FIELDS, MOST)


async def answers(service: Service, request: Request) -> list[dict[str, Any]]:
    """In the order of the pictures: the answer, or `{"name", "error", "hint"}`."""
    form = await read_form(request, rules(service.limits.bytes))
    try:
        pictures, top = pictures_of(form), top_of(form)
        charge(request.scope, len(pictures) - 1)
        classifier = service.shelf.get(text_of(form, "model")).classifier
        return await service.workers.run(lambda: [_answer(service, classifier, one, top) for one in pictures])
    finally:
        await form.close()


def _answer(service: Service, classifier: Classifier, picture: UploadFile, top: int | None) -> dict[str, Any]:
    name = {"name": picture.filename or ""}
    try:
        return {**name, **service.answer(classifier, picture.file.read(), top=top)}
    except Exception as error:
        fault = item_error(error, picture.filename)
        return {**name, "error": fault.what, "hint": fault.hint}
