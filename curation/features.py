"""The vectors of a dataset's pictures, computed once a content and kept in its folder.

`features/<network>-<transform>.f16` holds one record a content: its sha256, a check sum and the vector, so that names
and vectors cannot get out of step. The file only grows, a batch at a time, each one on the disk before the next; a
killed run loses its last batch. A record that does not fit its check sum counts as absent. The file may be deleted at
any time: what is missing is computed again. Several processes may share it. Training reads the same file, and asks for
changed views of a picture, too, each kind in a file of its own (`…-<view>.f16`); a picture is decoded once for all.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from curation.feature_store import Halves, Store
from curation.fingerprint import LIMITS
from curation.listing import PictureRow
from curation.pictures import Pictures
from handwriter_models.errors import UserError, item_error
from handwriter_models.images import PictureError, read_picture
from handwriter_models.layout import FEATURES
from handwriter_models.photograph import ENOUGH

if TYPE_CHECKING:
    from curation.backbones import Backbone

__all__ = ["BATCH", "Features", "Report", "Store", "Tell", "View", "features", "features_of_views"]

BATCH = 32  # pictures that go through the network at once, and that a killed run loses; more on a GPU
_BATCH_ON_GPU = 256
Tell = Callable[[int, int], None]  # done and all, of the pictures that must be computed
Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class View:
    """One way to look at a picture.

    Attributes:
        id: part of the file's name; equal ids mean equal pixels for equal contents. "" is the plain look.
        prepare: RGB picture and sha256 of its file → as the backbone's `prepare`; may run in many threads.
    """

    id: str
    prepare: Callable[[Image.Image, str], Bytes] = field(repr=False)


@dataclass(frozen=True)
class Report:
    """Who is told: how many pictures are done of how many, and what else there is to say."""

    tell: Tell = lambda *_: None
    note: Callable[[str], None] = lambda _: None


@dataclass(frozen=True)
class Features:
    """Vectors of contents.

    Attributes:
        contents: sha256 of each content, in the order of the rows it was asked for, each once.
        vectors: float16 (contents, dimension); row i belongs to contents[i].
        unreadable: path and reason of pictures that have no vector.
        computed: how many were computed now, not found in the cache.
    """

    contents: tuple[str, ...] = field(repr=False)
    vectors: Halves = field(repr=False)
    unreadable: tuple[tuple[str, str], ...] = ()
    computed: int = 0

    def of(self, contents: Sequence[str]) -> NDArray[np.float32]:
        """Vectors in this order, float32 (n, dimension); raises `KeyError` where there is none."""
        place = {content: number for number, content in enumerate(self.contents)}
        return self.vectors[[place[content] for content in contents]].astype(np.float32)


def features(
    pictures: Pictures,
    backbone: Backbone,
    tell: Tell = lambda *_: None,
    rows: Sequence[PictureRow] | None = None,
) -> Features:
    """The vectors of these rows, of all that are not dropped when none are named; computes only what is missing."""
    rows = [row for row in pictures.rows() if not row.dropped] if rows is None else rows
    plain = View("", lambda picture, _: backbone.prepare(picture))
    return features_of_views(pictures, backbone, rows, [plain], Report(tell))[0]


def features_of_views(
    pictures: Pictures,
    backbone: Backbone,
    rows: Sequence[PictureRow],
    views: Sequence[View],
    report: Report = Report(),
    folder: Path | None = None,
) -> list[Features]:
    """The vectors of these rows, once for each view; computes only what is missing.

    `folder` keeps them; it is the dataset's own unless another is given. A picture that cannot be read has a vector in
    no view, or in those that were stored when it could.
    """
    paths: dict[str, list[str]] = {}
    for row in rows:
        paths.setdefault(row.sha256, []).append(row.path)
    folder = folder or pictures.root / FEATURES
    stores = [Store(folder / f"{_file_name(backbone, view)}.f16", backbone.dimension) for view in views]
    known = [store.places() for store in stores]
    missing = [
        _Job(content, places, tuple(place for place in range(len(views)) if content not in known[place]))
        for content, places in paths.items()
    ]
    missing = [job for job in missing if job.views]
    unreadable = _Extraction(pictures.root, backbone, views, stores, report).run(missing)
    return [_found(store, paths, unreadable, [job for job in missing if place in job.views])
            for place, store in enumerate(stores)]  # fmt: skip


def _file_name(backbone: Backbone, view: View) -> str:
    return "-".join(part for part in (backbone.name, backbone.transform, view.id) if part)


def _found(
    store: Store, paths: Mapping[str, list[str]], unreadable: Mapping[str, tuple[str, str]], jobs: Sequence[_Job]
) -> Features:
    vectors = store.vectors(list(paths))
    found = [content for content in paths if content in vectors]
    faults = [fault for content, fault in unreadable.items() if content not in vectors]
    lost = paths.keys() - vectors.keys() - unreadable.keys()
    faults += sorted((paths[one][0], "its vector is gone: the cache was changed meanwhile") for one in lost)
    matrix = np.stack([vectors[one] for one in found]) if found else np.zeros((0, store.dimension), np.float16)
    computed = sum(job.content not in unreadable for job in jobs)
    return Features(tuple(found), matrix, tuple(faults), computed)


@dataclass(frozen=True)
class _Job:
    """A content, where it lies, and the numbers of the views whose vectors are missing."""

    content: str
    paths: list[str]
    views: tuple[int, ...]


Prepared = tuple[_Job, list[Bytes] | tuple[str, str]]  # the pixels of each view, or path and reason


@dataclass
class _Extraction:
    root: Path
    backbone: Backbone
    views: Sequence[View]
    stores: Sequence[Store]
    report: Report

    def run(self, jobs: Sequence[_Job]) -> dict[str, tuple[str, str]]:
        """Stores the vectors; returns path and reason by content of what could not be read."""
        unreadable: dict[str, tuple[str, str]] = {}
        self._size = _BATCH_ON_GPU if self.backbone.device.startswith("cuda") else BATCH
        done, of = 0, sum(len(job.views) for job in jobs)
        for batch in self._prepared_batches(jobs):
            good: list[tuple[int, str, Bytes]] = []
            for job, made in batch:
                done += len(job.views)
                if isinstance(made, tuple):
                    unreadable[job.content] = made
                else:
                    good += [(view, job.content, pixels) for view, pixels in zip(job.views, made, strict=True)]
            self._store(good)
            self.report.tell(done, of)
        return unreadable

    def _store(self, good: Sequence[tuple[int, str, Bytes]]) -> None:
        if not good:
            return
        vectors = _halves(self._vectors(np.stack([pixels for _, _, pixels in good])))
        for view in sorted({view for view, _, _ in good}):
            places = [place for place, one in enumerate(good) if one[0] == view]
            self.stores[view].append([good[place][1] for place in places], vectors[places])

    def _vectors(self, prepared: Bytes) -> NDArray[np.float32]:
        """In batches that the device's memory holds: one that it does not hold is halved, for good."""
        import torch

        found: list[NDArray[np.float32]] = []
        start = 0
        while start < len(prepared):
            try:
                found.append(self.backbone.vectors(prepared[start : start + self._size]))
            except torch.OutOfMemoryError:
                if self._size == 1:
                    raise UserError(
                        f"the memory of {self.backbone.device} does not hold one picture for {self.backbone.name}",
                        "end other programs that use it, or give --device cpu",
                    ) from None
                self._size = max(1, min(self._size, len(prepared)) // 2)
                self.report.note(f"out of memory: going on with {self._size} pictures at once")
                if torch.cuda.is_available():
                    torch.cuda.empty_cache()
                continue
            start += self._size
        return np.concatenate(found)

    def _prepared_batches(self, jobs: Sequence[_Job]) -> Iterator[list[Prepared]]:
        """Threads decode a batch while the network works on the one before it."""
        step = max(1, self._size // len(self.views))
        threads = min(4 if self._size == BATCH else 32, os.cpu_count() or 1)
        with ThreadPoolExecutor(threads, "features") as pool:
            waiting: deque[list[Future[Prepared]]] = deque()
            try:
                for start in range(0, len(jobs), step):
                    waiting.append([pool.submit(self._prepared, job) for job in jobs[start : start + step]])
                    if len(waiting) > 1:
                        yield [future.result() for future in waiting.popleft()]
                while waiting:
                    yield [future.result() for future in waiting.popleft()]
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _prepared(self, job: _Job) -> Prepared:
        """The first of the paths that can be read and still has this content."""
        fault = (job.paths[0], "it is gone")
        for path in job.paths:
            try:
                picture = content_picture(self.root / path, job.content)
                return job, [self.views[view].prepare(picture, job.content) for view in job.views]
            except PictureError as error:
                fault = (path, error.what)
            except OSError as error:
                fault = (path, error.strerror or str(error))
            except Exception as error:
                fault = (path, item_error(error, path).what)
        return job, fault


def content_picture(path: Path, content: str) -> Image.Image:
    """The RGB picture of a file; raises `PictureError` when it has another sha256 by now, `OSError` as reading does."""
    with path.open("rb") as file:
        data = file.read(LIMITS.bytes + 1)
    if sha256(data).hexdigest() != content:
        raise PictureError("it has changed since the scan", "scan the dataset again", 400)
    return read_picture(data, LIMITS, ENOUGH)


def _halves(vectors: NDArray[np.float32]) -> Halves:
    """What float16 cannot hold becomes its largest number: no comparison meets an infinite value."""
    most = float(np.finfo(np.float16).max)
    return np.nan_to_num(vectors).clip(-most, most).astype(np.float16)
