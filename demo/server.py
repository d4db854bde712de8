"""One web application: the REST API, its documentation, the model cards and the Gradio page, in one process.

Our routes stand before Gradio, which is mounted at `/` and would otherwise answer for every path. Errors of all of
them have one shape, `{"error", "hint"}`. The page loads nothing from elsewhere, and the headers make browsers hold it
to that.
"""

from __future__ import annotations

import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # gradio reads it at import: no telemetry, no version check

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import gradio
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

from demo.api import Service, api_routes
from demo.cards import card_routes
from demo.docs import docs_routes
from demo.headers import SecurityHeaders
from demo.page import HEAD, build_page
from demo.schema import SUMMARY
from handwriter_models.errors import UserError

HERE = Path(__file__).parent
_METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}
_WHERE = "routes: POST /predict/, GET /models, GET /health, GET /docs, and the page at /"


class CheckedFiles(StaticFiles):
    """Files that a browser asks about before it uses its copy: a new version of the page must not meet old scripts."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401 - starlette's own arguments
        """The file, or "not modified"."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


def build_app(service: Service) -> FastAPI:
    """The whole application, ready for a server."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        service.workers.close()

    app = FastAPI(
        title="HandWriter", version="1", description=SUMMARY, docs_url=None, redoc_url=None, lifespan=lifespan
    )
    app.openapi_version = "3.0.3"  # the newest that the Swagger UI on PyPI can show
    app.add_middleware(SecurityHeaders)
    app.include_router(api_routes(service))
    app.include_router(docs_routes())
    app.include_router(card_routes(service.shelf))
    app.mount("/page", CheckedFiles(directory=HERE / "static"))
    app.mount("/examples", CheckedFiles(directory=HERE / "examples"))
    _answer_other_methods(app)
    _handle_errors(app)
    _mount_page(app, service)
    return app


def _mount_page(app: FastAPI, service: Service) -> None:
    gradio.mount_gradio_app(
        app,
        build_page(service),
        path="/",
        theme=gradio.themes.Base(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]),
        head=HEAD,
        favicon_path=str(HERE / "static" / "favicon.png"),
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size=service.limits.bytes,
        enable_monitoring=False,
        ssr_mode=False,
    )
    mounted: Any = app.routes[-1]
    _handle_errors(mounted.app)


def _answer_other_methods(app: FastAPI) -> None:
    """A known path with a wrong method is a 405 of ours: Gradio, mounted behind, would answer it with a 404."""
    allowed: dict[str, set[str]] = {}
    for path, methods in [pair for route in app.routes for pair in _paths(route)]:
        allowed.setdefault(path, set()).update(methods)
    for path, methods in allowed.items():
        app.router.routes.append(Route(path, _refusal(methods), methods=sorted(_METHODS - methods)))
    # Gradio's own upload route would let anyone fill the disk; the page does not use it.
    app.router.routes.append(Route("/gradio_api/upload", _no_upload, methods=["POST"]))


def _paths(route: Any) -> list[tuple[str, set[str]]]:  # noqa: ANN401 - starlette's and FastAPI's kinds of route
    inner = getattr(getattr(route, "original_router", None), "routes", None)
    if inner is not None:
        return [pair for child in inner for pair in _paths(child)]
    methods = getattr(route, "methods", None)
    return [(route.path, set(methods))] if methods else []


def _refusal(allowed: set[str]) -> Any:  # noqa: ANN401 - an endpoint
    names = ", ".join(sorted(allowed))

    async def refuse(request: Request) -> Response:
        return _error(405, f"{request.method} is not for {request.url.path}", f"use {names}", {"Allow": names})

    return refuse


async def _no_upload(_: Request) -> Response:
    return _error(404, "pictures are not uploaded to Gradio here", "send them to POST /predict/")


def _handle_errors(app: FastAPI) -> None:
    async def user_error(_: Request, error: Exception) -> Response:
        assert isinstance(error, UserError)  # noqa: S101 - registered for it below
        extra = {"Retry-After": "2"} if error.status == 503 else None
        return _error(error.status, error.what, error.hint, extra)

    async def not_found(request: Request, _: Exception) -> Response:
        return _error(404, f"there is nothing at {request.url.path}", _WHERE)

    async def http_error(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        return _error(error.status_code, str(error.detail), _WHERE, dict(error.headers or {}))

    async def bug(_: Request, __: Exception) -> Response:
        return _error(500, "the server met a bug", "it was written to the log; other requests go on")

    app.add_exception_handler(UserError, user_error)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(404, not_found)
    app.add_exception_handler(Exception, bug)


def _error(status: int, what: str, hint: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": what, "hint": hint}, status, headers)
