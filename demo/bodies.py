"""How large and how slow the body of a request may be, whichever route it is for: bounds that hold for all of them.

Routes have smaller limits of their own (see uploads). These stand behind, for every route that reads a body without
counting: so many bytes a request, so many in all requests together (they lie in memory or in temporary files), and a
sender that says nothing for a while is not waited for. Heads of requests are bounded in `handwriter_models.serving`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.refusals import TryLaterError
from handwriter_models.errors import UserError


@dataclass(frozen=True)
class BodyLimits:
    """Bytes of one body and of all that are held at once; seconds of silence, and of the whole body."""

    bytes: int = 128 * 2**20
    held: int = 512 * 2**20
    silence: float = 20.0
    whole: float = 120.0


class Bodies:
    """The layer. What is refused is raised where the route reads, so that the application answers in its own way."""

    def __init__(self, app: ASGIApp, limits: BodyLimits = BodyLimits()) -> None:
        self._app, self._limits = app, limits
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the body on as it comes, within the limits."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(receive, self._limits)

        async def counted() -> Message:
            message = await body.next()
            size = len(message.get("body", b""))
            if self._held + size > self._limits.held:
                raise TryLaterError("too many pictures are arriving", "send it again in a few seconds", 503, 5)
            self._held += size
            body.counted += size
            return message

        try:
            await self._app(scope, counted, send)
        finally:
            self._held -= body.counted


class _Body:
    """One body as it arrives. Once it is whole, what comes is the end of the connection, and that may take its time."""

    def __init__(self, receive: Receive, limits: BodyLimits) -> None:
        self._receive, self._limits = receive, limits
        self._left = limits.bytes
        self._more = True
        self._end: float | None = None
        self.counted = 0  # bytes that the layer holds for it

    async def next(self) -> Message:
        """The next message; raises `UserError` (408, 413)."""
        if not self._more:
            return await self._receive()
        clock = asyncio.get_running_loop().time
        self._end = self._end or clock() + self._limits.whole
        try:
            async with asyncio.timeout_at(min(clock() + self._limits.silence, self._end)):
                message = await self._receive()
        except TimeoutError:
            raise UserError("the request took too long to arrive", "check the connection, send it again", 408) from None
        self._more = message["type"] == "http.request" and message.get("more_body", False)
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise UserError(f"the request is larger than {self._limits.bytes // 2**20} MB", "send less at once", 413)
        return message
