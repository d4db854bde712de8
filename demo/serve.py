"""Starts the server: the port first (a taken one is told in a blink), then the models, then "ready"."""

from __future__ import annotations

import errno
import logging
import signal
import socket
import sys
import threading
import time
from asyncio import CancelledError
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType

from demo.shelf import Workers, find_models, load_shelf
from handwriter_models.errors import UserError


@dataclass(frozen=True)
class Options:
    """The options of `python app.py`."""

    models: Sequence[str] = ()
    host: str = "127.0.0.1"
    port: int = 7860
    share: bool = False


def open_port(host: str, port: int) -> socket.socket:
    """A bound socket, not yet listening; raises `UserError` when the port is taken or the host is not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol must be named: asyncio sends without delay only on sockets that say TCP; otherwise each answer waits
    # 40 ms for the client's acknowledgement of its head.
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((host, port))
        opened.listen(128)  # now, or two servers could both be bound; who connects early waits until we are ready
    except (OSError, OverflowError) as error:
        opened.close()
        raise _port_error(host, port, error) from error
    return opened


def _port_error(host: str, port: int, error: OSError | OverflowError) -> UserError:
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        return UserError(f"port {port} on {host} is already in use", f"stop what uses it, or give --port {port + 1}")
    if number == errno.EACCES:
        return UserError(f"port {port} needs more rights than you have", "give a --port above 1023")
    return UserError(f"cannot listen on {host} port {port}: {error}", "give another --host or --port")


def serve(options: Options) -> None:
    """Serves until it is interrupted or terminated, then returns; raises `UserError` when it cannot start."""
    started = time.monotonic()
    signal.signal(signal.SIGTERM, _stop)
    opened = open_port(options.host, options.port)
    folders = find_models(options.models)
    from demo.api import Service  # torch and gradio, from here on
    from demo.server import build_app

    shelf = load_shelf(folders)
    app = build_app(Service(shelf, Workers()))
    shelf.warm_up()

    def announce() -> None:
        port = opened.getsockname()[1]
        print(f"models: {', '.join(shelf.names)}", file=sys.stderr)
        print(f"ready in {time.monotonic() - started:.1f} s: {address(options.host, port)}  (API: /docs)", flush=True)
        if options.share:
            threading.Thread(target=_share, args=(options.host, port), daemon=True).start()

    try:
        _run(app, opened, announce)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)


def address(host: str, port: int) -> str:
    """The address to open in a browser: a server on all interfaces is reached at 127.0.0.1."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{name}:{port}"


def _stop(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


def _share(host: str, port: int) -> None:
    from demo.share import public_link

    link = public_link("127.0.0.1" if host == "0.0.0.0" else host, port)  # noqa: S104
    if link:
        print(f"public link: {link}  (anyone who has it can use this page until you stop it)", flush=True)


def _run(app: object, opened: socket.socket, announce: Callable[[], None]) -> None:
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            announce()

    class Quiet(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            """Open pages are cut off when the server stops; that is no fault to show."""
            cut = bool(record.exc_info and record.exc_info[0] and issubclass(record.exc_info[0], CancelledError))
            return not (cut or "graceful shutdown exceeded" in record.getMessage())

    config = uvicorn.Config(
        app,  # type: ignore[arg-type]
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=True,
        timeout_graceful_shutdown=2,  # open pages hold a connection; they must not hold the exit
    )
    logging.getLogger("uvicorn.error").addFilter(Quiet())
    Server(config).run(sockets=[opened])
