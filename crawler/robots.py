"""What a host lets a crawler do: robots.txt (RFC 9309) and the X-Robots-Tag of an answer.

A host's robots.txt is asked for once and remembered. One that does not exist allows all; one that cannot be had because
the server fails allows nothing, as the RFC asks: this is remembered for a minute only, for servers recover.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from protego import Protego

from crawler.addresses import Refusal
from curation.records import Reason

AGENT = "HandWriter"  # the name that robots.txt knows us by
LARGEST = 500 * 1024  # bytes of a robots.txt that are read, as RFC 9309 asks at least
LONG = 20_000  # characters from which on it is read in a thread: the longest take half a second
MOST_HOSTS = 2000  # remembered, those asked for last; 20 kB each
FAULT_SECONDS = 60.0
OPT_OUTS = frozenset({"noai", "noimageai", "noindex", "noimageindex", "none"})
# Directives that carry a value after a colon; any other word before a colon names the robot that is meant.
_VALUED = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})

Fetch = Callable[[str], Awaitable[tuple[int, str]]]  # address → status and text; status 0 when there was no answer


@dataclass(frozen=True)
class Rules:
    """What one host allows; without a parsed file, everything or (with `fault`) nothing until then."""

    parsed: Protego | None = None
    fault: Refusal | None = None
    until: float = float("inf")

    def check(self, address: str) -> None:
        """Raises `Refusal` when the address is not to be fetched."""
        if self.fault:
            raise Refusal(self.fault.reason, self.fault.detail)
        if self.parsed and not self.parsed.can_fetch(address, AGENT):
            raise Refusal(Reason.ROBOTS, "robots.txt disallows it")


class Robots:
    """The robots.txt of every host that was asked, each fetched once however many ask at once."""

    def __init__(self, fetch: Fetch, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch, self._clock = fetch, clock
        self._hosts: OrderedDict[str, asyncio.Future[Rules]] = OrderedDict()

    async def check(self, address: str) -> None:
        """Raises `Refusal` when the address is not to be fetched: `robots`, or `unreachable` where nobody answers."""
        parts = urlsplit(address)
        origin = f"{parts.scheme}://{parts.netloc}"
        asked = self._hosts.get(origin)
        if asked is None or (asked.done() and asked.result().until < self._clock()):
            asked = self._hosts[origin] = asyncio.ensure_future(self._rules(origin))
        self._hosts.move_to_end(origin)
        if len(self._hosts) > MOST_HOSTS:
            self._forget_one()
        # Shielded: that one download is given up must not take the answer from the others.
        (asked.result() if asked.done() else await asyncio.shield(asked)).check(address)

    def _forget_one(self) -> None:
        oldest = next((origin for origin, asked in self._hosts.items() if asked.done()), None)
        if oldest:
            del self._hosts[oldest]

    async def close(self) -> None:
        """Gives up what is still being asked for."""
        for asked in self._hosts.values():
            asked.cancel()
        await asyncio.gather(*self._hosts.values(), return_exceptions=True)

    async def _rules(self, origin: str) -> Rules:
        status, text = await self._fetch(f"{origin}/robots.txt")
        if status == 0 or status == 429 or status >= 500:
            reason = Reason.ROBOTS if status else Reason.UNREACHABLE
            fault = Refusal(reason, f"robots.txt cannot be had ({status or 'no answer'})")
            return Rules(fault=fault, until=self._clock() + FAULT_SECONDS)
        if status >= 300:
            return Rules()
        return Rules(Protego.parse(text) if len(text) < LONG else await asyncio.to_thread(Protego.parse, text))


def opted_out(tags: Iterable[str]) -> str:
    """The directive of the X-Robots-Tag headers that asks us to leave the picture alone; empty when none does."""
    for tag in tags:
        meant = True
        for part in tag.split(","):
            name, colon, rest = part.strip().lower().partition(":")
            if colon and name.strip() not in _VALUED:
                meant = name.strip() in ("*", AGENT.lower())
                name = rest
            if meant and name.strip() in OPT_OUTS:
                return name.strip()
    return ""
