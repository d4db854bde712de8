"""The pictures of a dataset as curation sees them: files, what a scan measured of them, groups, verdicts and splits.

One object for threads and processes alike, over the dataset's own database. It never deletes a picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from curation import files
from curation.database import Database
from curation.files import Known, Scanned


class Pictures:
    """Reached as `Dataset.pictures`."""

    def __init__(self, root: Path, database: Database) -> None:
        self.root = root
        self._database = database

    def known(self) -> dict[str, Known]:
        """Every file that a scan has seen, by path."""
        with self._database.reading() as connection:
            return files.known(connection)

    def printed(self) -> set[str]:
        """The contents (sha256) that have been measured."""
        with self._database.reading() as connection:
            return files.printed(connection)

    def crawled(self) -> dict[str, tuple[str, int]]:
        """sha256 and bytes of the crawler's pictures, by path."""
        with self._database.reading() as connection:
            return files.crawled(connection)

    def labels(self) -> dict[str, str]:
        """The label of each folder that was given to one; any other folder's label is its name."""
        with self._database.reading() as connection:
            return files.labels(connection)

    def record(self, batch: Sequence[Scanned]) -> int:
        """Stores what a scan found of these files; returns how many they are."""
        with self._database.writing() as connection:
            files.record(connection, batch)
        return len(batch)

    def mark_gone(self, ids: Iterable[int]) -> None:
        """Notes files that somebody has taken away."""
        with self._database.writing() as connection:
            files.mark_gone(connection, ids)

    def faults(self) -> list[tuple[str, str]]:
        """Path and reason of every file that cannot be read."""
        with self._database.reading() as connection:
            return files.faults(connection)
