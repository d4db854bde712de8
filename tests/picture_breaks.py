"""Redirects and bodies that do not come as they should: the rougher half of what a `PictureHost` does."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from tests import picture_files as files
from tests.loopback_site import Request, Wire

if TYPE_CHECKING:
    from tests.picture_host import PictureHost

Behaviour = Callable[[Request, Wire, "PictureHost"], None]
JPEG = {"Content-Type": "image/jpeg"}
ANNOUNCED = 600 * files.MEGABYTE
FILLING = b"\xff\xfe\xff\xff" + b"x" * 65533  # a JPEG comment: the file stays well-formed for ever


def number(request: Request) -> int:
    numbers = re.findall(r"\d+", request.path)
    return int(numbers[-1]) if numbers else 0


def parts(request: Request) -> list[str]:
    """The path's parts, decoded one by one: a part may hold a slash."""
    return [unquote(part) for part in urlsplit(request.target).path.split("/")[1:]]


def jpeg(request: Request) -> bytes:
    return files.picture(number(request))


# Redirects


def redirect_chain(request: Request, wire: Wire, host: PictureHost) -> None:
    """/redirect/3/7.jpg: three steps, then the picture."""
    _, left, name = parts(request)
    if left == "0":
        host.send_picture(request, wire)
    else:
        wire.send(302, {"Location": f"/redirect/{int(left) - 1}/{name}"}, b"moved")


def redirect_loop(request: Request, wire: Wire, _: PictureHost) -> None:
    wire.send(302, {"Location": request.target}, b"")


def redirect_round(request: Request, wire: Wire, _: PictureHost) -> None:
    """Two addresses that point to each other."""
    first, second, *rest = parts(request)
    other = "b" if second == "a" else "a"
    wire.send(301, {"Location": f"/{first}/{other}/{'/'.join(rest)}"}, b"")


def redirect_for_ever(request: Request, wire: Wire, _: PictureHost) -> None:
    """Always on to a new address."""
    wire.send(307, {"Location": f"/redirect-for-ever/{number(request) + 1}.jpg"}, b"")


def redirect_to(request: Request, wire: Wire, _: PictureHost) -> None:
    """/redirect-to/7.jpg?url=… : to any address."""
    wire.send(302, {"Location": request.query["url"]}, b"")


def redirect(location: str) -> Behaviour:
    """To one address; `{port}` is the host's own, so that a crawler that follows is seen in `asked("/secret")`."""

    def behave(request: Request, wire: Wire, host: PictureHost) -> None:
        wire.send(302, {"Location": location.replace("{port}", str(host.port))}, b"")

    return behave


def redirect_nowhere(request: Request, wire: Wire, _: PictureHost) -> None:
    wire.send(302, {}, b"no Location")


REDIRECTS = {
    "redirect-loopback": "http://127.0.0.1:{port}/secret/1.jpg",
    "redirect-name": "http://localhost:{port}/secret/1.jpg",
    "redirect-mapped": "http://[::ffff:127.0.0.1]:{port}/secret/1.jpg",
    "redirect-decimal": "http://2130706433:{port}/secret/1.jpg",
    "redirect-octal": "http://0177.0.0.1:{port}/secret/1.jpg",
    "redirect-short": "http://127.1:{port}/secret/1.jpg",
    "redirect-any": "http://0.0.0.0:{port}/secret/1.jpg",
    "redirect-metadata": "http://169.254.169.254/latest/meta-data/",
    "redirect-private": "http://10.0.0.1/router.jpg",
    "redirect-file": "file:///etc/passwd",
    "redirect-ftp": "ftp://127.0.0.1/1.jpg",
    "redirect-data": "data:image/gif;base64,R0lGODlhAQABAAAAACw=",
    "redirect-script": "javascript:alert(1)",
    "redirect-broken": "http://[bad/1.jpg",
    "redirect-userinfo": "http://user:password@127.0.0.1:{port}/secret/1.jpg",
}


# Bodies that do not come as they should


