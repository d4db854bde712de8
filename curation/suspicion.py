"""One list of the pictures that a person should look at, most suspicious first, with reasons in words.

Four kinds of reasons: the label is probably wrong, the picture is unlike its class, the same picture lies under two
labels, or the picture itself is poor. The first two need the vectors of a frozen network; without one they are left
out, and what an earlier run stored about them stays. What it finds is stored as flags, for the review. Nothing is
dropped or relabelled here: that is for people. Pictures on which somebody has decided are not listed again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from curation.listing import PictureRow
from curation.pictures import Pictures
from curation.quality import KINDS, faults
from curation.suspicion_words import CONFLICT, EVERYWHERE, LABEL, OUTLIER, words

if TYPE_CHECKING:
    from curation.backbones import Backbone
    from curation.features import Features, Tell

# How much a reason can weigh: a wrong label harms training more than a blurred picture does.
WEIGHTS = {CONFLICT: 0.95, LABEL: 0.9, OUTLIER: 0.8} | dict.fromkeys(KINDS, 0.5)
Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Flag:
    """One reason against one file; the score is from 0 to the kind's weight."""

    file: int
    kind: str
    score: float
    detail: str


@dataclass(frozen=True, slots=True)
class Suspect:
    """A picture to look at.

    Attributes:
        id: the file.
        path: below the dataset's folder.
        label: its label.
        score: from 0 to 1; the reasons taken together.
        reasons: in words, the strongest first.
        suggestion: the label that it looks like; "" when its label is not doubted.
    """

    id: int
    path: str
    label: str
    score: float
    reasons: tuple[str, ...]
    suggestion: str = ""


def suspect(
    pictures: Pictures,
    backbone: Backbone | None = None,
    note: Note = lambda _: None,
    tell: Tell = lambda *_: None,
) -> list[Suspect]:
    """The suspicious pictures of a scanned dataset; stores their flags.

    Args:
        pictures: of the dataset.
        backbone: the frozen network; without one, only quality and conflicts are judged.
        note: told in words what could not be judged, and why.
        tell: told how many pictures the network has seen, of how many.
    """
    rows = [row for row in pictures.rows() if not row.dropped]
    flags = [_flag(fault.file, fault.kind, fault.score, fault.detail) for fault in faults(rows)] + conflicts(rows)
    kinds = [*KINDS, CONFLICT]
    if backbone is not None:
        from curation.features import features

        found = features(pictures, backbone, tell, rows)
        for path, reason in found.unreadable:
            note(f"{path}: {reason}")
        flags += judged_by_features(rows, found, note)
        kinds += [LABEL, OUTLIER]
    for kind in kinds:
        pictures.store_flags(kind, [(one.file, one.score, one.detail) for one in flags if one.kind == kind])
    return listed([row for row in rows if not row.judged], flags)


def listed(rows: Sequence[PictureRow], flags: Sequence[Flag]) -> list[Suspect]:
    """These rows as far as they are flagged, most suspicious first."""
    of: dict[int, list[Flag]] = {}
    for flag in flags:
        of.setdefault(flag.file, []).append(flag)
    found = [_suspect(row, sorted(of[row.id], key=lambda one: (-one.score, one.kind))) for row in rows if row.id in of]
    return sorted(found, key=lambda one: (-one.score, one.path))


def _suspect(row: PictureRow, flags: Sequence[Flag]) -> Suspect:
    score = 1 - prod(1 - flag.score for flag in flags)
    reasons = tuple(words(flag.kind, flag.detail, row.label) for flag in flags)
    suggestion = next((flag.detail for flag in flags if flag.kind == LABEL), "")
    return Suspect(row.id, row.path, row.label, round(score, 4), reasons, suggestion)


def conflicts(rows: Sequence[PictureRow]) -> list[Flag]:
    """Copies of one picture under several labels: which one is right, only a person can say."""
    labels: dict[object, set[str]] = {}
    for row in rows:
        for copies in _copies(row):
            labels.setdefault(copies, set()).add(row.label)
    found = []
    for row in rows:
        others = sorted(set().union(*(labels[copies] for copies in _copies(row))) - {row.label})
        if others:
            found.append(_flag(row.id, CONFLICT, 1.0, ", ".join(repr(label) for label in others)))
    return found


def _copies(row: PictureRow) -> list[object]:
    return [row.sha256] if row.cluster is None else [row.sha256, row.cluster]


def judged_by_features(rows: Sequence[PictureRow], found: Features, note: Note) -> list[Flag]:
    """Flags of doubtful labels and of outliers; says in words which classes are too small to judge."""
    from curation.suspicion_vectors import FEWEST

    have = set(found.contents)
    rows = [row for row in rows if row.sha256 in have]
    family = _families(rows)
    sizes = Counter(label for label, _ in {(row.label, family[row.id]) for row in rows})
    small = sorted(label for label in {row.label for row in rows} if sizes[label] < FEWEST)
    if small:
        names = ", ".join(repr(label) for label in small[:5]) + (" …" if len(small) > 5 else "")
        note(f"{len(small)} class(es) with fewer than {FEWEST} different pictures were not judged by features: {names}")
    rows = [row for row in rows if sizes[row.label] >= FEWEST]
    if not rows:
        return []
    return _flags_of_vectors(rows, family, found, note)


def _flags_of_vectors(rows: Sequence[PictureRow], family: dict[int, int], found: Features, note: Note) -> list[Flag]:
    import numpy as np

    from curation.suspicion_vectors import doubtful_labels, strange_pictures

    names = sorted({row.label for row in rows})
    number = {name: place for place, name in enumerate(names)}
    labels = np.array([number[row.label] for row in rows])
    families = np.array([family[row.id] for row in rows])
    vectors = found.of([row.sha256 for row in rows])
    strange = strange_pictures(vectors, labels, families)
    flags = [
        _flag(row.id, OUTLIER, float(score), EVERYWHERE if everywhere else "")
        for row, score, everywhere in zip(rows, strange.score, strange.everywhere, strict=True)
        if score > 0
    ]
    if len(names) < 2:
        note(f"all pictures judged are labelled {names[0]!r}: wrong labels cannot be told")
        return flags
    doubts = doubtful_labels(vectors, labels, families)
    return flags + [
        _flag(row.id, LABEL, float(score), names[looks_like])
        for row, score, looks_like in zip(rows, doubts.score, doubts.looks_like, strict=True)
        if score > 0
    ]


def _families(rows: Sequence[PictureRow]) -> dict[int, int]:
    """A number for each file, equal for copies of each other: by group, and by content where there are no groups."""
    numbers: dict[object, int] = {}
    keys = {row.id: ("content", row.sha256) if row.family is None else ("family", row.family) for row in rows}
    return {file: numbers.setdefault(key, len(numbers)) for file, key in keys.items()}


def _flag(file: int, kind: str, score: float, detail: str) -> Flag:
    return Flag(file, kind, round(score * WEIGHTS[kind], 4), detail)
