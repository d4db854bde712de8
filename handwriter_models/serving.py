"""Serves an application on a socket of ours: the port is bound before anything slow, and the end is clean.

The demo and the review page share it. Who is slow to say what they want is not waited for. What an application does,
and what is told when a port is taken, is theirs.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import threading
from asyncio import CancelledError
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens at the address; raises `OSError` or `OverflowError` as the system does."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol must be named: asyncio sends without delay only on sockets that say TCP; otherwise each answer waits
    # 40 ms for the client's acknowledgement of its head.
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((host, port))
        opened.listen(128)  # now, or two servers could both be bound; who connects early waits until we are ready
    except BaseException:
        opened.close()
        raise
    return opened


def address(host: str, port: int) -> str:
    """The address to open in a browser: a server on all interfaces is reached at 127.0.0.1."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{name}:{port}"


def end_on_sigterm() -> None:
    """SIGTERM ends the program as Ctrl-C does."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _stop)


def _stop(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


@dataclass(frozen=True)
class Terms:
    """How a server deals with connections.

    Attributes:
        proxies: addresses and networks, comma separated, of proxies that may name the visitor (X-Forwarded-For) and
            the scheme; from anybody else these headers are ignored.
        head_seconds: how long the head of a request may take to arrive, on a new connection and on a kept one.
        connections: how many may be open at once; one more is answered with 503.
        finish_seconds: how long requests that run when the server is told to stop may go on.
        stopping: called then, before anything is waited for, so that streams without an end can end.
    """

    proxies: str = ""
    head_seconds: float = 20.0
    connections: int = 512
    finish_seconds: int = 2
    stopping: Callable[[], None] = lambda: None


def run(app: object, opened: socket.socket, announce: Callable[[], None], terms: Terms = Terms()) -> None:
    """Serves until it is interrupted; `announce` is called once requests are answered."""
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            announce()

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            terms.stopping()
            await super().shutdown(sockets)

    class Quiet(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            """Requests that are cut off when the server stops are no fault to show, nor is what strangers send."""
            cut = bool(record.exc_info and record.exc_info[0] and issubclass(record.exc_info[0], CancelledError))
            said = record.getMessage()
            return not (cut or "graceful shutdown exceeded" in said or said.startswith(_STRANGERS))

    config = uvicorn.Config(
        app,  # type: ignore[arg-type]
        http=_impatient(terms.head_seconds),
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=bool(terms.proxies),
        forwarded_allow_ips=terms.proxies,
        limit_concurrency=terms.connections,
        timeout_graceful_shutdown=terms.finish_seconds,  # open pages hold a connection; they must not hold the exit
    )
    logging.getLogger("uvicorn.error").addFilter(Quiet())
    Server(config).run(sockets=[opened])


_STRANGERS = ("Unsupported upgrade", "No supported WebSocket", "Invalid HTTP request", "Exceeded concurrency")


def _impatient(seconds: float) -> type[asyncio.Protocol]:
    """The HTTP protocol of uvicorn, which alone would wait for ever for a head that never ends (slowloris)."""
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Impatient(H11Protocol):
        _timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._timer = self.loop.call_later(seconds, self._give_up)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            busy = self.cycle is not None and not self.cycle.response_complete
            if busy and self._timer:
                self._timer.cancel()
                self._timer = None
            elif not busy and not self._timer:
                self._timer = self.loop.call_later(seconds, self._give_up)

        def connection_lost(self, exc: Exception | None) -> None:
            if self._timer:
                self._timer.cancel()
            super().connection_lost(exc)

        def _give_up(self) -> None:
            self._timer = None
            if self.cycle is None or self.cycle.response_complete:
                self.transport.close()

    return Impatient
