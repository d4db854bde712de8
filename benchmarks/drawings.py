"""Whether different drawings are kept apart and copies of drawings found, by size, format and tone of the paper.

`python benchmarks/drawings.py [--count 10000]`. Digits of MNIST, and characters of shared/data/strokes drawn with one
pen, at 28 to 280 pixels. Of one in ten a copy in each of six ways is added. Precision is that of all pairs found:
whatever connects two different drawings is wrong, but for twins: two people's straight strokes of one length are the
same picture. Drawings whose pixels, turned as they may be, differ by no more than a hundredth of the ink are twins.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parent.parent)

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from benchmarks.table import Figure, print_table

SIDES = (28, 64, 65, 96, 140, 280)
SHARED = Path(os.environ.get("HANDWRITER_SHARED") or Path(__file__).resolve().parent.parent.parent / "shared") / "data"
COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "exact": lambda picture: picture,  # in another format
    "recompressed": lambda picture: picture,  # as a JPEG of quality 60 to 90
    "inverted": ImageOps.invert,
    "mirrored": ImageOps.mirror,
    "turned": lambda picture: picture.transpose(Image.Transpose.ROTATE_90),
    "upside down": lambda picture: picture.transpose(Image.Transpose.ROTATE_180),
}


def digits(count: int) -> list[Image.Image]:
    """MNIST's first test pictures, black on white."""
    packed = gzip.decompress((SHARED / "MNIST/raw/t10k-images-idx3-ubyte.gz").read_bytes())
    return [
        Image.fromarray(255 - one) for one in np.frombuffer(packed, np.uint8, offset=16).reshape(-1, 28, 28)[:count]
    ]


def characters(count: int) -> list[dict[str, Any]]:
    """Some of all digits and letters that people drew as strokes."""
    lines: list[str] = []
    for file in sorted((SHARED / "strokes").glob("*.jsonl.gz")):
        lines += gzip.decompress(file.read_bytes()).decode("utf-8").splitlines()
    random.Random(0).shuffle(lines)
    return [json.loads(line) for line in lines[:count]]


def drawn(what: Image.Image | dict[str, Any], side: int) -> Image.Image:
    """A digit enlarged softly; strokes drawn by a pen of a sixteenth of the side, with soft edges."""
    if isinstance(what, Image.Image):
        return what if side == what.width else what.resize((side, side), Image.Resampling.BICUBIC)
    fine, pen = 4 * side, side / 4
    paper = Image.new("L", (fine, fine), 255)
    pencil = ImageDraw.Draw(paper)
    points = np.array([point for stroke in what["strokes"] for point in stroke], float)
    middle = (points.max(axis=0) + points.min(axis=0)) / 2
    for stroke in what["strokes"]:
        path = [tuple(point) for point in (np.array(stroke) - middle) * (0.7 * fine / 1000) + fine / 2]
        if len(path) > 1:
            pencil.line(path, fill=0, width=round(pen), joint="curve")
        for x, y in (path[0], path[-1]):
            pencil.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), fill=0)
    return paper.resize((side, side), Image.Resampling.LANCZOS)


def encoded(picture: Image.Image, form: str, quality: int = 90) -> bytes:
    """A file's bytes."""
    out = BytesIO()
    picture.save(out, form, **({"quality": quality} if form == "JPEG" else {}))
    return out.getvalue()


def files_of(place: int, what: Any, side: int, form: str, dark: bool, copied: bool) -> list[bytes]:  # noqa: ANN401
    """The drawing, and its copies when it is to have some."""
    picture = drawn(what, side)
    picture = ImageOps.invert(picture) if dark else picture
    found = [encoded(picture, form)]
    for kind, change in COPIES.items() if copied else ():
        other = {"exact": "PNG" if form == "JPEG" else "BMP", "recompressed": "JPEG"}.get(kind, form)
        source = Image.open(BytesIO(found[0])) if kind == "exact" else picture
        found.append(encoded(change(source), other, random.Random(place).randint(60, 90)))
    return found


def are_twins(one: Image.Image, other: Image.Image) -> bool:
    """Whether two drawings show the same ink, in some of the eight ways to turn and mirror them."""
    first, second = (255 - np.asarray(picture, np.int16) for picture in (one, other))
    turned = [np.rot90(some, quarter) for some in (second, second.T) for quarter in range(4)]
    return bool(min(np.abs(first - some).sum() for some in turned) <= 0.01 * first.sum())


