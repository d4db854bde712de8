"""Which files of a folder are a dataset's pictures, under which label, and in which part of a split, if it has one.

Three layouts are known: `images/<label>/…` as the crawler makes it, `<label>/…` as people make it, and the same below
`train`, `validation` and `test`. No link is followed out of the folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from handwriter_models.layout import own_folders
from handwriter_models.picture_files import Obstacle, Other, files_below, is_bundle, pictures_folder

PARTS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A picture's file: its path below the root with /, and what its folders say. `modified` in nanoseconds."""

    path: str
    label: str
    part: str
    bytes: int
    modified: int


def walk(root: Path) -> Iterator[Entry | Obstacle | Other]:
    """Every picture below the root in the order of paths, what was in the way, and what is no picture."""
    base = pictures_folder(root)
    depth = len(base.parts) - len(root.parts)
    parts = part_folders(base)
    above = len(str(root)) + 1
    for found in files_below(base, os.path.realpath(root)):
        path = found.path[above:].replace(os.sep, "/")  # as text: for 100 000 files, Path costs seconds
        if isinstance(found, Other):
            yield found
        elif isinstance(found, Obstacle):
            yield Obstacle(path, found.why)
        elif not _is_text(path):
            yield Obstacle(path, "its name is not UTF-8: rename it")
        else:
            yield _entry(path, found, depth, parts)


def part_folders(base: Path) -> dict[str, str]:
    """The folders of a split with the part that each stands for; empty where the folders are those of classes.

    All of them have names of parts. `train` alone is a split where folders of pictures lie in it, as in an export of a
    dataset that was never split, and a class where pictures do.
    """
    parts = {name: PARTS.get(name.casefold(), "") for name in class_folders(base)}
    found = set(parts.values())
    if "" in found or "train" not in found:
        return {}
    return parts if len(found) > 1 or any(_holds_classes(base / name, base) for name in parts) else {}


def _holds_classes(folder: Path, base: Path) -> bool:
    below = (files_below(folder / name, os.path.realpath(base)) for name in class_folders(folder))
    return any(isinstance(found, os.DirEntry) for files in below for found in files)


def class_folders(base: Path) -> list[str]:
    """The names of the folders of classes, or of parts, in `pictures_folder`; sorted. A link is none."""
    try:
        own = own_folders(os.listdir(base))  # noqa: PTH208 - names
        entries = [entry for entry in os.scandir(base) if entry.is_dir(follow_symlinks=False) and entry.name not in own]
    except OSError:
        return []
    return sorted(entry.name for entry in entries if not entry.name.startswith(".") and not is_bundle(entry.path))


def _entry(path: str, found: os.DirEntry[str], depth: int, parts: Mapping[str, str]) -> Entry | Obstacle:
    folders = path.split("/")[depth:-1]
    part = parts.get(folders.pop(0), "") if parts and folders else ""
    try:
        status = found.stat()
    except OSError as error:
        return Obstacle(path, error.strerror or str(error))
    return Entry(path, folders[0] if folders else "", part, status.st_size, status.st_mtime_ns)


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
