"""Reads the multipart form of a prediction, with its limits enforced while the bytes arrive.

A server has no limit of its own, and a declared length may be a lie or missing: bytes are counted as they come. What is
over the limit is read on for a while without being kept, because a client that is still sending when the connection
closes sees "broken pipe" and never our answer. Files over one megabyte wait on disk (starlette's spooled file) until a
thread is free for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request

from handwriter_models.errors import UserError

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

FIELDS = ("file", "model", "seen")
_ENVELOPE = 16 * 1024  # boundaries, part headers and the short fields around the picture
_READ_SECONDS = 60.0
_DRAIN_SECONDS = 10.0
_HOW = "send multipart/form-data with the picture in the field 'file': curl -F file=@picture.png ADDRESS/predict/"


@dataclass(frozen=True)
class PictureForm:
    """The form of `POST /predict/`."""

    file: UploadFile
    model: str | None
    seen: bool


class _TooLarge(Exception):  # noqa: N818 - a signal inside this module, never an error that leaves it
    pass


class _Counter:
    """An ASGI `receive` that lets `limit` bytes through."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive, self._left = receive, limit
        self._more = True

    async def __call__(self) -> MutableMapping[str, Any]:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        self._more = message["type"] == "http.request" and message.get("more_body", False)
        if self._left < 0:
            raise _TooLarge
        return message

    async def drain(self) -> None:
        """Reads the rest of the body and forgets it, for a bounded time."""
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                while self._more:
                    message = await self._receive()
                    self._more = message["type"] == "http.request" and message.get("more_body", False)
        except TimeoutError:
            return


async def read_picture_form(request: Request, limit: int) -> PictureForm:
    """The form; raises `UserError` with status 400, 408, 413, 415 or 422. `limit` is in bytes of the picture."""
    counter = _Counter(request.receive, limit + _ENVELOPE)
    try:
        _check_headers(request, limit)
        async with asyncio.timeout(_READ_SECONDS):
            form = await Request(request.scope, counter).form(max_files=4, max_fields=16, max_part_size=4096)
    except _TooLarge:
        await counter.drain()
        raise too_large(limit) from None
    except UserError:
        await counter.drain()
        raise
    except TimeoutError:
        raise UserError("the picture took too long to arrive", "check the connection and send it again", 408) from None
    except (MultiPartException, HTTPException, ClientDisconnect) as error:
        what = getattr(error, "message", "") or getattr(error, "detail", "") or "it ended too early"
        raise UserError(f"the form cannot be read: {what}", _HOW, status=400) from None
    return _checked(form)


def too_large(limit: int) -> UserError:
    """The error for a picture over `limit` bytes."""
    return UserError(f"the picture is larger than {limit // 2**20} MB", "send a smaller one", status=413)


def _check_headers(request: Request, limit: int) -> None:
    kind = request.headers.get("content-type", "")
    if not kind.lower().startswith("multipart/form-data"):
        raise UserError(f"the body is {kind or 'of no type'}, not a form", _HOW, status=415)
    length = request.headers.get("content-length", "0")
    if length.isascii() and length.isdigit() and int(length) > limit + _ENVELOPE:
        raise too_large(limit)


def _checked(form: FormData) -> PictureForm:
    for name in form:
        if name not in FIELDS:
            raise UserError(f"unknown field {name!r}", f"fields: {', '.join(FIELDS)}; {_HOW}", status=422)
    files = form.getlist("file")
    if len(files) != 1:
        raise UserError(f"{len(files) or 'no'} pictures in the field 'file'", f"one a request; {_HOW}", status=422)
    if isinstance(files[0], str):
        raise UserError("the field 'file' holds text, not a file", _HOW, status=422)
    return PictureForm(files[0], _text(form, "model"), _text(form, "seen") in ("1", "true", "yes"))


def _text(form: FormData, field: str) -> str | None:
    value = form.get(field)
    if isinstance(value, UploadFile):
        raise UserError(f"the field {field!r} holds a file, not text", _HOW, status=422)
    return value or None
