"""What the commands do: a dataset opened, the work done with a bar, a summary for people or JSON for programs."""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from curation import tables
from curation.dataset import Dataset
from curation.grouping import regroup
from curation.leaks import leaks, straddling
from curation.links import USUAL, Thresholds
from curation.listing import PictureRow
from curation.progress import Bar
from curation.scan import Summary
from curation.scan import scan as read
from curation.split import PARTS, SplitOrder
from curation.split import split as dealt
from curation.verdicts import Action
from handwriter_models.errors import DONE, INCOMPLETE, UserError
from handwriter_models.labels import as_label

BY = "command line"


def scan(root: Path, thresholds: Thresholds, workers: int, as_json: bool) -> int:
    """Brings the database up to date; 3 when some files cannot be read."""
    started = time.monotonic()
    with _opened(root) as dataset:
        summary = _scanned(dataset, thresholds, workers)
        copies, redundant = dataset.pictures.copies()
        crowded = dataset.pictures.setting("crowded") or 0
    seconds = time.monotonic() - started
    told = {
        "images": summary.images,
        "unreadable": len(summary.unreadable),
        "groups": copies,
        "redundant": redundant,
        "crowded": crowded,
        "seconds": round(seconds, 3),
        "images_per_second": round(summary.images / seconds, 1),
        "seconds_reading": round(summary.seconds, 3),
        "read": summary.read,
        "gone": summary.gone,
        "others": summary.others,
        "notes": summary.notes,
        "faults": [{"path": path, "reason": why} for path, why in summary.unreadable],
    }
    tell(told, as_json, lambda console: tables.scanned(console, root, told))
    return INCOMPLETE if summary.unreadable else DONE


def groups(root: Path, thresholds: Thresholds, as_json: bool) -> int:
    """Lists the copies."""
    with scanned_dataset(root) as dataset:
        regroup(dataset.pictures, thresholds)
        copies = _copies(dataset.pictures.rows())
    told = [_group(files) for files in copies.values()]
    tell(told, as_json, lambda console: tables.groups(console, told))
    return DONE


def drop(root: Path, paths: Sequence[str], copies: bool, conflicts: bool, as_json: bool) -> int:
    """Drops these pictures, or all copies that are not needed."""
    with scanned_dataset(root) as dataset:
        rows = dataset.pictures.rows()
        chosen = _named(rows, paths, dropped=False)
        if copies:
            for files in _copies(rows).values():
                if conflicts or len({row.label for row in files}) == 1:
                    chosen += files[1:]  # the first stays, also when a person has dropped the one that was to stay
        chosen = list({row.id: row for row in chosen}.values())
        dataset.pictures.judge([row.id for row in chosen], Action.DROP, BY)
    told = {"dropped": [row.path for row in chosen]}
    tell(told, as_json, lambda console: console.print(f"dropped {len(chosen)} pictures; `restore` takes them back"))
    return DONE


def relabel(root: Path, paths: Sequence[str], label: str, as_json: bool) -> int:
    """Gives these pictures another label."""
    label = as_label(label, "--to")
    with scanned_dataset(root) as dataset:
        chosen = [row.id for row in _named(dataset.pictures.rows(), paths, dropped=False)]
        dataset.pictures.judge(chosen, Action.RELABEL, BY, label)
        now = {row.id: row.path for row in dataset.pictures.rows()}
    told = {"label": label, "relabelled": [now[file] for file in chosen]}
    tell(
        told, as_json, lambda console: console.print(f"{len(chosen)} pictures are labelled {label!r} now", markup=False)
    )
    return DONE


def restore(root: Path, paths: Sequence[str], as_json: bool) -> int:
    """Takes these dropped pictures back, or all of them."""
    with scanned_dataset(root) as dataset:
        rows = dataset.pictures.rows()
        chosen = _named(rows, paths, dropped=True) if paths else [row for row in rows if row.dropped]
        dataset.pictures.judge([row.id for row in chosen], Action.KEEP, BY)
        now = {row.id: row.path for row in dataset.pictures.rows()}
    told = {"restored": [now[row.id] for row in chosen]}
    tell(told, as_json, lambda console: console.print(f"restored {len(chosen)} pictures"))
    return DONE


def split(root: Path, order: SplitOrder, as_json: bool) -> int:
    """Deals the pictures into parts and proves that no family straddles."""
    with scanned_dataset(root) as dataset:
        pictures = dataset.pictures
        result = dealt(pictures.rows(), pictures.split(), order)
        pictures.store_split(result.parts)
        pictures.store_setting("split", {"seed": order.seed, "shares": order.shares, "by": order.by})
        rows = [row for row in pictures.rows() if not row.dropped]
    counts = {part: sum(row.part == part for row in rows) for part in PARTS}
    told = {
        **counts,
        "groups_straddling": len(straddling(rows, lambda row: row.part)),
        "seed": order.seed,
        "moved": result.moved,
        "labels": {part: dict(sorted(result.counts[part].items())) for part in PARTS},
    }
    tell(told, as_json, lambda console: tables.split(console, told))
    return DONE


