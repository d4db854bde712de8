"""The strokes of a prepared character: its middle lines, cut where they meet, turn sharply or run on for long.

A picture of ink does not tell how the pen went; this finds the pieces that an eye would name: the bar of a 7, the
arms of a 4, the upper and the lower half of an 8. Works on four times the resolution of the prepared picture, because
at 28x28 a thinned line has as many false branches as true ones. It does not know what the character is, and gives no
order in time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]
Line = NDArray[np.float32]
Path = NDArray[np.int64]

_FINE = 4  # working pixels for one of the prepared picture
_INK = 96  # of 255: what is darker belongs to a stroke
_REACH = 3 * _FINE  # on each side of a point, where a corner is looked for
_CORNER = np.deg2rad(65)  # a turn of at least this much within twice the reach is a corner
_LONGEST = 14 * _FINE  # a longer piece is divided: all of a 0 in one says nothing
_SHORT = 0.8  # a branch shorter than this share of the pen's width is an edge of the ink, not a stroke


@dataclass(frozen=True)
class InkStroke:
    """One piece of a character.

    Attributes:
        line: float32 (points, 2), its middle line, x to the right and y down in pixels of the prepared picture.
        share: float32 (h, w), how much of each pixel's ink belongs to it, 0..1; those of all strokes add up to 1.
        rest: uint8 (h, w), the picture without it; where it joins another stroke, that one's full width is left.
    """

    line: Line
    share: NDArray[np.float32]
    rest: Mask


def ink_strokes(pixels: Mask) -> list[InkStroke]:
    """The strokes of a prepared character, uint8 (h, w) with ink 255; none for a blank one."""
    size = (pixels.shape[1] * _FINE, pixels.shape[0] * _FINE)
    ink = (cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC) > _INK).astype(np.uint8)
    if not ink.any():
        return []
    skeleton = _thinned(ink)
    inside = cv2.distanceTransform(ink, cv2.DIST_L2, 5)
    radius = float(inside[skeleton > 0].mean())
    paths = [part for path in _branches(skeleton, 2 * radius) for part in _divided(path)]
    distances = np.stack([_distance_to(path, ink.shape) for path in paths])
    return [_stroke(pixels, paths, distances, number, radius) for number in range(len(paths))]


def _stroke(pixels: Mask, paths: list[Path], distances: NDArray[np.float32], number: int, radius: float) -> InkStroke:
    own = distances.argmin(axis=0) == number
    others = np.delete(distances, number, axis=0)
    joined = others.min(axis=0) <= radius if len(others) else np.zeros_like(own)
    gone = _reduced(own & ~joined)
    line = np.asarray((paths[number][:, ::-1] + 0.5) / _FINE, np.float32)
    return InkStroke(line, _reduced(own), np.round(pixels * (1 - gone)).astype(np.uint8))


def _reduced(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The share of each pixel of the prepared picture that the mask covers."""
    height, width = mask.shape
    blocks = mask.reshape(height // _FINE, _FINE, width // _FINE, _FINE)
    return np.asarray(blocks.mean(axis=(1, 3)), np.float32)


def _distance_to(path: Path, shape: tuple[int, ...]) -> NDArray[np.float32]:
    away = np.ones(shape, np.uint8)
    away[path[:, 0], path[:, 1]] = 0
    return np.asarray(cv2.distanceTransform(away, cv2.DIST_L2, 5), np.float32)


def _neighbour_table(rule: Callable[[list[bool]], int]) -> Mask:
    """`rule` for each of the 256 neighbourhoods, given clockwise from the pixel above."""
    return np.array([rule([bool(code >> bit & 1) for bit in range(8)]) for code in range(256)], np.uint8)


def _crossings(around: list[bool]) -> int:
    """How many lines leave a pixel of a thin line."""
    return sum(not here and there for here, there in zip(around, around[1:] + around[:1], strict=True))


def _removable(first: bool) -> Callable[[list[bool]], int]:
    """When thinning takes a pixel away, by the two alternating rules of Guo and Hall (1989, algorithm A1)."""

    def rule(around: list[bool]) -> int:
        n, ne, e, se, s, sw, w, nw = around
        lines = sum((not n and (ne or e), not e and (se or s), not s and (sw or w), not w and (nw or n)))
        odd, even = (nw or n) + (ne or e) + (se or s) + (sw or w), (n or ne) + (e or se) + (s or sw) + (w or nw)
        kept = ((s or sw or not nw) and w) if first else ((n or ne or not se) and e)
        return int(lines == 1 and 2 <= min(odd, even) <= 3 and not kept)

    return rule


_CROSSINGS = _neighbour_table(_crossings)
_REMOVABLE = (_neighbour_table(_removable(True)), _neighbour_table(_removable(False)))
_BITS = np.array([[128, 1, 2], [64, 0, 4], [32, 16, 8]], np.float32)


def _neighbourhoods(mask: Mask) -> Mask:
    """For each pixel which of its eight neighbours are set, as the bits of `_neighbour_table`."""
    return np.asarray(cv2.filter2D(mask, cv2.CV_8U, _BITS, borderType=cv2.BORDER_CONSTANT), np.uint8)


def _thinned(ink: Mask) -> Mask:
    """The middle lines of a 0/1 mask, one pixel wide."""
    line = ink.copy()
    while True:
        before = int(line.sum())
        for table in _REMOVABLE:
            line[table[_neighbourhoods(line)] > 0] = 0
        if int(line.sum()) == before:
            return line


def _branches(skeleton: Mask, pen: float) -> list[Path]:
    """The lines between ends and junctions, as ordered points (row, column); `pen` is the ink's width."""
    for _ in range(4):
        pieces, joints = _pieces(skeleton)
        stubs = [piece for piece in pieces if _is_stub(piece, joints, skeleton, pen)]
        if not stubs or len(stubs) == len(pieces):
            break
        for stub in stubs:
            skeleton[stub[:, 0], stub[:, 1]] = 0
    paths = [piece for piece in pieces if len(piece) >= _SHORT * pen or not _touches(piece, joints)]
    return [_ordered(path) for path in paths or pieces or [np.argwhere(skeleton)]]


def _pieces(skeleton: Mask) -> tuple[list[Path], Mask]:
    """The points of each branch without order, and a mask of the junctions between them."""
    meets = (skeleton > 0) & (_CROSSINGS[_neighbourhoods(skeleton)] >= 3)
    joints = np.asarray(cv2.dilate(meets.astype(np.uint8), np.ones((3, 3), np.uint8)), np.uint8)
    count, labels = cv2.connectedComponents(skeleton & (1 - joints), connectivity=8)
    return [np.argwhere(labels == label) for label in range(1, count)], joints


def _touches(piece: Path, joints: Mask) -> bool:
    rows, columns = piece.T
    near = cv2.dilate(joints, np.ones((3, 3), np.uint8))
    return bool(near[rows, columns].any())


def _is_stub(piece: Path, joints: Mask, skeleton: Mask, pen: float) -> bool:
    """A short branch with a free end: a corner of the ink, which thinning draws out."""
    if len(piece) >= _SHORT * pen or not _touches(piece, joints):
        return False
    return bool((_CROSSINGS[_neighbourhoods(skeleton)][piece[:, 0], piece[:, 1]] == 1).any())


def _ordered(piece: Path) -> Path:
    """The points one after the other, from an end where there is one."""
    waiting = {(int(row), int(column)) for row, column in piece}
    here = min(waiting, key=lambda point: (len(_beside(point, waiting)), point))
    path = [here]
    waiting.discard(here)
    while near := _beside(here, waiting):
        here = near[0]
        path.append(here)
        waiting.difference_update(near[:1])
    return np.array(path, np.int64)


_AROUND = ((-1, 0), (0, 1), (1, 0), (0, -1), (-1, -1), (-1, 1), (1, 1), (1, -1))  # the nearest four first


def _beside(point: tuple[int, int], points: set[tuple[int, int]]) -> list[tuple[int, int]]:
    return [near for down, right in _AROUND if (near := (point[0] + down, point[1] + right)) in points]


def _divided(path: Path) -> list[Path]:
    """The path cut at its corners, then each part into equal ones none of which is too long."""
    parts = np.split(path, _corners(path))
    return [piece for part in parts for piece in np.array_split(part, max(1, -(-len(part) // _LONGEST)))]


def _corners(path: Path) -> list[int]:
    """Indices of the sharpest points, none nearer to another or to an end than the reach."""
    if len(path) <= 2 * _REACH + 1:
        return []
    points = path.astype(np.float64)
    before, after = points[_REACH:-_REACH] - points[: -2 * _REACH], points[2 * _REACH :] - points[_REACH:-_REACH]
    cosine = (before * after).sum(axis=1) / np.linalg.norm(before, axis=1) / np.linalg.norm(after, axis=1)
    turns = np.arccos(np.clip(cosine, -1, 1))
    found: list[int] = []
    while turns.max() >= _CORNER:
        sharpest = int(turns.argmax())
        found.append(sharpest + _REACH)
        turns[max(0, sharpest - _REACH) : sharpest + _REACH + 1] = 0
    return sorted(found)
