"""Who wrote these pictures: a ranking with probabilities, and "not sure" when the evidence is thin.

All pictures given are taken as of one hand. The ranking says who it is if it is one of the writers known; beside it
stands how probable somebody else is, at even odds before anything was seen. It does not read what was written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from handwriter_models.errors import UserError
from handwriter_models.picture_files import picture_files
from training.preparation import prepared_files
from training.samples import Images
from training.writer_enrolled import Writers, known_of, picture_prints
from training.writer_model import HandModel
from training.writer_trials import STRANGE, SURE

LeftOut = list[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """What is said about the pictures.

    Attributes:
        pictures: how many were used.
        ranking: writers by falling probability, which sum to 1.
        someone_else: probability that it is none of them; None where the model cannot tell.
        reason: why nobody is named, "" when somebody is.
    """

    pictures: int
    ranking: list[tuple[str, float]]
    someone_else: float | None
    reason: str

    @property
    def writer(self) -> str | None:
        """The first of the ranking, when it is sure enough."""
        return None if self.reason else self.ranking[0][0]

    def to_json(self) -> dict[str, Any]:
        """The fields of `who --json`."""
        return {
            "writer": self.writer,
            "sure": not self.reason,
            "reason": self.reason,
            "someone_else": self.someone_else,
            "ranking": [{"writer": name, "probability": value} for name, value in self.ranking],
            "pictures": self.pictures,
        }


def usable_pictures(paths: Sequence[Path]) -> tuple[Images, list[str], LeftOut]:
    """Prepared pictures of files and folders, whose each is, and what cannot be used with the reason."""
    found = picture_files(paths)
    answers = dict(zip(found.pictures, prepared_files(found.pictures), strict=True))
    good = {str(file): pixels for file, (pixels, _) in answers.items() if pixels is not None}
    left_out = [*found.obstacles]
    left_out += [(str(file), reason) for file, (pixels, reason) in answers.items() if pixels is None]
    if not good:
        reasons = "; ".join(f"{path}: {reason}" for path, reason in left_out[:3])
        raise UserError(f"none of the pictures can be used: {reasons}", "give pictures of one written character each")
    return np.stack(list(good.values())), list(good), left_out


def unseen(images: Images, names: Sequence[str], writers: Writers) -> tuple[Images, LeftOut]:
    """The pictures that no writer is known by and that were not given twice; the others with the reason."""
    owner = {mark: name for name, writer in writers.items() for mark in writer.pictures}
    kept: dict[str, int] = {}
    left_out: LeftOut = []
    for number, mark in enumerate(picture_prints(images)):
        if mark in owner:
            left_out.append((names[number], f"{owner[mark]!r} is known by this very picture"))
        elif mark in kept:
            left_out.append((names[number], f"the same picture as {names[kept[mark]]}"))
        else:
            kept[mark] = number
    if not kept:
        raise UserError("each of these pictures is one that a writer is known by", "give pictures that are new")
    return images[list(kept.values())], left_out


def answer(model: HandModel, writers: Writers, images: Images) -> Answer:
    """Who wrote these prepared pictures, out of the enrolled writers or those that a classifier has learned."""
    if model.takes_new_writers and len(writers) < 2:
        raise UserError(
            f"{len(writers)} writer{' is' if len(writers) == 1 else 's are'} known",
            "make two or more known first: python training writer enroll NAME PICTURES…",
        )
    known = known_of(writers) if model.takes_new_writers else model.learned()
    count = len(images)
    query = model.vectors(images).mean(axis=0, keepdims=True)
    logs, strange = model.logs(known, query, count)
    values = model.calibration.probabilities(logs, count)[0]
    else_ = float(model.calibration.stranger(logs, strange, count)[0]) if model.takes_new_writers else None
    order = np.argsort(-values, kind="stable")
    ranking = [(known.names[place], float(values[place])) for place in order]
    return Answer(count, ranking, else_, _reason(ranking[0][1], else_, count))


def _reason(best: float, someone_else: float | None, count: int) -> str:
    more = "; more pictures would help" if count < 20 else ""
    if someone_else is not None and someone_else >= STRANGE:
        return f"perhaps none of them ({someone_else:.0%})"
    if best < SURE:
        return f"no writer reaches {SURE:.0%}{more}"
    return ""