def endless(request: Request, wire: Wire, _: PictureHost) -> None:
    """Chunks for ever, as fast as they are taken: a JPEG that is all comment."""
    wire.head(200, {**JPEG, "Transfer-Encoding": "chunked"})
    wire.close()
    data = b"\xff\xd8" + FILLING
    while wire.wait(0):
        wire.raw(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        data = FILLING


def huge(announced: bool) -> Behaviour:
    """600 MB, with a Content-Length or until the connection closes."""

    def behave(request: Request, wire: Wire, _: PictureHost) -> None:
        wire.head(200, {**JPEG, **({"Content-Length": str(ANNOUNCED)} if announced else {"Connection": "close"})})
        wire.close()
        wire.raw(b"\xff\xd8")
        for _sent in range(2, ANNOUNCED, len(FILLING)):
            if not wire.wait(0):
                return
            wire.raw(FILLING)

    return behave


def drip(head: bool, pause: float = 1.0) -> Behaviour:
    """One byte a second: the body, or the headers already."""

    def behave(request: Request, wire: Wire, _: PictureHost) -> None:
        body = jpeg(request)
        start = f"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        wire.close()
        if not head:
            wire.raw(start)
        for byte in start + body if head else body:
            wire.raw(bytes([byte]))
            if not wire.wait(pause) or wire.gone():
                return

    return behave


def stall(request: Request, wire: Wire, _: PictureHost) -> None:
    """Half the picture, then silence on an open connection."""
    body = jpeg(request)
    wire.close()
    wire.head(200, {**JPEG, "Content-Length": str(len(body))})
    wire.raw(body[: len(body) // 2])
    silence(wire)


def never(request: Request, wire: Wire, _: PictureHost) -> None:
    """Takes the request and says nothing."""
    wire.close()
    silence(wire)


def silence(wire: Wire) -> None:
    while wire.wait(0.2) and not wire.gone():
        pass


def late(request: Request, wire: Wire, host: PictureHost) -> None:
    """/late/0.5/7.jpg: the picture after that many seconds."""
    if wire.wait(float(parts(request)[1])):
        host.send_picture(request, wire)


def broken_off(times: int) -> Behaviour:
    """A reset in the middle of the body, the first `times` times."""

    def behave(request: Request, wire: Wire, host: PictureHost) -> None:
        if request.nth > times:
            host.send_picture(request, wire)
            return
        body = jpeg(request)
        wire.head(200, {**JPEG, "Content-Length": str(len(body))})
        wire.raw(body[: len(body) // 2])
        wire.wait(0.02)
        wire.reset()

    return behave


def closed_at_once(request: Request, wire: Wire, _: PictureHost) -> None:
    wire.close()


def length_lies(factor: float) -> Behaviour:
    """Content-Length says more or less than there is; then the connection closes."""

    def behave(request: Request, wire: Wire, _: PictureHost) -> None:
        body = jpeg(request)
        wire.head(200, {**JPEG, "Content-Length": str(int(len(body) * factor)), "Connection": "close"})
        wire.raw(body)
        wire.close()

    return behave


def raw(text: bytes) -> Behaviour:
    """Exactly these bytes, then the end of the connection."""

    def behave(request: Request, wire: Wire, _: PictureHost) -> None:
        wire.close()
        wire.raw(text)

    return behave


BREAKS: dict[str, Behaviour] = {
    # redirects
    "redirect": redirect_chain,
    "redirect-to": redirect_to,
    "redirect-loop": redirect_loop,
    "redirect-round": redirect_round,
    "redirect-for-ever": redirect_for_ever,
    "redirect-nowhere": redirect_nowhere,
    **{name: redirect(location) for name, location in REDIRECTS.items()},
    # bodies
    "endless": endless,
    "huge": huge(announced=False),
    "huge-announced": huge(announced=True),
    "slow": drip(head=False),
    "slow-head": drip(head=True),
    "stall": stall,
    "never": never,
    "late": late,
    "reset": broken_off(times=10**9),
    "reset-once": broken_off(times=1),
    "closed": closed_at_once,
    "length-too-long": length_lies(2),
    "length-too-short": length_lies(0.5),
    "not-http": raw(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "bad-chunks": raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nxx\r\n"),
    "huge-head": raw(b"HTTP/1.1 200 OK\r\n" + b"X-Filling: " + b"x" * files.MEGABYTE + b"\r\n\r\n"),
    "many-heads": raw(b"HTTP/1.1 200 OK\r\n" + b"X-Filling: xxxxxxxxxxxxxxxxxxxx\r\n" * 20_000 + b"\r\n"),
}
