"""The dataset's own folder and the folders of its labels: checked, made, and never two labels in one.

Which label a folder stands for is told by the database, by what an export or the Teach page wrote beside it, or by its
name. So a label that no folder can be called comes back as it was.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections import defaultdict
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path

from curation.labels import folded, folder_name
from handwriter_models.errors import UserError
from handwriter_models.labels import as_label, normalized
from handwriter_models.layout import DATABASE, OURS, PICTURES, own_folders
from handwriter_models.picture_files import Obstacle, Other, files_below, pictures_folder

_LISTS = ("labels.json", "taught.json")  # what an export, and the Teach page, write beside the folders
_LARGEST = 2**24  # bytes of such a list


def checked_root(root: Path, create: bool) -> Path:
    """The folder, absolute and there; raises `UserError` when it cannot be a dataset's."""
    root = Path(os.path.abspath(root))  # noqa: PTH100 - resolve() would follow links
    is_dataset = os.path.isfile(root / DATABASE)  # noqa: PTH113 - does not raise
    if not create and not is_dataset:
        raise UserError(f"{root} is not a dataset", "give the folder that a crawl made, such as data/keywords")
    try:
        root.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise UserError(f"{root} is a file, not a folder", "give another folder for the dataset") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"cannot make the folder {str(root)!r}: {reason}", "give another folder") from error
    if not os.access(root, os.W_OK | os.X_OK):
        raise UserError(f"the folder {root} cannot be written to", "check its permissions, or give another folder")
    if not is_dataset:
        _check_classes(root)
    return root


def _check_classes(root: Path) -> None:
    """`UserError` where a class has the name of a folder that the dataset would keep for itself, and hide."""
    if pictures_folder(root) != root:
        return
    inside = os.path.realpath(root)
    for name in sorted(OURS):
        own = root / name
        if own.is_dir() and any(not isinstance(found, Obstacle | Other) for found in files_below(own, inside)):
            raise UserError(
                f"the folder {name!r} of {root} holds pictures, but a dataset keeps things of its own under this name",
                "if it is a class, call the folder otherwise, or put all folders of classes into "
                f"{root / PICTURES}, where each name is free; if an earlier dataset left it, move its pictures back",
            )


def folder_of(connection: sqlite3.Connection, label: str, place: Path) -> str:
    """The label's folder in `place`, given to it for good when it is first asked for, in a transaction.

    It never is one that a dataset keeps for itself, nor one that differs from another there in case only.
    """
    row = connection.execute("SELECT folder FROM labels WHERE label = ?", (label,)).fetchone()
    if row:
        return str(row[0])
    folder = folder_name(label)
    if folded(folder) in _taken(connection, place, folder):
        folder = folder_name(label, marked=True)
    connection.execute("INSERT INTO labels VALUES (?, ?, ?)", (label, folder, folded(folder)))
    return folder


def _taken(connection: sqlite3.Connection, place: Path, folder: str) -> set[str]:
    names = os.listdir(place) if place.is_dir() else []  # noqa: PTH208 - names
    own = {*own_folders(names), PICTURES} if own_folders(names) else set()
    known = (name for (name,) in connection.execute("SELECT folded FROM labels"))
    return {*known, *own, *(folded(name) for name in names if name != folder)}


class FolderLabels:
    """The labels of the folders below a root; raises `UserError` for a folder whose label can be none.

    `known` are labels by folder that the caller's database tells.
    """

    def __init__(self, root: Path, known: Mapping[str, str] | None = None) -> None:
        self._root = root
        self._known = {**_listed(root), **(_stored(root) if known is None else known)}
        self._labels: dict[str, str] = {}

    def of(self, folder: str) -> str:
        """The label of the folder's pictures; "" for pictures that lie in none."""
        if folder not in self._labels:
            text = self._known.get(folder, self._known.get(normalized(folder), folder))
            where = f"the folder {folder!r} of {self._root}"
            self._labels[folder] = as_label(text, where) if folder else ""
        return self._labels[folder]

    def notes(self) -> list[str]:
        """What to tell of folders that share a label, as names composed and decomposed (macOS) do."""
        folders: dict[str, list[str]] = defaultdict(list)
        for folder, label in self._labels.items():
            folders[label].append(folder)
        shared = {label: names for label, names in folders.items() if len(names) > 1}
        return [f"{len(names)} folders are the one class {label!r}" for label, names in sorted(shared.items())]


def _stored(root: Path) -> dict[str, str]:
    """As the dataset's database tells, if there is one that can be read."""
    with suppress(sqlite3.Error):
        address = f"{(root / DATABASE).absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as connection:
            return dict(connection.execute("SELECT folder, label FROM labels"))
    return {}


def _listed(root: Path) -> dict[str, str]:
    """As an export's labels.json or Teach's taught.json tells; only what our own names of folders can mean."""
    found: dict[str, str] = {}
    for name in _LISTS:
        with suppress(OSError, ValueError, RecursionError, AttributeError, TypeError):
            if (root / name).stat().st_size <= _LARGEST:
                document = json.loads((root / name).read_bytes())
                for row in document if isinstance(document, list) else document["classes"]:
                    label, folder = row.get("label", row.get("name")), row["folder"]
                    marked = folder_name(label, marked=True)
                    if folder in (folder_name(label), marked, marked.lstrip("_")):
                        found[folder] = label
    return found
