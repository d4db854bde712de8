"""What a `PictureHost` does by the first part of the path: `BEHAVIOURS`.

Each takes the request, the wire and the host. Redirects and broken bodies are in `picture_breaks`.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from email.utils import formatdate
from time import time
from typing import TYPE_CHECKING

from tests import picture_files as files
from tests.loopback_site import Request, Wire
from tests.picture_breaks import BREAKS, JPEG, Behaviour, jpeg, number, parts

if TYPE_CHECKING:
    from tests.picture_host import PictureHost

# Other files than the path says


def answer(body: Callable[[int], bytes], media: str = "image/jpeg", status: int = 200) -> Behaviour:
    """These bytes, in an orderly way."""

    def behave(request: Request, wire: Wire, _: PictureHost) -> None:
        wire.send(status, {"Content-Type": media} if media else {}, body(number(request)))

    return behave


def half(kind: str) -> Behaviour:
    """A picture that was cut before it was put there: the announced length is that of the half."""
    return answer(lambda n: files.picture(n, kind)[: len(files.picture(n, kind)) // 2], files.MEDIA[kind])


def encoded(request: Request, wire: Wire, _: PictureHost) -> None:
    wire.send(200, {**JPEG, "Content-Encoding": "gzip"}, gzip.compress(jpeg(request)))


def not_really_encoded(request: Request, wire: Wire, _: PictureHost) -> None:
    wire.send(200, {**JPEG, "Content-Encoding": "gzip"}, jpeg(request))


def bomb(request: Request, wire: Wire, _: PictureHost) -> None:
    wire.send(200, {**JPEG, "Content-Encoding": "gzip"}, files.gzip_bomb())


# Statuses


def status(request: Request, wire: Wire, _: PictureHost) -> None:
    """/status/410/7.jpg"""
    wire.send(int(parts(request)[1]), {"Content-Type": "text/html"}, files.HTML)


def twice_503(request: Request, wire: Wire, host: PictureHost) -> None:
    if request.nth <= 2:
        wire.send(503, {}, b"busy")
    else:
        host.send_picture(request, wire)


def retry_after(request: Request, wire: Wire, host: PictureHost) -> None:
    """/retry-after/1/7.jpg: 429 the first time, with that many seconds; `date/1` says it as a date."""
    words = parts(request)[1:]
    seconds = float(words[-2])
    wait = formatdate(time() + seconds, usegmt=True) if words[0] == "date" else words[-2]
    if request.nth == 1:
        wire.send(429, {"Retry-After": wait}, b"slow down")
    else:
        host.send_picture(request, wire)


def always_429(request: Request, wire: Wire, _: PictureHost) -> None:
    wire.send(429, {"Retry-After": "86400"}, b"slow down")


# Hosts that look at who asks


def tagged(request: Request, wire: Wire, host: PictureHost) -> None:
    """/tagged/<percent-encoded value>/7.jpg: X-Robots-Tag with this value; `|` parts several header lines."""
    lines = [("X-Robots-Tag", value) for value in parts(request)[1].split("|")]
    wire.send(200, [*JPEG.items(), *lines], jpeg(request))


def needs_cookie(request: Request, wire: Wire, host: PictureHost) -> None:
    """Comes back to itself until the cookie it sets is sent: a loop for a client that keeps no cookies."""
    if "seen=1" in request.cookies:
        host.send_picture(request, wire)
    else:
        wire.send(302, {"Location": request.target, "Set-Cookie": "seen=1; Path=/"}, b"")


def sets_cookie(request: Request, wire: Wire, host: PictureHost) -> None:
    host.send_picture(request, wire, {"Set-Cookie": "track=1; Path=/; Max-Age=999999"})


def needs_referer(request: Request, wire: Wire, host: PictureHost) -> None:
    if request.headers.get("Referer"):
        host.send_picture(request, wire)
    else:
        wire.send(403, {"Content-Type": "text/html"}, b"hotlinking")


def honest_only(request: Request, wire: Wire, host: PictureHost) -> None:
    """403 for a program that says it is a browser."""
    if "Mozilla" in request.headers.get("User-Agent", "Mozilla"):
        wire.send(403, {"Content-Type": "text/html"}, b"you are no browser")
    else:
        host.send_picture(request, wire)


def same(request: Request, wire: Wire, _: PictureHost) -> None:
    """/same/7/any-name.jpg: the bytes of picture 7 under any name."""
    wire.send(200, JPEG, files.picture(int(parts(request)[1])))


BEHAVIOURS: Mapping[str, Behaviour] = {
    # good pictures, oddly given
    "same": same,
    "wrong-extension": answer(lambda n: files.picture(n, "png")),
    "no-type": answer(files.picture, ""),
    "octets": answer(files.picture, "application/octet-stream"),
    "html-type": answer(files.picture, "text/html"),
    "trailing": answer(lambda n: files.picture(n) + b"\r\n<!-- served by -->"),
    "encoded": encoded,
    "wide": answer(lambda n: files.picture(n, "jpg", 2400, 1600)),
    "small": answer(lambda n: files.picture(n, "jpg", 20, 16)),
    "animated": answer(files.animation, "image/gif"),
    "clear": answer(files.clear, "image/png"),
    "turned": answer(files.turned),
    "four-inks": answer(files.four_inks),
    # no pictures
    "pixel": answer(lambda n: files.PIXEL, "image/gif"),
    "html": answer(lambda n: files.HTML),
    "svg": answer(lambda n: files.SVG, "image/svg+xml"),
    "empty": answer(lambda n: b""),
    "noise": answer(lambda n: files.image(n).tobytes()),
    "pixels": answer(lambda n: files.too_many_pixels(), "image/png"),
    "half": half("jpg"),
    "half-png": half("png"),
    "half-webp": half("webp"),
    "half-gif": half("gif"),
    "not-found-picture": answer(files.picture, "image/jpeg", 404),
    "not-encoded": not_really_encoded,
    "bomb": bomb,
    # statuses
    "status": status,
    "twice-503": twice_503,
    "retry-after": retry_after,
    "always-429": always_429,
    **BREAKS,
    # hosts that look at who asks
    "tagged": tagged,
    "needs-cookie": needs_cookie,
    "sets-cookie": sets_cookie,
    "needs-referer": needs_referer,
    "honest-only": honest_only,
}
