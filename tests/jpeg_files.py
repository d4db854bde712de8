"""JPEG files that Pillow cannot write: lossless ones, encoded here, and others with their frame type rewritten."""

from __future__ import annotations

import struct

import numpy as np

FRAME_TYPES = [*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)]


def with_frame_type(data: bytes, marker: int) -> bytes:
    """The same file with the marker of its own frame header replaced, those of thumbnails left alone."""
    place = 2
    while data[place + 1] not in FRAME_TYPES:
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return data[: place + 1] + bytes([marker]) + data[place + 2 :]


def lossless_jpeg(pixels: np.ndarray, bits: int = 8, app: bytes = b"") -> bytes:
    """A lossless JPEG (ITU T.81, annex H) of (height, width, components), each pixel told from its left neighbour.

    Every difference has the same length of code, five bits, so the table holds 17 of them.
    """
    height, width, count = pixels.shape
    frame = struct.pack(">BHHB", bits, height, width, count) + bytes(
        value for number in range(count) for value in (number + 1, 0x11, 0)
    )
    table = bytes([0, 0, 0, 0, 0, 17, *([0] * 11), *range(17)])
    scan = bytes([count, *(value for number in range(count) for value in (number + 1, 0)), 1, 0, 0])
    values = pixels.astype(int)
    before = np.empty_like(values)
    before[:, 1:] = values[:, :-1]
    before[1:, 0] = values[:-1, 0]
    before[0, 0] = 1 << (bits - 1)
    coded = []
    for difference in (values - before).reshape(-1).tolist():
        length = abs(difference).bit_length()
        low = difference if difference >= 0 else difference + (1 << length) - 1
        coded.append(f"{length:05b}" + (f"{low:0{length}b}" if length else ""))
    ones = "".join(coded)
    stream = int(ones + "1" * (-len(ones) % 8), 2).to_bytes((len(ones) + 7) // 8, "big").replace(b"\xff", b"\xff\0")
    parts = [(0xC3, frame), (0xC4, table), (0xDA, scan)]
    body = b"".join(bytes([255, marker]) + struct.pack(">H", len(part) + 2) + part for marker, part in parts)
    return b"\xff\xd8" + app + body + stream + b"\xff\xd9"
