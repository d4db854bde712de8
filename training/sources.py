"""Where training and evaluation get their pictures: MNIST, scikit-learn's digits, Omniglot's alphabets, or any folder.

`omniglot-korean` and `omniglot-latin` are letters by name; `characters` is digits, letters and free patterns together;
`omniglot-mnist` is every character of Omniglot's archives and MNIST's digits, to learn what strokes are before a few
letters are learned. Every source ends as three `Samples` that have passed through the one preparation of handwriting;
what a source does not divide itself is divided here, by the recipe's shares and seed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from training import characters, omniglot_sources
from training.folder import read_folder
from training.mnist import read_mnist
from training.preparation import prepared_arrays
from training.recipes import DataOptions
from training.samples import Samples, Splits, check_enough, check_labels, join, set_apart

_PARTS: dict[str, Callable[[Path | None], list[omniglot_sources.Part]]] = {
    "omniglot-korean": lambda data: [omniglot_sources.alphabet_part(data, "Korean")],
    "omniglot-latin": lambda data: [omniglot_sources.alphabet_part(data, "Latin")],
    "omniglot-mnist": omniglot_sources.every_part,
    "characters": characters.character_parts,
}
SOURCES = ("mnist", "sklearn-digits", *_PARTS)


def read_source(source: str, data: Path | None, options: DataOptions, seed: int) -> Splits:
    """The pictures of `source` in three splits; `data` is a local copy of what would be downloaded."""
    if source == "mnist":
        train, test = read_mnist(data)
        return _with_validation(train, test, options, seed)
    if source == "sklearn-digits":
        return _divided(_sklearn_digits(), options, seed)
    if source in _PARTS:
        return _joined(_PARTS[source](data), source, options, seed)
    parts, unreadable = read_folder(Path(source))
    if "all" in parts:
        return _divided(parts["all"], options, seed, unreadable)
    train, own_test = parts["train"], "test" in parts
    check_enough(train, 1 + len({"test", "validation"} - parts.keys()))
    for split, share in (("test", options.test), ("validation", options.validation)):
        if split not in parts:
            train, parts[split] = set_apart(train, share, seed)
    return Splits(train, parts["validation"], parts["test"], own_test, unreadable)


def label_groups(source: str) -> dict[str, str]:
    """The coarser group of each label, for the sources that have groups."""
    return dict(characters.GROUPS) if source == "characters" else {}


def _joined(parts: list[omniglot_sources.Part], source: str, options: DataOptions, seed: int) -> Splits:
    """The parts as one source; of each part some writers are set apart for validation."""
    divided = [set_apart(train, options.validation, seed) for train, _ in parts]
    splits = ([train for train, _ in divided], [part for _, part in divided], [test for _, test in parts])
    train, validation, test = (replace(join(split), source=source) for split in splits)
    check_labels(train)
    return Splits(train, validation, test, own_test=True)


def _sklearn_digits() -> Samples:
    """The 1797 digits of 8x8 that come with scikit-learn (UCI, Alpaydin & Kaynak 1998)."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = prepared_arrays(np.round(digits.images * (255 / 16)).astype(np.uint8))
    labels = digits.target.astype(np.int64)
    return Samples(images, labels, np.full(len(labels), -1, np.int64), [str(n) for n in range(10)], "sklearn-digits")


def _divided(
    samples: Samples, options: DataOptions, seed: int, unreadable: list[tuple[str, str]] | None = None
) -> Splits:
    check_labels(samples)
    check_enough(samples, 3)
    rest, test = set_apart(samples, options.test, seed)
    train, validation = set_apart(rest, options.validation, seed)
    return Splits(train, validation, test, own_test=False, unreadable=unreadable or [])


def _with_validation(train: Samples, test: Samples, options: DataOptions, seed: int) -> Splits:
    rest, validation = set_apart(train, options.validation, seed)
    return Splits(rest, validation, test, own_test=True)
