"""`OUT/data/<part>-00000-of-0000N.parquet`, which Hugging Face's `load_dataset` reads with pictures and class names.

The schema says in Hugging Face's own words which column is an Image and which a ClassLabel. Pictures pass through
memory a row group at a time; their bytes are stored as they are, since they are compressed already.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from curation.export.selection import PARTS, Label, Sample, Selection

SHARD = 256 << 20  # bytes of pictures in a file
GROUP, GROUP_ROWS = 16 << 20, 100  # bytes and pictures in a row group: what a reader must hold at once
_NUMBERS = ("width", "height")
Arrow = Any  # pyarrow has no types, and loads only when it is used


def write(chosen: Selection, folder: Path, shard: int = SHARD) -> None:
    """All parts that have pictures."""
    pq = import_module("pyarrow.parquet")
    (folder / "data").mkdir()
    schema = _schema(chosen.labels)
    packed = [name for name in schema.names if name != "image"]
    for part in PARTS:
        shards = list(cut(chosen.of(part), shard))
        for number, members in enumerate(shards):
            path = folder / "data" / f"{part}-{number:05d}-of-{len(shards):05d}.parquet"
            columns: dict[str, Any] = {"use_dictionary": packed, "write_statistics": packed}
            codecs = {**dict.fromkeys(packed, "snappy"), "image.bytes": "none", "image.path": "snappy"}
            with pq.ParquetWriter(path, schema, compression=codecs, **columns) as file:
                for batch in _batches(chosen, members):
                    file.write_batch(_table(batch, schema))
                    for sample, _ in batch:
                        chosen.count(sample)


def cut(samples: Iterable[Sample], most: int) -> Iterator[list[Sample]]:
    """In lists of at most so many bytes, or one picture."""
    members: list[Sample] = []
    size = 0
    for sample in samples:
        if members and size + sample.row.bytes > most:
            yield members
            members, size = [], 0
        members.append(sample)
        size += sample.row.bytes
    if members:
        yield members


def _batches(chosen: Selection, samples: Sequence[Sample]) -> Iterator[list[tuple[Sample, bytes]]]:
    batch: list[tuple[Sample, bytes]] = []
    size = 0
    for sample in samples:
        data = chosen.read(sample)
        if data is None:
            continue
        batch.append((sample, data))
        size += len(data)
        if size >= GROUP or len(batch) == GROUP_ROWS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _table(batch: Sequence[tuple[Sample, bytes]], schema: Arrow) -> Arrow:
    pa = import_module("pyarrow")
    rows = [
        {**sample.facts(), "image": {"bytes": data, "path": sample.place}, "label": sample.label.number}
        for sample, data in batch
    ]
    return pa.RecordBatch.from_pylist(rows, schema)


def _schema(labels: Sequence[Label]) -> Arrow:
    pa = import_module("pyarrow")
    texts = ("page", "address", "title", "author", "licence", "licence_address", "sha256")
    fields: list[tuple[str, Any]] = [
        ("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        ("label", pa.int64()),
        *((name, pa.string()) for name in texts),
        *((name, pa.int32()) for name in _NUMBERS),
    ]
    features: dict[str, Any] = {
        "image": {"_type": "Image"},
        "label": {"names": [label.text for label in labels], "_type": "ClassLabel"},
        **{name: {"dtype": "string", "_type": "Value"} for name in texts},
        **{name: {"dtype": "int32", "_type": "Value"} for name in _NUMBERS},
    }
    return pa.schema(fields, {"huggingface": json.dumps({"info": {"features": features}})})
