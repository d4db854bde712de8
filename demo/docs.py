"""`GET /docs`: Swagger UI from a Python package: FastAPI's own page loads it from a CDN and is blank offline."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import FileResponse, RedirectResponse, Response

from handwriter_models.errors import UserError

_FILES = ("swagger-ui-bundle.js", "swagger-ui.css")


def docs_routes() -> APIRouter:
    """The page and the two files it needs; all addresses are relative, so that a proxy's prefix does no harm."""
    router = APIRouter(include_in_schema=False)

    @router.get("/docs")
    async def docs() -> Response:
        return get_swagger_ui_html(
            openapi_url="openapi.json",
            title="HandWriter: API",
            swagger_js_url="docs/swagger-ui-bundle.js",
            swagger_css_url="docs/swagger-ui.css",
            swagger_favicon_url="page/favicon.png",
            swagger_ui_parameters={"defaultModelsExpandDepth": -1, "displayRequestDuration": True},
        )

    @router.get("/docs/")
    async def docs_with_slash() -> Response:
        return RedirectResponse("../docs")

    @router.get("/docs/{name}")
    async def docs_file(name: str) -> Response:
        if name not in _FILES:
            raise UserError(f"there is nothing at /docs/{name}", "the documentation is at /docs", status=404)
        return FileResponse(swagger_folder() / name, headers={"Cache-Control": "public, max-age=86400"})

    return router


def swagger_folder() -> Path:
    """Where the package keeps the files."""
    import swagger_ui_bundle

    return Path(swagger_ui_bundle.swagger_ui_path)
