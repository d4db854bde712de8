"""Starts the review server: the port first, then the rows, then the page."""

from __future__ import annotations

import contextlib
import errno
import logging
import signal
import socket
import sys
import threading
import webbrowser
from asyncio import CancelledError
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from handwriter_models.errors import UserError

_TRIES = 20  # ports after a taken one


def serve(root: Path, host: str = "127.0.0.1", port: int = 7861, open_browser: bool = True) -> None:
    """Serves until it is interrupted or terminated, then returns; raises `UserError` when it cannot start."""
    from curation.dataset import Dataset

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _stop)
    with Dataset(root, create=False) as dataset, contextlib.closing(open_port(host, port)) as opened:
        from curation.review.server import build

        app = build(dataset, host)
        if not app.state.review.index.counts.all:
            raise UserError(f"{root} has no scanned pictures", f"first run: python curation scan {root}")

        def announce() -> None:
            address = _address(host, opened.getsockname()[1])
            print(f"review of {dataset.root}: {address}  (Ctrl-C ends it)", file=sys.stderr, flush=True)
            if host not in {"127.0.0.1", "localhost", "::1"}:
                print("anyone who reaches this machine can look and judge", file=sys.stderr, flush=True)
            threading.Thread(target=app.state.review.warm_up, daemon=True).start()
            if open_browser:
                threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

        try:
            _run(app, opened, announce)
        except KeyboardInterrupt:
            print("stopped; every decision is saved", file=sys.stderr)
        finally:
            app.state.review.thumbnails.close()


def open_port(host: str, port: int) -> socket.socket:
    """A listening socket at the port or, when that is taken, at one of the next; raises `UserError`."""
    ports = [0] if port == 0 else range(port, min(port + _TRIES, 65536))
    for candidate in ports:
        try:
            return _listening(host, candidate)
        except OSError as error:
            if error.errno == errno.EACCES:
                raise UserError(f"port {port} needs more rights than you have", "give a --port above 1023") from error
            if error.errno != errno.EADDRINUSE:
                raise UserError(f"cannot listen on {host}: {error}", "give another --host or --port") from error
    raise UserError(f"the ports {port} to {port + _TRIES - 1} on {host} are in use", "give another --port")


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol must be named: asyncio sends without delay only on sockets that say TCP.
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((host, port))
        opened.listen(128)  # now, or two servers could both be bound
    except BaseException:
        opened.close()
        raise
    return opened


def _address(host: str, port: int) -> str:
    """A server on all interfaces is reached at 127.0.0.1."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{name}:{port}"


def _stop(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


def _run(app: object, opened: socket.socket, announce: Callable[[], None]) -> None:
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
        proxy_headers=False,
        timeout_graceful_shutdown=2,
    )
    logging.getLogger("uvicorn.error").addFilter(Quiet())
    Server(config).run(sockets=[opened])
