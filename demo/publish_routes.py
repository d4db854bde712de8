"""`POST /publish`: a model of the shelf, or one that was just taught, as a repository on the Hugging Face Hub.

`demo.publishing` says whose token is used. A visitor of a Space publishes what he taught, and the models that are
public anyway (those bundled with this project): others may be private, and are not his to give away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request

from demo.api import Service
from demo.publishing import KEY_HEADER, LOGIN, Publishing, Who, publish_allowed, token_for
from demo.schema import ERRORS
from handwriter_models.bundle import BUNDLED
from handwriter_models.errors import UserError
from handwriter_models.hub.publish import publish_bundle
from handwriter_models.hub.space import SpaceOrder, check_space, publish_space

_AT_ONCE, _MOST_JSON = 2, 64 * 1024
Taught = Callable[[str, str, Path], Awaitable[Path]]


class Order(BaseModel):
    """What to publish, and where: a model of the shelf, or the session of a Teach page."""

    model_config = ConfigDict(extra="forbid", strict=True)
    repo: str = Field(
        description="user/name, or name for your own", min_length=1, max_length=96, examples=["ana/digits"]
    )
    model: str = Field("", description="name of a model, see GET /models", max_length=200)
    session: str = Field("", description="of the Teach page, instead of a model", max_length=200)
    private: bool = False
    space: Literal["", "gradio", "zerogpu", "static"] = Field(
        "", description="also a Space of this kind that serves it"
    )


class Place(BaseModel):
    """A repository, and what this request has changed in it."""

    url: str
    repo: str
    commit: str
    changed: list[str]


class Done(Place):
    """Where the model is, and its Space."""

    space: Place | None = None
    space_error: str = Field("", description="why there is no Space although one was asked for; the model is there")


class Terms(BaseModel):
    """Whether this visitor may publish, and what for."""

    who: Who | None = Field(description="whose token would be used; null: none, publishing is refused")
    key: bool = Field(description=f"the header {KEY_HEADER} is asked for, with the key that the terminal shows")
    login: str | None = Field(description="where a visitor of a Space logs in first")


_ERRORS: dict[int | str, dict[str, Any]] = {
    **{status: ERRORS[status] for status in (408, 413, 422, 429, 503)},
    401: {**ERRORS[422], "description": "you are not logged in"},
    403: {**ERRORS[422], "description": "publishing is not for you, or the Hub does not let you write there"},
    404: {**ERRORS[422], "description": "there is no such session"},
    409: {**ERRORS[422], "description": "nothing was learned yet, or the repository is something else"},
}
_DOCUMENTATION: dict[str, Any] = {
    "parameters": [{"name": KEY_HEADER, "in": "header", "schema": {"type": "string"}}],
    "requestBody": {"required": True, "content": {"application/json": {"schema": Order.model_json_schema()}}},
}


def publish_routes(service: Service, publishing: Publishing, taught: Taught | None = None) -> APIRouter:
    """The routes; `taught` writes what a Teach session has learned: session, name, where to; returns the bundle."""
    router = APIRouter(tags=["Publish"])
    free = asyncio.Semaphore(_AT_ONCE)

    async def terms(request: Request) -> Terms:
        """Whether you may publish from here."""
        who = publish_allowed(publishing, request)
        login = LOGIN if publishing.space and who is None else None
        return Terms(who=who, key=who == "owner", login=login)

    async def publish(request: Request) -> Done:
        """Publishes a model on the Hugging Face Hub; answers when it is there."""
        token, who = token_for(publishing, request)
        order = await _order(request)
        if free.locked():
            raise UserError("others are publishing just now", "try again in a minute", 503)
        async with free:
            # Of this request alone: a session may end while its bundle is sent.
            with TemporaryDirectory(prefix="handwriter-publish-") as work:
                folder = await _folder(service, order, who, taught, Path(work))
                return await asyncio.to_thread(_published, folder, order, token)

    router.get("/publish")(terms)
    router.post("/publish", responses=_ERRORS, openapi_extra=_DOCUMENTATION)(publish)
    return router


async def _order(request: Request) -> Order:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _MOST_JSON:
            raise UserError("the order is too long", "send a few fields of JSON", 413)
    try:
        return Order.model_validate_json(bytes(body))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the order"
        raise UserError(f"{where}: {first['msg']}", 'send {"repo": "user/name", "model": "digits"}', 422) from error


def _published(folder: Path, order: Order, token: str) -> Done:
    if order.space:
        check_space(order.space)
    model = publish_bundle(folder, order.repo, token=token, private=order.private, tell=_quiet)
    if not order.space:
        return Done(**model.to_json())
    wish = SpaceOrder(order.space, folder, model)
    try:
        space = publish_space(wish, token=token, private=order.private, tell=_quiet)
    except UserError as error:  # the model is on the Hub by now, and that must be said
        return Done(**model.to_json(), space_error="; ".join(filter(None, (error.what, error.hint))))
    return Done(**model.to_json(), space=Place(**space.to_json()))


def _quiet(_: str) -> None:
    """The server's log is not for what visitors do on the Hub."""


async def _folder(service: Service, order: Order, who: Who, taught: Taught | None, work: Path) -> Path:
    if order.session:
        if taught is None:
            raise UserError("nothing is taught on this server", "name a model", 404)
        return await taught(order.session, order.repo.split("/")[-1], work)
    folder = service.shelf.get(order.model).folder
    if who == "visitor" and not folder.resolve().is_relative_to(BUNDLED.resolve()):
        raise UserError("this model is not yours to publish", "publish what you taught yourself", 403)
    return folder
