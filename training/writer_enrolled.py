"""The writers a user has made known, as one JSON file: names, the mean traits of their pictures, and which those were.

No picture is kept, only its sha256, so that the same picture does not count twice and is not asked about after it was
used. The file belongs to one model, whose fingerprint it holds: traits of another would compare as if they meant the
same. It is read strictly and replaced at once, and two processes that add writers at the same time wait for each other.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from handwriter_models.bundle_config import parse_json
from handwriter_models.errors import UserError
from training.samples import Images
from training.writer_model import HandModel, Known
from training.writer_scoring import Floats

LEAST_PICTURES = 5
_FORMAT = 1
_MOST_BYTES, _MOST_WRITERS = 64 * 2**20, 10_000
_AGAIN = "enroll the writers again, or take an earlier copy of the file"


@dataclass(frozen=True)
class Enrolled:
    """One writer: the mean vector of the pictures, and their fingerprints."""

    mean: Floats
    pictures: list[str] = field(default_factory=list)

    def with_pictures(self, vectors: Floats, prints: list[str]) -> Enrolled:
        """The writer known by these pictures, too."""
        before, count = len(self.pictures), len(prints)
        return Enrolled((self.mean * before + vectors.sum(axis=0)) / (before + count), [*self.pictures, *prints])


Writers = dict[str, Enrolled]


def picture_prints(images: Images) -> list[str]:
    """A fingerprint of each prepared picture."""
    return [hashlib.sha256(np.ascontiguousarray(image).tobytes()).hexdigest()[:32] for image in images]


def known_of(writers: Writers) -> Known:
    """The writers as the model compares with them."""
    means = np.stack([writer.mean for writer in writers.values()])
    return Known(list(writers), means, np.array([len(writer.pictures) for writer in writers.values()], np.int64))


def clean_name(name: str) -> str:
    """The name in one Unicode form; `UserError` for what cannot be shown."""
    found = unicodedata.normalize("NFC", name).strip()
    if not found or len(found) > 200 or not found.isprintable():
        raise UserError(f"the writer's name is {name[:80]!r}", "give printable text of 1 to 200 characters")
    return found


def enroll(path: Path, model: HandModel, name: str, images: Images) -> tuple[Enrolled, int]:
    """Adds prepared pictures to what is known of a writer; the writer, and how many pictures were new.

    Raises:
        UserError: fewer than five pictures are known of a new writer, or a picture is another's.
    """
    name = clean_name(name)
    by_print = dict(zip(picture_prints(images), images, strict=True))
    with changing(path, model) as writers:
        for other, writer in writers.items():
            shared = sorted(set(by_print) & set(writer.pictures))
            if other != name and shared:
                raise UserError(
                    f"{len(shared)} of these pictures are already known as those of {other!r}",
                    "a picture has one writer: take it out, or forget that writer first",
                )
        before = writers.get(name) or Enrolled(np.zeros(len(model.config.labels)))
        fresh = [mark for mark in by_print if mark not in before.pictures]
        if len(before.pictures) + len(fresh) < LEAST_PICTURES:
            raise UserError(
                f"{len(fresh)} different picture{'' if len(fresh) == 1 else 's'} of {name!r}",
                f"give {LEAST_PICTURES} or more: fewer say little about a hand",
            )
        if fresh:
            vectors = model.vectors(np.stack([by_print[mark] for mark in fresh]))
            writers[name] = before.with_pictures(vectors, fresh)
        return writers[name], len(fresh)


def forget(path: Path, model: HandModel, name: str) -> None:
    """Removes all that is known of a writer; `UserError` when there is no such name."""
    name = clean_name(name)
    with changing(path, model) as writers:
        if name not in writers:
            raise UserError(f"nobody is known as {name!r}", f"known: {', '.join(writers) or 'nobody'}")
        del writers[name]


@contextmanager
def changing(path: Path, model: HandModel) -> Iterator[Writers]:
    """The writers in the file, written back when the block ends well; one process at a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        if os.name == "posix":  # elsewhere the last of two at the same moment wins
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        writers = read_writers(path, model)
        yield writers
        _write(path, model, writers)


def _write(path: Path, model: HandModel, writers: Writers) -> None:
    rows = {name: {"mean": writer.mean.tolist(), "pictures": writer.pictures} for name, writer in writers.items()}
    document = {"format": _FORMAT, "model": model.fingerprint, "writers": rows}
    scratch = path.with_name(f"{path.name}.tmp")
    with scratch.open("w", encoding="utf-8") as file:
        json.dump(document, file, ensure_ascii=False, allow_nan=False)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)


def read_writers(path: Path, model: HandModel) -> Writers:
    """The writers in the file, none when there is no file; `UserError` on any fault, or when another model made it."""
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}", _AGAIN) from error
    document = parse_json(content, str(path)) if len(content) <= _MOST_BYTES else None
    if not isinstance(document, dict) or set(document) != {"format", "model", "writers"}:
        raise UserError(f"{path} is no file of writers", _AGAIN, 422)
    if document["format"] != _FORMAT:
        raise UserError(f"{path} has format {document['format']!r}, not {_FORMAT}", "made by a newer version?", 422)
    if document["model"] != model.fingerprint:
        raise UserError(
            f"the writers in {path} were made known to another model than {model.config.name!r}",
            "give that model with --model, or another file with --writers",
            422,
        )
    rows = document["writers"]
    if not isinstance(rows, dict) or len(rows) > _MOST_WRITERS:
        raise UserError(f"{path}: field 'writers' is no object of at most {_MOST_WRITERS} writers", _AGAIN, 422)
    return {
        clean_name(name): _writer(row, len(model.config.labels), f"{path}: writer {name!r}")
        for name, row in rows.items()
    }


def _writer(row: Any, traits: int, where: str) -> Enrolled:  # noqa: ANN401 - any JSON value
    if not isinstance(row, dict) or set(row) != {"mean", "pictures"}:
        raise UserError(f"{where} does not have exactly 'mean' and 'pictures'", _AGAIN, 422)
    mean, pictures = row["mean"], row["pictures"]
    numbers = isinstance(mean, list) and all(isinstance(value, int | float) for value in mean)
    if not numbers or len(mean) != traits or not all(math.isfinite(value) for value in mean):
        raise UserError(f"{where}: field 'mean' is not a list of {traits} numbers", _AGAIN, 422)
    good = isinstance(pictures, list) and all(isinstance(mark, str) and len(mark) == 32 for mark in pictures)
    if not good or not pictures or len(set(pictures)) < len(pictures):
        raise UserError(f"{where}: field 'pictures' is not a list of different fingerprints", _AGAIN, 422)
    return Enrolled(np.array(mean, np.float64), pictures)
