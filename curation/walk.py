"""Which files of a folder are a dataset's pictures, under which label, and in which part of a split, if it has one.

Three layouts are known: `images/<label>/…` as the crawler makes it, `<label>/…` as people make it, and the same below
`train`, `validation` and `test`. Nothing is opened here, and no link is followed out of the folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from curation.layout import OURS, PICTURES

PARTS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
_READ = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff")
EXTENSIONS = frozenset(
    (*_READ, ".heic", ".heif", ".avif", ".svg", ".ppm", ".pgm")
)  # the others are told to be unreadable


@dataclass(frozen=True, slots=True)
class Entry:
    """A picture's file: its path below the root with /, and what its folders say. `modified` in nanoseconds."""

    path: str
    label: str
    part: str
    bytes: int
    modified: int


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What could not be looked at, and why."""

    path: str
    why: str


def walk(root: Path) -> Iterator[Entry | Obstacle]:
    """Every picture below the root in the order of paths, and what was in the way."""
    crawled = (root / PICTURES).is_dir()
    base = root / PICTURES if crawled else root
    depth = 1 if crawled else 0
    split = _is_split(base)
    above = len(str(root)) + 1
    for found in _files(base, os.path.realpath(root), hidden=frozenset() if crawled else OURS):
        path = found.path[above:].replace(os.sep, "/")  # as text: for 100 000 files, Path costs seconds
        if isinstance(found, Obstacle):
            yield Obstacle(path, found.why)
        elif not _is_text(path):
            yield Obstacle(path, "its name is not UTF-8: rename it")
        else:
            yield _entry(path, found, depth, split)


def _is_split(base: Path) -> bool:
    """Whether all folders of it have names of parts, and one is for training and one is not."""
    try:
        names = [entry.name.casefold() for entry in os.scandir(base) if entry.is_dir() and entry.name not in OURS]
    except OSError:
        return False
    parts = [PARTS.get(name) for name in names if not name.startswith(".")]
    return None not in parts and "train" in parts and len(set(parts)) > 1


def _entry(path: str, found: os.DirEntry[str], depth: int, split: bool) -> Entry | Obstacle:
    folders = path.split("/")[depth:-1]
    part = PARTS[folders.pop(0).casefold()] if split and folders else ""
    try:
        status = found.stat()
    except OSError as error:
        return Obstacle(path, error.strerror or str(error))
    return Entry(path, folders[0] if folders else "", part, status.st_size, status.st_mtime_ns)


def _files(
    folder: Path | str, root: str, hidden: frozenset[str] = frozenset()
) -> Iterator[os.DirEntry[str] | Obstacle]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        yield Obstacle(str(folder), error.strerror or str(error))
        return
    for entry in entries:
        if entry.name.startswith(".") or entry.name in hidden:
            continue
        if entry.is_symlink() and not _is_inside(entry.path, root):
            yield Obstacle(entry.path, "it is a link out of the dataset or to nowhere, or a folder: it is not followed")
        elif entry.is_dir(follow_symlinks=False):
            yield from _files(entry.path, root)
        elif os.path.splitext(entry.name)[1].lower() in EXTENSIONS and entry.is_file():  # noqa: PTH122 - a name
            yield entry


def _is_inside(path: str, root: str) -> bool:
    """Whether the link leads to a file of the dataset itself."""
    target = os.path.realpath(path)
    return os.path.isfile(target) and os.path.commonpath([root, target]) == root  # noqa: PTH113


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
