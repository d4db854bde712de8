"""Any folder of pictures as prepared samples: `label/picture`, or the same below train/, validation/ and test/.

The layout is torchvision's ImageFolder; of a dataset of ours what lies below its images/ is read. A file that cannot
be read is listed, not fatal; labels keep the sorted order of their folders, numbers by value, so that "10" follows "9".
Which folders are classes or parts, what their labels are and which files are pictures is curation's to say (`walk`),
as for photographs.
"""

from __future__ import annotations

from collections import defaultdict
from operator import itemgetter
from pathlib import Path

import numpy as np

from curation.folders import FolderLabels
from curation.walk import PARTS, class_folders, part_folders, walk
from handwriter_models.errors import UserError
from handwriter_models.labels import told_alike
from handwriter_models.picture_files import Obstacle, Other, pictures_folder
from training.left_out import tell_of_folder
from training.preparation import prepared_files
from training.samples import Samples, check_labels, in_order

Unreadable = list[tuple[str, str]]
Listed = dict[str, list[tuple[Path, int]]]  # by part
_ALL = "all"  # the part of a folder without a split


def read_folder(root: Path) -> tuple[dict[str, Samples], Unreadable]:
    """Samples by split ("all" when the folder has none), and the files that could not be read with the reason."""
    if not root.is_dir():
        known = "mnist, sklearn-digits, omniglot-korean, omniglot-latin, characters, or a folder of pictures"
        raise UserError(f"unknown source {str(root)!r}", f"sources: {known}")
    labels, base = FolderLabels(root), pictures_folder(root)
    parts = part_folders(base)
    if not parts:
        _check_beside(base)
    folders = {part: [base / name for name in parts if parts[name] == part] for part in sorted(set(parts.values()))}
    folders = folders or {_ALL: [base]}
    classes = {part: _classes(own, labels) for part, own in folders.items()}
    first = _ALL if _ALL in classes else "train"
    for part, found in classes.items():
        _check_same_labels(root, first, classes[first], part, found)
    names = in_order(classes[first])
    pictures, unreadable, others = _pictures(root, names, labels)
    tell_of_folder(others, [*labels.notes(), *told_alike(names)])
    samples = {
        part: _read(pictures[part], names, str(own[0] if len(own) == 1 else base), unreadable)
        for part, own in folders.items()
    }
    for part, one in samples.items():
        check_labels(one, _left_out(folders[part], labels, unreadable))
    return samples, unreadable


def _check_beside(base: Path) -> None:
    """`UserError` where classes stand beside a folder of classes that is called like the part to learn from."""
    names = class_folders(base)
    others = [name for name in names if name.casefold() not in PARTS]
    if others and any(PARTS.get(name.casefold()) == "train" and class_folders(base / name) for name in names):
        raise UserError(
            f"{base} holds the label folder {others[0]!r} beside train/", "put every label below train/ or none"
        )


def _classes(folders: list[Path], labels: FolderLabels) -> set[str]:
    return {labels.of(name) for folder in folders for name in class_folders(folder)}


def _check_same_labels(root: Path, first: str, wanted: set[str], split: str, found: set[str]) -> None:
    for name in sorted(wanted ^ found):
        has, lacks = (first, split) if name in wanted else (split, first)
        raise UserError(
            f"label {name!r} is in {has}/ but not in {lacks}/ of {root}", "give both the same label folders"
        )


def _pictures(root: Path, names: list[str], labels: FolderLabels) -> tuple[Listed, Unreadable, int]:
    """By part each picture with its label's number, what cannot be looked at, and how many files are no pictures."""
    pictures: Listed = defaultdict(list)
    unreadable: Unreadable = []
    others = 0
    number = {name: place for place, name in enumerate(names)}
    for found in walk(root):
        if isinstance(found, Other):
            others += 1
        elif isinstance(found, Obstacle):
            unreadable.append((str(root / found.path), found.why))
        elif not found.label:
            unreadable.append((str(root / found.path), "it lies in no label's folder"))
        else:
            pictures[found.part or _ALL].append((root / found.path, number[labels.of(found.label)]))
    for members in pictures.values():
        members.sort(key=itemgetter(1))  # of one label they stay in the order of paths
    return pictures, unreadable, others


def _left_out(folders: list[Path], labels: FolderLabels, unreadable: Unreadable) -> dict[str, list[str]]:
    """By label what of its folders cannot be used, with the reason."""
    found: dict[str, list[str]] = defaultdict(list)
    above = {folder / name: labels.of(name) for folder in folders for name in class_folders(folder)}
    for path, why in unreadable:
        for folder in above.keys() & set(Path(path).parents):
            found[above[folder]].append(f"{path} ({why})")
    return found


def _read(pictures: list[tuple[Path, int]], names: list[str], source: str, unreadable: Unreadable) -> Samples:
    images, labels = [], []
    for (path, label), (pixels, reason) in zip(pictures, prepared_files([path for path, _ in pictures]), strict=True):
        if pixels is None:
            unreadable.append((str(path), reason))
        else:
            images.append(pixels)
            labels.append(label)
    return Samples(
        np.stack(images) if images else np.zeros((0, 28, 28), np.uint8),
        np.asarray(labels, np.int64),
        np.full(len(labels), -1, np.int64),
        names,
        source,
    )
