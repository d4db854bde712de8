"""What is on the paper beside the character: ruled lines, specks, neighbours, and how they are dropped.

Works on 0/1 masks (uint8, ink 1) of canvases and photographs. Small finished scans are not cleaned at all.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]

_SPAN = 0.9  # a ruled line runs over at least this share of the picture, from edge to edge
_NEAR = 0.6  # strokes of one character lie within this share of its longest side


def remove_ruled_lines(mask: Mask) -> Mask:
    """The mask without thin straight lines that run from edge to edge; strokes crossing them are mended."""
    mask = _without_level_lines(mask)
    return np.ascontiguousarray(_without_level_lines(np.ascontiguousarray(mask.T)).T)


def _without_level_lines(mask: Mask) -> Mask:
    height, width = mask.shape
    if not mask[:, 0].any() or not mask[:, -1].any():
        return mask  # quick way out: nothing reaches both edges
    runs = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((1, max(9, width // 10)), np.uint8))
    runs = cv2.morphologyEx(runs, cv2.MORPH_CLOSE, np.ones((3, 15), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(runs, connectivity=8)
    lines = np.zeros_like(mask)
    for label in range(1, count):
        if stats[label, cv2.CC_STAT_WIDTH] >= _SPAN * width and stats[label, cv2.CC_STAT_HEIGHT] <= 0.12 * height:
            lines |= (labels == label).astype(np.uint8)
    if not lines.any():
        return mask
    thickness = np.count_nonzero(lines) / width / max(1, _line_count(lines))
    # What is much thicker than the line is a stroke that runs along it.
    strokes = _upright(mask, cv2.MORPH_OPEN, int(np.ceil(1.6 * thickness)) + 1)
    rest = mask & ~(_upright(lines, cv2.MORPH_DILATE, 3) & ~strokes)
    if not _is_ruling(lines, rest, thickness):
        return mask
    return _upright(rest, cv2.MORPH_CLOSE, int(np.ceil(thickness)) + 4) & mask


def _upright(mask: Mask, operation: int, length: int) -> Mask:
    """A morphological operation with an upright line of `length` pixels."""
    return np.asarray(cv2.morphologyEx(mask, operation, np.ones((length, 1), np.uint8)), np.uint8)


def _line_count(lines: Mask) -> int:
    return cv2.connectedComponents(lines, connectivity=8)[0] - 1


def _is_ruling(lines: Mask, rest: Mask, thickness: float) -> bool:
    """Whether these are lines of the paper: something is left without them, and its strokes are thicker."""
    left = np.count_nonzero(rest)
    if left < 0.15 * np.count_nonzero(lines):
        return False
    inside = cv2.distanceTransform(rest, cv2.DIST_L2, 3)
    return _line_count(lines) > 1 or thickness < 0.75 * max(1.0, 4 * float(inside.sum()) / left - 2)


def keep_one_character(mask: Mask) -> Mask:
    """The mask of one character: its largest stroke and all that lies near it, without specks."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count <= 2:
        return mask
    areas = stats[1:, cv2.CC_STAT_AREA].astype(float)
    boxes = stats[1:, :4].astype(float)
    boxes[:, 2:] += boxes[:, :2]  # left, top, right, bottom
    weight = _inner_weight(boxes, mask.shape)
    main = int(np.argmax(areas * weight))
    speck = max(0.012 * areas[main], 3.0)
    kept = _near(boxes, np.flatnonzero((areas >= speck) & (weight >= weight[main])), main)
    chosen = np.zeros(count, np.uint8)
    chosen[[index + 1 for index in kept]] = 1
    return np.asarray(chosen[labels], np.uint8)


def _inner_weight(boxes: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """1, less for what touches the edge: the rim of the paper, a shadow, a finger."""
    height, width = shape[:2]
    left, top, right, bottom = boxes.T
    across = (left <= 1).astype(int) + (right >= width - 1)
    down = (top <= 1).astype(int) + (bottom >= height - 1)
    touched = across + down
    weight = np.where(touched >= 2, 0.2, 1.0)
    weight = np.where((across == 2) | (down == 2), 0.05, weight)
    return np.asarray(np.where(touched >= 3, 0.005, weight))


def _near(boxes: NDArray[np.float64], candidates: NDArray[np.intp], main: int) -> set[int]:
    """Indices joined to `main`, each within `_NEAR` of the side of what is joined already."""
    kept = {main}
    box = boxes[main].copy()
    waiting = [int(index) for index in candidates if index != main]
    grown = True
    while grown:
        grown = False
        reach = _NEAR * max(box[2] - box[0], box[3] - box[1])
        for index in waiting:
            other = boxes[index]
            gap = max(other[0] - box[2], box[0] - other[2], other[1] - box[3], box[1] - other[3])
            if gap <= reach:
                kept.add(index)
                waiting.remove(index)
                box = np.concatenate([np.minimum(box[:2], other[:2]), np.maximum(box[2:], other[2:])])
                grown = True
                break
    return kept
