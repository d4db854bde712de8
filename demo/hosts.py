"""Refuses requests that a page of another site made a visitor's browser send.

Two tricks are known. A name of the attacker's that now points at this machine (DNS rebinding): the Host header still
says it. And a form of another site that is sent here: browsers mark it `Sec-Fetch-Site: cross-site`, whatever stands
between. Programs send no such mark and are not meant here; reading pages from elsewhere is harmless.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from demo.refusals import refusal, route_path
from handwriter_models.errors import UserError
from handwriter_models.host_names import HostNames

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class OurName:
    """The layer: 421 for a foreign name, 403 for another site's form. Without `names` every name is ours."""

    def __init__(self, app: ASGIApp, names: HostNames | None) -> None:
        self._app, self._names = app, names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on what was meant for this server."""
        error = self._refused(scope) if scope["type"] == "http" else None
        if error:
            await refusal(error)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _refused(self, scope: Scope) -> UserError | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self._names and host and not self._names.has(host):
            return UserError(f"this server is not called {host[:100]!r}", "start it with --allow-host NAME", 421)
        foreign = headers.get("sec-fetch-site") == "cross-site"
        if foreign and scope["method"] not in _READING:
            return UserError(f"another site may not send to {route_path(scope)}", "use this server's own page", 403)
        return None
