"""What of Gradio's own interface is let through, and how: the page needs little of it, a stranger none of the rest.

Gradio brings eighty routes: files of the machine, a proxy, uploads, an editor of the app. A mounted Gradio does not
check where a file in a request comes from (its check waits for `launch`), and would fetch an address that stands in a
file's place. So only the routes of its page and of `gradio_client` pass, bodies are small, a path in a body must be a
picture that was just uploaded, and uploads are ours: pictures only, looked at before they are written, bounded
together, and gone after the call that uses them or after an hour.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.refusals import TryLaterError, refusal, route_path
from demo.uploads import FormRules, pictures_of, read_form
from handwriter_models.errors import UserError
from handwriter_models.formats import ENDINGS_OF
from handwriter_models.images import Limits, sound_picture

_START = "/gradio_api/"
_PASSES = {
    "GET": re.compile(
        r"(info|openapi\.json|config|app_id|user|login_check|token|startup-events|theme\.css|heartbeat/[\w-]{1,64}"
        r"|queue/(data|status)|call/(v2/)?predict/[\w-]{1,64})/?"
    ),
    "POST": re.compile(r"(upload|queue/join|cancel|reset|(run|api|call|call/v2)/predict)/?"),
}
_LARGEST = 16 * 1024  # bytes of a call: a path and the name of a model
_NESTED = 20
_AGE = 3600.0


class Uploads:
    """The folder of pictures that Gradio's clients sent; it goes when the server ends.

    It lies in Gradio's own temporary folder, which is told by an environment variable; anywhere else Gradio would copy
    each picture once more.
    """

    def __init__(self, limits: Limits, most: int = 256 * 2**20) -> None:
        self._root = Path(tempfile.mkdtemp(prefix="handwriter-", dir=os.environ.get("GRADIO_TEMP_DIR")))
        os.environ["GRADIO_TEMP_DIR"] = str(self._root)
        self.folder = self._root / "uploads"
        self.folder.mkdir()
        self._limits, self._most = limits, most

    def put(self, data: bytes) -> Path:
        """Stores a picture whose head and size are right; raises `UserError` (400, 413, 415, 503)."""
        kind, _, _ = sound_picture(data, self._limits, in_full=False)
        held = self.tidy()
        if held + len(data) > self._most:
            raise TryLaterError("too many uploads wait to be used", "send it to POST /predict/, or try again", 503, 60)
        path = self.folder / f"{secrets.token_hex(16)}{ENDINGS_OF[kind][0]}"
        path.write_bytes(data)
        return path

    def has(self, path: object) -> bool:
        """Whether this is the path of one of ours, whatever it may lead to."""
        return isinstance(path, str) and Path(path).parent == self.folder and Path(path).is_file()

    def take(self, path: object) -> bytes:
        """The bytes of an upload, which is then gone; raises `UserError` (400) for any other path."""
        if not self.has(path):
            raise UserError("that is no file that was uploaded here", "upload it with gradio_client.handle_file", 400)
        file = Path(str(path))
        data = file.read_bytes()
        file.unlink(missing_ok=True)
        return data

    def close(self) -> None:
        """Removes the folder."""
        shutil.rmtree(self._root, ignore_errors=True)

    def tidy(self) -> int:
        """Removes what is older than an hour; the bytes of what is left."""
        held, now = 0, time.time()
        for file in self.folder.iterdir():
            try:
                told = file.stat()
            except FileNotFoundError:  # used meanwhile
                continue
            if now - told.st_mtime > _AGE:
                file.unlink(missing_ok=True)
            else:
                held += told.st_size
        return held


class GradioGate:
    """The layer in front of the mounted Gradio."""

    def __init__(self, app: ASGIApp, uploads: Uploads, limit: int) -> None:
        self._app, self._uploads, self._limit = app, uploads, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on what the page or a client needs; takes uploads itself."""
        path = route_path(scope) if scope["type"] == "http" else ""
        if not path.startswith(_START):
            await self._app(scope, receive, send)
            return
        try:
            if not _passes(scope["method"], path.removeprefix(_START)):
                raise UserError(f"{scope['method']} {path} is not offered here", "the API is at /docs", 404)
            if path.rstrip("/") == f"{_START}upload":
                answer = await self._upload(Request(scope, receive))
            elif scope["method"] == "POST":
                await self._app(scope, await self._checked(receive), send)
                return
            else:
                await self._app(scope, receive, send)
                return
        except UserError as error:
            answer = refusal(error)
        await answer(scope, receive, send)

    async def _upload(self, request: Request) -> Response:
        form = await read_form(request, FormRules(self._limit, ("files",), picture="files"))
        try:
            data = await pictures_of(form, "files")[0].read()
            return JSONResponse([str(await asyncio.to_thread(self._uploads.put, data))])
        finally:
            await form.close()

    async def _checked(self, receive: Receive) -> Receive:
        """The body, read whole and looked at, to be read again by Gradio."""
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message["type"] == "http.request" and message.get("more_body", False)
            if len(body) > _LARGEST:
                raise UserError(f"a call holds at most {_LARGEST // 1024} kB", "upload the picture first", 413)
        try:
            self._check(orjson.loads(body or b"null"))
        except orjson.JSONDecodeError as error:
            raise UserError("the call is not JSON", "use gradio_client", 400) from error
        waiting = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> Message:
            return waiting.pop() if waiting else await receive()

        return again

    def _check(self, value: Any, depth: int = 0) -> None:  # noqa: ANN401 - whatever JSON holds
        """Raises `UserError` when a file in it is not one of the uploads."""
        if depth > _NESTED:
            raise UserError("the call is nested too deep", "use gradio_client", 400)
        if isinstance(value, dict):
            if "path" in value and not self._uploads.has(value["path"]):
                raise UserError("a file of the call was not uploaded here", "use gradio_client.handle_file", 400)
            value = list(value.values())
        if isinstance(value, list):
            for each in value:
                self._check(each, depth + 1)


def _passes(method: str, rest: str) -> bool:
    pattern = _PASSES.get("GET" if method == "HEAD" else method)
    return bool(pattern and pattern.fullmatch(rest))
