"""The addresses of the Teach page: the page itself at `/teach`, what it asks for under `/teach/api/`.

`POST /teach/api/sessions` gives a session's name; every other request sends it back in the header X-Teach-Session. A
page of another site cannot send that header, and nobody can guess the name.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response

from demo.api import Service
from demo.page import STATIC
from demo.teach.export import safe_name
from demo.teach.sessions import Session
from demo.teach.teaching import Teaching
from demo.tidying import repeated
from demo.uploads import FormRules, pictures_of, read_form, read_picture_form, text_of
from handwriter_models.errors import UserError
from handwriter_models.formats import ending_of, format_of
from handwriter_models.layout import OURS

HEADER = "X-Teach-Session"
_MOST_JSON = 64 * 1024
_BURST = 64  # characters
Json = dict[str, Any]
Handler = Callable[[Request, Session], Awaitable[Response]]
_PARAMETER = {"name": HEADER, "in": "header", "required": True, "schema": {"type": "string"}}
_PICTURE: Json = {"type": "string", "format": "binary"}


def teach_routes(service: Service, teaching: Teaching | None = None) -> APIRouter:
    """All routes of the Teach page."""
    state = teaching or Teaching(service)

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        async with repeated(state.sessions.sweep):
            yield
        state.close()

    router = APIRouter(tags=["Teach"], lifespan=lifespan)
    _add_page(router)
    routes = _Routes(state, router)
    routes.add_session()
    routes.add_classes()
    routes.add_samples()
    routes.add_downloads()
    return router


def _add_page(router: APIRouter) -> None:
    async def page() -> Response:
        return FileResponse(STATIC / "teach" / "teach.html", headers={"Cache-Control": "no-cache"})

    async def with_slash() -> Response:
        return RedirectResponse("../teach")

    router.get("/teach", include_in_schema=False)(page)
    router.get("/teach/", include_in_schema=False)(with_slash)


class _Routes:
    """Adds routes to a router; each handler is given the request's session."""

    def __init__(self, teaching: Teaching, router: APIRouter) -> None:
        self.teaching, self.router = teaching, router

    def add(self, method: str, path: str, handler: Handler, fields: Json | None = None, form: bool = False) -> None:
        """A route below /teach/api; `fields` describe its body, a form or JSON."""

        async def route(request: Request) -> Response:
            return await handler(request, self.teaching.sessions.get(request.headers.get(HEADER, "")))

        route.__doc__, route.__name__ = handler.__doc__, handler.__name__
        extra: Json = {"parameters": [_PARAMETER, *_of_path(path)]}
        if fields:
            kind = "multipart/form-data" if form else "application/json"
            extra["requestBody"] = {"content": {kind: {"schema": {"type": "object", "properties": fields}}}}
        self.router.add_api_route(f"/teach/api/{path}", route, methods=[method], openapi_extra=extra)

    def add_session(self) -> None:
        """Opening, looking at and ending a session; live answers."""
        teaching = self.teaching

        async def open_session(request: Request) -> Response:
            """Opens a session: `{"kind": "handwriting" or "photographs"}`."""
            document = await _document(request)
            name, session = await teaching.open(_text(document, "kind", "handwriting"))
            return _json({"session": name, "limits": vars(teaching.limits), **session.as_json()}, 201)

        async def state(_: Request, session: Session) -> Response:
            """Classes, what was learned last, the estimate and warnings."""
            return _json(session.as_json())

        async def end(request: Request, _: Session) -> Response:
            """Forgets the session and all its pictures."""
            teaching.sessions.end(request.headers[HEADER])
            return Response(status_code=204)

        async def predict(request: Request, session: Session) -> Response:
            """What the session's head says of a picture."""
            form = await read_picture_form(request, teaching.service.limits.bytes, ("file",))
            try:
                return _json(await teaching.predict(session, form.file.file.read()))
            finally:
                await form.file.close()

        async def pictures(request: Request) -> Response:
            """Which of the files of an archive are pictures: `{"files": [{"path", "inside"?, "head"?}]}`."""
            files = (await _document(request)).get("files")
            if not isinstance(files, list):
                raise UserError("'files' is no list", 'send {"files": [{"path": "cat/1.jpg"}]}', status=422)
            return _json({"pictures": [_is_picture(one) for one in files]})

        self.router.post("/teach/api/sessions", openapi_extra=_kind_body())(open_session)
        self.router.post("/teach/api/pictures", include_in_schema=False)(pictures)
        self.add("GET", "session", state)
        self.add("DELETE", "session", end)
        self.add("POST", "predict", predict, {"file": _PICTURE}, form=True)

    def add_classes(self) -> None:
        """Adding, renaming, ordering and removing classes; each answers with the session's state."""
        teaching = self.teaching

        async def add_class(request: Request, session: Session) -> Response:
            """A new class."""
            made = session.add_class(_text(await _document(request), "name"))
            return _json({"id": made.id, **session.as_json()}, 201)

        async def rename(request: Request, session: Session) -> Response:
            """Another name; nothing is learned anew."""
            name = _text(await _document(request), "name")
            session.rename(session.get(request.path_params["class_id"]), name)
            return _json(session.as_json())

        async def reorder(request: Request, session: Session) -> Response:
            """The classes in another order: all ids."""
            order = (await _document(request)).get("order")
            if not isinstance(order, list) or not all(isinstance(name, str) for name in order):
                raise UserError("'order' is no list of ids", "send all ids of the classes, each once", status=422)
            session.reorder(order)
            teaching.teacher.changed(session)
            return _json(session.as_json())

        async def remove_class(request: Request, session: Session) -> Response:
            """The class and its pictures go."""
            session.remove_class(session.get(request.path_params["class_id"]))
            teaching.teacher.changed(session)
            return _json(session.as_json())

        name: Json = {"name": {"type": "string"}}
        self.add("POST", "classes", add_class, name)
        self.add("PUT", "classes", reorder, {"order": {"type": "array", "items": {"type": "string"}}})
        self.add("PATCH", "classes/{class_id}", rename, name)
        self.add("DELETE", "classes/{class_id}", remove_class)

    def add_samples(self) -> None:
        """Adding, listing and removing pictures."""
        teaching = self.teaching

        async def add_samples(request: Request, session: Session) -> Response:
            """Pictures for a class; those of one burst of a camera share a text in `burst`."""
            one = session.get(request.path_params["class_id"])
            rules = FormRules(2 * teaching.service.limits.bytes, ("file", "burst"), teaching.limits.files)
            form = await read_form(request, rules)
            try:
                files = [await file.read() for file in pictures_of(form)]
                burst = (text_of(form, "burst") or "")[:_BURST]
            finally:
                await form.close()
            added = await teaching.add(session, one, files, burst)
            return _json({"added": added, **session.as_json()})

        async def list_samples(request: Request, session: Session) -> Response:
            """Id and thumbnail (a data URL) of each picture of a class."""
            found = await teaching.thumbnails(session.get(request.path_params["class_id"]))
            return _json({"samples": [{"id": name, "thumbnail": _data_url(data)} for name, data in found]})

        async def remove_sample(request: Request, session: Session) -> Response:
            """The picture goes."""
            session.remove_sample(request.path_params["sample_id"])
            teaching.teacher.changed(session)
            return _json(session.as_json())

        fields: Json = {"file": {"type": "array", "items": _PICTURE}, "burst": {"type": "string"}}
        self.add("POST", "classes/{class_id}/samples", add_samples, fields, form=True)
        self.add("GET", "classes/{class_id}/samples", list_samples)
        self.add("DELETE", "samples/{sample_id}", remove_sample)

    def add_downloads(self) -> None:
        """The dataset and the bundle; POST, because making one costs work and answers are nobody's to keep."""
        teaching = self.teaching

        async def dataset(_: Request, session: Session) -> Response:
            """A zip of the pictures, as `python curation scan` and `python training fit` read it."""
            return _zip(await teaching.dataset(session), "dataset")

        async def bundle(request: Request, session: Session) -> Response:
            """A zip of the bundle, as `python app.py --model FOLDER` serves it."""
            name = safe_name(_text(await _document(request), "name", "taught"))
            return _zip(await teaching.bundle(session, name), name)

        self.add("POST", "dataset", dataset)
        self.add("POST", "bundle", bundle, {"name": {"type": "string"}})


