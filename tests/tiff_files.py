"""TIFF files written by hand, of kinds that Pillow cannot write."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

_SIZES = {"H": 2, "I": 4, "Q": 8}
_TYPES = {"H": 3, "I": 4, "Q": 16}


def packed(values: np.ndarray, bits: int) -> bytes:
    """Rows of unsigned values of any number of bits, each row ending on a whole byte."""
    rows = values.reshape(len(values), -1)
    ones = (rows[..., None].astype(np.uint64) >> np.arange(bits - 1, -1, -1, dtype=np.uint64)) & np.uint64(1)
    return np.packbits(ones.astype(np.uint8).reshape(len(rows), -1), axis=1).tobytes()


def tiff_of(
    size: tuple[int, int], strips: list[bytes], tags: dict[int, Any], order: str = "<", big: bool = False
) -> bytes:
    """A TIFF of these strips; a tag is a number, a tuple of them or (letter, numbers). Width and height are set."""
    offset = "Q" if big else "I"
    head = 16 if big else 8
    body = b"".join(strips)
    places = [head + sum(map(len, strips[:number])) for number in range(len(strips))]
    all_tags = {
        256: size[0],
        257: size[1],
        273: (offset, tuple(places)),
        279: ("I", tuple(map(len, strips))),
        259: 1,
        **tags,
    }
    entries, extra = b"", b""
    directory = head + len(body) + len(body) % 2
    entry = 20 if big else 12
    after = directory + (8 if big else 2) + entry * len(all_tags) + (8 if big else 4)
    for tag in sorted(all_tags):
        value = all_tags[tag]
        letter, numbers = value if isinstance(value, tuple) and isinstance(value[0], str) else ("H", value)
        numbers = numbers if isinstance(numbers, tuple) else (numbers,)
        data = struct.pack(f"{order}{len(numbers)}{letter}", *numbers)
        room = 8 if big else 4
        if len(data) > room:
            place = after + len(extra)
            extra += data + bytes(len(data) % 2)
            data = struct.pack(order + offset, place)
        entries += struct.pack(order + "HH" + offset, tag, _TYPES[letter], len(numbers)) + data.ljust(room, b"\0")
    mark = b"II" if order == "<" else b"MM"
    start = struct.pack(order + "HHHQ", 43, 8, 0, directory) if big else struct.pack(order + "HI", 42, directory)
    count = struct.pack(order + ("Q" if big else "H"), len(all_tags))
    end = struct.pack(order + offset, 0)
    return mark + start + body + bytes(len(body) % 2) + count + entries + end + extra
