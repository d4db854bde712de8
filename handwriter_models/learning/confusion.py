"""What was taken for what: pictures by actual and predicted label, kept by pairs that occur.

Of 5 000 labels a matrix has 25 million cells, nearly all empty, and a config with one number a line is too large
to be loaded again. Up to `WHOLE` labels the stored form is the matrix itself, row by row; of more, triples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
WHOLE = 100  # labels up to which the matrix is stored whole
_MOST_CELLS = 100_000  # that are stored, the most frequent ones: two megabytes


@dataclass(frozen=True)
class Confusion:
    """The pairs that occur, row by row: actual and predicted label and how often, each (pairs,); `labels` in all."""

    actual: Numbers
    predicted: Numbers
    counts: Numbers
    labels: int

    @classmethod
    def of(cls, actual: Numbers, predicted: Numbers, labels: int) -> Confusion:
        """Of the actual and predicted label of each picture, (n,)."""
        pairs, counts = np.unique(actual.astype(np.int64) * labels + predicted, return_counts=True)
        return cls(pairs // labels, pairs % labels, counts.astype(np.int64), labels)

    @classmethod
    def from_json(cls, stored: Any) -> Confusion:  # noqa: ANN401 - a bundle's free table
        """Of either stored form; also of a whole matrix of many labels, as earlier versions wrote it."""
        if isinstance(stored, dict):
            cells = np.asarray(stored["cells"], np.int64).reshape(-1, 3)
            return cls(cells[:, 0], cells[:, 1], cells[:, 2], int(stored["shape"][0]))
        matrix = np.asarray(stored, np.int64)
        actual, predicted = np.nonzero(matrix)
        return cls(actual, predicted, matrix[actual, predicted], len(matrix))

    def to_json(self) -> Any:  # noqa: ANN401 - a list or an object
        """The matrix as a list of rows; of more than `WHOLE` labels `{"shape", "cells", "left_out"}`.

        A cell is `[actual, predicted, pictures]` by numbers of labels; `left_out` counts the pictures of rare pairs.
        """
        if self.labels <= WHOLE:
            return self.matrix(np.arange(self.labels)).tolist()
        order = np.sort(np.argsort(-self.counts, kind="stable")[:_MOST_CELLS])
        cells = np.stack([self.actual, self.predicted, self.counts], 1)[order]
        left_out = int(self.counts.sum() - cells[:, 2].sum())
        return {"shape": [self.labels, self.labels], "cells": cells.tolist(), "left_out": left_out}

    def matrix(self, chosen: Numbers) -> Numbers:
        """The part of the matrix with the rows and columns of these labels."""
        place = np.full(self.labels, -1)
        place[chosen] = np.arange(len(chosen))
        row, column = place[self.actual], place[self.predicted]
        inside = (row >= 0) & (column >= 0)
        found = np.zeros((len(chosen), len(chosen)), np.int64)
        found[row[inside], column[inside]] = self.counts[inside]
        return found

    @property
    def right(self) -> Numbers:
        """Pictures of each label that were called so, (labels,)."""
        return self._sums(self.actual, self.counts * (self.actual == self.predicted))

    @property
    def of_actual(self) -> Numbers:
        """Pictures of each label, (labels,)."""
        return self._sums(self.actual, self.counts)

    @property
    def of_predicted(self) -> Numbers:
        """Pictures that were called by each label, (labels,)."""
        return self._sums(self.predicted, self.counts)

    def _sums(self, labels: Numbers, counts: Numbers) -> Numbers:
        return np.bincount(labels, counts, self.labels).astype(np.int64)

    def mistakes(self, most: int) -> list[tuple[int, int, int]]:
        """The commonest mistakes as (actual, predicted, pictures), the most frequent first."""
        wrong = np.flatnonzero(self.actual != self.predicted)
        order = wrong[np.argsort(-self.counts[wrong], kind="stable")[:most]]
        cells = zip(
            self.actual[order].tolist(), self.predicted[order].tolist(), self.counts[order].tolist(), strict=True
        )
        return list(cells)

    def most_confused(self, most: int) -> Numbers:
        """The labels with the most mistakes, as what is and as what is said, in their own order."""
        mistakes = self.of_actual + self.of_predicted - 2 * self.right
        return np.sort(np.argsort(-mistakes, kind="stable")[:most])
