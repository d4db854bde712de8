"""The application behind the page: what is where, what a person decides, small and large pictures."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from base64 import b64encode
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from curation.dataset import Dataset
from curation.listing import PictureRow
from curation.review.arrange import VERDICTS, VIEWS, Query, described
from curation.review.files import file_routes
from curation.review.guard import Guard
from curation.review.index import Index
from curation.review.thumbnails import Thumbnails, large_picture, small_picture
from curation.verdicts import Action
from handwriter_models.errors import UserError
from handwriter_models.labels import as_label
from handwriter_models.layout import THUMBNAILS

_FIRST = 100  # pictures whose details come with the list
_MOST_IDS, _MOST_CHANGES = 500, 2000
_SHOWN = r"[^\s\x00-\x1f\x7f]"
_Text = Annotated[str, Field(max_length=80, pattern=rf"^{_SHOWN}([^\x00-\x1f\x7f]*{_SHOWN})?$")]


class Said(BaseModel):
    """Who says it, of which dataset, and a name by which the same request is known when it comes twice."""

    dataset: str
    by: _Text
    batch: Annotated[str, Field(pattern=r"^[0-9a-f]{16,40}$")]


class Judgement(Said):
    """One key press: the same verdict on some pictures."""

    ids: Annotated[list[int], Field(min_length=1, max_length=100_000)]
    action: Literal["keep", "drop", "relabel"]
    label: Annotated[str, Field(max_length=1000, pattern=r"^\S(.*\S)?$")] | None = None  # `as_label` says more


class Review:
    """The answers, over one open dataset."""

    def __init__(self, dataset: Dataset) -> None:
        self._root, self._pictures = dataset.root, dataset.pictures
        self.index = Index(dataset.pictures)
        self.thumbnails = Thumbnails(dataset.root / THUMBNAILS)
        self._decoding = threading.Semaphore((os.cpu_count() or 1) + 1)

    def listing(self, query: Query) -> dict[str, Any]:
        """The numbers of all pictures that the view shows, in order, and the details of the first."""
        self.index.look()
        verdict, generation = self.index.last_verdict, self.index.generation
        found = self.index.listing(query)
        return {
            "dataset": self.index.dataset,
            "name": self._root.name,
            "ids": found.ids,
            "starts": found.starts,
            "titles": found.titles,
            "marks": found.marks,
            "first": self.described(self.index.rows(found.ids[:_FIRST])),
            "facets": self.index.facets(),
            "counts": self.index.counts,
            "verdict": verdict,
            "generation": generation,
        }

    def changes(self, since: int) -> dict[str, Any]:
        """What anybody has decided since; `too_many` asks the page to fetch its list again."""
        found = self.index.changes(since, _MOST_CHANGES)
        held = {"dataset": self.index.dataset, "generation": self.index.generation, "counts": self.index.counts}
        if found is None:
            return {**held, "too_many": True, "verdict": self.index.last_verdict, "rows": []}
        return {**held, "too_many": False, "verdict": found[0], "rows": _standings(found[1])}

    def judge(self, said: Judgement) -> dict[str, Any]:
        """Stores the verdict and moves the files."""
        self._check(said)
        if (said.action == "relabel") != (said.label is not None):
            raise UserError("a label belongs to a relabel, and to nothing else", "give action and label together", 422)
        ids = list(dict.fromkeys(said.ids))
        there = {row.id for row in self.index.rows(ids)}
        missing = [number for number in ids if number not in there]
        if missing:
            raise UserError(f"{len(missing)} of these pictures are not there any more", "load the page again", 409)
        action = Action(said.action)
        label = None if said.label is None else as_label(said.label)
        return self._settled(ids, lambda: self._pictures.judge(ids, action, said.by, label, said.batch))

    def undo(self, said: Said) -> dict[str, Any]:
        """Takes back what this person decided last."""
        self._check(said)
        ids = self._pictures.undo(said.by, said.batch)
        return self._settled(ids, lambda: None)

    def described(self, rows: Iterable[PictureRow]) -> list[dict[str, Any]]:
        """All that is told of these pictures, with their thumbnails as far as they are made: one request for many."""
        told = []
        for row in rows:
            data = self.thumbnails.get(row.sha256)
            small = f"data:image/webp;base64,{b64encode(data).decode()}" if data else ""
            told.append({**described(row), "small": small})
        return told

    def kept(self, number: int, version: str) -> Response | None:
        """The thumbnail, if it is made already; quick enough to be asked without a thread."""
        row = self._row(number)
        data = self.thumbnails.get(row.sha256)
        return None if data is None else _picture(data, "image/webp", row, version)

    def small(self, number: int, version: str) -> Response:
        """The thumbnail, made now; browsers keep it for good, as its address names the content."""
        row = self._row(number)
        data = self._decoded(row, small_picture)
        self.thumbnails.put(row.sha256, data)
        return _picture(data, "image/webp", row, version)

    def warm_up(self) -> None:
        """Makes the list and the thumbnails of the first screen, which somebody is about to ask for."""
        self.index.facets()
        for number in self.index.listing(Query()).ids[:_FIRST]:
            with contextlib.suppress(UserError, HTTPException):
                if self.kept(number, "") is None:
                    self.small(number, "")

    def large(self, number: int, version: str) -> Response:
        """The picture to look at closely."""
        row = self._row(number)
        return _picture(self._decoded(row, large_picture), "image/jpeg", row, version)

    def _settled(self, ids: list[int], decide: Callable[[], object]) -> dict[str, Any]:
        try:
            decide()
        finally:  # a verdict whose file could not be moved is stored all the same
            self.index.refresh(ids)
        return {"rows": _standings(self.index.rows(ids)), "counts": self.index.counts}

    def _check(self, said: Said) -> None:
        if said.dataset != self.index.dataset:
            raise UserError("this page belongs to another dataset", "load the page again", 409)

    def _row(self, number: int) -> PictureRow:
        row = self.index.row(number)
        if row is None:
            raise HTTPException(404, "there is no such picture")
        return row

    def _decoded(self, row: PictureRow, make: Callable[[Path], bytes]) -> bytes:
        with self._decoding:
            try:
                return make(self._inside(row))
            except UserError:  # it may have been moved just now, by another process too
                self.index.refresh([row.id])
                again = self._row(row.id)
                if again.path == row.path:
                    raise
                return make(self._inside(again))

    def _inside(self, row: PictureRow) -> Path:
        path = self._root / row.path
        real = os.path.realpath(path)
        if os.path.commonpath([os.path.realpath(self._root), real]) != os.path.realpath(self._root):
            raise HTTPException(404, "the picture is a link out of the dataset")
        return path


def build(dataset: Dataset, host: str = "127.0.0.1") -> FastAPI:
    """The application, over an open dataset; `host` is the address at which it will be reached."""
    review = Review(dataset)
    app = FastAPI(title="HandWriter review", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.review = review
    app.add_middleware(Guard, host=host)
    _handle_errors(app)
    _add_reading(app, review)
    _add_deciding(app, review)
    app.router.routes.extend(file_routes())
    return app


def _add_reading(app: FastAPI, review: Review) -> None:
    @app.get("/health")
    def health() -> Response:
        return _json({"dataset": review.index.dataset})

    @app.get("/api/index")
    def index(request: Request) -> Response:
        asked = request.query_params
        query = Query(**{name: asked.get(name, default) for name, default in vars(Query()).items()})
        if query.view not in VIEWS or query.verdict not in VERDICTS:
            raise HTTPException(422, f"views are {', '.join(VIEWS)}; verdicts are {', '.join(VERDICTS[1:])}")
        return _json(review.listing(query))

    @app.get("/api/items")
    def items(ids: str) -> Response:
        return _json(review.described(review.index.rows(_numbers(ids))))

    @app.get("/api/group/{cluster}")
    def group(cluster: int) -> Response:
        return _json(review.described(review.index.group(cluster)))

    @app.get("/api/changes")
    def changes(since: int) -> Response:
        return _json(review.changes(since))

    @app.get("/thumb/{number}")
    async def small(number: int, v: str = "") -> Response:
        made = review.kept(number, v)
        return made if made is not None else await run_in_threadpool(review.small, number, v)

    @app.get("/picture/{number}")
    def large(number: int, v: str = "") -> Response:
        return review.large(number, v)


def _add_deciding(app: FastAPI, review: Review) -> None:
    @app.post("/api/verdict")
    def verdict(said: Judgement) -> Response:
        return _json(review.judge(said))

    @app.post("/api/undo")
    def undo(said: Said) -> Response:
        return _json(review.undo(said))


def _handle_errors(app: FastAPI) -> None:
    """Every error is `{"error", "hint"}`; 503 asks the page to try again."""

    @app.exception_handler(UserError)
    def told(_: Request, error: UserError) -> Response:
        return _json({"error": error.what, "hint": error.hint}, error.status)

    @app.exception_handler(HTTPException)
    def refused(_: Request, error: HTTPException) -> Response:
        return _json({"error": str(error.detail), "hint": ""}, error.status_code)

    @app.exception_handler(RequestValidationError)
    def wrong(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        return _json({"error": f"{place}: {first['msg']}", "hint": "load the page again"}, 422)

    @app.exception_handler(sqlite3.OperationalError)
    def busy(_: Request, error: sqlite3.OperationalError) -> Response:
        return _json({"error": f"the database is busy: {error}", "hint": "it is tried again"}, 503)


def _numbers(text: str) -> list[int]:
    numbers = text.split(",")
    if len(numbers) > _MOST_IDS or not all(number.isascii() and number.isdecimal() for number in numbers):
        raise HTTPException(422, f"ids are at most {_MOST_IDS} numbers with commas")
    return [int(number) for number in numbers]


def _standings(rows: Iterable[PictureRow]) -> list[tuple[int, bool, bool, str, str]]:
    return [(row.id, bool(row.dropped), bool(row.judged), row.label, row.path) for row in rows]


def _picture(data: bytes, media: str, row: PictureRow, version: str) -> Response:
    is_named = bool(version) and row.sha256.startswith(version)
    caching = "private, max-age=31536000, immutable" if is_named else "no-cache"
    return Response(data, media_type=media, headers={"Cache-Control": caching})


def _json(value: object, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json", headers={"Cache-Control": "no-store"})
