"""The vectors of a dataset's pictures, computed once a content and kept in its folder.

`features/<network>-<transform>.f16` holds one record a content: its sha256, a check sum and the vector, so that names
and vectors cannot get out of step. The file only grows, a batch at a time, each one on the disk before the next; a
killed run loses its last batch. A record that does not fit its check sum counts as absent. The file may be deleted at
any time: what is missing is computed again. Several processes may share it. Training reads the same file.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from curation.backbones import Backbone
from curation.fingerprint import LIMITS
from curation.layout import FEATURES
from curation.listing import PictureRow
from curation.pictures import Pictures
from handwriter_models.errors import UserError
from handwriter_models.images import PictureError, read_picture

BATCH = 32  # pictures that go through the network at once, and that a killed run loses
_ENOUGH = 1024  # of a photograph's longer side: more than any network looks at
_MAGIC = b"HWf16\x00\x00\x01"
_HEAD = struct.Struct("<8sI")  # magic, dimension
Halves = NDArray[np.float16]
Tell = Callable[[int, int], None]  # done and all, of the pictures that must be computed


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
    paths: dict[str, list[str]] = {}
    for row in rows:
        paths.setdefault(row.sha256, []).append(row.path)
    store = Store(pictures.root / FEATURES / f"{backbone.name}-{backbone.transform}.f16", backbone.dimension)
    known = store.places()
    missing = {content: places for content, places in paths.items() if content not in known}
    unreadable = _compute(pictures.root, store, backbone, missing, tell)
    vectors = store.vectors(list(paths))
    lost = [(paths[one][0], "its vector is gone: the cache was changed meanwhile") for one in paths.keys() - vectors]
    told = {path for path, _ in unreadable}
    unreadable += [one for one in sorted(lost) if one[0] not in told]
    found = [content for content in paths if content in vectors]
    shape = (len(found), backbone.dimension)
    matrix = np.stack([vectors[one] for one in found]) if found else np.zeros(shape, np.float16)
    return Features(tuple(found), matrix, tuple(unreadable), len(missing) - len(unreadable))


def _compute(
    root: Path, store: Store, backbone: Backbone, missing: Mapping[str, list[str]], tell: Tell
) -> list[tuple[str, str]]:
    """Stores the vectors of these contents; returns path and reason of what could not be read."""
    unreadable: list[tuple[str, str]] = []
    done = 0
    for batch in _prepared_batches(root, backbone, missing):
        good = {content: made for content, made in batch if isinstance(made, np.ndarray)}
        unreadable += [made for _, made in batch if isinstance(made, tuple)]
        if good:
            store.append(list(good), _halves(backbone.vectors(np.stack(list(good.values())))))
        done += len(batch)
        tell(done, len(missing))
    return unreadable


def _halves(vectors: NDArray[np.float32]) -> Halves:
    """What float16 cannot hold becomes its largest number: no comparison meets an infinite value."""
    most = float(np.finfo(np.float16).max)
    return np.nan_to_num(vectors).clip(-most, most).astype(np.float16)


Prepared = tuple[str, NDArray[np.uint8] | tuple[str, str]]  # the sha256, and the picture or path and reason


def _prepared_batches(root: Path, backbone: Backbone, missing: Mapping[str, list[str]]) -> Iterator[list[Prepared]]:
    """Threads decode a batch while the network works on the one before it."""
    contents = list(missing.items())
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1), "features") as pool:
        waiting: deque[list[Future[Prepared]]] = deque()
        try:
            for start in range(0, len(contents), BATCH):
                batch = contents[start : start + BATCH]
                waiting.append([pool.submit(_prepared, root, backbone, *content) for content in batch])
                if len(waiting) > 1:
                    yield [future.result() for future in waiting.popleft()]
            while waiting:
                yield [future.result() for future in waiting.popleft()]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _prepared(root: Path, backbone: Backbone, content: str, paths: Sequence[str]) -> Prepared:
    """The first of the paths that can be read and still has this content."""
    fault = (paths[0], "it is gone")
    for path in paths:
        try:
            with (root / path).open("rb") as file:
                data = file.read(LIMITS.bytes + 1)
            if sha256(data).hexdigest() != content:
                raise PictureError("it has changed since the scan", "scan the dataset again", 400)
            return content, backbone.prepare(read_picture(data, LIMITS, _ENOUGH))
        except PictureError as error:
            fault = (path, error.what)
        except OSError as error:
            fault = (path, error.strerror or str(error))
    return content, fault


class Store:
    """The file of one network's vectors. A record: sha256 (32 bytes), CRC-32 of sha256 and vector, float16 vector."""

    def __init__(self, path: Path, dimension: int) -> None:
        self.path, self.dimension = path, dimension
        self._known: dict[str, int] = {}
        self._looked_at = (0, 0)  # the file, and how many of its records `_known` tells about
        self._record = np.dtype([("content", "u1", 32), ("sum", "<u4"), ("vector", "<f2", (dimension,))])

    def places(self) -> dict[str, int]:
        """The number of each content's record; only records that are new since the last call are read."""
        file, count = self._size()
        before = self._looked_at[1] if self._looked_at[0] == file and self._looked_at[1] <= count else 0
        if not before:
            self._known = {}
        self._known |= {content: number for number, content, _ in self._sound_records(before, count)}
        self._looked_at = (file, count)
        return self._known

    def vectors(self, contents: Sequence[str]) -> dict[str, Halves]:
        """Of those contents that are stored, float16 (dimension,) each."""
        wanted, (_, count) = set(contents), self._size()
        return {content: vector.copy() for _, content, vector in self._sound_records(0, count) if content in wanted}

    def append(self, contents: Sequence[str], vectors: Halves) -> None:
        """Adds those that no other process has stored meanwhile, and waits for the disk."""
        try:
            self.path.parent.mkdir(exist_ok=True)
            with FileLock(self.path.with_suffix(".lock")):
                known = self.places()
                new = [number for number, content in enumerate(contents) if content not in known]
                self._begin()
                with self.path.open("r+b") as file:
                    file.seek(0, os.SEEK_END)
                    whole = (file.tell() - _HEAD.size) // self._record.itemsize
                    file.seek(_HEAD.size + whole * self._record.itemsize)  # over what a killed run left
                    file.truncate()
                    file.write(self._records([contents[one] for one in new], vectors[new]))
                    file.flush()
                    os.fsync(file.fileno())
        except OSError as error:
            reason = error.strerror or str(error)
            raise UserError(f"cannot write {self.path}: {reason}", "free space or change the permissions") from error

    def _records(self, contents: Sequence[str], vectors: Halves) -> bytes:
        records = np.zeros(len(contents), self._record)
        for record, content, vector in zip(records, contents, vectors, strict=True):
            record["content"] = np.frombuffer(bytes.fromhex(content), np.uint8)
            record["vector"] = vector
            record["sum"] = _check_sum(record)
        return records.tobytes()

    def _begin(self) -> None:
        """Puts an empty file in the place of none, or of one that is not ours."""
        if self._is_ours():
            return
        fresh = self.path.with_suffix(".tmp")  # one name is enough: the caller holds the lock
        with fresh.open("wb") as file:
            file.write(_HEAD.pack(_MAGIC, self.dimension))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)

    def _is_ours(self) -> bool:
        try:
            with self.path.open("rb") as file:
                return file.read(_HEAD.size) == _HEAD.pack(_MAGIC, self.dimension)
        except OSError:
            return False

    def _size(self) -> tuple[int, int]:
        """Which file it is, and how many whole records it holds; (0, 0) when there is none of ours."""
        if not self._is_ours():
            return 0, 0
        found = self.path.stat()
        return found.st_ino, (found.st_size - _HEAD.size) // self._record.itemsize

    def _sound_records(self, start: int, end: int) -> Iterator[tuple[int, str, Any]]:
        """Number, content and vector (a view that lives as long as the loop) of every record that fits its sum."""
        if start >= end:
            return
        records = np.memmap(self.path, self._record, "r", _HEAD.size, (end,))
        for number in range(start, end):
            record = records[number]
            if record["sum"] == _check_sum(record):
                yield number, record["content"].tobytes().hex(), record["vector"]


def _check_sum(record: Any) -> int:  # noqa: ANN401 - one element of a structured array
    return zlib.crc32(record["vector"].tobytes(), zlib.crc32(record["content"].tobytes()))
