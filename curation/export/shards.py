"""`OUT/<part>-000000.tar` as WebDataset reads them: `<key>.jpg`, `<key>.cls` and `<key>.json` of a picture together.

Every picture of an export has the same ending, with its bytes as they are: Hugging Face refuses shards whose samples
differ in their endings, and all readers look into the bytes. `format` in the JSON tells what they are. The order mixes
the labels, because such files are read from front to back. The same dataset gives the same bytes.
"""

from __future__ import annotations

import json
import tarfile
from io import BytesIO
from pathlib import Path

from curation.export.selection import PARTS, Sample, Selection

SHARD = 256 << 20  # bytes in a file


def write(chosen: Selection, folder: Path, shard: int = SHARD) -> None:
    """All parts that have pictures."""
    endings = {sample.extension for sample in chosen.samples}
    ending = endings.pop() if len(endings) == 1 else "jpg"
    for part in PARTS:
        _write_part(chosen, folder / part, ending, shard)


def _write_part(chosen: Selection, path: Path, ending: str, shard: int) -> None:
    tar: tarfile.TarFile | None = None
    shards = 0
    try:
        for number, sample in enumerate(chosen.of(path.name)):
            data = chosen.read(sample)
            if data is None:
                continue
            if tar is None or tar.offset + len(data) > shard:
                if tar:
                    tar.close()
                name = path.with_name(f"{path.name}-{shards:06d}.tar")
                tar = tarfile.open(name, "w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115 - closed below
                shards += 1
            key = f"{path.name}-{number:08d}"
            for kind, content in ((ending, data), ("cls", b"%d" % sample.label.number), ("json", _facts(sample))):
                head = tarfile.TarInfo(f"{key}.{kind}")  # time, owner and group are 0
                head.size = len(content)
                tar.addfile(head, BytesIO(content))
            chosen.count(sample)
    finally:
        if tar:
            tar.close()


def _facts(sample: Sample) -> bytes:
    facts = {**sample.facts(), "format": sample.format, "name": sample.place}
    return json.dumps(facts, ensure_ascii=False).encode()
