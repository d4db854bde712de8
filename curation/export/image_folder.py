"""`OUT/<part>/<label>/<name>` with `metadata.jsonl`: what torchvision's and Hugging Face's ImageFolder read.

A picture without metadata is a second name (hard link) of the dataset's own file: no room is taken, and writing into
one changes both. A picture whose metadata had to be taken out is a file of its own.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

from curation.export.selection import PARTS, Sample, Selection, source


def write(chosen: Selection, folder: Path, copy: bool) -> None:
    """Links or copies, and in each part's folder the metadata."""
    for part in PARTS:
        members = [sample for sample in chosen.samples if sample.part == part]
        if not members:
            continue
        (folder / part).mkdir()
        with (folder / part / "metadata.jsonl").open("w", encoding="utf-8", newline="\n") as lines:
            for sample in members:
                if _placed(chosen, sample, folder / part, copy):
                    line = {"file_name": sample.place, **sample.facts()}
                    lines.write(json.dumps(line, ensure_ascii=False) + "\n")
                    chosen.count(sample)


def _placed(chosen: Selection, sample: Sample, folder: Path, copy: bool) -> bool:
    target = folder / sample.place
    target.parent.mkdir(exist_ok=True)
    bare = chosen.read_bare(sample)
    if bare is None:
        return False
    if not copy and bare.unchanged:
        with suppress(OSError):  # another disk, or one without second names
            os.link(source(chosen.root, sample.row), target)
            return True
    with target.open("xb") as file:
        file.write(bare.data)
    return True
