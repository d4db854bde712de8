"""Prepared pictures with their labels, and how they are divided into training, validation and test.

Everything here is 28x28 uint8 after `handwriter_models.ink`. A division never puts one writer (group) on both sides
where writers are known, and keeps the share of each label where they are not, with equal pictures on one side.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handwriter_models.errors import UserError

Images = NDArray[np.uint8]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Samples:
    """Pictures of one split.

    Attributes:
        images: uint8, (n, 28, 28), white ink on black.
        labels: int64, (n,), index into `names`; `len(names)` means background (extras only).
        groups: int64, (n,), the writer or another group that must not be divided; -1 when unknown.
        names: label names in their stored order.
        source: where they come from, for example "mnist".
    """

    images: Images
    labels: Numbers
    groups: Numbers
    names: list[str]
    source: str

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, index: NDArray[Any]) -> Samples:
        """The samples at `index` (numbers or a mask)."""
        return replace(self, images=self.images[index], labels=self.labels[index], groups=self.groups[index])


@dataclass(frozen=True)
class Splits:
    """What a source gives: three parts without common pictures, and the files that could not be read.

    `own_test` tells that the source itself says which pictures are for the test.
    """

    train: Samples
    validation: Samples
    test: Samples
    own_test: bool = False
    unreadable: list[tuple[str, str]] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """Number of pictures by split."""
        return {"train": len(self.train), "validation": len(self.validation), "test": len(self.test)}

    def everything(self) -> Samples:
        """All pictures of the source as one."""
        return join([self.train, self.validation, self.test])

    def fingerprint(self) -> str:
        """sha256 over images and labels of all three parts in order."""
        digest = hashlib.sha256()
        for part in (self.train, self.validation, self.test):
            digest.update(len(part).to_bytes(8, "little"))
            digest.update(np.ascontiguousarray(part.images).data)
            digest.update(np.ascontiguousarray(part.labels).data)
        return digest.hexdigest()


def join(parts: list[Samples]) -> Samples:
    """Several samples of the same label names as one."""
    return replace(
        parts[0],
        images=np.concatenate([part.images for part in parts]),
        labels=np.concatenate([part.labels for part in parts]),
        groups=np.concatenate([part.groups for part in parts]),
    )


def set_apart(samples: Samples, fraction: float, seed: int) -> tuple[Samples, Samples]:
    """`samples` as (rest, part): the part has about `fraction` of the groups, or of each label without groups."""
    generator = np.random.default_rng(seed)
    if len(samples) and (samples.groups >= 0).all():
        chosen = _whole_groups(samples.groups, fraction, generator)
    else:
        chosen = _share_of_each_label(samples, fraction, generator)
    return samples.take(~chosen), samples.take(chosen)


def _whole_groups(groups: Numbers, fraction: float, generator: np.random.Generator) -> NDArray[np.bool_]:
    names = np.unique(groups)
    count = min(max(1, round(fraction * len(names))), len(names) - 1)
    return np.isin(groups, generator.permutation(names)[:count])


def _share_of_each_label(samples: Samples, fraction: float, generator: np.random.Generator) -> NDArray[np.bool_]:
    chosen = np.zeros(len(samples), bool)
    check_enough(samples, 2)
    for label in range(len(samples.names)):
        members = np.flatnonzero(samples.labels == label)
        count = min(max(1, round(fraction * len(members))), len(members) - 1)
        chosen[generator.permutation(members)[:count]] = True
    return _with_copies(samples, chosen)


def _with_copies(samples: Samples, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The choice with all pictures that equal a chosen one; not where a label would have nothing left beside it."""
    contents = [image.tobytes() for image in samples.images]
    taken = {contents[place] for place in np.flatnonzero(chosen)}
    wider = np.array([content in taken for content in contents], bool)
    for label in np.unique(samples.labels[wider]):
        members = samples.labels == label
        if wider[members].all():
            wider[members] = chosen[members]
    return wider


def check_enough(samples: Samples, parts: int) -> None:
    """`UserError` where a label has too few pictures for so many parts; not where writers are divided."""
    if len(samples) and (samples.groups >= 0).all():
        return
    counts = np.bincount(samples.labels, minlength=len(samples.names))
    for name, count in zip(samples.names, counts, strict=False):
        if count < parts:
            raise UserError(
                f"label {name!r} has {count} picture{'' if count == 1 else 's'} to divide",
                "give each label at least 3 pictures that differ: one each for training, validation and test",
            )


def check_labels(samples: Samples, left_out: Mapping[str, list[str]] = MappingProxyType({})) -> None:
    """`UserError` when there are not at least two labels, or when a label has no picture.

    `left_out` tells by label which of its files cannot be used and why.
    """
    if len(samples.names) < 2:
        raise UserError(
            f"{samples.source} has only the label {', '.join(map(repr, samples.names)) or 'none'}",
            "a classifier needs at least two labels: add a folder for each",
        )
    counts = np.bincount(samples.labels, minlength=len(samples.names))
    empty = [name for name, count in zip(samples.names, counts, strict=False) if not count]
    if empty:
        files = left_out.get(empty[0], [])
        why = f"; left out: {len(files)}, such as {files[0]}" if files else ""
        raise UserError(
            f"label {empty[0]!r} of {samples.source} has no readable picture{why}",
            "add pictures to it or remove the folder",
        )


def in_order(labels: Iterable[str]) -> list[str]:
    """Labels as outputs are numbered: sorted, numbers by value, so that "10" follows "9"."""
    names = list(labels)
    numbers = all(name.isascii() and name.isdigit() for name in names)
    return sorted(names, key=lambda name: (int(name) if numbers else 0, name))
