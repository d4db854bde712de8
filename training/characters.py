"""The source `characters`: digits, letters and free patterns in one, as a two-stage system must tell them apart.

Digits are MNIST's, letters Omniglot's 26 Latin ones, and a free pattern is anything else that a pen can do: characters
of the other alphabets, tangles and signs. Characters of other alphabets that look like a digit or a letter are left
out (`look_alikes`). What stays undecidable is inside the labels: a round o is a 0, a bare l is a 1, many a z is a 2, s
a 5, q and g a 9, and no model can know which was meant.
"""

from __future__ import annotations

import string
from pathlib import Path

import numpy as np

from handwriter_models import ink
from training import strokes
from training.look_alikes import DIGITS_AND_LATIN
from training.omniglot import Drawing, read_alphabets
from training.omniglot_sources import Part, digits_part, folder_of, letter_of, part_of
from training.preparation import cached_array
from training.samples import Images, Samples

PATTERN = "free pattern"
NAMES = [*string.digits, *string.ascii_lowercase, PATTERN]
GROUPS = {name: "digit" if name in string.digits else "pattern" if name == PATTERN else "letter" for name in NAMES}
_NONSENSE = (600, 200)  # training and test


def character_parts(data: Path | None) -> list[Part]:
    """Digits, letters, each other alphabet, and nonsense: training and test pictures of each."""
    drawings = list(read_alphabets(folder_of(data)))
    latin = [drawing for drawing in drawings if drawing.alphabet == "Latin"]
    letters = part_of(latin, [NAMES.index(letter_of(drawing)) for drawing in latin], NAMES, 1)
    parts = [digits_part(data, NAMES), letters, nonsense_part()]
    for alphabet in sorted({drawing.alphabet for drawing in drawings} - {"Latin"}):
        own = [drawing for drawing in drawings if drawing.alphabet == alphabet and not _like_a_letter(drawing)]
        parts.append(part_of(own, [NAMES.index(PATTERN)] * len(own), NAMES, len(parts)))
    return parts


def _like_a_letter(drawing: Drawing) -> bool:
    return drawing.character in DIGITS_AND_LATIN.get(drawing.alphabet, ())


def nonsense_part() -> Part:
    """Tangles and signs drawn by chance; each counts as a hand of its own."""
    train, test = (_nonsense(count, seed) for seed, count in enumerate(_NONSENSE))
    return train, test


def _nonsense(count: int, seed: int) -> Samples:
    random = np.random.default_rng((11, seed))

    def draw() -> Images:
        return np.stack([ink.prepare(_sheet(random)).pixels for _ in range(count)])

    images = cached_array(f"nonsense {count} {seed} {strokes.nonsense.__doc__}", draw)
    hands = np.arange(count, dtype=np.int64) + 1_000_000 * (seed + 1)
    return Samples(images, np.full(count, NAMES.index(PATTERN), np.int64), hands, NAMES, "nonsense")


def _sheet(random: np.random.Generator) -> Images:
    pen = float(np.exp(random.uniform(np.log(0.012), np.log(0.12))))
    return strokes.paint(strokes.bent(strokes.nonsense(random), random), pen, int(random.integers(100, 201)), random)
