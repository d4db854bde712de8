"""The fence around the browser: a proxy on this machine through which all of Chromium's traffic goes.

A page can make a browser ask for anything, so what a browser may reach is decided here and not in it: the proxy
resolves every name itself, checks every address it stands for, and connects to the checked address. The rule is that of
the downloads (`addresses`). Chromium is told to resolve nothing, to send nothing past the proxy, and to use no QUIC and
no WebRTC beside it.

A Grid on another machine cannot reach this proxy. There Chromium gets a list of host patterns that it does not resolve:
private addresses written as numbers and the usual local names are refused, a public name that leads to a private
address is not. Such a Grid needs a fence of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from crawler.addresses import Refusal, Resolver, Rule, resolve_public, system_resolver
from crawler.browser import Settings

MARK = "the crawler's fence"  # stands in the page that Chromium gets instead
HEAD_LIMIT, PIECE = 64 * 1024, 64 * 1024
CONNECT_SECONDS, HEAD_SECONDS, IDLE_SECONDS = 15, 60, 120
NO_NAMES = "MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"  # the proxy is at 127.0.0.1
HOP_BY_HOP = (b"connection", b"proxy-connection", b"keep-alive", b"proxy-authorization", b"te", b"upgrade")
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
_PRIVATE = [
    *("localhost", "*.localhost", "*.local", "*.internal", "*.lan", "*.home.arpa", "0.*", "10.*", "127.*", "169.254.*"),
    *("192.168.*", "192.0.0.*", "198.18.*", "198.19.*", "*:*", "metadata"),
    *(f"172.{part}.*" for part in range(16, 32)),
    *(f"100.{part}.*" for part in range(64, 128)),
]
PRIVATE_HOSTS = " , ".join(f"MAP {pattern} ~NOTFOUND" for pattern in _PRIVATE)


@contextmanager
def fenced(settings: Settings, rule: Rule, hosts: Mapping[str, str] | None = None) -> Iterator[Settings]:
    """The same settings, with which browsers keep to the rule for as long as the block lasts."""
    if rule.allow_private and not hosts:
        yield settings
    elif settings.grid and urlsplit(settings.grid).hostname not in LOCAL_HOSTS:
        yield replace(settings, host_rules=PRIVATE_HOSTS)
    else:
        with Fence(rule, hosts=hosts or {}) as fence:
            yield replace(settings, proxy=fence.address, host_rules=NO_NAMES, why=fence.why)


@dataclass(frozen=True)
class Wanted:
    """What a browser asks the proxy for. `line` is the request line for the server; empty for a tunnel."""

    host: str
    port: int
    line: bytes = b""
    head: bytes = b""
    body: int = 0


class Fence:
    """The proxy, in a thread of its own from the start to `close`. `hosts` sends a host to another address (tests)."""

    def __init__(
        self, rule: Rule, resolver: Resolver = system_resolver, hosts: Mapping[str, str] | None = None
    ) -> None:
        self._rule, self._resolver, self._hosts = rule, resolver, hosts or {}
        self.refused: deque[tuple[str, str]] = deque(maxlen=100)  # the last hosts that were not reached, and why
        self.passed = 0  # connections let through
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.Task[None]] = set()
        self._server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", 0, limit=HEAD_LIMIT)
        )
        self.address = "{}:{}".format(*self._server.sockets[0].getsockname()[:2])
        self._thread = threading.Thread(target=self._loop.run_forever, name="fence", daemon=True)
        self._thread.start()

    def __enter__(self) -> Fence:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the proxy and every connection through it."""
        if not self._loop.is_closed():
            asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def why(self, host: str) -> str:
        """Why a host was not reached the last time; empty when it was not asked for."""
        return next((why for asked, why in reversed(list(self.refused)) if asked == host), "")

    async def _shut(self) -> None:
        self._server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()
        await self._loop.shutdown_default_executor()  # name look-ups

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task  # noqa: S101 - a server's callback is a task
        self._open.add(task)
        try:
            await self._answer(reader, writer)
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass  # the browser sees a closed connection
        finally:
            self._open.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), HEAD_SECONDS)
        try:
            wanted = parsed(head)
            upstream = await self._connected(wanted)
        except ValueError as error:
            return await _say(writer, b"400 Bad Request", str(error))
        except (Refusal, OSError, TimeoutError) as error:
            why = (error.said if isinstance(error, Refusal) else str(error)) or f"{wanted.host}: no answer"
            self.refused.append((wanted.host, why))
            return await _say(writer, b"403 Forbidden" if isinstance(error, Refusal) else b"502 Bad Gateway", why)
        self.passed += 1
        try:
            if wanted.line:
                await _pass_request(wanted, (reader, writer), upstream)
            else:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await _tunnel((reader, writer), upstream)
        finally:
            upstream[1].close()
        return None

    async def _connected(self, wanted: Wanted) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        mapped = self._hosts.get(f"{wanted.host}:{wanted.port}") or self._hosts.get(wanted.host)
        if mapped:
            host, _, port = mapped.rpartition(":")
            return await asyncio.wait_for(asyncio.open_connection(host, int(port)), CONNECT_SECONDS)
        async with asyncio.timeout(CONNECT_SECONDS):
            addresses = await resolve_public(wanted.host, wanted.port, self._rule, self._resolver)
            for address in addresses[:-1]:
                with contextlib.suppress(OSError):
                    return await asyncio.open_connection(address, wanted.port)
            return await asyncio.open_connection(addresses[-1], wanted.port)


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def parsed(head: bytes) -> Wanted:
    """What the head of a request to the proxy asks for; raises `ValueError` on anything but a proxy's requests."""
    first, *lines = head.split(b"\r\n")
    method, _, rest = first.partition(b" ")
    target, _, version = rest.rpartition(b" ")
    if not target or not version.startswith(b"HTTP/1."):
        raise ValueError("no request line")
    if method == b"CONNECT":
        place = urlsplit("//" + target.decode("ascii"))
        if not place.hostname or not place.port:
            raise ValueError("CONNECT needs host:port")
        return Wanted(place.hostname, place.port)
    address = urlsplit(target.decode("ascii"))
    if address.scheme != "http" or not address.hostname:
        raise ValueError("this is a proxy: ask for http://host/path")
    path = (address.path or "/") + (f"?{address.query}" if address.query else "")
    kept, body = [], 0
    for line in lines:
        name = line.partition(b":")[0].strip().lower()
        if name == b"content-length":
            body = int(line.partition(b":")[2])
        if name == b"transfer-encoding":
            raise ValueError("a request body needs a length")
        if line and name not in HOP_BY_HOP:
            kept.append(line)
    request = b" ".join((method, path.encode("ascii"), b"HTTP/1.1"))
    return Wanted(address.hostname, address.port or 80, request, b"\r\n".join(kept), body)


