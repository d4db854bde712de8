"""What a dataset tells about its pictures, its addresses and its runs, a value a row. Times are ISO 8601 in UTC."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImageRow:
    """A picture that is kept. `path` is below the dataset's folder; the size is in pixels and bytes."""

    sha256: str
    original_sha256: str
    label: str
    path: str
    width: int
    height: int
    bytes: int
    added_at: str


@dataclass(frozen=True, slots=True)
class SourceRow:
    """Where a kept picture came from, and the picture. `rank` counts a label's addresses at an engine, as found."""

    id: int
    label: str
    keyword: str
    engine: str
    rank: int
    address: str
    page: str
    title: str
    author: str
    licence: str
    licence_address: str
    thumbnail: int
    found_at: str
    ended_at: str
    path: str
    sha256: str
    original_sha256: str
    width: int
    height: int
    bytes: int


@dataclass(frozen=True, slots=True)
class RefusalRow:
    """An address that did not become a picture; `duplicate_of` is the path of the picture it repeats."""

    id: int
    label: str
    keyword: str
    engine: str
    rank: int
    address: str
    page: str
    title: str
    author: str
    licence: str
    licence_address: str
    thumbnail: int
    found_at: str
    ended_at: str
    reason: str
    detail: str
    duplicate_of: str | None


@dataclass(frozen=True, slots=True)
class RunRow:
    """A process that is at work on the dataset."""

    id: str
    pid: int
    host: str
    started: str
    command: str


@dataclass(frozen=True, slots=True)
class Member:
    """A file of a family; `cluster` is None when nothing in the family is near enough to thin it out for."""

    file: int
    family: int
    cluster: int | None
    relation: str
    distance: int
    keep: bool
