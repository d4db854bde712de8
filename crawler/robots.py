"""What a host lets a crawler do: robots.txt (RFC 9309), reservations of data mining (TDMRep), X-Robots-Tag, meta tags.

A host's robots.txt is asked for once and remembered. One that does not exist allows all; one that cannot be had because
the server fails allows nothing, as the RFC asks: this is remembered for a minute only, for servers recover.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlsplit

from protego import Protego

from crawler.addresses import Refusal
from curation.records import Reason

AGENT = "HandWriter"  # the name that robots.txt knows us by
LARGEST = 500 * 1024  # bytes of a robots.txt that are read, as RFC 9309 asks at least
LONG = 20_000  # characters from which on it is read in a thread: the longest take half a second
MOST_HOSTS = 2000  # remembered, those asked for last; 20 kB each
FAULT_SECONDS = 60.0
NOML = "noml"
OPT_OUTS = frozenset({"noai", "noimageai", "noindex", "noimageindex", "none", NOML})
PAGE_OPT_OUTS = OPT_OUTS - {"noindex", "none"}  # these are about the page itself, not about its pictures
TDM, TDM_FILE = "tdm-reservation", "/.well-known/tdmrep.json"
MOST_RULES = 10_000
META = re.compile(r"<meta\s([^<>]{1,2000})>", re.IGNORECASE)
ATTRIBUTE = re.compile(r"([\w-]{1,40})\s{0,9}=\s{0,9}(\"[^\"]*\"|'[^']*'|[^\s\"'>]+)")
# Directives that carry a value after a colon; any other word before a colon names the robot that is meant.
_VALUED = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})

T = TypeVar("T")
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
        self._hosts = Remembered(self._rules, lambda rules: rules.until >= self._clock())

    async def check(self, address: str) -> None:
        """Raises `Refusal` when the address is not to be fetched: `robots`, or `unreachable` where nobody answers."""
        (await self._hosts.get(_origin(address))).check(address)

    async def close(self) -> None:
        """Gives up what is still being asked for."""
        await self._hosts.close()

    async def _rules(self, origin: str) -> Rules:
        status, text = await self._fetch(f"{origin}/robots.txt")
        if status == 0 or status == 429 or status >= 500:
            reason = Reason.ROBOTS if status else Reason.UNREACHABLE
            fault = Refusal(reason, f"robots.txt cannot be had ({status or 'no answer'})")
            return Rules(fault=fault, until=self._clock() + FAULT_SECONDS)
        if status >= 300:
            return Rules()
        return Rules(Protego.parse(text) if len(text) < LONG else await asyncio.to_thread(Protego.parse, text))


class Reservations:
    """What hosts reserve in /.well-known/tdmrep.json (TDM Reservation Protocol, W3C 2024), fetched once a host.

    A file that cannot be had or read reserves nothing. Locations are patterns as in robots.txt; the longest counts.
    """

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._hosts = Remembered(self._rules)

    async def reserved(self, address: str) -> bool:
        """Whether the host's file reserves mining of this address."""
        rules = await self._hosts.get(_origin(address))
        return bool(rules and not rules.can_fetch(address, AGENT))

    async def close(self) -> None:
        """Gives up what is still being asked for."""
        await self._hosts.close()

    async def _rules(self, origin: str) -> Protego | None:
        status, text = await self._fetch(f"{origin}{TDM_FILE}")
        lines = _as_robots(text, origin) if status == 200 else []
        return await asyncio.to_thread(Protego.parse, "\n".join(["User-agent: *", *lines])) if lines else None


def _as_robots(text: str, origin: str) -> list[str]:
    """The rules of a tdmrep.json as lines of a robots.txt."""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return []
    lines = []
    for rule in (told if isinstance(told, list) else [told])[:MOST_RULES]:
        location, value = (rule.get("location"), rule.get(TDM)) if isinstance(rule, dict) else (None, None)
        verb = {"0": "Allow", "1": "Disallow", "True": "Disallow"}.get(str(value))
        if verb and isinstance(location, str) and location.isprintable():
            path = location.strip().removeprefix(origin).replace("#", "%23")
            lines.append(f"{verb}: {path if path[:1] in ('/', '*') else f'/{path}'}")
    return lines


class Remembered(Generic[T]):
    """What was learned of each host or page, those asked for last; each is asked once however many ask at once."""

    def __init__(self, learn: Callable[[str], Awaitable[T]], is_good: Callable[[T], bool] = lambda _: True) -> None:
        self._learn, self._is_good = learn, is_good
        self._asked: OrderedDict[str, asyncio.Future[T]] = OrderedDict()

    async def get(self, key: str) -> T:
        """What is known of it, asked for if need be."""
        asked = self._asked.get(key)
        if asked is None or (asked.done() and not self._is_good(asked.result())):
            asked = self._asked[key] = asyncio.ensure_future(self._learn(key))
        self._asked.move_to_end(key)
        if len(self._asked) > MOST_HOSTS:
            self._forget_one()
        # Shielded: that one download is given up must not take the answer from the others.
        return asked.result() if asked.done() else await asyncio.shield(asked)

    def _forget_one(self) -> None:
        oldest = next((key for key, asked in self._asked.items() if asked.done()), None)
        if oldest:
            del self._asked[oldest]

    async def close(self) -> None:
        """Gives up what is still being asked for."""
        for asked in self._asked.values():
            asked.cancel()
        await asyncio.gather(*self._asked.values(), return_exceptions=True)


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def check_headers(tags: Iterable[str], reservations: Iterable[str], reserved: bool) -> None:
    """Raises `Refusal` where an answer's X-Robots-Tag, its tdm-reservation, or else its host's file asks for it."""
    if tag := opted_out(tags):
        raise _refusal(tag, f"X-Robots-Tag: {tag}")
    said = [value.strip() for value in reservations]
    if "1" in said or (reserved and "0" not in said):  # the header overrides the file
        raise Refusal(Reason.TDM, f"{TDM}: 1" if "1" in said else f"{TDM_FILE} reserves it")


def check_page(markup: str) -> None:
    """Raises `Refusal` where a page's meta tags ask to leave its pictures alone."""
    robots, reservations = [], []
    for tag in META.findall(markup):
        values = {name.lower(): value.strip("\"'").strip() for name, value in ATTRIBUTE.findall(tag)}
        name = values.get("name", "").lower()
        if name in ("robots", AGENT.lower()):
            robots.append(values.get("content", ""))
        elif name == TDM:
            reservations.append(values.get("content", ""))
    if directive := opted_out(robots, PAGE_OPT_OUTS):
        raise _refusal(directive, f"its page says {directive}")
    if "1" in reservations:
        raise Refusal(Reason.TDM, f"its page says {TDM}: 1")


def _refusal(directive: str, detail: str) -> Refusal:
    return Refusal(Reason.NOML if directive == NOML else Reason.OPTED_OUT, detail)


def opted_out(tags: Iterable[str], asked: Collection[str] = OPT_OUTS) -> str:
    """The directive of X-Robots-Tag headers that asks us to leave the picture alone; empty when none does."""
    for tag in tags:
        meant = True
        for part in tag.split(","):
            name, colon, rest = part.strip().lower().partition(":")
            if colon and name.strip() not in _VALUED:
                meant = name.strip() in ("*", AGENT.lower())
                name = rest
            if meant and name.strip() in asked:
                return name.strip()
    return ""
