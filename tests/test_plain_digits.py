"""A bare stroke is a 1 and a ring a 0 to whoever draws a digit: the bundled model reads them in every slant and pen."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from handwriter_models import ink, load
from handwriter_models.classifier import Classifier

PAPER, PENS = 280, (6, 10, 14, 18, 24, 30, 40)


def drawn(points: np.ndarray, pen: int) -> np.ndarray:
    """Black on white; the points as (n, 2) from any origin, put in the middle."""
    places = points - (points.max(axis=0) + points.min(axis=0)) / 2 + PAPER / 2
    paper = np.full((PAPER, PAPER), 255, np.uint8)
    cv2.polylines(paper, [np.round(places * 16).astype(np.int32)], False, 0, pen, cv2.LINE_AA, 4)
    return paper


def fits(points: np.ndarray, pen: int) -> bool:
    return bool((np.ptp(points, axis=0) + pen < PAPER - 2).all())


def strokes(heights: range, slants: range, pens: tuple[int, ...]) -> Iterator[np.ndarray]:
    for height in heights:
        for slant in slants:
            for pen in pens:
                line = np.array([[0, height], [height * np.tan(np.radians(slant)), 0]])
                if pen < height / 2.2 and fits(line, pen):
                    yield drawn(line, pen)


def rings() -> Iterator[np.ndarray]:
    chance = np.random.default_rng(77)
    for _ in range(600):
        height, width, slant = chance.uniform(60, 240), chance.uniform(0.35, 1.2), np.radians(chance.uniform(-30, 30))
        pen, gap = int(chance.choice(PENS)), chance.uniform(-0.06, 0.06)
        turn = np.linspace(0, (1 - gap) * 2 * np.pi, 60) + chance.uniform(0, 2 * np.pi)
        x, y = height * width / 2 * np.cos(turn), height / 2 * np.sin(turn)
        ring = np.stack([x - np.tan(slant) * y, y], axis=1)
        if pen < height * width / 3.5 and fits(ring, pen):
            yield drawn(ring, pen)


def read(pictures: Iterator[np.ndarray], label: str) -> tuple[int, int, int]:
    """How many there are, how many are refused, and how many read as another digit."""
    classifier: Classifier = load("digits")
    prepared = np.stack([ink.prepare(picture).pixels for picture in pictures])
    probabilities, background = classifier.scores(prepared)
    refused = classifier.config.rejection.refuses(probabilities.max(axis=1), background)
    other = probabilities.argmax(axis=1) != classifier.labels.index(label)
    return len(prepared), int(refused.sum()), int((other & ~refused).sum())


def test_an_upright_stroke_of_the_pages_pen_is_a_one_at_every_height() -> None:
    count, refused, other = read(strokes(range(60, 251, 5), range(1), (18,)), "1")
    assert (count, refused, other) == (39, 0, 0)


def test_bare_strokes_of_all_slants_heights_and_pens_are_ones() -> None:
    count, refused, other = read(strokes(range(60, 251, 10), range(-40, 41, 8), PENS), "1")
    assert count > 1000
    assert refused + other <= 0.005 * count


def test_rings_of_all_forms_and_pens_are_zeros() -> None:
    count, refused, other = read(rings(), "0")
    assert count > 300
    assert refused + other <= 0.01 * count
