"""Omniglot as samples with real labels: 한글, Latin letters, or every character there is, divided by drawer.

Each source is a list of parts (an alphabet, or MNIST's digits), and each part has its own test hands: of Omniglot the
last six drawers of an alphabet, of MNIST the writers of its own test. Validation is set apart part by part, too, or a
small alphabet could end up without any.

What each number shows was named by looking at all twenty drawings of it. Korean goes ㅏ … ㅣ, ㄱ … ㅎ, each row as a
dictionary has it.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from handwriter_models.errors import UserError
from training.mnist import read_mnist
from training.omniglot import LAST_TRAINING_DRAWER, Drawing, read_alphabets
from training.preparation import cache_folder, prepared_arrays
from training.samples import Samples

KOREAN = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
LETTERS = {"Korean": KOREAN, "Latin": string.ascii_lowercase}
DIGITS_A_LABEL = (400, 100)  # of MNIST, training and test: enough to know digits, too few to drown the letters
_HANDS = 1_000  # numbers of writers a part, so that no two parts share one
Part = tuple[Samples, Samples]


def alphabet_part(data: Path | None, alphabet: str) -> Part:
    """Training and test pictures of "Korean" or "Latin"; labels in the order of Unicode."""
    names = sorted(LETTERS[alphabet])
    drawings = list(read_alphabets(folder_of(data), {alphabet}))
    return part_of(drawings, [names.index(letter_of(drawing)) for drawing in drawings], names)


def every_part(data: Path | None) -> list[Part]:
    """Each alphabet, and MNIST's digits, with the labels of all: "0" … "9", then "Balinese 1" … by alphabet."""
    drawings = list(read_alphabets(folder_of(data)))
    characters = sorted({(drawing.alphabet, drawing.character) for drawing in drawings})
    names = [*string.digits, *(f"{alphabet} {number}" for alphabet, number in characters)]
    label = {character: place for place, character in enumerate(characters, start=10)}
    parts = [digits_part(data, names)]
    for alphabet in sorted({alphabet for alphabet, _ in characters}):
        own = [drawing for drawing in drawings if drawing.alphabet == alphabet]
        parts.append(part_of(own, [label[one.alphabet, one.character] for one in own], names, len(parts)))
    return parts


def digits_part(data: Path | None, names: list[str]) -> Part:
    """Some of MNIST's digits, the first of each label in an order drawn once; "0" … "9" are the first ten `names`.

    A picture without a known writer counts as a writer of its own.
    """
    train, test = read_mnist(data)
    most, few = DIGITS_A_LABEL
    return _some(train, most, names, 100 * _HANDS), _some(test, few, names, 200 * _HANDS)


def _some(digits: Samples, count: int, names: list[str], first_hand: int) -> Samples:
    order = np.random.default_rng(7).permutation(len(digits))
    chosen = np.sort(np.concatenate([order[digits.labels[order] == label][:count] for label in range(10)]))
    few = digits.take(chosen)
    writers = few.groups if (few.groups >= 0).all() else np.arange(len(few))
    return Samples(few.images, few.labels, writers + first_hand, names, "mnist")


def folder_of(data: Path | None) -> Path:
    """Where Omniglot is looked for: --data, or the cache folder."""
    return data if data else cache_folder()


def letter_of(drawing: Drawing) -> str:
    """What the drawing shows, of the alphabets in `LETTERS`."""
    letters = LETTERS[drawing.alphabet]
    if not 1 <= drawing.character <= len(letters):
        raise UserError(
            f"{drawing.alphabet} has a character {drawing.character} in this Omniglot, beyond its {len(letters)}",
            "download the archive again",
        )
    return letters[drawing.character - 1]


def part_of(drawings: Sequence[Drawing], labels: Sequence[int], names: list[str], place: int = 0) -> Part:
    """The drawings as prepared samples, training and test; `place` keeps the writers of several parts apart."""
    images = prepared_arrays(np.stack([drawing.picture for drawing in drawings]))
    hands = np.array([drawing.drawer for drawing in drawings], np.int64)
    source = f"omniglot-{drawings[0].alphabet.lower()}"
    samples = Samples(images, np.array(labels, np.int64), hands + place * _HANDS, names, source)
    inked = images.any(axis=(1, 2))  # a few drawings are dots that nobody would call a character
    train = samples.take(inked & (hands <= LAST_TRAINING_DRAWER))
    test = samples.take(inked & (hands > LAST_TRAINING_DRAWER))
    if len(set(train.groups)) < 2 or not len(test):
        raise UserError(
            f"this Omniglot lacks drawers of {drawings[0].alphabet}",
            f"two of 1 to {LAST_TRAINING_DRAWER} are needed for training and one above for the test",
        )
    return train, test
