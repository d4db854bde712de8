"""`POST /feedback/`: "this is wrong, it is a 7". The picture goes into a dataset, under the label that is right.

Only where the owner of the server asked for it (`--feedback DATASET`). A correction enters as a crawled picture does:
engine `feedback`, keyword the model, title what it had said, and the time; so `curation review` and `training fit`
take the folder as it is, and a person can judge what strangers sent before anything is learned from it. The same bytes
are stored once, under the label that came first: two labels for one picture would be a conflict, not two samples. The
folder is bounded in bytes and in pictures. What a camera wrote into a picture beside its pixels, a position say, is not
stored.
"""

from __future__ import annotations

import os
import secrets
import sys
import threading
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from curation.dataset import Dataset
from curation.records import Claim, Found, Job, Kept, Reason, Refused
from demo.schema import FEEDBACK_DOCUMENTATION, FEEDBACK_ERRORS
from demo.uploads import FormRules, pictures_of, read_form, text_of
from handwriter_models.errors import UserError
from handwriter_models.formats import ENDINGS_OF
from handwriter_models.images import Limits, sound_picture
from handwriter_models.metadata import without_metadata

if TYPE_CHECKING:
    from demo.api import Service

ENGINE = "feedback"
NONE = "_none"  # the label of pictures that are none of a model's labels: a class of its own for `training fit`
FIELDS = ("file", "model", "said", "right")
_LIMITS = Limits()
_LOST = "its bytes went with the server that had taken it in"


@dataclass(frozen=True)
class Room:
    """How much the dataset may hold before corrections are refused: bytes, and pictures."""

    bytes: int = 500 * 10**6
    pictures: int = 20_000


@dataclass(frozen=True)
class Correction:
    """What a visitor said: the picture, which model, its answer, and the label that is right ("" for none of them)."""

    data: bytes
    model: str
    said: str
    right: str


class Feedback:
    """The open dataset. For threads; one correction is stored at a time."""

    def __init__(self, root: Path, room: Room = Room(), limits: Limits = _LIMITS) -> None:
        self._dataset = Dataset(root)
        self._room, self._limits = room, limits
        self._lock = threading.Lock()
        rows = list(self._dataset.images())
        self._paths = {row.sha256: row.path for row in rows}
        self._bytes = sum(row.bytes for row in rows)

    def store(self, correction: Correction) -> str:
        """The picture's path below the dataset; the same again for bytes that are there already.

        Raises:
            UserError: the bytes are no picture (400, 413, 415), or there is no more room (507).
        """
        sound_picture(correction.data, self._limits)
        bare = without_metadata(correction.data, self._limits)
        kind, width, height = sound_picture(bare.data, replace(self._limits, bytes=sys.maxsize), in_full=False)
        correction = replace(correction, data=bare.data)
        name = sha256(correction.data).hexdigest()
        with self._lock:
            if name in self._paths:
                return self._paths[name]
            self._check_room(len(correction.data))
            job = Job(correction.right or NONE, correction.model, ENGINE)
            kept = Kept(0, f"{name}.part", name, name, ENDINGS_OF[kind][0][1:], width, height, len(correction.data))
            path = self._taken_in(job, correction, kept)
            self._paths[name] = path
            self._bytes += kept.bytes
            return path

    def close(self) -> None:
        """Lets go of the dataset."""
        self._dataset.close()

    def _check_room(self, size: int) -> None:
        if self._bytes + size > self._room.bytes or len(self._paths) >= self._room.pictures:
            raise UserError("there is no room for more corrections", "tell whoever runs the server, and thank you", 507)

    def _taken_in(self, job: Job, correction: Correction, kept: Kept) -> str:
        address = f"sha256:{kept.sha256}/{secrets.token_hex(4)}"  # its own, should an earlier try have been lost
        said = f"said {correction.said!r}" if correction.said else "said none of its labels"
        self._dataset.add(job, [Found(address, title=said, width=kept.width, height=kept.height)])
        claim = self._claim(job, address)
        try:
            _write(self._dataset.incoming / kept.file, correction.data)
        except OSError as error:
            self._dataset.release([claim.id])
            raise UserError(f"the correction was not stored: {error.strerror}", "tell whoever runs it", 507) from error
        answer = self._dataset.settle([replace(kept, id=claim.id)], []).get(claim.id, "")
        if "/" not in answer:  # another process took the same bytes in meanwhile
            raise UserError("the correction was not stored", "send it again", 503)
        return answer

    def _claim(self, job: Job, address: str) -> Claim:
        """The claim on this address. Others that wait are of a server that died: their bytes are gone."""
        while claims := self._dataset.claim(job, 16, 10**9):
            ours = [claim for claim in claims if claim.address == address]
            lost = [Refused(claim.id, Reason.UNREACHABLE, _LOST) for claim in claims if claim.address != address]
            self._dataset.settle([], lost)
            if ours:
                return ours[0]
        raise UserError("the correction was not stored", "send it again", 503)


def feedback_routes(service: Service) -> APIRouter:
    """The route; it answers 403 where no dataset was named."""
    router = APIRouter(tags=["HandWriter"])

    async def feedback(request: Request) -> Response:
        """Stores a picture under the label that is right."""
        store = service.feedback
        if store is None:
            raise UserError("this server keeps no corrections", "its owner starts it with --feedback DATASET", 403)
        form = await read_form(request, FormRules(service.limits.bytes, FIELDS))
        try:
            said, right = text_of(form, "said") or "", text_of(form, "right") or ""
            model = service.shelf.get(text_of(form, "model"))
            for label in (said, right):
                _check_label(label, model.classifier.labels)
            picture = pictures_of(form)[0]
            stored = await service.workers.run(
                lambda: store.store(Correction(picture.file.read(), model.name, said, right))
            )
        finally:
            await form.close()
        return JSONResponse({"stored": stored}, 201)

    told: dict[str, Any] = {"responses": FEEDBACK_ERRORS, "openapi_extra": FEEDBACK_DOCUMENTATION}
    router.post("/feedback/", status_code=201, **told)(feedback)
    router.post("/feedback", include_in_schema=False)(feedback)
    return router


def _check_label(label: str, labels: tuple[str, ...]) -> None:
    if label and label not in labels:
        raise UserError(f"{label!r} is no label of this model", "see GET /models; leave it empty for none of them", 422)


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
