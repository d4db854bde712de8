"""`OUT/<part>/<label>/<name>` with `metadata.jsonl`: what torchvision's and Hugging Face's ImageFolder read.

The files are second names (hard links) of the dataset's own: no room is taken, and writing into one changes both.
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
    if not copy:
        with suppress(OSError):  # another disk, or one without second names; gone, too, which reading will tell
            os.link(source(chosen.root, sample.row), target)
            return True
    data = chosen.read(sample)
    if data is None:
        return False
    with target.open("xb") as file:
        file.write(data)
    return True
