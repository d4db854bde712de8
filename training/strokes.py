"""Characters as strokes of a hand: digits in the styles of mouse and finger, and things that are no digit.

MNIST was written with pens by Americans in 1990. What it hardly has: a 7 with a bar or a tick, a 1 with flag and foot,
an open 4, a 5 whose hat hangs loose, a slashed 0, the angular strokes of a mouse. `drawn_digit` makes those from short
tables of control points, bent anew each time; `plain_one` and `plain_zero` are as straight and as round as a mouse can
draw them, which no bent digit ever is; `scribble` makes what must be refused: shapes, signs and tangles.

A stroke is an array of shape (points, 2), x to the right and y down, in a unit square. `paint` draws strokes with a
round pen on paper, as a canvas does; `trace` turns a scanned character back into strokes.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.stroke_styles import DIGITS, ROUND, SHAPES, SIGNS, Style

Stroke = NDArray[np.float64]
Strokes = list[Stroke]


def _spline(points: Stroke, steps: int = 8) -> Stroke:
    """A uniform Catmull-Rom curve through the points."""
    if len(points) < 3:
        return points
    ends = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    before, here, there, after = ends[:-3, None], ends[1:-2, None], ends[2:-1, None], ends[3:, None]
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    curve = 0.5 * (
        2 * here
        + (there - before) * t
        + (2 * before - 5 * here + 4 * there - after) * t**2
        + (3 * here - before - 3 * there + after) * t**3
    )
    return np.concatenate([curve.reshape(-1, 2), points[-1:]])


def _dense(stroke: Stroke, step: float = 0.03) -> Stroke:
    """The same line with points at most `step` apart, so that bending it bends all of it."""
    lengths = np.linalg.norm(np.diff(stroke, axis=0), axis=1)
    pieces = [
        np.linspace(start, end, max(2, int(length / step) + 1))[:-1]
        for start, end, length in zip(stroke[:-1], stroke[1:], lengths, strict=True)
    ]
    return np.concatenate([*pieces, stroke[-1:]])


def drawn_digit(digit: int, random: Generator) -> Strokes:
    """Strokes of `digit` in one of its styles, its control points moved a little."""
    styles = DIGITS[digit]
    style = styles[int(random.integers(len(styles)))]
    moved = float(random.uniform(0.01, 0.05))
    joints: dict[tuple[float, float], NDArray[np.float64]] = {}
    strokes = []
    for corners, points in style:
        shaken = np.array([joints.setdefault(p, np.array(p) + random.normal(0, moved, 2)) for p in points])
        strokes.append(_dense(_spline(shaken) if corners == ROUND else shaken))
    return strokes


def plain_one(random: Generator) -> Strokes:
    """A bare stroke, upright to 45 degrees either way, sometimes with a flag or with flag and foot."""
    lean = 0.0 if random.random() < 0.3 else np.tan(np.deg2rad(random.uniform(-45, 45)))
    bow = random.normal(0, 0.03) if random.random() < 0.5 else 0.0
    down = np.linspace(0, 1, 20)
    one = [np.stack([bow * np.sin(np.pi * down), down], axis=1)]
    kind = random.random()
    if kind < 0.35:
        one.append(_dense(np.array([[0.0, 0.0], random.uniform((-0.4, 0.1), (-0.08, 0.4))])))
        lean *= 0.5  # a flag and a long lean make a 7 or an arrow's head
    if kind < 0.12:
        half = random.uniform(0.12, 0.35)
        one.append(_dense(np.array([[-half, 1.0], [half, 1.0]])))
    return [stroke - np.outer(stroke[:, 1], [lean, 0.0]) for stroke in one]


def plain_zero(random: Generator) -> Strokes:
    """A ring of any width and lean, begun anywhere, a little open or closed with an overlap."""
    turn = random.choice([-1, 1]) * 2 * np.pi * random.uniform(0.92, 1.1)
    angles = random.uniform(0, 2 * np.pi) + turn * np.linspace(0, 1, 60)
    wide = float(np.exp(random.uniform(np.log(0.3), np.log(1.3))))
    lean = 0.0 if random.random() < 0.3 else np.tan(np.deg2rad(random.uniform(-35, 35)))
    ring = np.stack([wide * np.cos(angles), np.sin(angles)], axis=1)
    return [ring - np.outer(ring[:, 1], [lean, 0.0])]


def bent(strokes: Strokes, random: Generator, strength: float = 1.0) -> Strokes:
    """The strokes under a random affine map and a smooth bend, with the tremble of a hand."""
    turn = random.normal(0, 0.09 * strength)
    slant = random.normal(0, 0.15 * strength)
    wide = float(np.exp(random.normal(0, 0.2 * strength)))
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ [[wide, -slant], [0.0, 1.0]]
    waves = random.normal(0, 0.025 * strength, (3, 2))
    phases, rates = random.uniform(0, 2 * np.pi, (3, 2)), random.uniform(2, 7, (3, 2))
    tremble = abs(random.normal(0, 0.005 * strength))
    moved = (np.concatenate(strokes) - 0.5) @ matrix.T
    wave = sum(waves[k] * np.sin(rates[k] * moved[:, ::-1] + phases[k]) for k in range(3))
    moved = moved + wave + random.normal(0, 1, moved.shape) * tremble
    ends = np.cumsum([len(stroke) for stroke in strokes])[:-1]
    return np.split(moved, ends)


def _sign(random: Generator) -> Strokes:
    return _shaken(SIGNS[int(random.integers(len(SIGNS)))], random)


def _shape(random: Generator) -> Strokes:
    return _shaken(SIGNS[SHAPES[int(random.integers(len(SHAPES)))]], random)


def _shaken(sign: Style, random: Generator) -> Strokes:
    shaken = [(corners, np.array(points) + random.normal(0, 0.03, (len(points), 2))) for corners, points in sign]
    return [_dense(_spline(points) if corners == ROUND else points) for corners, points in shaken]


def _tangle(random: Generator) -> Strokes:
    """A pen that wanders: anything from a wave to a knot."""
    count = int(random.integers(5, 26))
    points = (
        np.cumsum(random.normal(0, 0.25, (count, 2)), axis=0) if random.random() < 0.5 else random.random((count, 2))
    )
    points = (points - points.min(axis=0)) / max(1e-6, float(np.ptp(points, axis=0).max()))
    return [_dense(_spline(points) if random.random() < 0.7 else points)]


def _lines(random: Generator) -> Strokes:
    """A few straight lines that mean nothing."""
    return [_dense(random.random((2, 2))) for _ in range(int(random.integers(3, 9)))]


def _spiral(random: Generator) -> Strokes:
    turns = random.uniform(2, 5)
    t = np.linspace(0.1, 1, 90)
    angles = 2 * np.pi * turns * t + random.uniform(0, 2 * np.pi)
    return [0.5 + 0.5 * t[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)]


def _hatching(random: Generator) -> Strokes:
    """To and fro, as one fills an area or strikes something out."""
    count = int(random.integers(6, 16))
    across = np.where(np.arange(count) % 2, 1.0, 0.0) + random.normal(0, 0.08, count)
    points = np.stack([across, np.linspace(0, 1, count) + random.normal(0, 0.02, count)], axis=1)
    return [_dense(points[:, ::-1] if random.random() < 0.5 else points)]


def _two_digits(random: Generator) -> Strokes:
    """A number of two digits: a right answer does not exist among ten labels."""
    left, right = (drawn_digit(int(digit), random) for digit in random.integers(0, 10, 2))
    gap = np.array([random.uniform(0.95, 1.3), random.normal(0, 0.05)])
    return [stroke * [0.8, 1] for stroke in left] + [stroke * [0.8, 1] + gap for stroke in right]


_NONSENSE: list[tuple[float, Callable[[Generator], Strokes]]] = [
    (0.36, _sign),
    (0.24, _tangle),
    (0.08, _lines),
    (0.08, _spiral),
    (0.1, _hatching),
    (0.14, _two_digits),
]


def scribble(random: Generator) -> Strokes:
    """Strokes of something that is no digit."""
    shares = [share for share, _ in _NONSENSE]
    return _NONSENSE[int(random.choice(len(shares), p=shares))][1](random)


def nonsense(random: Generator) -> Strokes:
    """Strokes that are no character of any script: like `scribble`, without numbers and signs that are letters."""
    kinds = [_shape, _tangle, _tangle, _lines, _spiral, _hatching]
    return kinds[int(random.integers(len(kinds)))](random)


def paint(strokes: Strokes, pen: float, side: int, random: Generator) -> NDArray[np.uint8]:
    """Grey paper of `side` pixels with the strokes at a random place and size, drawn with a round pen.

    Args:
        strokes: any extent; scaled so that the longest side fits.
        pen: width of the pen as a share of the character's longest side.
        side: width and height of the picture in pixels.
        random: where chance comes from.
    """
    every = np.concatenate(strokes)
    low = every.min(axis=0)
    extent = max(float((every.max(axis=0) - low).max()), 1e-3)
    size = side * float(random.uniform(0.35, 0.85)) / (1 + pen)
    room = side - size * (every.max(axis=0) - low) / extent - pen * size
    corner = pen * size / 2 + random.random(2) * np.maximum(room, 0)
    paper = np.full((side, side), 255, np.uint8)
    lines = [np.round(((stroke - low) / extent * size + corner) * 16).astype(np.int32) for stroke in strokes]
    cv2.polylines(paper, lines, False, 0, max(1, round(pen * size)), cv2.LINE_AA, 4)
    return paper


def trace(scan: NDArray[np.uint8], scale: int = 4) -> Strokes:
    """The middle lines of a small scan (ink bright on black), as many short strokes in units of the scan's side.

    Needs scikit-image (skeletonize, Zhang and Suen 1984); raises `ImportError` without it.
    """
    from skimage.morphology import skeletonize

    side = scan.shape[0] * scale
    large = cv2.resize(scan, (side, side), interpolation=cv2.INTER_CUBIC)
    line = skeletonize(large > 110)
    rows, columns = np.nonzero(line)
    strokes: Strokes = [
        np.array([[column, row], [column, row]]) / side for row, column in zip(rows, columns, strict=True)
    ]
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        shifted = np.zeros_like(line)
        source = line[down:, max(0, right) : side + min(0, right)]
        shifted[: side - down, max(0, -right) : side - max(0, right)] = source
        both = np.argwhere(line & shifted)
        strokes += [np.array([[c, r], [c + right, r + down]]) / side for r, c in both]
    return strokes
