"""Reading what a server sends: counted while it comes, timed, and unpacked within bounds."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp

from crawler.addresses import Refusal
from curation.records import Reason


@dataclass(frozen=True)
class Limits:
    """What one answer may be: bytes (also after unpacking), and bytes a second once `grace` seconds have passed.

    With `cut`, more bytes are no fault: the rest is left unread.
    """

    bytes: int
    min_rate: float
    grace: float
    cut: bool = False


@dataclass(frozen=True)
class Body:
    """An answer: status, bytes, the address it came from; `location` of a redirect."""

    status: int
    data: bytes
    address: str
    location: str = ""


async def decoded(answer: aiohttp.ClientResponse, limits: Limits, started: float) -> bytes:
    """The whole body, unpacked; raises `Refusal` (`too-large`, `too-slow`) as soon as a limit is passed."""
    if (answer.content_length or 0) > limits.bytes and not limits.cut:
        raise _too_large(limits)
    chunks: list[bytes] = []
    size = 0
    async for chunk in answer.content.iter_any():
        size += len(chunk)
        if size > limits.bytes and not limits.cut:
            raise _too_large(limits)
        took = time.monotonic() - started
        if took > limits.grace and size < limits.min_rate * took:
            raise Refusal(Reason.TOO_SLOW, f"{size / took:.0f} bytes/s")
        chunks.append(chunk)
        if size > limits.bytes:
            answer.close()
            break
    data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
    return _unpacked(data, answer.headers.get("Content-Encoding", ""), limits)


def _unpacked(data: bytes, encoding: str, limits: Limits) -> bytes:
    """We ask for no compression; servers that compress all the same are understood, their bombs are not."""
    if encoding.strip().lower() in ("", "identity", "none"):
        return data
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)  # gzip or deflate, whichever it is
    try:
        unpacked = unpacker.decompress(data, limits.bytes + 1)
    except zlib.error:
        return data  # it only said so; the check tells what it is
    if len(unpacked) > limits.bytes and not limits.cut:
        raise Refusal(Reason.TOO_LARGE, f"more than {limits.bytes} bytes, unpacked")
    return unpacked


def _too_large(limits: Limits) -> Refusal:
    return Refusal(Reason.TOO_LARGE, f"more than {limits.bytes} bytes")


def wait_asked(header: str | None) -> float | None:
    """The seconds that a Retry-After header asks for, as a number or a date; None when it does not."""
    if not header:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def refusal_of(error: Exception, again: Callable[[Refusal], Exception]) -> Exception:
    """What a failed connection means; a reset one is worth another try."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, Refusal):
            return cause
        cause = cause.__cause__
    detail = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    if isinstance(error, aiohttp.InvalidURL):
        return Refusal(Reason.BAD_ADDRESS, detail)
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return Refusal(Reason.UNREACHABLE, detail)
    if isinstance(error, aiohttp.ServerDisconnectedError | ConnectionResetError | aiohttp.ClientOSError):
        return again(Refusal(Reason.UNREACHABLE, detail))
    if isinstance(error, aiohttp.ClientResponseError | aiohttp.http_exceptions.HttpProcessingError):
        return Refusal(Reason.HTTP_ERROR, detail)
    return Refusal(Reason.UNREACHABLE, detail)