async def _say(writer: asyncio.StreamWriter, status: bytes, why: str) -> None:
    text = f"<!doctype html><title>{MARK}</title>{MARK}: {why.replace('<', '')}\n".encode()
    head = b"HTTP/1.1 %b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
    writer.write(head % (status, len(text)) + text)
    await writer.drain()


async def _pass_request(wanted: Wanted, browser: Streams, server: Streams) -> None:
    """One request and its answer, then both connections end: the next request may be for another host."""
    server[1].write(wanted.line + b"\r\n" + wanted.head + b"\r\nConnection: close\r\n\r\n")
    left = wanted.body
    while left > 0 and (piece := await browser[0].read(min(left, PIECE))):
        server[1].write(piece)
        await server[1].drain()
        left -= len(piece)
    head = await asyncio.wait_for(server[0].readuntil(b"\r\n\r\n"), IDLE_SECONDS)
    lines = [line for line in head[:-4].split(b"\r\n") if line.partition(b":")[0].lower() not in HOP_BY_HOP]
    browser[1].write(b"\r\n".join(lines) + b"\r\nConnection: close\r\n\r\n")
    answer = asyncio.create_task(_copy(server[0], browser[1]))
    gone = asyncio.create_task(browser[0].read(1))  # the browser closes when it has all, or wants no more
    try:
        await asyncio.wait((answer, gone), return_when=asyncio.FIRST_COMPLETED)
    finally:
        answer.cancel()
        gone.cancel()
        await asyncio.gather(answer, gone, return_exceptions=True)


async def _tunnel(browser: Streams, server: Streams) -> None:
    """Bytes both ways until either side ends."""
    ways = [asyncio.create_task(_copy(browser[0], server[1])), asyncio.create_task(_copy(server[0], browser[1]))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while piece := await source.read(PIECE):
        target.write(piece)
        await target.drain()
