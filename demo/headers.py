"""Security headers for every answer, as a plain ASGI layer.

`unsafe-inline` and `unsafe-eval` are what Gradio's page needs (its configuration is an inline script and `gr.HTML`
compiles `js_on_load`); everything else is held to our own origin. Hugging Face may frame the page, because that is how
a Space is shown.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from handwriter_models.answer_headers import adding

_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self' https://huggingface.co https://*.huggingface.co https://*.hf.space",
    )
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": _POLICY,
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}


class SecurityHeaders:
    """Adds `HEADERS` to each HTTP answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes everything on; only the start of an answer is touched."""
        await self._app(scope, receive, adding(HEADERS, send) if scope["type"] == "http" else send)