def _is_picture(file: object) -> bool:
    """By its ending or its first bytes (base64); none is what lies in a dataset's own folder.

    `inside`: how many folders of the path lead to the dataset.
    """
    try:
        fields = file if isinstance(file, dict) else {}
        folders = str(fields["path"]).split("/")
        if "inside" in fields and folders[int(fields["inside"])] in OURS:
            return False
        return bool(ending_of(folders[-1]) or format_of(base64.b64decode(fields.get("head", ""))))
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise UserError(f"{str(file)[:80]!r} describes no file", 'send {"path": "cat/1.jpg"}', status=422) from error


def _of_path(path: str) -> list[Json]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _kind_body() -> Json:
    kind = {"type": "string", "enum": ["handwriting", "photographs"]}
    schema = {"type": "object", "properties": {"kind": kind}}
    return {"requestBody": {"content": {"application/json": {"schema": schema}}}}


async def _document(request: Request) -> Json:
    """The JSON object in the body, {} when there is no body; raises `UserError` (400, 413)."""
    data = b""
    async for piece in request.stream():
        data += piece
        if len(data) > _MOST_JSON:
            raise UserError(f"the body is larger than {_MOST_JSON // 1024} kB", "send a small JSON object", status=413)
    try:
        document = json.loads(data or b"{}")
    except (ValueError, RecursionError) as error:
        raise UserError(f"the body is not JSON: {str(error)[:80]}", "send a JSON object", status=400) from error
    if not isinstance(document, dict):
        raise UserError("the body is not a JSON object", 'send something like {"name": "cat"}', status=422)
    return document


def _text(document: Json, field: str, instead: str | None = None) -> str:
    value = document.get(field, instead)
    if not isinstance(value, str) or any("\ud800" <= sign <= "\udfff" for sign in value):
        raise UserError(f"the field {field!r} is missing or no text", f'send {{"{field}": "…"}}', status=422)
    return value


def _data_url(data: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(data).decode()


def _json(value: object, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json", headers={"Cache-Control": "no-store"})


def _zip(data: bytes, name: str) -> Response:
    """As a download; the header knows ASCII only, the page names the file itself."""
    plain = name if name.isascii() else "taught"
    headers = {"Content-Disposition": f'attachment; filename="{plain}.zip"', "Cache-Control": "no-store"}
    return Response(data, media_type="application/zip", headers=headers)
