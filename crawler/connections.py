"""How the client gets its connections: names are resolved, checked, and connected to as they were checked."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from aiohttp import TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult

from crawler.addresses import Refusal, Resolver, Rule, check_ip, resolve_public
from curation.records import Reason

DNS_SECONDS = 300
KEEP_SECONDS = 3  # an idle connection; most hosts have one picture, and open sockets are limited


class CheckedResolver(AbstractResolver):
    """Hands aiohttp only addresses that may be reached; it connects to these and asks nobody again."""

    def __init__(self, rule: Rule, resolver: Resolver) -> None:
        self._rule, self._resolver = rule, resolver

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002 - aiohttp gives it
    ) -> list[ResolveResult]:
        """Raises `Refusal` when the name leads to a private address or nowhere."""
        found = await resolve_public(host, port, self._rule, self._resolver)
        return [_result(host, address, port) for address in found]

    async def close(self) -> None:
        """Nothing is held open."""


def _result(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    numeric = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return {"hostname": host, "host": address, "port": port, "family": family, "proto": 0, "flags": numeric}


def check_literal(host: str, port: int, rule: Rule) -> None:
    """Raises `Refusal` for a host written as a private number: such a one is connected to without a resolver."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return
    if fault := check_ip(host.strip("[]"), port, rule):
        raise Refusal(Reason.PRIVATE_ADDRESS, fault)


def connector(rule: Rule, resolver: Resolver) -> TCPConnector:
    """Pooled connections without a limit of their own: `Gates` has the limits."""
    checked = CheckedResolver(rule, resolver)
    return TCPConnector(
        resolver=checked, limit=0, limit_per_host=0, ttl_dns_cache=DNS_SECONDS, keepalive_timeout=KEEP_SECONDS
    )


class Gates:
    """At most so many requests at once, and so many to one host; who waits for a host holds no place of the others.

    A host that is to be left alone is waited for, `longest` seconds at most.
    """

    def __init__(self, concurrency: int, per_host: int, longest: float) -> None:
        self._all = asyncio.Semaphore(concurrency)
        self._per_host, self._longest = per_host, longest
        self._quiet: dict[str, float] = {}  # host → until when nobody is to ask it
        self._hosts: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    def leave_alone(self, host: str, seconds: float) -> None:
        """Nobody is to ask the host for so long."""
        self._quiet[host] = max(self._quiet.get(host, 0), time.monotonic() + seconds)

    def quiet(self, host: str) -> float:
        """The seconds for which the host is still to be left alone."""
        until = self._quiet.get(host)
        if until is None:
            return 0
        if until <= time.monotonic():
            del self._quiet[host]
            return 0
        return until - time.monotonic()

    @asynccontextmanager
    async def passed(self, host: str) -> AsyncIterator[None]:
        """A place at the host, then one of all."""
        gate = self._hosts.get(host)
        if gate is None:
            gate = self._hosts[host] = asyncio.Semaphore(self._per_host)
        async with gate:
            while 0 < (seconds := self.quiet(host)) <= self._longest:
                await asyncio.sleep(seconds)
            async with self._all:
                yield
