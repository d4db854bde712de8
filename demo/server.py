"""One web application: the REST API, its documentation, the model cards and the Gradio page, in one process.

Our routes stand before Gradio, which is mounted at `/` and would otherwise answer for every path. Errors of all of
them have one shape, `{"error", "hint"}`. The page loads nothing from elsewhere, and the headers make browsers hold it
to that.
"""

from __future__ import annotations

import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # gradio reads it at import: no telemetry, no version check
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # huggingface_hub, which gradio imports, does, too

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import gradio
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

from demo.api import Service, api_routes
from demo.cards import card_routes
from demo.docs import docs_routes
from demo.explain_routes import explain_routes
from demo.feedback import feedback_routes
from demo.gradio_api import add_predict
from demo.gradio_gate import Uploads
from demo.guards import Guards, put_around
from demo.metrics import metrics_routes
from demo.page import HEAD, build_page
from demo.publish_routes import publish_routes
from demo.publishing import attach_login
from demo.refusals import refusal, refused
from demo.schema import SUMMARY
from demo.settings import Known, settings_routes
from demo.teach.routes import teach_routes
from demo.teach.teaching import Teaching
from demo.tidying import repeated
from handwriter_models.errors import UserError
from handwriter_models.static_site import PAGE

HERE = Path(__file__).parent
FAVICON = PAGE / "favicon.png"
_NO_GUARDS = Guards()
_SESSIONS = 1000  # whose last call Gradio keeps in memory
_METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}
_WHERE = "routes: POST /predict/, GET /models, GET /health, GET /docs, and the page at /"


class CheckedFiles(StaticFiles):
    """Files that a browser asks about before it uses its copy: a new version of the page must not meet old scripts."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401 - starlette's own arguments
        """The file, or "not modified"."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


def build_app(service: Service, guards: Guards = _NO_GUARDS) -> FastAPI:
    """The whole application, ready for a server.

    `app.state.stopping()` ends the streams that Gradio's pages hold open; a server calls it before it waits for them.
    """
    uploads = Uploads(service.limits)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with repeated(uploads.tidy):
            yield
        service.workers.close()
        uploads.close()
        if service.feedback:
            service.feedback.close()

    app = FastAPI(
        title="HandWriter",
        version="1",
        description=SUMMARY,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.openapi_version = "3.0.3"  # the newest that the Swagger UI on PyPI can show
    put_around(app, guards, service, uploads)
    _include_routes(app, service)
    # The page that needs no server has the larger part of the modules; the demo's own come first.
    app.mount("/page", CheckedFiles(directory=HERE / "static", packages=[("handwriter_models.static_site", "page")]))
    app.mount("/examples", CheckedFiles(directory=HERE / "examples"))
    _answer_other_methods(app)
    _handle_errors(app)
    _mount_page(app, service, uploads)
    return app


def _include_routes(app: FastAPI, service: Service) -> None:
    def gauges() -> dict[str, float]:
        return {"handwriter_pictures_waiting": service.workers.waiting}

    def models() -> dict[str, int]:
        return {name: len(service.shelf.get(name).classifier.labels) for name in service.shelf.names}

    known = Known(service.feedback is not None, service.limits.bytes, lambda: _all_paths(app), service.publishing)
    app.include_router(api_routes(service))
    app.include_router(explain_routes(service))
    app.include_router(feedback_routes(service))
    app.include_router(settings_routes(known))
    app.include_router(metrics_routes(service.metrics, gauges, models))
    teaching = Teaching(service)
    app.include_router(teach_routes(service, teaching))
    attach_login(app, service.publishing)
    app.include_router(publish_routes(service, service.publishing, teaching.session_bundle))
    app.include_router(docs_routes())
    app.include_router(card_routes(service.shelf))


def _mount_page(app: FastAPI, service: Service, uploads: Uploads) -> None:
    page = build_page(service)
    add_predict(page, service, uploads)
    gradio.mount_gradio_app(
        app,
        page,
        path="/",
        theme=gradio.themes.Base(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]),
        head=HEAD,
        favicon_path=str(FAVICON),
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size=service.limits.bytes,
        enable_monitoring=False,
        ssr_mode=False,
    )
    mounted: Any = app.routes[-1]
    mounted.app.state_holder.capacity = _SESSIONS
    app.state.stopping = mounted.app.stop_event.set
    _handle_errors(mounted.app)


def _answer_other_methods(app: FastAPI) -> None:
    """A known path with a wrong method is a 405 of ours: Gradio, mounted behind, would answer it with a 404."""
    allowed: dict[str, set[str]] = {}
    for path, methods in _all_pairs(app):
        allowed.setdefault(path, set()).update(methods)
    for path, methods in allowed.items():
        app.router.routes.append(Route(path, _refusal(methods), methods=sorted(_METHODS - methods)))


def _all_pairs(app: FastAPI) -> list[tuple[str, set[str]]]:
    return [pair for route in app.routes for pair in _paths(route)]


def _all_paths(app: FastAPI) -> list[str]:
    return [path for path, _ in _all_pairs(app)]


def _paths(route: Any) -> list[tuple[str, set[str]]]:  # noqa: ANN401 - starlette's and FastAPI's kinds of route
    inner = getattr(getattr(route, "original_router", None), "routes", None)
    if inner is not None:
        return [pair for child in inner for pair in _paths(child)]
    methods = getattr(route, "methods", None)
    return [(route.path, set(methods))] if methods else []


def _refusal(allowed: set[str]) -> Any:  # noqa: ANN401 - an endpoint
    names = ", ".join(sorted(allowed))

    async def refuse(request: Request) -> Response:
        return refused(405, f"{request.method} is not for {request.url.path}", f"use {names}", {"Allow": names})

    return refuse


def _handle_errors(app: FastAPI) -> None:
    async def user_error(_: Request, error: Exception) -> Response:
        assert isinstance(error, UserError)  # noqa: S101 - registered for it below
        return refusal(error)

    async def not_found(request: Request, _: Exception) -> Response:
        return refused(404, f"there is nothing at {request.url.path}", _WHERE)

    async def http_error(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        if error.status_code == 503:  # Gradio's queue is full
            return refusal(UserError(str(error.detail), "send it again in a few seconds", 503))
        return refused(error.status_code, str(error.detail), _WHERE, dict(error.headers or {}))

    async def invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return refused(422, f"{where}: {first['msg']}", "the routes and their fields are described at /docs")

    async def bug(_: Request, __: Exception) -> Response:
        return refused(500, "the server met a bug", "it was written to the log; other requests go on")

    async def gone(_: Request, __: Exception) -> Response:
        return refused(400, "the request ended too early", "send it again")  # to nobody, most likely

    app.add_exception_handler(UserError, user_error)
    app.add_exception_handler(ClientDisconnect, gone)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(404, not_found)
    app.add_exception_handler(Exception, bug)
