"""Which addresses may be fetched: http and https to public hosts, unless private ones were allowed.

A name is resolved first, every address it stands for is checked, and the connection goes to a checked one: a name
server that answers differently the second time ("DNS rebinding") changes nothing. Literals, redirects and what the
browser loads are held to the same rule.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from urllib.parse import SplitResult, quote, urljoin, urlsplit, urlunsplit

from curation.records import Reason

LONGEST = 8192  # characters of an address
PORTS = {"http": 80, "https": 443}
Resolver = Callable[[str, int], Awaitable[list[str]]]
IP = ipaddress.IPv4Address | ipaddress.IPv6Address
# What `is_global` does not cover in every version: shared space of carriers, benchmarks, NAT64, 6to4 relays; and the
# address under which one cloud (Azure) tells its machines their secrets, public by its number only.
_MORE = "100.64.0.0/10 198.18.0.0/15 192.0.0.0/24 192.88.99.0/24 168.63.129.16/32 64:ff9b:1::/48 fec0::/10"
_MORE_PRIVATE = [ipaddress.ip_network(network) for network in _MORE.split()]
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_LEFT_ALONE = "%/:=&?~#+!$,;'@()*[]"
_STRAY = re.compile(r"%(?![0-9A-Fa-f]{2})")  # a percent sign that encodes nothing, as in "50% off.jpg"
# Threads of their own: a name server that does not answer holds one for many seconds, and the event loop's are few.
_LOOKUPS = ThreadPoolExecutor(32, thread_name_prefix="names")


class Refusal(Exception):  # noqa: N818 - a decision, not a fault
    """An address or what it gave is not wanted, for one of the reasons of the list."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail

    @property
    def said(self) -> str:
        """For where `unreachable` is said already: the detail alone, or with any other reason in front."""
        return self.detail if self.reason is Reason.UNREACHABLE else str(self)


@dataclass(frozen=True)
class Rule:
    """What may be reached: public addresses; private ones too; or just the (address, port) pairs of `also`."""

    allow_private: bool = False
    also: frozenset[tuple[str, int]] = frozenset()


def check_ip(address: str, port: int, rule: Rule) -> str | None:
    """Why the numeric address may not be connected to; None when it may."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return f"{address} is no address"
    if rule.allow_private or (str(ip), port) in rule.also:
        return None
    return None if all(_is_public(meant) for meant in _meanings(ip)) else f"{address} is not a public address"


def _meanings(ip: IP) -> list[IP]:
    """The address, and the IPv4 addresses that an IPv6 one carries inside (mapped, 6to4, Teredo, NAT64)."""
    if isinstance(ip, ipaddress.IPv4Address):
        return [ip]
    inside: list[IP] = [part for part in (ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())) if part is not None]
    if ip in _NAT64 or int(ip) >> 32 == 0:
        inside.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
    # A mapped address is only another way to write the IPv4 one; IPv6 as such is judged otherwise.
    return inside if ip.ipv4_mapped or ip in _NAT64 else [ip, *inside]


def _is_public(ip: IP) -> bool:
    special = ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_link_local or ip.is_loopback
    return (
        ip.is_global
        and not special
        and not any(ip in network for network in _MORE_PRIVATE if network.version == ip.version)
    )


def normal(address: str) -> str:
    """The address as it is fetched and stored: scheme and host in small letters, IDNA, percent-encoded, no fragment.

    Raises `Refusal` (`unsupported-scheme`, `bad-address`). A `data:` address comes back as it is.
    """
    address = re.sub(r"[\t\r\n]", "", address.strip())
    if address[:5].lower() == "data:":
        return address
    if len(address) > LONGEST:
        raise Refusal(Reason.BAD_ADDRESS, f"{len(address)} characters")
    try:
        parts = urlsplit("https:" + address if address.startswith("//") else address)
        if parts.scheme not in PORTS:
            raise Refusal(Reason.UNSUPPORTED_SCHEME, parts.scheme[:30] or "no scheme")
        return urlunsplit((parts.scheme, _place(parts), _quoted(parts.path) or "/", _quoted(parts.query), ""))
    except (ValueError, UnicodeError) as error:
        raise Refusal(Reason.BAD_ADDRESS, str(error)[:100]) from error


def joined(address: str, location: str) -> str:
    """The address that a redirect of `address` leads to; raises `Refusal` as `normal` does."""
    try:
        return normal(urljoin(address, location))
    except ValueError as error:
        raise Refusal(Reason.BAD_ADDRESS, f"redirected to {location[:100]!r}: {error}") from error


def _place(parts: SplitResult) -> str:
    """Host and port. A name and password in an address are left out: we log in nowhere."""
    host = (parts.hostname or "").rstrip(".")
    if not host:
        raise ValueError("no host")
    if ":" in host:
        host = f"[{ipaddress.ip_address(host.partition('%')[0])}]"
    elif not host.isascii():
        host = host.encode("idna").decode("ascii")
    if not re.fullmatch(r"[\w.\-\[\]:]+", host, re.ASCII):
        raise ValueError(f"{host[:60]!r} is no host name")
    port = parts.port
    return host if port in (None, PORTS[parts.scheme]) else f"{host}:{port}"


def _quoted(text: str) -> str:
    return quote(_STRAY.sub("%25", text).encode("utf-8", "replace"), safe=_LEFT_ALONE)


async def system_resolver(host: str, port: int) -> list[str]:
    """What the system's resolver says, without duplicates."""
    ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_LOOKUPS, ask)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def resolve_public(host: str, port: int, rule: Rule, resolver: Resolver = system_resolver) -> list[str]:
    """The numeric addresses of a host that may be connected to.

    Raises `Refusal`: `unreachable` for a name without addresses, `private-address` when any of them is not public, for
    a name that leads to both is a trap.
    """
    host = host.strip("[]")
    try:
        addresses = [str(ipaddress.ip_address(host))]
    except ValueError:
        try:
            addresses = await resolver(host, port)
        except (OSError, UnicodeError) as error:
            raise Refusal(Reason.UNREACHABLE, f"{host}: {getattr(error, 'strerror', None) or error}") from error
    for address in addresses:
        if fault := check_ip(address, port, rule):
            raise Refusal(Reason.PRIVATE_ADDRESS, f"{host}: {fault}" if host != address else fault)
    if not addresses:
        raise Refusal(Reason.UNREACHABLE, f"{host} has no address")
    return addresses
