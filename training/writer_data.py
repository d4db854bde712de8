"""Pictures by the hand that made them: MNIST with QMNIST's writers, or Omniglot's drawers.

A hand here is a person as a data set numbers them. Whole hands are set apart for learning, for calibration and for the
test, so that what is measured is telling people apart that no weight has ever seen. Omniglot numbers its people
within an alphabet, so hands are only compared within one (its `room`), whole alphabets are set apart, and since each
person drew each character once, other pictures of a hand are always other characters: only the hand carries over.
Nothing tells whether drawer 3 of one alphabet also is somebody of another, so there "unseen" means alphabet and number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from handwriter_models.errors import UserError
from training.mnist import read_mnist
from training.omniglot import Drawing, read_alphabets
from training.preparation import cache_folder, prepared_arrays
from training.samples import Images, Numbers, join

SOURCES = ("mnist", "omniglot")
LEAST_PICTURES = 40  # of an MNIST writer: 5 to know the hand by, 20 to ask about, and some to choose from
_FEWEST_HANDS = 3  # in a part: two to tell apart and a stranger
_TEST, _VALIDATION = 0.14, 0.10  # of MNIST's writers
# Whole alphabets of Omniglot that no weight learns from; chosen so that learning keeps the larger ones.
_TEST_ALPHABETS, _VALIDATION_ALPHABETS = ("Korean", "Latin"), ("Greek", "Tagalog")


@dataclass(frozen=True)
class Hands:
    """Pictures of many hands.

    Attributes:
        images: uint8, (n, 28, 28), prepared.
        hands: int64, (n,), index into `names`.
        names: one a hand.
        rooms: int64, (len(names),): only hands of one room may be compared.
    """

    images: Images
    hands: Numbers
    names: list[str]
    rooms: Numbers

    def of(self, chosen: Sequence[int] | Numbers) -> Hands:
        """These hands only, numbered anew in the given order."""
        new = np.full(len(self.names), -1, np.int64)
        new[np.asarray(chosen, np.int64)] = np.arange(len(chosen))
        mask = new[self.hands] >= 0
        names = [self.names[number] for number in chosen]
        return Hands(self.images[mask], new[self.hands[mask]], names, self.rooms[np.asarray(chosen, np.int64)])

    def take(self, index: NDArray[np.bool_]) -> Hands:
        """Some of the pictures, of the same hands."""
        return replace(self, images=self.images[index], hands=self.hands[index])


@dataclass(frozen=True)
class Parts:
    """Hands to learn from, to calibrate with, and to measure on; no hand is in two."""

    train: Hands
    validation: Hands
    test: Hands
    source: str
    seed: int


def read_parts(source: str, data: Path | None, seed: int) -> Parts:
    """The hands of `source` in three parts; `UserError` when it is unknown or does not tell who wrote what."""
    if source == "mnist":
        return divided(_mnist(data), source, seed)
    if source == "omniglot":
        return _omniglot_parts(read_alphabets(data or cache_folder()), seed)
    raise UserError(f"unknown source {source!r} of hands", f"there are: {', '.join(SOURCES)}")


def divided(hands: Hands, source: str, seed: int) -> Parts:
    """Hands of one room in three parts by share and seed; `UserError` when there are too few."""
    count = len(hands.names)
    tests, validations = (max(_FEWEST_HANDS, round(share * count)) for share in (_TEST, _VALIDATION))
    if count < tests + validations + _FEWEST_HANDS:
        raise UserError(
            f"{source} has {count} hands with enough pictures",
            f"at least {3 * _FEWEST_HANDS} are needed: to learn from, to calibrate with and to measure on",
        )
    order = np.random.default_rng(seed).permutation(count)
    test, validation, train = order[:tests], order[tests : tests + validations], order[tests + validations :]
    return Parts(hands.of(np.sort(train)), hands.of(np.sort(validation)), hands.of(np.sort(test)), source, seed)


def held_out(hands: Hands, share: float, seed: int) -> tuple[Hands, Hands]:
    """(rest, part): about `share` of each hand's pictures are in the part, at least one in each."""
    generator = np.random.default_rng(seed)
    chosen = np.zeros(len(hands.hands), bool)
    for hand in range(len(hands.names)):
        members = np.flatnonzero(hands.hands == hand)
        count = min(max(1, round(share * len(members))), len(members) - 1)
        chosen[generator.permutation(members)[:count]] = True
    return hands.take(~chosen), hands.take(chosen)


def _mnist(data: Path | None) -> Hands:
    """MNIST's writers with enough pictures, of its training and test part alike: no digit model is measured here."""
    samples = join(list(read_mnist(data)))
    if (samples.groups < 0).any():
        raise UserError(
            "this copy of MNIST does not tell who wrote its digits",
            "put QMNIST's labels into DIR/qmnist (qmnist-train-labels-idx2-int.gz and qmnist-test-labels-idx2-int.gz "
            "from github.com/facebookresearch/qmnist) and give --data DIR",
        )
    found, hands, counts = np.unique(samples.groups, return_inverse=True, return_counts=True)
    every = Hands(
        samples.images, hands.astype(np.int64), [f"writer {number}" for number in found], np.zeros_like(found)
    )
    return every.of(np.flatnonzero(counts >= LEAST_PICTURES))


def _omniglot_parts(drawings: Iterable[Drawing], seed: int) -> Parts:
    hands = _omniglot(list(drawings))
    alphabet = np.array([name.rpartition(" ")[0] for name in hands.names])
    test, validation = (np.isin(alphabet, names) for names in (_TEST_ALPHABETS, _VALIDATION_ALPHABETS))
    masks = (~test & ~validation, validation, test)
    if min(int(mask.sum()) for mask in masks) < _FEWEST_HANDS:
        raise UserError(
            "these archives of Omniglot lack alphabets to learn from, to calibrate with or to measure on",
            "give both images_background_small1.zip and images_background_small2.zip, or images_background.zip",
        )
    train, checked, tested = (hands.of(np.flatnonzero(mask)) for mask in masks)
    return Parts(train, checked, tested, "omniglot", seed)


def _omniglot(drawings: list[Drawing]) -> Hands:
    names = sorted({(drawing.alphabet, drawing.drawer) for drawing in drawings})
    number = {name: place for place, name in enumerate(names)}
    alphabets = sorted({alphabet for alphabet, _ in names})
    return Hands(
        prepared_arrays(np.stack([drawing.picture for drawing in drawings])),
        np.array([number[drawing.alphabet, drawing.drawer] for drawing in drawings], np.int64),
        [f"{alphabet} {drawer}" for alphabet, drawer in names],
        np.array([alphabets.index(alphabet) for alphabet, _ in names], np.int64),
    )
