"""What an export takes: the kept pictures that are still there, their part, the number of their class, and a safe name.

All formats share this, so a class has the same number and a picture the same name in each of them. Classes are numbered
in the order of their folders, as torchvision's ImageFolder does. What a camera wrote beside the pixels stays at home
unless it is asked for (`handwriter_models.metadata`); the digest of a sample is that of the dataset's own file.
"""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from curation.fingerprint import LIMITS
from curation.labels import folded, folder_name
from curation.listing import PictureRow
from handwriter_models.formats import ENDINGS_OF
from handwriter_models.images import PictureError
from handwriter_models.metadata import Bare, has_position, kept_format, without_metadata

PARTS = ("train", "validation", "test")
_EXTENSIONS = {**ENDINGS_OF, "JPEG": (".jpg", ".jpeg")}  # ImageFolder and others know no more endings of JPEG
Tell = Callable[[int, int], None]  # pictures done, and all


@dataclass(frozen=True, slots=True)
class Label:
    """A class: its number, its text, and the name of its folder."""

    number: int
    text: str
    folder: str


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture to export; `name` is its file's, different from that of all others of its part and label.

    `format` is that of the exported bytes: a TIFF becomes a PNG with its metadata gone.
    """

    row: PictureRow
    part: str
    label: Label
    name: str
    format: str

    @property
    def place(self) -> str:
        """Folder of the label and name, with /."""
        return f"{self.label.folder}/{self.name}"

    @property
    def extension(self) -> str:
        """That of the format, without a dot."""
        return _EXTENSIONS.get(self.format, (".bin",))[0][1:]

    def facts(self) -> dict[str, str | int]:
        """What goes with the picture wherever it goes: always the same fields, "" where nothing is known."""
        row = self.row
        return {
            "label": self.label.text,
            "page": row.page,
            "address": row.address,
            "title": row.title,
            "author": row.author,
            "licence": row.licence,
            "licence_address": row.licence_address,
            "sha256": row.sha256,
            "width": row.width,
            "height": row.height,
        }


@dataclass
class Selection:
    """The samples by part, label and name, and what was found amiss on the way.

    `keep_metadata`: the files go as they are. `positions`: how many of those read say where they were taken.
    """

    root: Path
    samples: list[Sample]
    labels: list[Label]
    tell: Tell
    keep_metadata: bool = False
    positions: int = 0
    missed: list[tuple[str, str]] = field(default_factory=list)  # path, why
    counts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))  # part → label
    done: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def of(self, part: str) -> list[Sample]:
        """In an order that mixes the labels and is always the same: by content."""
        return sorted((one for one in self.samples if one.part == part), key=lambda one: (one.row.sha256, one.row.path))

    def read(self, sample: Sample) -> bytes | None:
        """The bytes to export; None when the file is not what the scan saw any more, which is noted. For threads."""
        bare = self.read_bare(sample)
        return bare.data if bare else None

    def read_bare(self, sample: Sample) -> Bare | None:
        """As `read`, with what is known of the file; its own bytes where metadata is kept or there is none."""
        if self.keep_metadata:
            return self.read_whole(sample)
        data = self._read(sample)
        if data is None:
            return None
        try:
            bare = without_metadata(data, LIMITS)
        except PictureError as error:
            self.missed.append((sample.row.path, error.what))
            return None
        self._count_position(bare)
        return bare

    def read_whole(self, sample: Sample) -> Bare | None:
        """The file as it is, for `keep_metadata` and for what takes pixels alone from it. For threads."""
        data = self._read(sample)
        if data is None:
            return None
        bare = Bare(data, sample.row.format, has_position(data, LIMITS))
        self._count_position(bare)
        return bare

    def _count_position(self, bare: Bare) -> None:
        with self._lock:
            self.positions += bare.position

    def _read(self, sample: Sample) -> bytes | None:
        try:
            data = source(self.root, sample.row).read_bytes()
        except OSError as error:
            self.missed.append((sample.row.path, error.strerror or str(error)))
            return None
        if hashlib.sha256(data).hexdigest() != sample.row.sha256:
            self.missed.append((sample.row.path, "it has changed"))
            return None
        return data

    def count(self, sample: Sample) -> None:
        """Notes a picture as exported, and tells how far the export is."""
        self.counts[sample.part][sample.label.text] += 1
        self.done += 1
        self.tell(self.done, len(self.samples))


def present(root: Path, rows: Iterable[PictureRow]) -> tuple[list[PictureRow], list[tuple[str, str]]]:
    """The rows whose file is as the scan saw it, as far as its size tells, and (path, why) of the others."""
    there, missed = [], []
    for row in rows:
        try:
            status = source(root, row).stat()
            if not stat.S_ISREG(status.st_mode) or status.st_size != row.bytes:
                missed.append((row.path, "it has changed"))
            else:
                there.append(row)
        except OSError as error:
            missed.append((row.path, error.strerror or str(error)))
    return there, missed


def source(root: Path, row: PictureRow) -> Path:
    """The file itself, where a link of the dataset leads to it; `OSError` for one that leads out of the dataset."""
    path = root / row.path
    if not path.is_symlink():
        return path
    real = Path(os.path.realpath(path))
    if Path(os.path.realpath(root)) not in real.parents:
        raise OSError(0, "it is a link out of the dataset")
    return real


def select(root: Path, rows: Sequence[PictureRow], tell: Tell, keep_metadata: bool = False) -> Selection:
    """The kept ones of these rows."""
    kept = [row for row in rows if not row.dropped]
    labels = _labels({row.label for row in kept})
    taken: Counter[str] = Counter()
    samples = []
    for row in kept:
        part, label = row.part if row.part in PARTS else PARTS[0], labels[row.label]
        format = row.format if keep_metadata else kept_format(row.format)
        name = _name(row.path, format, f"{part}/{label.folder}/", taken)
        samples.append(Sample(row, part, label, name, format))
    samples.sort(key=lambda one: (PARTS.index(one.part), one.label.number, one.name))
    return Selection(root, samples, sorted(labels.values(), key=lambda one: one.number), tell, keep_metadata)


def _labels(texts: Iterable[str]) -> dict[str, Label]:
    """No two in one folder, on file systems blind to case either; none hidden from Hugging Face, as `__…` are."""
    folders: dict[str, str] = {}
    taken = set()
    for text in sorted(texts):
        folder = folder_name(text)
        if folded(folder) in taken or folder.startswith("__"):
            folder = folder_name(text, marked=True).lstrip("_")
        taken.add(folded(folder))
        folders[folder] = text
    return {folders[folder]: Label(number, folders[folder], folder) for number, folder in enumerate(sorted(folders))}


def _name(path: str, format: str, above: str, taken: Counter[str]) -> str:
    stem, extension = os.path.splitext(path.rpartition("/")[2])  # noqa: PTH122 - a name
    allowed = _EXTENSIONS.get(format, (extension.lower(),))
    extension = extension.lower() if extension.lower() in allowed else allowed[0]
    stem = safe = folder_name(stem)
    while taken[key := folded(above + safe + extension)]:
        taken[first := folded(above + stem + extension)] += 1
        safe = f"{stem}-{taken[first]}"
    taken[key] += 1
    return safe + extension
