"""The dataset's own folder and the folders of its labels: checked, made, and never two labels in one."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from curation.labels import folded, folder_name
from handwriter_models.errors import UserError


def checked_root(root: Path, create: bool) -> Path:
    """The folder, absolute and there; raises `UserError` when it cannot be a dataset's."""
    root = Path(os.path.abspath(root))  # noqa: PTH100 - resolve() would follow links
    if not create and not os.path.isfile(root / "dataset.db"):  # noqa: PTH113 - does not raise
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
    return root


def folder_of(connection: sqlite3.Connection, label: str) -> str:
    """The label's folder, given to it for good when it is first asked for. The connection is in a transaction."""
    row = connection.execute("SELECT folder FROM labels WHERE label = ?", (label,)).fetchone()
    if row:
        return str(row[0])
    folder = folder_name(label)
    if connection.execute("SELECT 1 FROM labels WHERE folded = ?", (folded(folder),)).fetchone():
        folder = folder_name(label, marked=True)
    connection.execute("INSERT INTO labels VALUES (?, ?, ?)", (label, folder, folded(folder)))
    return folder
