"""The table of formats in the documentation is what was measured."""

from __future__ import annotations

from pathlib import Path

from tests.format_table import table

REPOSITORY = Path(__file__).resolve().parents[1]


def test_table_of_formats_is_what_is_measured() -> None:
    lines = table()
    documented = (REPOSITORY / "docs" / "curation.md").read_text("utf-8").splitlines()
    start = documented.index(lines[0])
    assert documented[start : start + len(lines)] == lines
    assert not any(line.split("|")[2].strip() in ("wrong", "damaged") for line in lines)
