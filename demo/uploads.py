"""Reads a multipart form with pictures, with its limits enforced while the bytes arrive.

A server has no limit of its own, and a declared length may be a lie or missing: bytes are counted as they come. What is
over the limit is read on for a while without being kept, because a client that is still sending when the connection
closes sees "broken pipe" and never our answer. Files over one megabyte wait on disk (starlette's spooled file) until a
thread is free for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass
from email.message import Message
from email.utils import collapse_rfc2231_value
from typing import Any

from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from handwriter_models.errors import UserError

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

FIELDS = ("file", "model", "seen", "top")
_ENVELOPE = 16 * 1024  # boundaries, part headers and the short fields around the picture
_READ_SECONDS = 60.0
_DRAIN_SECONDS = 10.0
_MOST_DIGITS = 6  # of `top`: no model has a million labels
_LONGEST_DISPOSITION = 2048  # bytes of a name with all that belongs to it
_HOW = "send multipart/form-data with the picture in the field 'file': curl -F file=@picture.png ADDRESS/predict/"


@dataclass(frozen=True)
class PictureForm:
    """The form of `POST /predict/`; `label` is of `POST /explain/` only, `top` None for all probabilities."""

    file: UploadFile
    model: str | None
    seen: bool
    label: str | None = None
    top: int | None = None


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


class _Parser(MultiPartParser):
    """Starlette's, which also takes a name that a client has encoded for other scripts (`filename*=`)."""

    def on_header_end(self) -> None:
        super().on_header_end()
        given = self._current_part.content_disposition
        if given and b"*" in given:
            self._current_part.content_disposition = plain_disposition(given)


def plain_disposition(given: bytes) -> bytes:
    """A Content-Disposition in which `name` and `filename` stand plainly, as multipart forms want it (RFC 7578).

    Clients write `filename*=UTF-8''%ED%95%9C.png` all the same (RFC 5987, 8187), in other character sets, or in pieces
    (RFC 2231). A plain value, where there is one, stays the one that counts.
    """
    if len(given) > _LONGEST_DISPOSITION:
        return given
    header = Message()
    header["Content-Disposition"] = given.decode("latin-1").replace("\r", " ").replace("\n", " ")
    values: dict[str, str] = {}
    try:
        for name, value in header.get_params(header="Content-Disposition") or []:
            values.setdefault(name.lower().rstrip("* "), collapse_rfc2231_value(value))
    except ValueError:  # a character set that is none for texts, or a number of a piece that is none
        return given
    plain = parse_options_header(given)[1]
    missing = [name for name in ("name", "filename") if name in values and name.encode() not in plain]
    more = "".join(f'; {name}="{_quoted(values[name])}"' for name in missing)
    return given + more.encode("utf-8", "replace")


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


@dataclass(frozen=True)
class FormRules:
    """What a form may hold: bytes and number of pictures, all together, and the names of its fields."""

    bytes: int
    fields: Sequence[str] = FIELDS
    pictures: int = 1
    picture: str = "file"  # the field that holds them


async def read_picture_form(request: Request, limit: int, fields: Sequence[str] = FIELDS) -> PictureForm:
    """The form; raises `UserError` with status 400, 408, 413, 415 or 422. `limit` is in bytes of the picture."""
    form = await read_form(request, FormRules(limit, fields))
    seen = text_of(form, "seen") in ("1", "true", "yes")
    try:
        top = top_of(form)
    except UserError:
        await form.close()
        raise
    return PictureForm(pictures_of(form)[0], text_of(form, "model"), seen, text_of(form, "label"), top)


async def read_form(request: Request, rules: FormRules) -> FormData:
    """Any form with pictures; raises as `read_picture_form` does. Whoever asked for it closes it."""
    counter = _Counter(request.receive, rules.bytes + _ENVELOPE * rules.pictures)
    try:
        _check_headers(request, rules)
        async with asyncio.timeout(_READ_SECONDS):
            most = rules.pictures + 3  # so that a few too many are told, and more are not even parsed
            stream = Request(request.scope, counter).stream()
            form = await _Parser(request.headers, stream, max_files=most, max_fields=16, max_part_size=4096).parse()
    except _TooLarge:
        await counter.drain()
        raise _too_large(rules) from None
    except UserError:
        await counter.drain()
        raise
    except TimeoutError:
        raise UserError("the picture took too long to arrive", "check the connection and send it again", 408) from None
    except (MultiPartException, HTTPException, ClientDisconnect) as error:
        what = getattr(error, "message", "") or getattr(error, "detail", "") or "it ended too early"
        raise UserError(f"the form cannot be read: {what}", _HOW, status=400) from None
    try:
        _check_fields(form, rules)
    except UserError:
        await form.close()
        raise
    return form


def pictures_of(form: FormData, field: str = "file") -> list[UploadFile]:
    """The pictures in a form that was read by `read_form`: one at least."""
    return [one for one in form.getlist(field) if isinstance(one, UploadFile)]


def text_of(form: FormData, field: str) -> str | None:
    """The text of a field; None when it is not there or empty."""
    value = form.get(field)
    return value if isinstance(value, str) and value else None


def top_of(form: FormData) -> int | None:
    """How many of the most probable labels are asked for, 1 or more; None for all. Raises `UserError` with 422."""
    text = text_of(form, "top")
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS and int(text):
        return int(text)
    what = f"the field 'top' holds {text[:20]!r}, not a whole number from 1 to {10**_MOST_DIGITS - 1}"
    raise UserError(what, "say how many of the most probable labels to send, or leave it out for all", status=422)


def _too_large(rules: FormRules) -> UserError:
    what = "the picture is" if rules.pictures == 1 else "the pictures together are"
    return UserError(f"{what} larger than {rules.bytes // 2**20} MB", "send less at once", status=413)


def _check_headers(request: Request, rules: FormRules) -> None:
    kind = request.headers.get("content-type", "")
    if not kind.lower().startswith("multipart/form-data"):
        raise UserError(f"the body is {kind or 'of no type'}, not a form", _HOW, status=415)
    length = request.headers.get("content-length", "0")
    if length.isascii() and length.isdigit() and int(length) > rules.bytes + _ENVELOPE * rules.pictures:
        raise _too_large(rules)


def _check_fields(form: FormData, rules: FormRules) -> None:
    for name, value in form.multi_items():
        if name not in rules.fields:
            raise UserError(f"unknown field {name!r}", f"fields: {', '.join(rules.fields)}; {_HOW}", status=422)
        if (name == rules.picture) is isinstance(value, str):
            kinds = "text, not a file" if name == rules.picture else "a file, not text"
            raise UserError(f"the field {name!r} holds {kinds}", _HOW, status=422)
    count = len(form.getlist(rules.picture))
    if not 1 <= count <= rules.pictures:
        most = "one a request" if rules.pictures == 1 else f"1 to {rules.pictures} a request"
        raise UserError(f"{count or 'no'} pictures in the field {rules.picture!r}", f"{most}; {_HOW}", status=422)
