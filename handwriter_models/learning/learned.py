"""What a bundle remembers of the pictures it has learned (`data.learned` of its config), so that a test finds leaks.

In a form that gives no picture away: the first 6 bytes of each picture's sha256, its perceptual hash, the writers'
numbers. At most 10 000 pictures are kept, which is 80 kB, and 187 kB with perceptual hashes: of a larger set those with
the lowest sha256, a fair sample of it. `training.leaks` compares a test with it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST = 10_000
BYTES, BYTES_OF_PHASH, BYTES_OF_WRITER = 6, 8, 4
Hashes = NDArray[np.uint64]
Numbers = NDArray[np.int64]
NO_HASHES = np.empty(0, np.uint64)


def name_of_pixels(pixels: NDArray[np.uint8]) -> str:
    """The sha256 by which handwriting is remembered: of its prepared pixels (28, 28), whatever file held them."""
    return sha256(np.ascontiguousarray(pixels).data).hexdigest()


def learned_from(sha256s: Sequence[str], phashes: Hashes, writers: Numbers, source: str) -> dict[str, Any]:
    """What a bundle keeps of its training and validation pictures, as JSON.

    Args:
        sha256s: hexadecimal, one a picture.
        phashes: uint64, (n,) or (n, 16) of which the first column is kept; empty where nothing is near-compared.
        writers: int64 (n,), -1 where unknown.
        source: the name that the same data has elsewhere, for the numbers of its writers.
    """
    names = numbers_of(sha256s)
    order = np.argsort(names, kind="stable")[:MOST]
    known = np.unique(np.asarray(writers, np.int64))
    return {
        "source": source,
        "pictures": len(names),
        "kept": len(order),
        "sha256": _packed(names[order], BYTES),
        "phash": _packed(phashes.reshape(len(names), -1)[order, 0], BYTES_OF_PHASH) if len(phashes) else "",
        "writers": _packed(known[known >= 0], BYTES_OF_WRITER),
    }


def with_parent(learned: dict[str, Any], parent: Mapping[str, Any] | None) -> dict[str, Any]:
    """The same for a model that began with the weights of another one, which had learned from `parent`.

    What a model learned that went on with the very pictures of its parent is kept once.
    """
    if not parent:
        return learned
    own = {key: value for key, value in parent.items() if key != "before"}
    return {**learned, "before": parent.get("before", []) if own == learned else [dict(parent)]}


def numbers_of(sha256s: Sequence[str]) -> Hashes:
    """The first 6 bytes of each sha256 as a number, (n,)."""
    return np.array([int(name[: 2 * BYTES], 16) for name in sha256s], np.uint64)


def _packed(values: Hashes | Numbers, size: int) -> str:
    """The lowest `size` bytes of each, big-endian, in base64."""
    wide = np.ascontiguousarray(values, ">u8").view(np.uint8).reshape(-1, 8)
    return base64.b64encode(wide[:, 8 - size :].tobytes()).decode("ascii")


def unpacked(text: object, size: int) -> Hashes:
    """What `_packed` made; nothing of what it did not make, for a bundle comes from anywhere."""
    try:
        content = base64.b64decode(text if isinstance(text, str) else "", validate=True)
    except ValueError:
        return NO_HASHES
    rows = np.frombuffer(content[: len(content) // size * size], np.uint8).reshape(-1, size)
    wide = np.zeros((len(rows), 8), np.uint8)
    wide[:, 8 - size :] = rows
    return wide.view(">u8")[:, 0].astype(np.uint64)
