"""The folders and files that a dataset is made of, and which of them no reader of folders takes for classes.

A class may be called `dropped` or `features`, too: the names mean something only beside `dataset.db`. Before curation
makes that file in somebody's folder, `curation.folders` refuses one in which pictures lie under these names.
"""

from __future__ import annotations

from collections.abc import Collection

PICTURES, DROPPED, INCOMING, REPORTS, FEATURES = "images", "dropped", "incoming", "reports", "features"
DATABASE, THUMBNAILS = "dataset.db", "thumbnails.db"
OURS = frozenset({DROPPED, INCOMING, REPORTS, FEATURES})


def own_folders(names: Collection[str]) -> frozenset[str]:
    """Which folders among these names of one folder hold no pictures to be read: none where no dataset is."""
    return OURS if DATABASE in names else frozenset()


def is_own_file(name: str) -> bool:
    """Whether a file of this name is a dataset's own: its databases with their logs and backups."""
    return name.startswith((DATABASE, THUMBNAILS))
