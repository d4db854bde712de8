"""Characters of other alphabets that are a digit, a Latin letter or a Korean letter to any eye.

A Greek ο is an o: whoever says that it is "none of the letters" teaches noise, and whoever measures it measures
nothing. So each table names, by Omniglot's alphabet and number, what is not used as foreign ink beside those labels.
Chosen by looking at the drawings; rather one too many than one too few. A table knows what a character is called, not
how it came out: `is_stroke_or_ring` looks at the picture, and finds the bare 1 and the round 0 that noise, a covered
camera and a letter without its dot make as well.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Table = dict[str, frozenset[int]]

# What is drawn as the digit itself is drawn.
DIGITS: Table = {
    "Latin": frozenset({12, 15, 17, 19}),  # l o q s
    "Greek": frozenset({9, 15}),  # ι ο
    "Korean": frozenset({21, 33}),  # ㅣ ㅇ
    "Early_Aramaic": frozenset({2, 3, 4, 7, 14, 16, 17, 20}),  # 9 1 4 1 9 0 7 4
    "Japanese_(katakana)": frozenset({24, 27}),  # ノ フ
    "Sanskrit": frozenset({13, 37}),  # ड उ
    "Tagalog": frozenset({3}),  # a 3
}
# What resembles one: a hand in a hurry makes no difference, a careful one does.
NEARLY_DIGITS: Table = {
    "Latin": frozenset({2, 7, 26}),  # b g z
    "Greek": frozenset({18}),  # σ
    "Korean": frozenset({22, 27}),  # ㄱ ㄹ
    "Early_Aramaic": frozenset({6, 10, 12}),  # 4 7 6
}
DIGITS_AND_LATIN: Table = {
    "Greek": frozenset({1, 3, 5, 7, 9, 10, 13, 15, 17, 18, 19, 20, 22, 24}),  # α γ ε η ι κ ν ο ρ σ τ υ χ ω
    "Korean": frozenset({1, 5, 14, 21, 22, 24, 25, 27, 28, 33}),  # ㅏ ㅓ ㅜ ㅣ ㄱ ㄴ ㄷ ㄹ ㅁ ㅇ
    # イ ソ ト ナ ノ フ メ レ ロ ワ ヲ ン
    "Japanese_(katakana)": frozenset({2, 14, 19, 20, 24, 27, 33, 41, 42, 43, 46, 47}),
    "Early_Aramaic": frozenset({1, 2, 3, 4, 6, 10, 11, 12, 13, 14, 16, 17, 18, 20, 21, 22}),
    "Balinese": frozenset({5, 14, 15}),
    "Sanskrit": frozenset({27, 37}),  # र उ
    "Tagalog": frozenset({3, 4, 16}),
}
KOREAN: Table = {
    "Latin": frozenset({3, 9, 12, 15, 18, 20, 26}),  # c i l o r t z
    "Greek": frozenset({9, 11, 15, 16, 18, 19}),  # ι λ ο π σ τ
    # ア イ ク ス ト ヌ ノ ヒ フ ヘ ヨ ラ レ ロ ヲ
    "Japanese_(katakana)": frozenset({1, 2, 8, 12, 19, 22, 24, 26, 27, 28, 37, 38, 41, 42, 46}),
    "Early_Aramaic": frozenset({3, 5, 8, 12, 16, 17}),
    "Tagalog": frozenset({4, 16}),
}

_INK = 96  # of 255: what is darker belongs to the stroke
_THIN = 0.28  # deviation across a straight stroke as a share of that along it
_STEEP = np.cos(np.deg2rad(50))  # a straight stroke that leans further is a dash
_CONVEX = 0.7  # of a stroke's convex hull is stroke, at least: a bow leaves so much, a flag or a bar less
_HOLLOW = 0.15  # of a ring's area is hole, at least: a pen of a third of its height leaves so much
_OVAL = 0.925  # common area of a ring and its ellipse: a square has 0.91, a ring by hand 0.93 and more


def is_stroke_or_ring(pixels: NDArray[np.uint8]) -> bool:
    """Whether a prepared picture, uint8 (28, 28), is one straight stroke, upright or leaning, or one round ring."""
    large = cv2.resize(pixels, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    ink = (large > _INK).astype(np.uint8)
    mask = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))  # a ring may stand a little open
    outlines, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    sizes = [cv2.contourArea(outline) for outline in outlines]
    if len(outlines) == 1:
        return _is_stroke(np.argwhere(mask), sizes[0] / max(1.0, cv2.contourArea(cv2.convexHull(outlines[0]))))
    if len(outlines) != 2 or min(sizes) < _HOLLOW * max(sizes):
        return False
    filled = cv2.drawContours(np.zeros_like(mask), outlines, int(np.argmax(sizes)), 1, cv2.FILLED)
    return bool((filled >= mask).all()) and _is_oval(np.argwhere(filled))


def _axes(points: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Variances of points (n, 2) along their two main axes, the smaller first, and the axes as columns."""
    variances, axes = np.linalg.eigh(np.cov(points.T, bias=True))
    return variances, axes


def _is_stroke(points: NDArray[np.int64], convex: float) -> bool:
    variances, axes = _axes(points)
    return bool(variances[0] < _THIN**2 * variances[1] and abs(axes[0, 1]) > _STEEP and convex > _CONVEX)


def _is_oval(points: NDArray[np.int64]) -> bool:
    """Whether the points fill the ellipse that has their moments: its half axes are twice the deviations."""
    variances, axes = _axes(points)
    along = ((points - points.mean(axis=0)) @ axes) ** 2 / (4 * variances)
    inside = float((along.sum(axis=1) <= 1).sum())
    area = 4 * np.pi * float(np.sqrt(variances.prod()))
    return inside / (len(points) + area - inside) > _OVAL
