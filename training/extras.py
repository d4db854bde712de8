"""Training pictures beyond the source: the same characters in other hands and pens, and what is none of them.

A recipe names them: `redrawn` (the source's own characters traced and drawn again with another pen), `evened` (the same
for labels with few pictures, until all have about as many), `low-resolution` (scans of 6 to 14 pixels), `drawn` (digits
in the styles of mouse and finger), `foreign` (characters of other scripts from Omniglot, when the data folder has
them), `scribbles` (shapes, signs, tangles, numbers of two digits), `nonsense` (the same without what is a letter
somewhere), `noise` and `plain` (1 and 0 as bare strokes and rings). `foreign`, `scribbles`, `nonsense` and `noise` are
labelled `len(train.names)`: background, "none of these". What is a bare stroke or a round ring is never among them,
whatever it was made as: one grain of noise in two is an upright bar, and a 1 to any eye.

Everything passes through `ink.prepare`. `foreign` uses only the first fourteen of Omniglot's twenty writers; the last
six are for measuring.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from handwriter_models import ink
from handwriter_models.errors import UserError
from training import look_alikes, strokes
from training.omniglot import LAST_TRAINING_DRAWER, archives, read_alphabets
from training.samples import Samples

Bytes = NDArray[np.uint8]
Labelled = tuple[Bytes, NDArray[np.int64]]

_EVENED, _EVENED_A_LABEL = 16_000, 240  # pictures in all and of one label, at most
_MARKER, _FINE = 0.33, 0.13  # widest pen: a wider one than the second closes the gaps of ㅃ or ㅞ
# Of a source of letters: its own alphabet, and what looks like it elsewhere. Beside digits, which any writer meets
# among other characters, what nearly is a digit is shown once and all others several times, so that the network learns
# to doubt it without learning to refuse a square 2; what is drawn as a digit is never shown.
_SCRIPTS = {
    "omniglot-korean": ("Korean", look_alikes.KOREAN),
    "omniglot-latin": ("Latin", look_alikes.DIGITS_AND_LATIN),
}


def _background(pictures: list[Bytes], train: Samples) -> Labelled:
    kept = [picture for picture in pictures if not look_alikes.is_stroke_or_ring(picture)]
    return np.stack(kept), np.full(len(kept), len(train.names), np.int64)


def _pen(random: Generator, widest: float) -> float:
    """Width of the pen as a share of the character: from a hair to a marker, mostly a pen."""
    return float(np.exp(random.uniform(np.log(0.012), np.log(widest))))


def _repainted(lines: strokes.Strokes, random: Generator, bend: float, widest: float = _MARKER) -> ink.Ink:
    side = int(random.integers(100, 201))
    return ink.prepare(strokes.paint(strokes.bent(lines, random, bend), _pen(random, widest), side, random))


def _redrawn(train: Samples, random: Generator, _data: Path | None, _share: float) -> Labelled:
    chosen = random.permutation(len(train.images))[:20_000]
    drawn = [_repainted(strokes.trace(train.images[i]), random, 0.5).pixels for i in chosen]
    return np.stack(drawn), train.labels[chosen]


def _evened(train: Samples, random: Generator, _data: Path | None, _share: float) -> Labelled:
    share = min(_EVENED_A_LABEL, _EVENED // len(train.names))
    chosen: list[int] = []
    for label in range(len(train.names)):
        members = random.permutation(np.flatnonzero(train.labels == label))
        chosen += np.resize(members, max(0, share - len(members)) if len(members) else 0).tolist()
    traces = {number: strokes.trace(train.images[number]) for number in sorted(set(chosen))}
    drawn = [_repainted(traces[number], random, 0.8, _FINE).pixels for number in chosen]
    return np.stack(drawn) if drawn else train.images[:0], train.labels[chosen]


def _low_resolution(train: Samples, random: Generator, _data: Path | None, _share: float) -> Labelled:
    chosen = random.permutation(len(train.images))[:7_000]
    return np.stack([_coarse(train.images[i], random) for i in chosen]), train.labels[chosen]


def _coarse(picture: Bytes, random: Generator) -> Bytes:
    """The character scanned at 6 to 14 pixels, sometimes stretched into a square, and prepared again."""
    rows, columns = np.flatnonzero(picture.any(axis=1)), np.flatnonzero(picture.any(axis=0))
    box = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height = int(random.integers(6, 15))
    width = max(2, round(height * box.shape[1] / box.shape[0]))
    width = round(width + (height - width) * float(random.uniform(0, 0.7)) * (width < height))
    fine = cv2.resize(box, (4 * min(width, 20), 4 * height), interpolation=cv2.INTER_LINEAR)
    if random.random() < 0.5:  # a scanner that knows black and white only
        fine = ((fine > 110) * 255).astype(np.uint8)
    coarse = cv2.resize(fine, (min(width, 20), height), interpolation=cv2.INTER_AREA)
    # A margin of paper: a bare 1 that fills its scan is no longer ink on anything.
    return ink.prepare(np.pad(coarse, int(random.integers(1, 4)))).pixels


def _drawn(train: Samples, random: Generator, _data: Path | None, share: float) -> Labelled:
    labels = np.resize([int(name) for name in train.names], round(9_000 * share)).astype(np.int64)
    drawn = [_repainted(strokes.drawn_digit(int(d), random), random, 1.0).pixels for d in labels]
    return np.stack(drawn), np.array([train.names.index(str(d)) for d in labels], np.int64)


def _plain(train: Samples, random: Generator, _data: Path | None, share: float) -> Labelled:
    drawn, labels = [], []
    for digit, draw in (("1", strokes.plain_one), ("0", strokes.plain_zero)):
        for _ in range(round(3_000 * share) if digit in train.names else 0):
            side = int(random.integers(100, 281))
            drawn.append(ink.prepare(strokes.paint(draw(random), _pen(random, _MARKER), side, random)).pixels)
            labels.append(train.names.index(digit))
    return np.array(drawn, np.uint8).reshape(-1, ink.SIDE, ink.SIDE), np.array(labels, np.int64)


def _foreign(train: Samples, random: Generator, data: Path | None, share: float) -> Labelled:
    pictures: list[Bytes] = []
    own, alike = _SCRIPTS.get(train.source, ("", look_alikes.DIGITS))
    nearly = {} if own else look_alikes.NEARLY_DIGITS
    for drawing in read_alphabets(data) if data and archives(data) else ():
        if drawing.drawer > LAST_TRAINING_DRAWER * share or drawing.alphabet == own:
            continue
        if drawing.character in alike.get(drawing.alphabet, ()):
            continue
        pictures.append(ink.prepare(drawing.picture).pixels)
        if drawing.character not in nearly.get(drawing.alphabet, ()):
            lines = strokes.trace(255 - drawing.picture, scale=1)
            pictures += [_repainted(lines, random, 0.8).pixels for _ in range(1 if own else 2)]
    if not pictures:
        return np.zeros((0, ink.SIDE, ink.SIDE), np.uint8), np.zeros(0, np.int64)
    return _background(pictures, train)


def _scribbles(train: Samples, random: Generator, _data: Path | None, share: float) -> Labelled:
    return _background(
        [_repainted(strokes.scribble(random), random, 1.0).pixels for _ in range(round(6_000 * share))], train
    )


def _nonsense(train: Samples, random: Generator, _data: Path | None, share: float) -> Labelled:
    return _background(
        [_repainted(strokes.nonsense(random), random, 1.0).pixels for _ in range(round(1_500 * share))], train
    )


def noise_picture(random: Generator) -> Bytes:
    """Grey noise of a random grain and size, or a few specks: what a covered camera or a dirty scan gives."""
    side = int(random.choice([28, 64, 140, 280]))
    grain = int(random.integers(2, 29))
    kind = random.random()
    if kind < 0.4:
        small = random.random((grain, grain))
    elif kind < 0.7:
        small = (random.random((grain, grain)) < random.uniform(0.02, 0.6)).astype(float)
    else:
        small = random.normal(0.5, 0.15, (side, side)).clip(0, 1)
    method = cv2.INTER_NEAREST if random.random() < 0.5 else cv2.INTER_CUBIC
    return np.asarray((cv2.resize(small, (side, side), interpolation=method).clip(0, 1) * 255).astype(np.uint8))


def _noise(train: Samples, random: Generator, _data: Path | None, share: float) -> Labelled:
    prepared = [ink.prepare(noise_picture(random)) for _ in range(round(1_500 * share))]
    return _background([one.pixels for one in prepared if not one.blank], train)


_MAKERS: dict[str, Callable[[Samples, Generator, Path | None, float], Labelled]] = {
    "redrawn": _redrawn,
    "low-resolution": _low_resolution,
    "drawn": _drawn,
    "foreign": _foreign,
    "scribbles": _scribbles,
    "noise": _noise,
    "evened": _evened,
    "nonsense": _nonsense,
    "plain": _plain,
}
NAMES = tuple(_MAKERS)


def build(names: Sequence[str], train: Samples, data: Path | None, seed: int, share: float = 1) -> Samples:
    """The extra training pictures that a recipe names; label `len(train.names)` means background.

    `share`, up to 1: so much of what is drawn anew, in which each picture takes milliseconds, and of Omniglot's hands.
    """
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        raise UserError(f"unknown extra pictures {unknown[0]!r}", f"there are: {', '.join(NAMES)}")
    for name in sorted({"drawn", "plain"}.intersection(names)):
        if not set(train.names) <= set("0123456789"):
            raise UserError(
                f"extra pictures {name!r} are digits, but the labels are not", f"leave {name!r} out of data.extras"
            )
    made = [_MAKERS[name](train, np.random.default_rng((seed, NAMES.index(name))), data, share) for name in names]
    images = np.concatenate([pictures for pictures, _ in made])
    labels = np.concatenate([labels for _, labels in made])
    return Samples(images, labels, np.full(len(labels), -1, np.int64), list(train.names), "extras")
