"""The extra training pictures of a recipe, made once: side by side, and kept for the next run.

Making them takes minutes (each is drawn and then prepared like any picture), and a resumed training needs the very
same ones. What is made, and how, is `training.extras`' matter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from training import extras
from training.omniglot import archives
from training.preparation import Arrays, cached_arrays, in_processes
from training.samples import Samples

_HERE = Path(extras.__file__)
_CODE = (_HERE, *sorted(_HERE.parent.glob("stroke*.py")), _HERE.with_name("look_alikes.py"))


def read_extras(names: Sequence[str], train: Samples, data: Path | None, seed: int) -> list[Samples]:
    """Samples of each extra in `names`; label `len(train.names)` means background."""
    tasks = [(name, train, data, seed) for name in names]
    made = in_processes(_arrays, tasks, len(train))
    return [
        Samples(arrays["images"], arrays["labels"], np.full(len(arrays["labels"]), -1, np.int64), train.names, name)
        for name, arrays in zip(names, made, strict=True)
    ]


def _arrays(task: tuple[str, Samples, Path | None, int]) -> Arrays:
    name, train, data, seed = task
    digest = hashlib.sha256(repr((name, train.names, train.source, seed, _files(data))).encode())
    digest.update(np.ascontiguousarray(train.images).data)
    digest.update(np.ascontiguousarray(train.labels).data)

    def make() -> Arrays:
        samples = extras.build([name], train, data, seed)
        return {"images": samples.images, "labels": samples.labels}

    return cached_arrays(f"extras {digest.hexdigest()}", _CODE, make)


def _files(data: Path | None) -> list[tuple[str, int]]:
    """Names and sizes of the archives that extras read."""
    return sorted((path.name, path.stat().st_size) for path in archives(data)) if data else []
