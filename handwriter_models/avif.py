"""The frames that an AVIF makes its decoder decode, found in its boxes before it is opened.

Pillow tells the size that the container declares; the decoder behind it believes the frames. Four kilobytes that
declare 64 x 64 pixels may hold a frame of 268 million, five kilobytes a grid of a hundred such tiles or a hundred
frames of which one is shown. Boxes: ISO/IEC 14496-12 and 23008-12. The pictures of an animation behind its first are
never decoded, and not looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from handwriter_models.av1 import Bits, frame_sizes

_MOST_BOXES = 4096  # side by side; a grid has a box for every tile
_TABLES = ((b"iinf",), (b"iloc",), (b"iref",), (b"iprp", b"ipma"))
_MOST_TABLES = 2**17  # bytes; libavif looks for each entry from the start: 1 MB of them takes it five seconds


def coded_sizes(data: bytes) -> Iterator[tuple[int, int]]:
    """Width and height of every frame in the file's items and at the start of its tracks; raises if damaged."""
    view = memoryview(data)
    metas = [meta[4:] for meta in (*_inside(view, b"meta"), *_inside(view, b"moov", b"trak", b"meta"))]
    tables = (table for meta in metas for path in _TABLES for table in _inside(meta, *path))
    if sum(map(len, tables)) > _MOST_TABLES:
        raise ValueError(f"tables of items of more than {_MOST_TABLES} bytes")
    return frame_sizes([*_items(view, metas), *_first_samples(view)])


def _boxes(view: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    place = 0
    for _ in range(_MOST_BOXES):
        if place + 8 > len(view):
            return
        length, name, head = int.from_bytes(view[place : place + 4], "big"), bytes(view[place + 4 : place + 8]), 8
        if length == 1:
            length, head = int.from_bytes(view[place + 8 : place + 16], "big"), 16
        length = length or len(view) - place
        if length < head:
            raise ValueError("a box shorter than its head")
        yield name, view[place + head : place + length]
        place += length
    raise ValueError(f"more than {_MOST_BOXES} boxes side by side")


def _inside(view: memoryview, *path: bytes) -> Iterator[memoryview]:
    for name, content in _boxes(view):
        if name == path[0]:
            yield from _inside(content, *path[1:]) if len(path) > 1 else (content,)


def _items(view: memoryview, metas: Iterable[memoryview]) -> Iterator[memoryview]:
    """The data of every AV1 item: pictures, tiles of grids, alpha planes."""
    left = 2 * len(view) + 2**20  # equal tiles may share their bytes
    for content in metas:
        parts: dict[int, list[memoryview]] = {item: [] for item in _coded_items(content)}
        sources = (view, next(_inside(content, b"idat"), view[:0]))
        for table in _inside(content, b"iloc"):
            for item, source, start, length in _extents(Bits(table)):
                if item in parts:
                    parts[item].append(sources[source][start : start + length])
        for extents in parts.values():
            left -= sum(map(len, extents))
            if left < 0:
                raise ValueError("its items are larger than the file")
            yield extents[0] if len(extents) == 1 else memoryview(b"".join(extents))


def _coded_items(content: memoryview) -> Iterator[int]:
    for table in _inside(content, b"iinf"):
        for entry in _inside(table[8 if table[0] else 6 :], b"infe"):
            end = 8 if entry[0] == 3 else 6
            if bytes(entry[end + 2 : end + 6]) == b"av01":
                yield int.from_bytes(entry[4:end], "big")


def _extents(bits: Bits) -> Iterator[tuple[int, int, int, int]]:
    """Item, source (0: the file, 1: the box `idat`), start and length of every part of an item."""
    version = bits.read(32) >> 24
    for_start, for_length, for_base, for_index = (8 * bits.read(4) for _ in range(4))
    if not for_length:
        raise ValueError("its items have no length")
    wide = 32 if version == 2 else 16
    for _ in range(bits.read(wide)):
        item, source = bits.read(wide), bits.read(16) & 15 if version else 0
        bits.read(16)
        base = bits.read(for_base)
        for _ in range(bits.read(16)):
            bits.read(for_index if version else 0)
            yield item, source, base + bits.read(for_start), bits.read(for_length)


def _first_samples(view: memoryview) -> Iterator[memoryview]:
    """The first sample of every AV1 track: the others are later pictures of an animation, and never decoded."""
    for table in _inside(view, b"moov", b"trak", b"mdia", b"minf", b"stbl"):
        boxes = list(_boxes(table))
        parts = dict(boxes)
        if len(parts) < len(boxes):
            raise ValueError("a track with two tables of one kind")
        if b"av01" in bytes(parts.get(b"stsd", b"")):
            places = Bits((parts.get(b"stco") or parts[b"co64"])[8:16])
            start = places.read(32 if b"stco" in parts else 64)
            every, first = (int.from_bytes(parts[b"stsz"][place : place + 4], "big") for place in (4, 12))
            yield view[start : start + (every or first)]
