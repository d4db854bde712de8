"""Any folder of pictures as prepared samples: `label/picture`, or the same below train/, validation/ and test/.

The layout is torchvision's ImageFolder; of a dataset of ours what lies below its images/ is read. A file that cannot
be read is listed, not fatal; labels keep the sorted order of their folders, numbers by value, so that "10" follows "9".
"""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np

from curation.layout import OURS, PICTURES
from handwriter_models.errors import UserError
from training.preparation import prepared_files
from training.samples import Samples, check_labels, in_order

_ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"}
_SPLITS = {"train": "train", "training": "train", "validation": "validation", "val": "validation", "test": "test"}
Unreadable = list[tuple[str, str]]


def read_folder(root: Path) -> tuple[dict[str, Samples], Unreadable]:
    """Samples by split ("all" when the folder has none), and the files that could not be read with the reason."""
    if not root.is_dir():
        known = "mnist, sklearn-digits, omniglot-korean, omniglot-latin, characters, or a folder of pictures"
        raise UserError(f"unknown source {str(root)!r}", f"sources: {known}")
    if (root / PICTURES).is_dir() and {path.name for path in _folders(root)} <= {PICTURES, *OURS}:
        root = root / PICTURES
    folders = _split_folders(root)
    names = {split: _label_names(folder) for split, folder in folders.items()}
    first = "all" if "all" in names else "train"
    for split, found in names.items():
        _check_same_labels(root, first, names[first], split, found)
    unreadable: Unreadable = []
    samples = {split: _read_labels(folder, names[first], unreadable) for split, folder in folders.items()}
    for part in samples.values():
        check_labels(part)
    return samples, unreadable


def _split_folders(root: Path) -> dict[str, Path]:
    found = {_SPLITS[path.name.lower()]: path for path in _folders(root) if path.name.lower() in _SPLITS}
    if not found or "train" not in found:
        return {"all": root}
    others = [path.name for path in _folders(root) if path.name.lower() not in _SPLITS]
    if others:
        raise UserError(
            f"{root} holds the label folder {others[0]!r} beside train/", "put every label below train/ or none"
        )
    return found


def _folders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))


def _label_names(folder: Path) -> list[str]:
    return in_order(path.name for path in _folders(folder))


def _check_same_labels(root: Path, first: str, wanted: list[str], split: str, found: list[str]) -> None:
    for name in sorted(set(wanted) ^ set(found)):
        has, lacks = (first, split) if name in wanted else (split, first)
        raise UserError(
            f"label {name!r} is in {has}/ but not in {lacks}/ of {root}", "give both the same label folders"
        )


def _read_labels(folder: Path, names: list[str], unreadable: Unreadable) -> Samples:
    paths = [
        (path, label)
        for label, name in enumerate(names)
        for path in sorted((folder / name).rglob("*"))
        if path.suffix.lower() in _ENDINGS and not path.name.startswith(".") and path.is_file()
    ]
    answers = prepared_files([path for path, _ in paths])
    images, labels = [], []
    for (path, label), (pixels, reason) in zip(paths, answers, strict=True):
        if pixels is None:
            unreadable.append((str(path), reason))
        else:
            images.append(pixels)
            labels.append(label)
    return Samples(
        np.stack(images) if images else np.zeros((0, 28, 28), np.uint8),
        np.asarray(labels, np.int64),
        np.full(len(labels), -1, np.int64),
        [unicodedata.normalize("NFC", name) for name in names],
        str(folder),
    )
