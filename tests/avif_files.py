"""AVIF files that Pillow cannot write: grids, items in parts, frames larger or more than the container declares."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from PIL import Image

from tests.pictures import encoded


@dataclass(frozen=True)
class Coded:
    """AV1 data and the box `av1C` that describes it."""

    data: bytes
    configuration: bytes


def still(picture: Image.Image) -> Coded:
    """The data of the only item in the file that Pillow writes."""
    file = encoded(picture, "AVIF", speed=10)
    return Coded(_box_in(file, b"mdat")[8:], _box_in(file, b"av1C"))


def wide_frame(picture: Image.Image, declared: int) -> Coded:
    """A frame whose own head gives the picture's size, behind a sequence header of at most `declared` on a side.

    Made of the first frame of an animation, whose heads have a place for that. The bits of a size that are put in are
    32, so that what follows keeps its place in the bytes.
    """
    file = encoded(picture, "AVIF", speed=10, save_all=True, append_images=[picture])
    width, height = picture.size
    numbers = (width - 1).bit_length(), (height - 1).bit_length()
    said = f"{numbers[0] - 1:04b}{numbers[1] - 1:04b}{width - 1:0{numbers[0]}b}{height - 1:0{numbers[1]}b}"
    units = []
    rest = _box_in(file, b"mdat")[8:]
    while len(units) < 2:
        kind, length = rest[0] >> 3 & 15, rest[1] & 127
        start = 2
        if rest[1] > 127:
            length, start = length | (rest[2] << 7), 3
        unit, rest = rest[start : start + length], rest[start + length :]
        bits = "".join(f"{byte:08b}" for byte in unit)
        if kind == 1:
            bits = bits.replace(said, "11111111" + f"{declared - 1:016b}" * 2, 1).rstrip("0")
            units.append(_unit(kind, bits))
        elif kind == 6:
            flag = 6 + int(bits[5])
            at = flag + 8  # the number of the frame takes seven bits
            bits = f"{bits[:flag]}1{bits[flag + 1 : at]}{width - 1:016b}{height - 1:016b}{bits[at:]}"
            units.append(_unit(kind, bits))
    return Coded(b"".join(units), _box_in(file, b"av1C"))


def container(coded: Coded, size: tuple[int, int], repeated: int = 1, extents: int = 1, idat: bool = False) -> bytes:
    """One item of this declared size, its data `repeated`, in so many parts, in the box `idat` or behind all boxes."""
    data = coded.data * repeated
    step = -(-len(data) // extents)
    parts = [(start, min(step, len(data) - start)) for start in range(0, len(data), step)]
    return _file(coded, [(b"av01", parts)], data, (size, size), b"", idat)


def grid(coded: Coded, columns: int, rows: int, tile: tuple[int, int]) -> bytes:
    """A grid of equal tiles of this declared size, all with the same data."""
    size = columns * tile[0], rows * tile[1]
    head = bytes([0, 0, rows - 1, columns - 1]) + struct.pack(">HH", *size)
    count = columns * rows
    items = [(b"grid", [(0, len(head))])] + [(b"av01", [(len(head), len(coded.data))])] * count
    tiles = struct.pack(">HH", 1, count) + b"".join(struct.pack(">H", number + 2) for number in range(count))
    references = _full(b"iref", 0, _box(b"dimg", tiles))
    return _file(coded, items, head + coded.data, (size, tile), references, False)


def declaring(file: bytes, side: int) -> bytes:
    """The same file, of which all boxes say that its pictures have `side` pixels on a side."""
    changed = bytearray(file)
    for name, place, scale in ((b"ispe", 8, 1), (b"tkhd", 92, 2**16)):  # of version 1, as libavif writes it
        at = -1
        while (at := file.find(name, at + 1)) >= 0:
            struct.pack_into(">II", changed, at + place, side * scale, side * scale)
    return bytes(changed)


def with_many_items(file: bytes, count: int) -> bytes:
    """The same file with so many more items, which nothing uses."""
    table = _box_in(file, b"iinf")
    meta = _box_in(file, b"meta")
    more = b"".join(
        _full(b"infe", 2, struct.pack(">HH4sx", number % 60000 + 1000, 0, b"Exif")) for number in range(count)
    )
    wider = _box(b"iinf", table[8:12] + struct.pack(">H", min(65535, count + 1)) + table[14:] + more)
    return file.replace(meta, _box(b"meta", meta[8:].replace(table, wider)))


def _file(
    coded: Coded,
    items: list[tuple[bytes, list[tuple[int, int]]]],
    data: bytes,
    sizes: tuple[tuple[int, int], tuple[int, int]],
    references: bytes,
    idat: bool,
) -> bytes:
    entries = b"".join(
        _full(b"infe", 2, struct.pack(">HH4sx", number, 0, kind)) for number, (kind, _) in enumerate(items, 1)
    )
    properties = b"".join(_full(b"ispe", 0, struct.pack(">II", *size)) for size in sizes)
    properties += _full(b"pixi", 0, bytes([3, 8, 8, 8])) + coded.configuration
    used = b"".join(
        struct.pack(">HB", number, 2 if kind == b"grid" else 3) + (b"\1\3" if kind == b"grid" else b"\2\3\x84")
        for number, (kind, _) in enumerate(items, 1)
    )
    described = _box(b"iprp", _box(b"ipco", properties), _full(b"ipma", 0, struct.pack(">I", len(items)), used))

    def built(offset: int) -> bytes:
        places = b"".join(
            struct.pack(">HHHH", number, int(idat), 0, len(parts))
            + b"".join(struct.pack(">II", start + offset, length) for start, length in parts)
            for number, (_, parts) in enumerate(items, 1)
        )
        meta = _full(
            b"meta",
            0,
            _full(b"hdlr", 0, bytes(4), b"pict", bytes(13)),
            _full(b"pitm", 0, struct.pack(">H", 1)),
            _full(b"iloc", 1, b"\x44\0", struct.pack(">H", len(items)), places),
            _full(b"iinf", 0, struct.pack(">H", len(items)), entries),
            references,
            described,
            _box(b"idat", data) if idat else b"",
        )
        return _box(b"ftyp", b"avif", bytes(4), b"avifmif1miaf") + meta

    return built(0) if idat else built(len(built(0)) + 8) + _box(b"mdat", data)


def _box(name: bytes, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return struct.pack(">I4s", len(content) + 8, name) + content


def _full(name: bytes, version: int, *parts: bytes) -> bytes:
    return _box(name, bytes([version, 0, 0, 0]), *parts)


def _box_in(file: bytes, name: bytes) -> bytes:
    at = file.index(name) - 4
    return file[at : at + int.from_bytes(file[at : at + 4], "big")]


def _unit(kind: int, bits: str) -> bytes:
    bits += "0" * (-len(bits) % 8)
    content = int(bits, 2).to_bytes(len(bits) // 8, "big")
    length = bytes([len(content)]) if len(content) < 128 else bytes([len(content) & 127 | 128, len(content) >> 7])
    return bytes([kind << 3 | 2]) + length + content
