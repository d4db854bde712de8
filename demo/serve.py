"""Starts the server: the port first (a taken one is told in a blink), then the models, then "ready"."""

from __future__ import annotations

import errno
import socket
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from demo.shelf import Workers, find_models, load_shelf
from handwriter_models.errors import UserError
from handwriter_models.serving import address, end_on_sigterm, listening, run


@dataclass(frozen=True)
class Options:
    """The options of `python app.py`."""

    models: Sequence[str] = ()
    host: str = "127.0.0.1"
    port: int = 7860
    share: bool = False


def open_port(host: str, port: int) -> socket.socket:
    """A socket that listens already; raises `UserError` when the port is taken or the host is not ours."""
    try:
        return listening(host, port)
    except (OSError, OverflowError) as error:
        raise _port_error(host, port, error) from error


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
    end_on_sigterm()
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
        run(app, opened, announce, behind_proxy=True)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)


def _share(host: str, port: int) -> None:
    from demo.share import public_link

    link = public_link("127.0.0.1" if host == "0.0.0.0" else host, port)  # noqa: S104
    if link:
        print(f"public link: {link}  (anyone who has it can use this page until you stop it)", flush=True)
