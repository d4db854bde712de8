"""By which names a server may be asked. A page of the web can point a name of its own at 127.0.0.1 (DNS rebinding) and
then have a visitor's browser ask a server there; the browser still says that name, so a name that is not the server's
is refused. A number (192.168.0.7) is nobody's name, so it needs no such care.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable

_THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})
_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - a comparison


class HostNames:
    """The names of a server that is bound to `host`; `more` are further ones, `*.example.org` for all below it."""

    def __init__(self, host: str, more: Iterable[str] = ()) -> None:
        given = [name.strip().rstrip(".").casefold() for name in more]
        own = () if host in _THIS_MACHINE else (socket.gethostname(), f"{socket.gethostname()}.local")
        self._names = {host.strip("[]").casefold(), *_THIS_MACHINE, *map(str.casefold, own), *given}
        self._ends = tuple(name[1:] for name in given if name.startswith("*."))
        self._numbers = host in _EVERYWHERE
        self._any = "*" in given

    def has(self, header: str) -> bool:
        """Whether the Host header names this server; its port is left out, as a page of the web cannot forge it."""
        name = header.rpartition("]")[0][1:] if header.startswith("[") else header.partition(":")[0]
        name = name.rstrip(".").casefold()
        known = self._any or name in self._names or bool(self._ends and name.endswith(self._ends))
        return known or (self._numbers and _is_number(name))


def is_local(host: str) -> bool:
    """Whether only this machine reaches a server that is bound to `host`."""
    try:
        return host.casefold() == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
