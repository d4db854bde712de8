"""Who may speak to the server, and what its answers may do in a browser; a plain ASGI layer around the application.

A page of the web can make a visitor's browser ask any address, this one too. It cannot choose the Host header (so a
name that was pointed at 127.0.0.1 afterwards is refused), nor send a header of its own to another origin unasked (so
only our own page can judge), nor read our pictures (Cross-Origin-Resource-Policy).
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from handwriter_models.answer_headers import adding
from handwriter_models.host_names import HostNames

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
MARK = ("x-handwriter", "review")  # the header of every request that changes something
_LARGEST = 4 * 2**20  # bytes of a request


class Guard:
    """Refuses strangers, adds `HEADERS`. `host` is what the server is bound to."""

    def __init__(self, app: ASGIApp, host: str) -> None:
        self._app = app
        self._names = HostNames(host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on what is allowed."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        send = adding(HEADERS, send)
        refusal = self._refusal(scope["method"], Headers(scope=scope))
        if refusal:
            status, what, hint = refusal
            answer = JSONResponse({"error": what, "hint": hint}, status)
            await answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _refusal(self, method: str, headers: Headers) -> tuple[int, str, str] | None:
        host = headers.get("host", "")
        if not self._names.has(host):
            return 403, "this name is not the server's", "open the address that the command printed"
        if method in {"GET", "HEAD"}:
            return None
        origin, site = headers.get("origin"), headers.get("sec-fetch-site", "same-origin")
        foreign = (origin is not None and origin != f"http://{host}") or site not in {"same-origin", "none"}
        if foreign or headers.get(MARK[0]) != MARK[1]:
            return 403, "only the review page may change anything", "send the header X-HandWriter: review"
        length = headers.get("content-length", "")
        if not length.isdecimal() or int(length) > _LARGEST:
            return 413, "the request is too large or does not say its length", "choose fewer pictures at once"
        return None
