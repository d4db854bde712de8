"""The one shape of an error over HTTP, `{"error", "hint"}`, for routes and for the layers around them."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from handwriter_models.errors import UserError

_SOON = 2  # seconds after which a full queue is worth another try


class TryLaterError(UserError):
    """What is refused now and not for ever; `seconds` says when it is worth another try."""

    def __init__(self, what: str, hint: str, status: int, seconds: float) -> None:
        super().__init__(what, hint, status)
        self.seconds = max(1, ceil(seconds))


def refusal(error: UserError, headers: Mapping[str, str] | None = None) -> Response:
    """The answer that says it, with `Retry-After` where waiting helps."""
    seconds = error.seconds if isinstance(error, TryLaterError) else _SOON if error.status == 503 else 0
    waiting = {"Retry-After": str(seconds)} if seconds else {}
    return refused(error.status, error.what, error.hint, {**waiting, **(headers or {})})


def refused(status: int, what: str, hint: str, headers: Mapping[str, str] | None = None) -> Response:
    """The answer with this status."""
    return JSONResponse({"error": what, "hint": hint}, status, headers)


def route_path(scope: Scope) -> str:
    """The path by which a route is known, without the prefix below which a proxy shows the server."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))
