"""Pages that could not be read are kept, so that whoever mends an engine sees what it saw."""

from __future__ import annotations

from pathlib import Path

LARGEST = 5_000_000  # characters of a page that are kept


def saved(path: Path | None, text: str) -> str:
    """Writes the page and says where, for the detail of an outcome; empty when nothing is to be kept or can be."""
    if path is None:
        return ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text[:LARGEST], "utf-8", "replace")
    except OSError as error:
        return f"the page could not be saved: {error.strerror}"
    return f"see {path.name}"
