"""A host of pictures for the tests: good ones, and every misbehaviour a crawler meets.

The first part of the path says what happens, the last number in it which picture is meant: `/slow/7.jpg`,
`/status/410/7.jpg`. A first part that is not in `picture_faults.BEHAVIOURS` gives the picture in the format of the
extension, so `/고양이/7.png` is a picture too. Speed is no aim: a benchmark brings its own server.
"""

from __future__ import annotations

import re
import ssl
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from tests import picture_faults as faults
from tests.loopback_site import LoopbackSite, Request, Wire
from tests.picture_files import MEDIA, picture


@dataclass(frozen=True)
class Robots:
    """What the host says at /robots.txt: 404 unless `text` is given; `wait` in seconds before the answer."""

    text: str | bytes | None = None
    status: int = 200
    wait: float = 0
    redirect: str = ""

    def respond(self, wire: Wire) -> None:
        """Answers the request for /robots.txt."""
        if self.wait and not wire.wait(self.wait):
            return
        if self.redirect:
            wire.send(301, {"Location": self.redirect}, b"")
        elif self.text is None:
            wire.send(404 if self.status == 200 else self.status, {"Content-Type": "text/html"}, b"not here")
        else:
            text = self.text.encode() if isinstance(self.text, str) else self.text
            wire.send(self.status, {"Content-Type": "text/plain"}, text)


class PictureHost(LoopbackSite):
    """The host. `latency` seconds before every picture; `opt_out` is sent as X-Robots-Tag with every one."""

    BEHAVIOURS: Mapping[str, Callable[[Request, Wire, PictureHost], None]] = faults.BEHAVIOURS

    def __init__(
        self,
        robots: Robots = Robots(),
        address: str = "127.0.0.1",
        *,
        latency: float = 0,
        opt_out: str = "",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(address, tls)
        self.robots = robots
        self.latency = latency
        self.opt_out = opt_out

    def url(self, path: str) -> str:
        """The address of a path given as people write it: percent-encoded where it must be."""
        return self.home + quote(path, safe="/?=&%:@!$'()*+,;~")

    @staticmethod
    def bytes_at(path: str) -> bytes:
        """The picture that a good path gives."""
        return picture(number_of(path), kind_of(path))

    def respond(self, request: Request, wire: Wire) -> None:
        """Answers by the first part of the path."""
        if request.path == "/robots.txt":
            self.robots.respond(wire)
            return
        if self.latency and not wire.wait(self.latency):
            return
        behaviour = self.BEHAVIOURS.get(request.path.split("/")[1])
        if behaviour:
            behaviour(request, wire, self)
        else:
            self.send_picture(request, wire)

    def send_picture(self, request: Request, wire: Wire, extra: Mapping[str, str] | None = None) -> None:
        """The good picture of this path."""
        headers = {"Content-Type": MEDIA[kind_of(request.path)], **(extra or {})}
        if self.opt_out:
            headers["X-Robots-Tag"] = self.opt_out
        wire.send(200, headers, self.bytes_at(request.path))


def number_of(path: str) -> int:
    """Which picture a path means: the last number in it; with the folders it stands in, so that /a/1 is not /b/1.

    A path under a behaviour or a format alone keeps its plain number.
    """
    numbers = re.findall(r"\d+", path)
    number = int(numbers[-1]) if numbers else 0
    first, _, rest = path.strip("/").partition("/")
    if first in MEDIA or first in faults.BEHAVIOURS:
        return number
    return zlib.crc32(f"{first}/{rest}".encode())


def kind_of(path: str) -> str:
    """The format that a path means: its extension, else its first part, else jpg."""
    extension = path.rpartition(".")[2].lower().replace("jpeg", "jpg")
    first = path.split("/")[1]
    return extension if extension in MEDIA else first if first in MEDIA else "jpg"
