"""The page's own files, read once: a browser asks for each of them at every visit, and the first screen waits."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

_STATIC = Path(__file__).parent / "static"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".png": "image/png"}


def file_routes() -> list[Route]:
    """`/` and `/page/<name>`; a browser checks its copy, as a new page must not meet old scripts."""
    files = {path.name: path for path in sorted(_STATIC.iterdir()) if path.suffix in _TYPES}
    routes = [Route("/", _answer(files.pop("page.html")))]
    return routes + [Route(f"/page/{name}", _answer(path)) for name, path in files.items()]


def _answer(path: Path) -> _Answer:
    return _Answer(path.read_bytes(), _TYPES[path.suffix])


class _Answer:
    """An endpoint with one answer, as an ASGI application: it needs no thread."""

    def __init__(self, data: bytes, media: str) -> None:
        self._data, self._media = data, media
        self._tag = f'"{sha256(data).hexdigest()[:16]}"'

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {"Cache-Control": "no-cache", "ETag": self._tag}
        same = Request(scope).headers.get("if-none-match") == self._tag
        answer = Response(status_code=304, headers=headers) if same else Response(self._data, 200, headers, self._media)
        await answer(scope, receive, send)
