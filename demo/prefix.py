"""The prefix below which a proxy shows the server, where ASGI wants it: in the path and in `root_path`.

Most proxies take the prefix away before they pass a request on, some leave it: both are understood. The pages name
everything relative to themselves, so they need no more than this.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send


class Prefix:
    """The layer; it stands outermost, so that all others see paths of one kind."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app, self._prefix = app, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes everything on."""
        if scope["type"] == "http":
            path = scope["path"]
            whole = path if path == self._prefix or path.startswith(f"{self._prefix}/") else self._prefix + path
            scope = {**scope, "path": whole, "root_path": self._prefix}
        await self._app(scope, receive, send)
