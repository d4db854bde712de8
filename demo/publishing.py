"""Who may publish from the page, and with whose token: on a Space a visitor with his own, at home the owner.

A request that is answered with the owner's token must come from this machine, from our own page, and know the key that
the terminal showed: a tunnel or a proxy on this machine looks like the machine itself, and whoever sends a request by
hand can write any header, but has not seen the terminal. On a Space the owner's token is never touched; a visitor logs
in there, and the token of that log-in lies in his own signed cookie.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from starlette.requests import Request

from handwriter_models.errors import UserError

if TYPE_CHECKING:
    from fastapi import FastAPI

KEY_HEADER = "X-Publish-Key"
LOGIN = "login/huggingface"
_BY_PROXIES = ("forwarded", "via", "x-real-ip", "true-client-ip", "x-client-ip", "x-cluster-client-ip")
_STARTS_BY_PROXIES = ("x-forwarded", "cf-", "x-original", "ngrok", "x-envoy", "x-amzn", "fly-")
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_COMMAND = "on your own machine: python training publish BUNDLE --repo user/name"
Who = Literal["owner", "visitor"]


def _no_token() -> str | None:
    return None


@dataclass(frozen=True)
class Publishing:
    """What is known when the server starts.

    Attributes:
        space: it runs on a Hugging Face Space.
        shared: others reach it through a tunnel or a proxy, so that the owner cannot be told from them.
        key: what the terminal showed the owner; "" lets nobody publish with the owner's token.
        token: gives the owner's token, or None.
    """

    space: bool = False
    shared: bool = True
    key: str = field(default="", repr=False)
    token: Callable[[], str | None] = _no_token


def publishing_of(shared: bool) -> Publishing:
    """As the environment has it: SPACE_ID, and the log-in of whoever starts the server."""
    space = bool(os.environ.get("SPACE_ID"))
    if space or shared:
        return Publishing(space, shared)
    from handwriter_models.hub.connection import own_token

    return Publishing(False, False, secrets.token_hex(6) if own_token() else "", own_token)


def publish_allowed(publishing: Publishing, request: Request) -> Who | None:
    """Whose token a request of this visitor's page would be answered with; None: no publishing here.

    "visitor" is said on a Space once he has logged in, "owner" on the owner's machine; the key is asked for later.
    """
    if publishing.space:
        return "visitor" if _visitors_token(request) else None
    return "owner" if publishing.key and not publishing.shared and _is_from_here(request) else None


def token_for(publishing: Publishing, request: Request) -> tuple[str, Who]:
    """The token to publish with, and whose it is; raises `UserError` (401, 403) when there is none for this request."""
    if not _is_of_our_page(request):
        raise UserError("only this server's own page may publish", "open its page, and use the button there", 403)
    if publishing.space:
        token = _visitors_token(request)
        if not token:
            raise UserError("publishing needs your own log-in", f"open {LOGIN} on this server, then try again", 401)
        return token, "visitor"
    if publish_allowed(publishing, request) != "owner":
        raise UserError("models are not published from here", _COMMAND, 403)
    if not secrets.compare_digest(request.headers.get(KEY_HEADER, "").encode(), publishing.key.encode()):
        raise UserError("the key is missing or wrong", "the terminal in which the server runs shows it", 403)
    token = publishing.token()
    if not token:
        raise UserError("you are not logged in to the Hub any more", "run: hf auth login", 401)
    return token, "owner"


def attach_login(app: FastAPI, publishing: Publishing) -> bool:
    """Adds Gradio's routes for logging in with Hugging Face; whether the Space is set up for it (`hf_oauth: true`).

    Where Gradio does not see a Space it would add imitations that log everybody in as the owner: then nothing is added.
    """
    from gradio.utils import get_space

    if not (publishing.space and get_space() and os.environ.get("OAUTH_CLIENT_ID")):
        return False
    from gradio.oauth import attach_oauth

    try:
        attach_oauth(app)
    except (ImportError, ValueError) as error:  # a package or a variable of the Space is missing
        print(f"no log-in on this Space: {error}", file=sys.stderr)
        return False
    return True


def _visitors_token(request: Request) -> str | None:
    """Of the log-in in his cookie, which the server signed: that is where Gradio's routes put it."""
    session: dict[str, Any] = request.scope.get("session") or {}
    info = session.get("oauth_info") or {}
    expires = info.get("expires_at")
    token = info.get("access_token")
    return token if isinstance(token, str) and token and (expires is None or expires > time.time()) else None


def _is_of_our_page(request: Request) -> bool:
    """Whether a browser says that a page of this server sent it. A page of another site cannot write these headers."""
    host, origin = request.headers.get("host", ""), request.headers.get("origin", "")
    site = request.headers.get("sec-fetch-site", "same-origin")
    return bool(host) and site == "same-origin" and urlsplit(origin).netloc.casefold() == host.casefold()


def _is_from_here(request: Request) -> bool:
    names = request.headers.keys()
    passed_on = any(name in _BY_PROXIES or name.startswith(_STARTS_BY_PROXIES) for name in names)
    old = request.scope.get("http_version") == "1.0"  # browsers speak 1.1; many proxies 1.0 to what is behind them
    called = (urlsplit(f"//{request.headers.get('host', '')}").hostname or "") in _HERE
    return not passed_on and not old and called and _is_loopback(request)


def _is_loopback(request: Request) -> bool:
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
