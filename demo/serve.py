"""Starts the server: the port first (a taken one is told in a blink), then the models, then "ready"."""

from __future__ import annotations

import errno
import gc
import os
import socket
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from demo.shelf import Workers, find_models, load_shelf
from handwriter_models.errors import UserError
from handwriter_models.host_names import HostNames, is_local
from handwriter_models.serving import Terms, address, end_on_sigterm, listening, run

if TYPE_CHECKING:
    from demo.feedback import Feedback
    from demo.guards import Guards

_RATE = "60/s"  # of a server that others reach: a stroke is eight pictures a second
_FINISH_SECONDS = 10
# The proxy in front of a Space, and Gradio's tunnel on this machine, name the visitor.
_SPACE_PROXIES, _OWN_MACHINE = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,127.0.0.1", "127.0.0.1,::1"


@dataclass(frozen=True)
class Access:
    """Who may use the server, and how: the options of `python app.py` that say so, as they were written."""

    auth: Sequence[str] = ()
    auth_file: Path | None = None
    api_token_file: Path | None = None
    rate_limit: str = ""
    allow_host: Sequence[str] = ()
    proxy: str = ""
    root_path: str = ""


@dataclass(frozen=True)
class Options:
    """The options of `python app.py`; `feedback_limit` is in megabytes."""

    models: Sequence[str] = ()
    host: str = "127.0.0.1"
    port: int = 7860
    share: bool = False
    feedback: Path | None = None
    feedback_limit: int = 500
    access: Access = field(default_factory=Access)


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
    with open_port(options.host, options.port) as opened:
        folders = find_models(options.models)
        _serve(options, opened, folders, started)


def _serve(options: Options, opened: socket.socket, folders: Mapping[str, Path], started: float) -> None:
    guards = guards_of(options)
    feedback = _feedback(options)
    from demo.api import Service  # torch and gradio, from here on
    from demo.publishing import publishing_of
    from demo.server import build_app

    shelf = load_shelf(folders)
    publishing = publishing_of(shared=_through_others(options))
    app = build_app(Service(shelf, Workers(), feedback=feedback, publishing=publishing), guards)
    shelf.warm_up()
    gc.collect()
    gc.freeze()  # half a million objects that stay: the collector need not walk them, now and when the program ends

    def announce() -> None:
        port = opened.getsockname()[1]
        print(f"models: {', '.join(shelf.names)}", file=sys.stderr)
        if publishing.key:
            print(f"key for publishing from the page: {publishing.key}", file=sys.stderr)
        print(f"ready in {time.monotonic() - started:.1f} s: {address(options.host, port)}  (API: /docs)", flush=True)
        if options.share:
            threading.Thread(target=_share, args=(options, guards, port), daemon=True).start()

    terms = Terms(_proxies(options), finish_seconds=_FINISH_SECONDS, stopping=app.state.stopping)
    try:
        run(app, opened, announce, terms)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)


def guards_of(options: Options) -> Guards:
    """Which guards these options ask for; raises `UserError` on a wrong one. Loads no torch."""
    from demo.auth import read_credentials
    from demo.guards import Guards
    from demo.rate_limit import read_rate

    access = options.access
    alone = is_local(options.host) and not _through_others(options)
    rate = access.rate_limit or ("off" if alone else _RATE)
    names = [*access.allow_host, *(["*.gradio.live"] if options.share else []), *(["*"] if _on_a_space() else [])]
    return Guards(
        names=HostNames(options.host, names),
        credentials=read_credentials(access.auth, access.auth_file, access.api_token_file),
        rate=read_rate(rate),
        prefix=root_path(access.root_path),
    )


def _through_others(options: Options) -> bool:
    """Whether a tunnel or a proxy passes requests on, so that all of them come from this machine."""
    return options.share or bool(root_path(options.access.root_path) or options.access.proxy)


def root_path(text: str) -> str:
    """The prefix with one slash before and none behind; "" for none. Raises `UserError` when it is no path."""
    bare = text.strip("/")
    if any(not part or part in (".", "..") for part in bare.split("/")) and bare:
        raise UserError(f"{text!r} is no prefix", "give --root-path /handwriter")
    if not all(sign.isalnum() or sign in "/-_.~" for sign in bare):
        raise UserError(f"{text!r} is no prefix", "give --root-path /handwriter: letters, digits, - _ . ~ and /")
    return f"/{bare}" if bare else ""


def _proxies(options: Options) -> str:
    """Whose word about the visitor's address is taken: nobody's, unless a proxy is known to be in front."""
    told = [options.access.proxy]
    if _on_a_space():
        told.append(_SPACE_PROXIES)
    if options.share or options.access.root_path:
        told.append(_OWN_MACHINE)
    return ",".join(filter(None, told))


def _feedback(options: Options) -> Feedback | None:
    if options.feedback is None:
        return None
    from demo.feedback import Feedback, Room

    if options.feedback_limit < 1:
        raise UserError(f"--feedback-limit {options.feedback_limit} leaves no room", "give megabytes: 500")
    return Feedback(options.feedback, Room(options.feedback_limit * 10**6))


def _on_a_space() -> bool:
    return bool(os.environ.get("SPACE_ID"))


def _share(options: Options, guards: Guards, port: int) -> None:
    from demo.share import public_link, what_it_allows

    link = public_link("127.0.0.1" if options.host == "0.0.0.0" else options.host, port)  # noqa: S104
    if link:
        print(f"public link: {link}", flush=True)
        print(what_it_allows(guards.credentials is not None, options.feedback is not None), flush=True)
