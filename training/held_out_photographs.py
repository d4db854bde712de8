"""Photographs to measure a bundle on: read and prepared as the bundle says, a few at a time, and kept as thumbnails.

A dataset that the bundle was trained on (the same fingerprint, or it was, before pictures came and went: half of its
training pictures are known) gives its test part, any other folder everything. The pictures are known by the sha256 of
their files, their perceptual hashes, and the group of copies that curation has put them into.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from curation.fingerprint import Style
from curation.listing import PictureRow
from curation.split import PARTS
from handwriter_models.classifier import Classifier
from handwriter_models.errors import UserError, item_error
from handwriter_models.images import read_picture
from training.answers import Answers, answers_of, join_answers
from training.datasets import Photographs, photographs
from training.held_out import Unreadable, numbers_in
from training.leaks import Prints, are_learned
from training.recipes import DataOptions
from training.samples import Numbers, Samples

_AT_ONCE = 64
_THUMBNAIL = 112  # pixels of a side: what figures show


@dataclass(frozen=True)
class FilesOfPhotographs:
    """Pictures on disk, with what they are recognised by."""

    source: str
    names: list[str]
    labels: Numbers
    unreadable: Unreadable
    files: list[Path] = field(repr=False)
    prints: Prints = field(repr=False)

    def answers(self, classifier: Classifier, wanted: NDArray[np.bool_]) -> Answers:
        """As `HeldOut` says; a file that can no longer be read is listed in `unreadable`."""
        places = np.flatnonzero(wanted)
        read = [self._some(classifier, places[start : start + _AT_ONCE]) for start in range(0, len(places), _AT_ONCE)]
        kept = np.concatenate([one for one, _ in read])
        if not len(kept):
            raise UserError(f"no picture of {self.source} can be read", "look into the folder")
        joined = join_answers([answers for one, answers in read if len(one)])
        return Answers(
            joined.samples,
            joined.probabilities,
            joined.rejected,
            joined.temperature,
            joined.background,
            self.prints.take(kept),
        )

    def _some(self, classifier: Classifier, places: Numbers) -> tuple[Numbers, Answers]:
        """The places that could be read, and the answers to them."""
        prepared: list[NDArray[np.uint8]] = []
        good = []
        for place in places.tolist():
            try:
                prepared.append(classifier.preparation(read_picture(self.files[place])).pixels)
                good.append(place)
            except Exception as error:
                what = str(error) if isinstance(error, OSError) else item_error(error, self.files[place]).what
                self.unreadable.append((str(self.files[place]), what))
        kept = np.array(good, np.int64)
        labels = numbers_in(classifier, self.names)[self.labels[kept]]
        images = np.stack(prepared) if prepared else np.zeros((0, *classifier.preparation.shape), np.uint8)
        samples = Samples(images, labels, np.full(len(kept), -1, np.int64), list(classifier.labels), self.source)
        return kept, answers_of(classifier, samples, thumbnails(images))


def thumbnails(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 (n, size, size, 3) → (n, 112, 112, 3)."""
    small = [np.asarray(Image.fromarray(image).resize((_THUMBNAIL, _THUMBNAIL))) for image in images]
    return np.stack(small) if small else np.zeros((0, _THUMBNAIL, _THUMBNAIL, 3), np.uint8)


def held_out_photographs(classifier: Classifier, source: str, options: DataOptions, seed: int) -> FilesOfPhotographs:
    """What of the folder `source` the bundle is measured on."""
    with photographs(source, options, seed) as found:
        rows = (
            found.parts["test"]
            if _trained_on(classifier, found)
            else [row for part in PARTS for row in found.parts[part]]
        )
        return FilesOfPhotographs(
            source,
            found.names,
            found.labels(rows),
            list(found.unreadable),
            [found.pictures.root / row.path for row in rows],
            prints_of_rows(found, rows, Path(source).resolve().name),
        )


def _trained_on(classifier: Classifier, found: Photographs) -> bool:
    data, train = classifier.config.data, found.parts["train"]
    if data.get("fingerprint") == found.fingerprint():
        return True
    return 2 * int(are_learned(data.get("learned") or {}, [row.sha256 for row in train]).sum()) >= len(train)


def prints_of_rows(found: Photographs, rows: Sequence[PictureRow], source: str) -> Prints:
    """What these pictures are recognised by; who took them is not known by number."""
    families: dict[int, list[str]] = defaultdict(list)
    for row in found.pictures.rows():
        if row.family is not None:
            families[row.family].append(row.sha256)
    relatives = [families[row.family] if row.family is not None else [] for row in rows]
    writers = np.full(len(rows), -1, np.int64)
    names = [row.sha256 for row in rows]
    files = found.pictures.hashed()
    drawings = {one.sha256 for one in files if one.style == Style.DRAWING}
    drawn = np.array([name in drawings for name in names], np.bool_)
    return Prints(names, found.phashes(rows), writers, source, relatives, [one.sha256 for one in files], drawn)
