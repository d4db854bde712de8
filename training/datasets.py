"""Photographs to train on: any folder that curation can read, in parts that no copy of a picture straddles.

A folder that was never scanned is scanned, and its copies are found; a split that stands (curation's, or train/,
validation/ and test/ folders) is used as it stands, and what it lacks is dealt out of the training pictures by
curation's own rule. Where the folder cannot be written, its database and vectors are kept in the cache folder. Pictures
are named by the sha256 of their file; the same file under two labels teaches nothing and is left out.
It reads no pixels (`curation.features` and `finetune` do), and it knows nothing of handwriting (`folder`, `sources`).
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from curation.database import Database
from curation.dataset import Dataset
from curation.folders import FolderLabels
from curation.grouping import regroup
from curation.leaks import straddling
from curation.links import Thresholds
from curation.listing import PictureRow
from curation.pictures import Pictures
from curation.progress import Bar
from curation.scan import scan
from curation.split import PARTS, SplitOrder, split
from curation.walk import class_folders, part_folders
from handwriter_models.errors import UserError
from handwriter_models.layout import DATABASE, FEATURES
from handwriter_models.picture_files import files_below, pictures_folder
from training.left_out import tell_of_folder
from training.preparation import cache_folder
from training.progress import messages
from training.recipes import DataOptions
from training.samples import in_order

Numbers = NDArray[np.int64]
Parts = dict[str, list[PictureRow]]


@dataclass(frozen=True)
class Photographs:
    """A dataset ready to be learned from.

    Attributes:
        pictures: curation's view of it.
        features: the folder that keeps vectors.
        names: labels in their stored order: by text, numbers by value.
        parts: by part of the split, one row a content.
        unreadable: path and reason of what has no part in it.
        divided: how the parts came to be, in words.
    """

    pictures: Pictures = field(repr=False)
    features: Path
    names: list[str]
    parts: Parts = field(repr=False)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    divided: str = ""

    def labels(self, rows: Sequence[PictureRow]) -> Numbers:
        """The label number of each row, (n,)."""
        number = {name: place for place, name in enumerate(self.names)}
        return np.array([number[row.label] for row in rows], np.int64)

    def counts(self) -> dict[str, int]:
        """Number of pictures by part."""
        return {part: len(self.parts[part]) for part in PARTS}

    def fingerprint(self) -> str:
        """sha256 over part, label and content of all pictures, in the order of contents."""
        lines = sorted(f"{row.sha256} {part} {row.label}" for part, rows in self.parts.items() for row in rows)
        return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()

    def phashes(self, rows: Sequence[PictureRow]) -> NDArray[np.uint64]:
        """Perceptual hashes, (n, variants), of these rows."""
        held = {one.sha256: one.hashes for one in self.pictures.hashed()}
        return np.stack([np.frombuffer(held[row.sha256], np.uint64) for row in rows])


@contextmanager
def photographs(source: str, options: DataOptions, seed: int) -> Iterator[Photographs]:
    """The pictures in the folder `source`, open while the context lasts.

    Raises:
        UserError: no such folder, fewer than two labels, or a label without pictures to learn from.
    """
    root = Path(source)
    if not root.is_dir():
        raise UserError(
            f"there is no folder {source!r}", "give a dataset of the crawler, or a folder with label/picture"
        )
    with _opened(root) as (pictures, features):
        unreadable = _brought_up_to_date(pictures)
        rows = _usable(root, pictures.rows(), unreadable)
        parts, divided = _divided(pictures, rows, options, seed)
        found = Photographs(pictures, features, in_order({row.label for row in rows}), parts, unreadable, divided)
        _check(found)
        yield found


@contextmanager
def _opened(root: Path) -> Iterator[tuple[Pictures, Path]]:
    """The pictures, and the folder for their vectors; of a folder that may not be written, both in the cache folder."""
    if os.access(root, os.W_OK) and root.stat().st_mode & 0o222:
        with Dataset(root) as dataset:
            yield dataset.pictures, root / FEATURES
        return
    place = cache_folder() / "datasets" / hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16]
    try:
        place.mkdir(parents=True, exist_ok=True)
        for file in root.glob(f"{DATABASE}*"):  # what was decided there counts here, too
            shutil.copyfile(file, place / file.name)
    except OSError as error:
        raise UserError(
            f"{root} is read-only, and {place} cannot be written: {error.strerror or error}",
            "set HANDWRITER_CACHE to a folder with room, or copy the pictures to one",
        ) from error
    messages.print(f"{root} is read-only: its database and vectors are kept in {place}", markup=False)
    database = Database(place / DATABASE)
    try:
        yield Pictures(root, database, lambda: datetime.now(UTC).replace(microsecond=0).isoformat()), place / FEATURES
    finally:
        database.close()


def _brought_up_to_date(pictures: Pictures) -> list[tuple[str, str]]:
    """Scans what is new, finds copies anew when something is; returns path and reason of what cannot be read."""
    with Bar("scanning") as bar:
        summary = scan(pictures, bar.tell)
    before = pictures.setting("grouped")
    regroup(pictures, Thresholds(*before[:2]) if before else Thresholds(), bool(summary.read or summary.gone))
    if summary.read:
        groups, redundant = pictures.copies()
        messages.print(
            f"scanned {summary.images:,} pictures: {groups} groups of copies with {redundant} redundant pictures, "
            f"{len(summary.unreadable)} unreadable"
        )
    tell_of_folder(summary.others, summary.notes)
    return list(summary.unreadable)


def _usable(root: Path, rows: Sequence[PictureRow], unreadable: list[tuple[str, str]]) -> list[PictureRow]:
    """The kept rows under one label; the others are told and left out."""
    kept = [row for row in rows if not row.dropped]
    unreadable += [(row.path, "it lies in no label's folder") for row in kept if not row.label]
    kept = [row for row in kept if row.label]
    labels: dict[str, set[str]] = defaultdict(set)
    for row in kept:
        labels[row.sha256].add(row.label)
    good = [row for row in kept if len(labels[row.sha256]) == 1]
    if len(good) < len(kept):
        messages.print(
            f"left out: {len(kept) - len(good)} files whose picture lies under two labels; "
            "`python curation review` settles them"
        )
    empty = _empty_folders(root) - {row.label for row in rows}
    if empty:
        raise UserError(
            f"label {min(empty)!r} of {root} has no readable picture", "add pictures to it or remove the folder"
        )
    return good


def _empty_folders(root: Path) -> set[str]:
    """Labels of folders that should hold pictures and hold no file at all."""
    base, labels = pictures_folder(root), FolderLabels(root)
    above = [base / name for name in part_folders(base)] or [base]
    classes = [(folder / name, labels.of(name)) for folder in above for name in class_folders(folder)]
    return {label for folder, label in classes if next(files_below(folder), None) is None}


def _divided(pictures: Pictures, rows: list[PictureRow], options: DataOptions, seed: int) -> tuple[Parts, str]:
    """The rows by part, each content once, and how that was decided."""
    given = {row.id: row.part for row in rows if row.part}
    shares = (1 - options.validation - options.test, options.validation, options.test)
    how = "as the dataset is split"
    if not given:
        how = f"dealt now by {shares[0]:.0%}, {shares[1]:.0%}, {shares[2]:.0%}, copies together, and kept"
        given = split(rows, {}, SplitOrder(shares, seed)).parts if rows else {}
        pictures.store_split(given)
        pictures.store_setting("split", {"seed": seed, "shares": shares, "by": ""})
    elif len(given) < len(rows):
        how += f"; {len(rows) - len(given)} newer pictures dealt"
        given = {**split(rows, given, SplitOrder(shares, seed)).parts, **given}
    for part, share in (("test", options.test), ("validation", options.validation)):
        if part not in given.values():
            how += f"; {part} taken from train"
            train = [row for row in rows if given[row.id] == "train"]
            dealt = split(train, {}, SplitOrder((1 - share, share, 0.0), seed)).parts if train else {}
            given |= {file: part for file, chosen in dealt.items() if chosen == "validation"}
    _tell_of_leaks(rows, given)
    parts: Parts = {part: [] for part in PARTS}
    seen: set[str] = set()
    for part in reversed(PARTS):  # the same file in test and in train is a test picture
        for row in rows:
            if given[row.id] == part and row.sha256 not in seen:
                seen.add(row.sha256)
                parts[part].append(row)
    return parts, how


def _tell_of_leaks(rows: Sequence[PictureRow], given: dict[int, str]) -> None:
    found = straddling(rows, lambda row: given[row.id])
    if found:
        messages.print(
            f"warning: {len(found)} groups of copies lie in two parts of the split, so the figures will be too good; "
            "`python curation stats` lists them, `python curation split --anew` deals anew"
        )


def _check(found: Photographs) -> None:
    """`UserError` where nothing could be learned or measured; a message where a part lacks a label."""
    names = found.names
    if len(names) < 2:
        raise UserError(
            f"the dataset has only the label {', '.join(map(repr, names)) or 'none'}",
            "a classifier needs at least two labels: add a folder for each",
        )
    counts = {part: Counter(row.label for row in rows) for part, rows in found.parts.items()}
    for name in names:
        if not counts["train"][name]:
            where = " and ".join(part for part in PARTS if counts[part][name])
            raise UserError(
                f"label {name!r} has pictures in {where}, but none to learn from", "give each label at least 3 pictures"
            )
    for part in ("validation", "test"):
        if not found.parts[part]:
            fewest = min(names, key=lambda name: counts["train"][name])
            raise UserError(
                f"no picture is left for {part}: label {fewest!r} has {counts['train'][fewest]}",
                "give each label at least 3 pictures: one each for training, validation and test",
            )
        lacking = [name for name in names if not counts[part][name]]
        if lacking:
            messages.print(f"no picture of {', '.join(map(repr, lacking))} in {part}: nothing is said about it there")
