"""The file that keeps the vectors of one network: it only grows, and what does not fit its check sum counts as absent.

A killed run loses what it had not appended; several processes may share the file, each waits its turn to append.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from handwriter_models.errors import UserError

_MAGIC = b"HWf16\x00\x00\x01"
_HEAD = struct.Struct("<8sI")  # magic, dimension
Halves = NDArray[np.float16]


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
            self.path.parent.mkdir(parents=True, exist_ok=True)
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