def hashed(job: tuple[int, Any], side: int, form: str, dark: bool, copies: int) -> list[Any]:
    """Owner, kind and print of each file of one drawing. For a process of the pool."""
    from curation.fingerprint import look, prints

    place, what = job
    files = files_of(place, what, side, form, dark, place % copies == 0)
    return list(zip([place] * len(files), ("original", *COPIES), prints([look(data) for data in files]), strict=False))


def measured(sources: list[Any], side: int, form: str, dark: bool, copies: int = 10) -> dict[str, Any]:
    """Precision of the pairs found, recall of the copies (and the worst kind's), and seconds of grouping."""
    from curation.drawings import in_side, unpacked
    from curation.fingerprint import Style
    from curation.links import Contents, links

    job = partial(hashed, side=side, form=form, dark=dark, copies=copies)
    with ProcessPoolExecutor() as pool:
        rows = [row for found in pool.map(job, enumerate(sources), chunksize=64) for row in found]
    first = list({row[2].sha256: row for row in reversed(rows)}.values())[::-1]  # the same bytes are one content
    place = {row[2].sha256: number for number, row in enumerate(first)}
    miniatures = [unpacked(row[2].miniature) for row in first]
    contents = Contents(
        np.stack([np.frombuffer(row[2].hashes, np.uint64) for row in first]),
        np.array([row[2].style for row in first]),
        np.sqrt(np.array([row[2].width * row[2].height for row in first], np.float32)),
        lambda places, wide: (
            np.stack([in_side(miniatures[one], wide) for one in places])
            if len(places)
            else np.empty((0, wide, wide), np.uint8)
        ),
    )
    started = time.monotonic()
    found = links(contents)
    seconds = time.monotonic() - started
    owners = np.array([row[0] for row in first])
    group = groups(len(first), found.first, found.second)
    strangers = owners[np.stack([found.first, found.second], 1)[owners[found.first] != owners[found.second]]]
    wrong = [pair for pair in strangers.tolist() if not are_twins(*(drawn(sources[place], side) for place in pair))]
    original = {row[0]: group[place[row[2].sha256]] for row in rows if row[1] == "original"}
    hits = {kind: [] for kind in COPIES}  # type: dict[str, list[bool]]
    for owner, kind, held in rows:
        if kind in hits:
            hits[kind].append(bool(group[place[held.sha256]] == original[owner]))
    kinds = {kind: float(np.mean(some)) for kind, some in hits.items() if some}
    return {
        "precision": 1 - len(wrong) / max(len(found), 1),
        "wrong": len(wrong),
        "twins": len(strangers) - len(wrong),
        "recall": float(np.mean([hit for some in hits.values() for hit in some])),
        "kinds": kinds,
        "drawings": float((contents.style == Style.DRAWING).mean()),
        "seconds": seconds,
    }


def groups(count: int, first: Any, second: Any) -> Any:  # noqa: ANN401 - arrays
    """The number of the group of each of `count` contents, from links."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    return connected_components(coo_array((np.ones(len(first), bool), (first, second)), (count, count)))[1]


def figures(count: int) -> Iterator[Figure]:
    """A line for each collection, size, format and tone."""
    for name, sources in (("digits", digits(count)), ("strokes", characters(count))):
        for side in SIDES:
            for form, dark in (("PNG", False), ("PNG", True), ("JPEG", False), ("JPEG", True)):
                one = measured(sources, side, form, dark)
                worst = min(one["kinds"], key=one["kinds"].get)
                told = f"{one['precision']:.5f} ({one['wrong']} wrong, {one['twins']} twins), {one['recall']:.4f}"
                met = one["precision"] >= 0.9999 and one["recall"] >= 0.99
                tone = "white on black" if dark else "black on white"
                kind = f"; worst kind {worst} {one['kinds'][worst]:.3f}, grouped in {one['seconds']:.1f} s"
                print(f"{name} {side} {form} {tone}: {told}{kind}", file=sys.stderr, flush=True)
                yield Figure(f"{name}, {side} pixels, {form}, {tone}", told + kind, "≥ .9999, ≥ .99", met)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="different drawings of each collection")
    options = parser.parse_args()
    sys.exit(not print_table("Copies of drawings (pairs' precision, recall)", list(figures(options.count))))
