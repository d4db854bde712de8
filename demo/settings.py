"""`GET /settings`: which parts of this server are switched on, so that the page shows no button that is refused."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request

from demo.publishing import Publishing, publish_allowed


class Settings(BaseModel):
    """What the page asks for when it starts."""

    feedback: bool = Field(description="corrections are stored: POST /feedback/ answers")
    teach: bool = Field(description="the page at /teach is there")
    publish: bool = Field(description="you can publish models from here, see GET /publish")
    limit: int = Field(description="bytes of a picture, at most", examples=[20971520])
    space: bool = Field(description="this runs on a Hugging Face Space")


@dataclass(frozen=True)
class Known:
    """What the settings are read from; `paths` are those of all routes, asked for when all are there."""

    feedback: bool
    limit: int
    paths: Callable[[], Iterable[str]]
    publishing: Publishing = field(default_factory=Publishing)


def settings_routes(known: Known) -> APIRouter:
    """The route."""
    router = APIRouter(tags=["The server"])

    async def settings(request: Request) -> Settings:
        """Which parts of this server are switched on.

        `curl http://127.0.0.1:7860/settings`
        """
        paths = set(known.paths())
        return Settings(
            feedback=known.feedback,
            teach=_has(paths, "/teach"),
            publish=publish_allowed(known.publishing, request) is not None,
            limit=known.limit,
            space=bool(os.environ.get("SPACE_ID")),
        )

    router.get("/settings")(settings)
    return router


def _has(paths: Iterable[str], start: str) -> bool:
    return any(path == start or path.startswith(start + "/") for path in paths)
