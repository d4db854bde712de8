"""Any folder of pictures as prepared samples: `label/picture`, or the same below train/, validation/ and test/.

The layout is torchvision's ImageFolder; of a dataset of ours what lies below its images/ is read. A file that cannot
be read is listed, not fatal; labels keep the sorted order of their folders, numbers by value, so that "10" follows "9".
Which folders are classes, what their labels are and which files are pictures is curation's to say, as for photographs.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np

from curation.folders import FolderLabels
from curation.walk import PARTS, class_folders
from handwriter_models.errors import UserError
from handwriter_models.labels import told_alike
from handwriter_models.picture_files import Obstacle, Other, files_below, is_picture, pictures_folder
from training.left_out import tell_of_folder
from training.preparation import prepared_files
from training.samples import Samples, check_labels, in_order

Unreadable = list[tuple[str, str]]
Folders = dict[str, list[Path]]  # of each label


def read_folder(root: Path) -> tuple[dict[str, Samples], Unreadable]:
    """Samples by split ("all" when the folder has none), and the files that could not be read with the reason."""
    if not root.is_dir():
        known = "mnist, sklearn-digits, omniglot-korean, omniglot-latin, characters, or a folder of pictures"
        raise UserError(f"unknown source {str(root)!r}", f"sources: {known}")
    labels = FolderLabels(root)
    folders = _split_folders(pictures_folder(root))
    by_label = {split: _by_label(folder, labels) for split, folder in folders.items()}
    first = "all" if "all" in by_label else "train"
    for split, found in by_label.items():
        _check_same_labels(root, first, by_label[first], split, found)
    names = in_order(by_label[first])
    unreadable: Unreadable = []
    others = 0
    samples = {}
    for split, folder in folders.items():
        paths, beside = _pictures(folder, names, by_label[split], unreadable)
        samples[split] = _read(paths, names, folder, unreadable)
        others += beside
    tell_of_folder(others, [*labels.notes(), *told_alike(names)])
    for part in samples.values():
        check_labels(part)
    return samples, unreadable


def _split_folders(root: Path) -> dict[str, Path]:
    names = class_folders(root)
    found = {PARTS[name.casefold()]: root / name for name in names if name.casefold() in PARTS}
    if not found or "train" not in found:
        return {"all": root}
    others = [name for name in names if name.casefold() not in PARTS]
    if others:
        raise UserError(
            f"{root} holds the label folder {others[0]!r} beside train/", "put every label below train/ or none"
        )
    return found


def _by_label(folder: Path, labels: FolderLabels) -> Folders:
    found: Folders = defaultdict(list)
    for name in class_folders(folder):
        found[labels.of(name)].append(folder / name)
    return dict(found)


def _check_same_labels(root: Path, first: str, wanted: Folders, split: str, found: Folders) -> None:
    for name in sorted(set(wanted) ^ set(found)):
        has, lacks = (first, split) if name in wanted else (split, first)
        raise UserError(
            f"label {name!r} is in {has}/ but not in {lacks}/ of {root}", "give both the same label folders"
        )


def _pictures(
    folder: Path, names: list[str], by_label: Folders, unreadable: Unreadable
) -> tuple[list[tuple[Path, int]], int]:
    """Each picture with its label's number, and how many files are none; what cannot be looked at is listed."""
    pictures, others = [], 0
    for label, name in enumerate(names):
        for found in (found for own in by_label[name] for found in files_below(own)):
            if isinstance(found, Obstacle):
                unreadable.append((found.path, found.why))
            elif isinstance(found, Other):
                others += 1
            else:
                pictures.append((Path(found.path), label))
    loose = (path for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith("."))
    unreadable += [(str(path), "it lies in no label's folder") for path in loose if is_picture(path)]
    return pictures, others


def _read(pictures: list[tuple[Path, int]], names: list[str], folder: Path, unreadable: Unreadable) -> Samples:
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
        str(folder),
    )
