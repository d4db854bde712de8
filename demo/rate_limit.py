"""How often one address may ask for work: a bucket of tokens for each, which fills again at a steady rate.

Only requests that cost work count (everything but GET and HEAD): a page is thirty small files at once. An IPv6 visitor
owns a whole /64, so that is one address here. The table of addresses is bounded: the one that was quiet for longest
is forgotten, and it would have been full again. It does not know of visitors, only of addresses: a school behind one
address shares one bucket.
"""

from __future__ import annotations

import ipaddress
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from demo.refusals import TryLaterError, refusal
from handwriter_models.errors import UserError

_RATE = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*/\s*(s|m|h)")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_MOST_ADDRESSES = 10_000
_FREE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Rate:
    """Tokens a second, and how many may be saved up."""

    a_second: float
    burst: float


def read_rate(text: str) -> Rate | None:
    """`20/s`, `100/m`, `1000/h`, or `off` (None); two seconds' worth, and ten at least, may come at once.

    Raises:
        UserError: it is none of these.
    """
    if text.strip().lower() == "off":
        return None
    found = _RATE.fullmatch(text.strip().lower())
    if not found or float(found[1]) <= 0:
        raise UserError(f"{text!r} is not a rate", "give --rate-limit 20/s, 100/m, 1000/h or off")
    a_second = float(found[1]) / _SECONDS[found[2]]
    return Rate(a_second, max(10.0, 2 * a_second))


class Buckets:
    """Tokens by address; `clock` gives seconds. For one event loop: it has no lock."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock = rate, clock
        self._held: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, and when that was

    def wait(self, address: str) -> float:
        """Seconds until this address has a token again; 0 when it has one."""
        return max(0.0, (1.0 - self._tokens(address)) / self._rate.a_second)

    def take(self, address: str, count: float = 1.0) -> None:
        """Takes tokens; a large request may leave the bucket in debt."""
        self._held[address] = (self._tokens(address) - count, self._clock())
        self._held.move_to_end(address)
        if len(self._held) > _MOST_ADDRESSES:
            self._held.popitem(last=False)

    def _tokens(self, address: str) -> float:
        tokens, then = self._held.get(address, (self._rate.burst, 0.0))
        return min(self._rate.burst, tokens + (self._clock() - then) * self._rate.a_second)


class RateLimit:
    """The layer: 429 with `Retry-After` when an address asks too often. Routes may charge more by `charge`."""

    def __init__(self, app: ASGIApp, buckets: Buckets) -> None:
        self._app, self._buckets = app, buckets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on what there is a token for."""
        if scope["type"] != "http" or scope["method"] in _FREE:
            await self._app(scope, receive, send)
            return
        address = address_of(scope)
        wait = self._buckets.wait(address)
        if wait > 0:
            error = TryLaterError("too many requests from your address", "wait as long as Retry-After says", 429, wait)
            await refusal(error)(scope, receive, send)
            return
        self._buckets.take(address)
        scope[_CHARGE] = lambda count: self._buckets.take(address, count)
        await self._app(scope, receive, send)


_CHARGE = "handwriter.charge"


def charge(scope: Scope, count: int) -> None:
    """Takes further tokens for a request that is worth several; nothing where no rate is limited."""
    take = scope.get(_CHARGE)
    if take and count > 0:
        take(count)


def address_of(scope: Scope) -> str:
    """Whom a request counts for: the address that uvicorn saw, or that a proxy it was told to trust names."""
    host = (scope.get("client") or ("", 0))[0]
    try:
        number = ipaddress.ip_address(host)
    except ValueError:
        return str(host)
    return host if number.version == 4 else str(ipaddress.ip_network((number, 64), strict=False))
