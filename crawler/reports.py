"""Pages that could not be read are kept, so that whoever mends an engine sees what it saw."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

LARGEST = 20_000_000  # characters of a page that are kept
# In front of a saved page: nothing in it runs, and nothing is fetched, when a person opens it.
HARMLESS = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"


def save_page(path: Path | None, text: str, note: str) -> str:
    """Writes the page, with a note and the time in front of it, and says where; "" when nothing is to be kept."""
    if path is None:
        return ""
    stamp = f"{note} · {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC".replace("--", "- -")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{HARMLESS}\n<!-- {stamp} -->\n{text[:LARGEST]}", "utf-8", "replace")
    except OSError as error:
        return f"the page could not be saved: {error}"
    return f"see {path.name}"
