"""Starts the review server: the port first, then the rows, then the page."""

from __future__ import annotations

import contextlib
import errno
import socket
import sys
import threading
import webbrowser
from pathlib import Path

from handwriter_models.errors import UserError
from handwriter_models.serving import address, end_on_sigterm, listening, run

_TRIES = 20  # ports after a taken one


def serve(root: Path, host: str = "127.0.0.1", port: int = 7861, open_browser: bool = True) -> None:
    """Serves until it is interrupted or terminated, then returns; raises `UserError` when it cannot start."""
    from curation.dataset import Dataset

    end_on_sigterm()
    with Dataset(root, create=False) as dataset, contextlib.closing(open_port(host, port)) as opened:
        from curation.review.server import build

        app = build(dataset, host)
        if not app.state.review.index.counts.all:
            raise UserError(f"{root} has no scanned pictures", f"first run: python curation scan {root}")

        def announce() -> None:
            place = address(host, opened.getsockname()[1])
            print(f"review of {dataset.root}: {place}  (Ctrl-C ends it)", file=sys.stderr, flush=True)
            if host not in {"127.0.0.1", "localhost", "::1"}:
                print("anyone who reaches this machine can look and judge", file=sys.stderr, flush=True)
            threading.Thread(target=app.state.review.warm_up, daemon=True).start()
            if open_browser:
                threading.Thread(target=webbrowser.open, args=(place,), daemon=True).start()

        try:
            run(app, opened, announce)
        except KeyboardInterrupt:
            print("stopped; every decision is saved", file=sys.stderr)
        finally:
            app.state.review.thumbnails.close()


def open_port(host: str, port: int) -> socket.socket:
    """A listening socket at the port or, when that is taken, at one of the next; raises `UserError`."""
    ports = [0] if port == 0 else range(port, min(port + _TRIES, 65536))
    for candidate in ports:
        try:
            return listening(host, candidate)
        except OSError as error:
            if error.errno == errno.EACCES:
                raise UserError(f"port {port} needs more rights than you have", "give a --port above 1023") from error
            if error.errno != errno.EADDRINUSE:
                raise UserError(f"cannot listen on {host}: {error}", "give another --host or --port") from error
    raise UserError(f"the ports {port} to {port + _TRIES - 1} on {host} are in use", "give another --port")
