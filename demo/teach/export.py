"""What a visitor takes away: the pictures as a dataset, and what was learned as a bundle.

Both are the project's own formats. The dataset has the layout that `curation scan` and `training fit` read, with each
picture as the session kept it; the bundle loads with `handwriter_models.load` and answers as the page did.
"""

from __future__ import annotations

import io
import json
import re
import tempfile
import unicodedata
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from curation.labels import folded, folder_name
from demo.teach.eyes import HANDWRITING, Eye
from demo.teach.judgement import told
from demo.teach.learning import HEAD, Estimate, Lesson
from demo.teach.sessions import Learned, Session
from handwriter_models.bundle import BundleConfig, Rejection, write_bundle
from handwriter_models.errors import UserError
from handwriter_models.learning.card import write_card
from handwriter_models.learning.learned import NO_HASHES, learned_from, with_parent
from handwriter_models.learning.metrics import measure

SOURCE = "teach"
_WHEN = (1980, 1, 1, 0, 0, 0)  # the same pictures make the same file
_MOST_NAMES = 1000  # characters of the description that tell the classes
_METHOD = "Wilson score, 95 %, each burst or group of near copies counted once"
_DESCRIPTION = {
    "en": "Taught on the Teach page from {n} pictures: {names}",
    "ko": "가르치기 페이지에서 그림 {n}장으로 배웠어요: {names}",
}
Json = dict[str, Any]


@dataclass(frozen=True)
class Taught:
    """All that a bundle is made of; `names` of the classes are in the order of the head's outputs."""

    eye: Eye
    lesson: Lesson = field(repr=False)
    names: tuple[str, ...]
    learned: Learned
    estimate: Estimate


def taught(session: Session) -> Taught:
    """What the session has learned; raises `UserError` (409) when that is not enough for a bundle."""
    empty = [one.name for one in session.classes.values() if not one.samples]
    if empty:
        raise UserError(f"the class {empty[0]!r} has no pictures", "add some, or remove it", status=409)
    short = [one.name for one in session.classes.values() if len(one.samples) < 2]
    if len(session.classes) < 2 or short:
        what = f"the class {short[0]!r} has one picture" if short else "there are fewer than two classes"
        raise UserError(f"{what}: nothing can be measured", "two classes of two pictures each are the least", 409)
    found, lesson = session.current_estimate(), session.lesson()
    if not session.learned or not found or not session.learned.version == found.version == lesson.version:
        raise UserError(session.fault or "the newest pictures are not learned yet", "try again in a second", 409)
    names = tuple(session.classes[name].name for name in lesson.classes)
    return Taught(session.eye, lesson, names, session.learned, found)


def safe_name(name: str, instead: str = "taught") -> str:
    """A bundle's name out of any text."""
    clean = re.sub(r"[^\w.-]+", "-", unicodedata.normalize("NFC", name)).strip("-._")[:64].rstrip("-._")
    return clean or instead


def write_taught(what: Taught, folder: Path, name: str) -> Path:
    """Writes the bundle into `folder`/NAME and returns that."""
    network, state = what.eye.joined(what.learned.head, len(what.names))
    found, lesson = what.estimate, what.lesson
    names = ", ".join(what.names[:12])
    names = names[:_MOST_NAMES] + (" …" if len(what.names) > 12 or len(names) > _MOST_NAMES else "")
    description = {language: text.format(n=len(lesson.labels), names=names) for language, text in _DESCRIPTION.items()}
    config = BundleConfig(
        name=safe_name(name),
        kind=what.eye.kind,
        labels=what.names,
        network=network,
        preprocessing=what.eye.preprocessing,
        temperature=found.temperature,
        rejection=Rejection("max_probability", found.threshold),
        description=description,
        parent=what.eye.parent,
        data=_data(what),
        metrics=_metrics(what),
    )
    return write_bundle(folder / config.name, config, state, write_card(config, []))


def _data(what: Taught) -> Json:
    contents = sorted(
        f"{sample.sha256} {what.names[label]}"
        for sample, label in zip(what.lesson.samples, what.lesson.labels.tolist(), strict=True)
    )
    return {
        "source": SOURCE,
        "head": asdict(HEAD),
        "fingerprint": sha256("\n".join(contents).encode()).hexdigest(),
        "splits": {"train": len(contents)},
        "learned": with_parent(_learned(what), what.eye.learned),
        "divided": f"into {what.estimate.folds} folds for the estimate only; the head has learned all pictures",
    }


def _learned(what: Taught) -> Json:
    """What an evaluation will know these pictures by. Of handwriting, near copies are not asked for."""
    samples = what.lesson.samples
    prints = NO_HASHES if what.eye.kind == HANDWRITING else np.concatenate([sample.print for sample in samples])
    return learned_from([sample.known_as for sample in samples], prints, np.full(len(samples), -1), SOURCE)


def _metrics(what: Taught) -> Json:
    found, said = what.estimate, told(what.estimate)
    rejected = found.probabilities.max(axis=1) < found.threshold
    metrics = measure(found.labels, found.probabilities, rejected, list(what.names), found.temperature)
    by_id = dict(zip(found.classes, what.names, strict=True))
    single = [by_id[name] for name in found.single]
    held_out = {"folds": found.folds, "groups": said["groups"], "single_burst": single}
    return {
        **metrics,
        "accuracy_interval": said["interval"],
        "interval_method": _METHOD,
        "cross_validation": held_out,
    }


def bundle_zip(what: Taught, name: str) -> bytes:
    """A zip with the bundle's folder."""
    with tempfile.TemporaryDirectory(prefix="handwriter-teach-") as work:
        folder = write_taught(what, Path(work), name)
        files = {path.relative_to(work).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.*"))}
    return _zipped(files)


def dataset_zip(session_classes: Sequence[tuple[str, Sequence[tuple[str, bytes]]]], kind: str) -> bytes:
    """A zip with images/LABEL/teach_0001.png …: of each class its name, and extension and bytes of its pictures.

    `taught.json` beside them has the names of classes whose folder must be called otherwise.
    """
    files: dict[str, bytes] = {}
    folders: dict[str, str] = {}
    for name, pictures in session_classes:
        folder = _free_folder(name, folders)
        folders[name] = folder
        for number, (extension, data) in enumerate(pictures, 1):
            files[f"images/{folder}/{SOURCE}_{number:04d}.{extension}"] = data
    about = {"format": 1, "kind": kind, "classes": [{"name": name, "folder": own} for name, own in folders.items()]}
    return _zipped({"taught.json": json.dumps(about, ensure_ascii=False, indent=2).encode(), **files})


def _free_folder(name: str, taken: Mapping[str, str]) -> str:
    folder = folder_name(name)
    used = {folded(other) for other in taken.values()}
    return folder_name(name, marked=True) if folded(folder) in used else folder


def pictures_of(session: Session) -> list[tuple[str, list[tuple[str, bytes]]]]:
    """Each class that has pictures: its name, and extension and bytes of each."""
    return [
        (one.name, [(sample.extension, sample.picture) for sample in one.samples.values()])
        for one in session.classes.values()
        if one.samples
    ]


def _zipped(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, _WHEN), data)
    return out.getvalue()
