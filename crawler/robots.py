"""What a host lets a crawler do: robots.txt (RFC 9309) and the X-Robots-Tag of an answer.

A host's robots.txt is asked for once and remembered. One that does not exist allows all; one that cannot be had because
the server fails allows nothing, as the RFC asks.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from protego import Protego

AGENT = "HandWriter"  # the name that robots.txt knows us by
LARGEST = 500 * 1024  # bytes of a robots.txt that are read, as RFC 9309 asks at least
MOST_HOSTS = 10_000
OPT_OUTS = frozenset({"noai", "noimageai", "noindex", "noimageindex", "none"})
# Directives that carry a value after a colon; any other word before a colon names the robot that is meant.
_VALUED = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})

Fetch = Callable[[str], Awaitable[tuple[int, str]]]  # address → status and text; status 0 when there was no answer


@dataclass(frozen=True)
class Rules:
    """What one host allows; without a parsed file, everything or (with `fault`) nothing."""

    parsed: Protego | None = None
    fault: str = ""

    def forbids(self, address: str) -> str:
        """Why the address is not to be fetched; empty when it may be."""
        if self.fault:
            return self.fault
        if self.parsed is None or self.parsed.can_fetch(address, AGENT):
            return ""
        return "robots.txt disallows it"


class Robots:
    """The robots.txt of every host that was asked, each fetched once however many ask at once."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._hosts: OrderedDict[str, asyncio.Future[Rules]] = OrderedDict()

    async def forbids(self, address: str) -> str:
        """Why the address is not to be fetched; empty when it may be."""
        parts = urlsplit(address)
        origin = f"{parts.scheme}://{parts.netloc}"
        asked = self._hosts.get(origin)
        if asked is None:
            asked = self._hosts[origin] = asyncio.ensure_future(self._rules(origin))
            if len(self._hosts) > MOST_HOSTS:
                self._hosts.popitem(last=False)
        # Shielded: that one download is given up must not take the answer from the others.
        return (asked.result() if asked.done() else await asyncio.shield(asked)).forbids(address)

    async def close(self) -> None:
        """Gives up what is still being asked for."""
        for asked in self._hosts.values():
            asked.cancel()
        await asyncio.gather(*self._hosts.values(), return_exceptions=True)

    async def _rules(self, origin: str) -> Rules:
        status, text = await self._fetch(f"{origin}/robots.txt")
        if status == 0 or status == 429 or status >= 500:
            return Rules(fault=f"robots.txt cannot be had ({status or 'no answer'})")
        if status >= 300:
            return Rules()
        return Rules(Protego.parse(text))


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
