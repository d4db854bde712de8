"""MNIST as prepared samples, with the writer of each picture where QMNIST's labels lie beside it.

Reads the four IDX files (plain or .gz) of a local copy, `DIR/MNIST/raw`; without one, torchvision downloads them into
the cache folder. Writers come from `DIR/qmnist/qmnist-train-labels-idx2-int.gz` (Yadav & Bottou 2019, column 2).
"""

from __future__ import annotations

import contextlib
import gzip
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handwriter_models.errors import UserError
from training.preparation import cache_folder, prepared_arrays
from training.samples import Numbers, Samples

_NAMES = [str(digit) for digit in range(10)]
_TYPES: dict[int, np.dtype[Any]] = {0x08: np.dtype(np.uint8), 0x0C: np.dtype(">i4")}


def read_mnist(data: Path | None) -> tuple[Samples, Samples]:
    """Training and test pictures of MNIST; `UserError` tells the ways out when they cannot be had."""
    raw = _downloaded() if data is None else _local(data)
    return _part(raw, data, "train", "train"), _part(raw, data, "t10k", "test")


def _local(data: Path) -> Path:
    if not data.is_dir():
        raise UserError(f"--data {data} is not a folder", "give the folder that holds MNIST/raw")
    raw = data / "MNIST" / "raw"
    if not raw.is_dir():
        raise UserError(f"{data} holds no MNIST/raw", "give the folder above MNIST, or leave --data out to download")
    return raw


def _downloaded() -> Path:
    """MNIST/raw in the cache folder, downloaded the first time."""
    root = cache_folder()
    raw = root / "MNIST" / "raw"
    if not (raw / "t10k-labels-idx1-ubyte").is_file():
        try:
            _download(root)
        except (OSError, RuntimeError) as error:
            raise UserError(
                f"MNIST could not be downloaded: {error}",
                "give a local copy with --data DIR (DIR/MNIST/raw/*.gz), "
                "or train on the digits that need no network: python training fit sklearn-digits",
            ) from error
    return raw


def _download(root: Path) -> None:
    from handwriter_models.torchvision_import import torchvision

    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        torchvision.datasets.MNIST(root, train=True, download=True)


def _part(raw: Path, data: Path | None, prefix: str, split: str) -> Samples:
    pictures, labels = _idx(raw / f"{prefix}-images-idx3-ubyte"), _idx(raw / f"{prefix}-labels-idx1-ubyte")
    if pictures.ndim != 3 or labels.shape != pictures.shape[:1]:
        raise UserError(
            f"{raw}: {prefix} pictures {pictures.shape} and labels {labels.shape} do not match", "copy MNIST anew"
        )
    numbers = labels.astype(np.int64)
    if len(numbers) and not 0 <= numbers.min() <= numbers.max() <= 9:
        raise UserError(f"{raw}: a {prefix} label is {numbers.max()}", "labels of MNIST run from 0 to 9")
    return Samples(prepared_arrays(pictures), numbers, _writers(data, split, numbers), list(_NAMES), "mnist")


def _writers(data: Path | None, split: str, labels: Numbers) -> Numbers:
    """The writer of each picture; -1 where QMNIST's labels are absent or belong to other pictures."""
    path = (data or cache_folder()) / "qmnist" / f"qmnist-{split}-labels-idx2-int"
    if not (path.is_file() or path.with_name(f"{path.name}.gz").is_file()):
        return np.full(len(labels), -1, np.int64)
    table = _idx(path)[: len(labels)]
    if len(table) < len(labels) or not np.array_equal(table[:, 0], labels):
        raise UserError(f"the labels in {path.parent} are not those of this MNIST", "take QMNIST's own files, or none")
    return table[:, 2].astype(np.int64)


def _idx(path: Path) -> NDArray[Any]:
    """The array of an IDX file: two zero bytes, type, number of dimensions, their sizes, then the values."""
    content = _content(path)
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in _TYPES:
        raise UserError(f"{path} is not an IDX file", "copy MNIST anew")
    kind, dimensions = _TYPES[content[2]], content[3]
    start = 4 + 4 * dimensions
    shape = tuple(int.from_bytes(content[place : place + 4], "big") for place in range(4, start, 4))
    if len(content) != start + kind.itemsize * int(np.prod(shape)):
        raise UserError(f"{path} has {len(content)} bytes, which does not fit its shape {shape}", "copy MNIST anew")
    values: NDArray[Any] = np.frombuffer(content, kind, offset=start)
    return values.reshape(shape)


def _content(path: Path) -> bytes:
    packed = path.with_name(f"{path.name}.gz")
    try:
        if packed.is_file():
            return gzip.decompress(packed.read_bytes())
        return path.read_bytes()
    except FileNotFoundError as error:
        raise UserError(f"{packed.name} is missing in {path.parent}", "copy all four files of MNIST there") from error
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{packed} cannot be read: {error}", "copy MNIST anew") from error
