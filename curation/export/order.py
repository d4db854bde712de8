"""`curation export DATASET OUT`: checks the order, has it written, and tells what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from curation.export import credits, image_folder, parquet, shards, sheet, table
from curation.export.place import MARK, writing
from curation.export.selection import PARTS, Selection, Tell, present, select
from curation.listing import PictureRow
from curation.pictures import Pictures
from handwriter_models.errors import UserError

FORMATS = ("imagefolder", "parquet", "webdataset", "csv", "html")
_PATHS = {"imagefolder": "{part}/**", "parquet": "data/{part}-*", "webdataset": "{part}-*.tar"}


@dataclass
class Exported:
    """What was written: files and their bytes (linked ones, too), pictures by part and label, and what to know.

    A table counts dropped pictures under the part "dropped", and looks into no picture. `missed` is how many pictures
    are not what the scan saw any more. `positions`: how many say in their metadata where they were taken, which goes
    out only with `keep_metadata`.
    """

    files: int = 0
    bytes: int = 0
    pictures: dict[str, dict[str, int]] = field(default_factory=dict)
    missed: int = 0
    positions: int = 0
    warnings: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """All pictures."""
        return sum(sum(labels.values()) for labels in self.pictures.values())


def export(
    pictures: Pictures,
    out: Path,
    format: str,
    copy: bool = False,
    tell: Tell = lambda *_: None,
    keep_metadata: bool = False,
) -> Exported:
    """Writes the kept pictures of a scanned dataset to the folder `out` in one of `FORMATS`.

    Args:
        pictures: of the dataset; nothing of it is changed.
        out: a folder that is empty or not there; it appears when everything is written.
        format: one of `FORMATS`.
        copy: whether an image folder gets copies instead of second names of the same files.
        tell: is called with the number of pictures done and of all.
        keep_metadata: whether files go out as they are, with place and time, rather than with their pixels alone.

    Raises:
        UserError: when `out` or `format` cannot be used, when nothing is there to export, or the disk is full.
    """
    if format not in FORMATS:
        raise UserError(f"{format!r} is not a format of export", f"choose one of {', '.join(FORMATS)}")
    rows = pictures.rows()
    wanted = rows if format == "csv" else [row for row in rows if not row.dropped]
    if not wanted:
        raise UserError(
            f"there are no {'kept ' if rows else ''}pictures in {pictures.root}", "scan a folder with pictures first"
        )
    there, missed = present(pictures.root, wanted)
    if not there:
        raise UserError(f"none of the {len(wanted)} pictures is there any more", "scan the dataset again")
    chosen = select(pictures.root, there, tell, keep_metadata)
    chosen.missed += missed
    with writing(out, pictures.root) as folder:
        if format == "csv":
            _write_table(pictures, there, chosen, folder)
        else:
            _write_pictures(format, chosen, folder, copy)
        exported = _counted(folder, chosen)
    exported.missed, exported.warnings = len(chosen.missed), _warnings(chosen, format)
    return exported


def _write_table(pictures: Pictures, rows: Sequence[PictureRow], chosen: Selection, folder: Path) -> None:
    table.write(rows, pictures.history(), folder)
    for sample in chosen.samples:
        chosen.count(sample)
    for row in rows:
        if row.dropped:
            chosen.counts["dropped"][row.label] += 1


def _write_pictures(format: str, chosen: Selection, folder: Path, copy: bool) -> None:
    if format == "html":
        sheet.write(chosen, folder)
        return
    if format == "imagefolder":
        image_folder.write(chosen, folder, copy)
    elif format == "parquet":
        parquet.write(chosen, folder)
    else:
        shards.write(chosen, folder)
    credits.write_card(folder, chosen.root.name, chosen.counts, _PATHS[format], not chosen.keep_metadata)
    gone = {path for path, _ in chosen.missed}
    credits.write_attribution(folder, (sample for sample in chosen.samples if sample.row.path not in gone))
    credits.write_labels(folder, chosen.labels)


def _counted(folder: Path, chosen: Selection) -> Exported:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != MARK]
    counts = {part: dict(sorted(chosen.counts[part].items())) for part in (*PARTS, "dropped") if part in chosen.counts}
    return Exported(len(files), sum(path.stat().st_size for path in files), counts, positions=chosen.positions)


def _warnings(chosen: Selection, format: str) -> list[str]:
    gone = {path for path, _ in chosen.missed}
    rows = [sample.row for sample in chosen.samples if sample.row.path not in gone]
    told = []
    if chosen.missed:
        path, why = chosen.missed[0]
        told.append(f"left out, as they are not what the scan saw: {len(chosen.missed)}, such as {path} ({why})")
    if chosen.positions:
        kept = chosen.keep_metadata and format != "html"  # a sheet has nothing of its files but pixels
        what = "exported with it, as asked" if kept else "taken out"
        told.append(f"pictures that say where they were taken: {chosen.positions} ({what})")
    unknown = sum(not row.licence for row in rows)
    if unknown:
        told.append(f"pictures without a known licence: {unknown} of {len(rows)}; look them up before you publish")
    late = sum(not row.part for row in rows)
    if 0 < late < len(rows):
        told.append(f"pictures that came after the split and went to train: {late}; split again")
    unlabelled = sum(not row.label for row in rows)
    if unlabelled:
        told.append(f"pictures without a label, as they lie in no folder: {unlabelled}")
    return told + (_about_folders(chosen) if format == "imagefolder" else [])


def _about_folders(chosen: Selection) -> list[str]:
    told = []
    animated = Counter(sample.format for sample in chosen.samples)["GIF"]
    if animated:
        told.append(f"GIF pictures, which torchvision's ImageFolder passes over: {animated}")
    for part, labels in chosen.counts.items():
        lacking = [label.text for label in chosen.labels if label.text not in labels]
        if lacking:
            told.append(
                f"{part} has no picture of {len(lacking)} labels, such as {lacking[0]!r}: "
                "torchvision numbers them differently there; labels.json has the numbers"
            )
    return told
