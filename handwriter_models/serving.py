"""Serves an application on a socket of ours: the port is bound before anything slow, and the end is clean.

The demo and the review page share it. What an application does, and what is told when a port is taken, is theirs.
"""

from __future__ import annotations

import logging
import signal
import socket
import threading
from asyncio import CancelledError
from collections.abc import Callable
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


def run(app: object, opened: socket.socket, announce: Callable[[], None], behind_proxy: bool = False) -> None:
    """Serves until it is interrupted; `announce` is called once requests are answered.

    `behind_proxy` believes the headers in which a proxy on this machine names the visitor.
    """
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            announce()

    class Quiet(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            """Requests that are cut off when the server stops are no fault to show."""
            cut = bool(record.exc_info and record.exc_info[0] and issubclass(record.exc_info[0], CancelledError))
            return not (cut or "graceful shutdown exceeded" in record.getMessage())

    config = uvicorn.Config(
        app,  # type: ignore[arg-type]
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=behind_proxy,
        timeout_graceful_shutdown=2,  # open pages hold a connection; they must not hold the exit
    )
    logging.getLogger("uvicorn.error").addFilter(Quiet())
    Server(config).run(sockets=[opened])
