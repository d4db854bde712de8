"""The sizes of the frames in AV1 data, read from the heads of its units; the AV1 specification, 5.3 to 5.9.

A frame has the size that its sequence header gives, unless its own head says that another follows. What cannot be
followed raises, so that a decoder meets no frame which was not counted here. Nothing behind the heads is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_MOST_UNITS = 2**15
_SEQUENCE, _FRAME_HEADS = 1, (3, 6, 7)
_SWITCH = 3


class Bits:
    """Numbers of a big-endian stream of bits."""

    def __init__(self, data: memoryview) -> None:
        self._data, self._place = data, 0

    def read(self, count: int) -> int:
        """The next `count` bits; raises `ValueError` where there are fewer."""
        start, self._place = self._place, self._place + count
        if self._place > 8 * len(self._data):
            raise ValueError("it ends in a head")
        around = self._data[start // 8 : (self._place + 7) // 8]
        return int.from_bytes(around, "big") >> -self._place % 8 & (1 << count) - 1


@dataclass(frozen=True)
class _Sequence:
    """What a sequence header says of its frames; `widest` is what a frame with a size of its own could reach."""

    size: tuple[int, int]
    widest: tuple[int, int]
    still: bool = True
    presentation_bits: int = 0
    identity_bits: int = 0
    screen_tools: int = 2
    integer_vectors: int = 2


def frame_sizes(pictures: Iterable[memoryview]) -> Iterator[tuple[int, int]]:
    """Width and height of every frame in each picture's data; raises `ValueError`."""
    left = _MOST_UNITS
    for data in pictures:
        sequence = None
        for kind, unit in _units(data):
            left -= 1
            if left < 0:
                raise ValueError(f"more than {_MOST_UNITS} units of AV1 data")
            if kind == _SEQUENCE:
                sequence = _sequence(Bits(unit))
            elif kind in _FRAME_HEADS:
                if not sequence:
                    raise ValueError("a frame before its sequence header")
                own = not sequence.still and _has_own_size(Bits(unit), sequence)
                yield sequence.widest if own else sequence.size


def _units(view: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Kind and content of every open bitstream unit."""
    place = 0
    while place < len(view):
        head = view[place]
        place += 2 if head & 4 else 1
        length = len(view) - place
        if head & 2:
            length = shift = 0
            for byte in view[place : place + 8]:
                length |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    break
            place += shift // 7
        yield head >> 3 & 15, view[place : place + length]
        place += length


def _sequence(bits: Bits) -> _Sequence:
    read = bits.read
    read(4)
    still = bool(read(1))
    presentation = 0
    if still:
        read(5)
    else:
        presentation = _skip_operating_points(bits)
    widths, heights = read(4) + 1, read(4) + 1
    size, widest = (read(widths) + 1, read(heights) + 1), (1 << widths, 1 << heights)
    if still:
        return _Sequence(size, widest)
    identity = read(4) + read(3) + 3 if read(1) else 0
    read(7)
    read(2 if read(1) else 0)
    tools = 2 if read(1) else read(1)
    return _Sequence(size, widest, False, presentation, identity, tools, (2 if read(1) else read(1)) if tools else 2)


def _skip_operating_points(bits: Bits) -> int:
    """The bits of the time of presentation that every shown frame's head begins with."""
    read = bits.read
    presentation = model = delay = 0
    if read(1):
        read(64)
        equal = read(1)
        if equal:
            _skip_number(bits)
        model = read(1)
        if model:
            delay = read(5) + 1
            read(37)
            presentation = 0 if equal else read(5) + 1
            read(5 if equal else 0)
    display = read(1)
    for _ in range(read(5) + 1):
        read(12)
        read(1 if read(5) > 7 else 0)
        if model and read(1):
            read(2 * delay + 1)
        if display and read(1):
            read(4)
    return presentation


def _skip_number(bits: Bits) -> None:
    zeros = 0
    while not bits.read(1):
        zeros += 1
        if zeros > 31:  # decoders do not agree where it ends
            raise ValueError("a number of more than 32 bits")
    bits.read(zeros)


def _has_own_size(bits: Bits, sequence: _Sequence) -> bool:
    """Whether a frame gives a size that need not be that of its sequence."""
    read = bits.read
    if read(1):
        return False  # a frame decoded before is shown
    kind, shown = read(2), read(1)
    read(sequence.presentation_bits if shown else 1)
    if kind != _SWITCH and not (kind == 0 and shown):
        read(1)
    read(1)
    tools = read(1) if sequence.screen_tools == 2 else sequence.screen_tools
    read(1 if tools and sequence.integer_vectors == 2 else 0)
    read(sequence.identity_bits)
    return kind == _SWITCH or bool(read(1))
