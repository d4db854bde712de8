"""`OUT/pictures.csv`: one line a picture, dropped ones too, to be opened in a spreadsheet.

It starts with the mark by which Excel knows UTF-8. A text that a spreadsheet would take for a formula gets a quotation
mark in front, since titles and names come from strangers.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from curation.listing import PictureRow
from curation.verdicts import Action, Verdict

COLUMNS = (
    *("path", "label", "part", "verdict", "by", "family", "cluster", "relation", "distance", "stays", "flags"),
    *("format", "width", "height", "bytes", "blur", "brightness", "contrast", "entropy"),
    *("engine", "keyword", "page", "address", "title", "author", "licence", "licence_address", "sha256"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def write(rows: Iterable[PictureRow], verdicts: Sequence[Verdict], folder: Path) -> None:
    """The table; `verdicts` is the whole history."""
    undone = {verdict.undoes for verdict in verdicts}
    last = {one.file: one for one in verdicts if one.id not in undone and one.action is not Action.UNDO}
    with (folder / "pictures.csv").open("w", encoding="utf-8-sig", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(COLUMNS)
        for row in rows:
            lines.writerow(defused(cell) for cell in _cells(row, last.get(row.id)))


def defused(cell: str | float | None) -> str | float | None:
    """The cell, with a quotation mark in front of what a spreadsheet would compute; NUL cannot be written."""
    if not isinstance(cell, str):
        return cell
    cell = cell.replace("\0", " ")
    return "'" + cell if cell.startswith(_FORMULA) else cell


def _cells(row: PictureRow, verdict: Verdict | None) -> list[str | float | None]:
    flags = "; ".join(f"{kind} {score:.2f}" + (f" ({detail})" if detail else "") for kind, score, detail in row.flags)
    grouped = row.family is not None
    return [
        *(row.path, row.label, row.part, verdict.action.value if verdict else "", verdict.by if verdict else ""),
        *(row.family, row.cluster, row.relation, row.distance if grouped else None),
        *("yes" if row.keep else "no" if grouped else "", flags),
        *(row.format, row.width, row.height, row.bytes),
        *(round(value, 4) for value in (row.blur, row.brightness, row.contrast, row.entropy)),
        *(row.engine, row.keyword, row.page, row.address, row.title, row.author),
        *(row.licence, row.licence_address, row.sha256),
    ]
