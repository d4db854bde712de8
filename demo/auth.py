"""Who may use a server that is not for everybody: people by name and password (HTTP Basic), programs by a token.

One layer in front of every route, the page, the API, Gradio's own and the documentation alike; only `/health` stays
open, for whoever watches the server. Comparing takes the same time whatever was sent. Wrong tries are counted by
address: after ten of them one more every five seconds is looked at, right or wrong. Passwords travel as they are:
over a network, put a proxy with https in front.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from demo.rate_limit import Buckets, Rate, address_of
from demo.refusals import TryLaterError, refusal, route_path
from handwriter_models.errors import UserError

_OPEN = frozenset({"/health", "/health/"})
_TRIES = Rate(a_second=0.2, burst=10)
_SHORTEST_TOKEN = 16
_LARGEST_FILE = 64 * 1024


@dataclass(frozen=True)
class Credentials:
    """Digests of what lets somebody in. The words themselves are not kept, so no log or trace can show them."""

    people: tuple[bytes, ...]
    token: bytes | None

    def admit(self, header: str) -> bool:
        """Whether this `Authorization` header is one of them; all are compared, so the time tells nothing."""
        scheme, _, sent = header.partition(" ")
        kind = scheme.lower()
        if kind == "bearer" and self.token:
            return hmac.compare_digest(_digest(sent.strip().encode("latin-1")), self.token)
        if kind == "basic":
            given = _digest(_decoded(sent))
            return sum(hmac.compare_digest(given, known) for known in self.people) > 0
        return False

    @property
    def schemes(self) -> str:
        """What `WWW-Authenticate` offers."""
        basic = ['Basic realm="HandWriter", charset="UTF-8"'] if self.people else []
        return ", ".join([*basic, *(['Bearer realm="HandWriter"'] if self.token else [])])


def read_credentials(
    people: Sequence[str],
    people_file: Path | None,
    token_file: Path | None,
    environment: Mapping[str, str] = os.environ,
) -> Credentials | None:
    """From `--auth`, `--auth-file`, `--api-token-file`, HANDWRITER_AUTH and HANDWRITER_API_TOKEN; None without any.

    Raises:
        UserError: a pair is not `user:password`, a token is short, or a file cannot be read.
    """
    pairs = [*people, *filter(None, [environment.get("HANDWRITER_AUTH", "")])]
    if people_file:
        pairs += [line for line in _lines(people_file) if not line.startswith("#")]
        if not pairs:
            raise UserError(f"{people_file} names nobody", "put user:password in it, one a line")
    tokens = _lines(token_file)[:1] if token_file else [environment.get("HANDWRITER_API_TOKEN", "")]
    token = tokens[0] if tokens else ""
    if token_file and not token:
        raise UserError(f"{token_file} is empty", "put a token in it: openssl rand -hex 32")
    if token and len(token) < _SHORTEST_TOKEN:
        raise UserError("the API token is too short", f"give {_SHORTEST_TOKEN} signs or more: openssl rand -hex 32")
    if not pairs and not token:
        return None
    digests = tuple(_digest(_checked(pair).encode()) for pair in pairs)
    return Credentials(digests, _digest(token.encode()) if token else None)


class Locked:
    """The layer: 401 for who shows nothing or something wrong, 429 for who tried too often."""

    def __init__(self, app: ASGIApp, credentials: Credentials, tries: Buckets | None = None) -> None:
        self._app, self._credentials = app, credentials
        self._tries = tries or Buckets(_TRIES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on what carries the right words."""
        if scope["type"] != "http" or route_path(scope) in _OPEN:
            await self._app(scope, receive, send)
            return
        error = self._refused(scope)
        if error is None:
            await self._app(scope, receive, send)
            return
        headers = {"WWW-Authenticate": self._credentials.schemes} if error.status == 401 else {}
        await refusal(error, headers)(scope, receive, send)

    def _refused(self, scope: Scope) -> UserError | None:
        header = Headers(scope=scope).get("authorization", "")
        if not header:
            return UserError("this server is not open to everybody", "log in, or send its token", 401)
        address = address_of(scope)
        wait = self._tries.wait(address)
        if wait > 0:
            return TryLaterError(
                "too many wrong log-ins from your address", "wait as long as Retry-After says", 429, wait
            )
        if self._credentials.admit(header):
            return None
        self._tries.take(address)
        return UserError("the name, password or token is wrong", "ask whoever runs the server", 401)


def _checked(pair: str) -> str:
    user, _, password = pair.partition(":")
    if not user or not password:
        raise UserError("--auth needs a name and a password", "write user:password")  # the value stays unsaid
    return pair


def _lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST_FILE).decode("utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise UserError(f"cannot read {path}: {reason}", "check the path and its permissions") from error
    return [line.strip() for line in text.splitlines() if line.strip()]


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _digest(text: bytes) -> bytes:
    return sha256(text).digest()