def stats(root: Path, as_json: bool) -> int:
    """Shows what the dataset holds; 3 when copies lie on two sides of a split, or files cannot be read."""
    with scanned_dataset(root, tell_left_out=False) as dataset:
        pictures = dataset.pictures
        rows, hashed = pictures.rows(), pictures.hashed()
        faults, others = pictures.left_out()
    found = leaks(rows, hashed, lambda row: row.given) or leaks(rows, hashed, lambda row: row.part)
    told = tables.counted(rows) | {
        "unreadable": len(faults),
        "others": others,
        "faults": [{"path": path, "reason": why} for path, why in faults],
        "leaks": [
            {
                "paths": [one.first, one.second],
                "parts": [one.first_part, one.second_part],
                "relation": one.relation,
                "distance": one.distance,
            }
            for one in found
        ],
    }
    tell(told, as_json, lambda console: tables.stats(console, root, told))
    return INCOMPLETE if found or faults else DONE


def review(root: Path, host: str, port: int, browser: bool) -> None:
    """Serves the review grid until it is ended."""
    from curation.review.serve import serve

    with scanned_dataset(root):  # and says what is left out
        pass
    serve(root, host, port, browser)


def export(root: Path, out: Path, form: str, copy: bool, keep_metadata: bool, as_json: bool) -> int:
    """Writes the kept pictures in another form; 3 when some are not what the scan saw any more."""
    from dataclasses import asdict

    from curation.export.order import export as write

    with scanned_dataset(root) as dataset, Bar("exporting") as bar:
        result = write(dataset.pictures, out, form, copy, bar.tell, keep_metadata)
    told = {"out": str(out), "format": form, "count": result.count, **asdict(result)}
    tell(told, as_json, lambda console: tables.exported(console, told))
    return INCOMPLETE if result.missed else DONE


def _opened(root: Path) -> Dataset:
    if not root.is_dir():
        raise UserError(f"there is no folder {root}", "give the folder of a crawl, or one with pictures")
    return Dataset(root)


def scanned_dataset(root: Path, tell_left_out: bool = True) -> Dataset:
    """Open; a folder that was never scanned is scanned first. Says how many files could not be read."""
    dataset = _opened(root)
    try:
        if not dataset.pictures.known():
            print(f"{root} has not been scanned yet; doing that first", file=sys.stderr)
            for note in _scanned(dataset, USUAL, 0).notes:
                print(note, file=sys.stderr)
        faults, _ = dataset.pictures.left_out()
        if faults and tell_left_out:
            print(f"{len(faults)} files cannot be read and are left out: `stats` names them", file=sys.stderr)
    except BaseException:
        dataset.close()
        raise
    return dataset


def _scanned(dataset: Dataset, thresholds: Thresholds, workers: int) -> Summary:
    with Bar("scanning") as bar:
        summary = read(dataset.pictures, bar.tell, workers)
    regroup(dataset.pictures, thresholds, bool(summary.read or summary.gone))
    return summary


def _copies(rows: Sequence[PictureRow]) -> dict[int, list[PictureRow]]:
    """The kept pictures of each cluster of two or more, the one to keep first."""
    clusters: dict[int, list[PictureRow]] = defaultdict(list)
    for row in rows:
        if row.cluster is not None and not row.dropped:
            clusters[row.cluster].append(row)
    for files in clusters.values():
        files.sort(key=lambda row: (not row.keep, row.path))
    groups = sorted(clusters.items(), key=lambda cluster: cluster[1][0].path)
    return {number: files for number, files in groups if len(files) > 1}


def _group(files: Sequence[PictureRow]) -> dict[str, Any]:
    keep, *others = files
    members = [
        {"path": row.path, "label": row.label, "relation": row.relation, "distance": row.distance} for row in others
    ]
    conflict = len({row.label for row in files}) > 1
    return {"keep": keep.path, "label": keep.label, "conflict": conflict, "members": members}


def _named(rows: Sequence[PictureRow], paths: Sequence[str], dropped: bool) -> list[PictureRow]:
    by_path = {row.path: row for row in rows}
    chosen = []
    for path in paths:
        row = by_path.get(path)
        if row is None:
            raise UserError(
                f"the dataset has no picture {path!r}", "give a path below its folder; `scan` finds new ones"
            )
        if row.dropped != dropped:
            raise UserError(f"{path!r} is {'not ' if dropped else ''}dropped already", "see `stats`")
        chosen.append(row)
    return chosen


def tell(told: Any, as_json: bool, show: Callable[[Console], None]) -> None:  # noqa: ANN401 - whatever JSON holds
    """Prints for people by `show`, and as JSON where that is wanted."""
    show(Console(stderr=as_json, highlight=False, soft_wrap=True))
    if as_json:
        print(json.dumps(told, ensure_ascii=False, indent=2))
