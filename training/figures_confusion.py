"""What is taken for what: the confusion matrix of up to a hundred labels, and the commonest mistakes in pictures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from handwriter_models.learning.confusion import Confusion
from training.answers import Answers
from training.figures_pictures import show
from training.figures_style import INK, ORANGE, PALE, WRONG, Labels, columns

_WITH_ALL_NUMBERS, _WITH_NUMBERS_OF_MISTAKES, _MOST = 20, 45, 100
_OF_MORE = 40  # labels that are drawn when there are too many for a matrix that can be read
_PAIRS, _PICTURES = 12, 6


def confusion_of(answers: Answers) -> Confusion:
    """Pictures by actual and predicted label."""
    return Confusion.of(answers.samples.labels, answers.probabilities.argmax(axis=1), answers.probabilities.shape[1])


def draw_confusion(answers: Answers, labels: Labels) -> Figure:
    """Actual labels down, predicted across; each row's share as colour, the count as a number.

    Of more than a hundred labels those that have most mistakes.
    """
    confusion, every = confusion_of(answers), len(labels.names)
    chosen = np.arange(every) if every <= _MOST else confusion.most_confused(_OF_MORE)
    matrix, count = confusion.matrix(chosen), len(chosen)
    side = min(max(4.2, 0.5 * count + 1.2), 14) if count <= 30 else min(14.0, 9 + 0.05 * count)
    figure = Figure((side, side), layout="constrained")
    axes = figure.subplots()
    shares = matrix / np.maximum(confusion.of_actual[chosen][:, None], 1)
    # The root lets one mistake in a thousand be seen beside the diagonal.
    axes.imshow(np.sqrt(shares), cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
    _write_counts(axes, matrix, shares)
    _write_names(axes, replace(labels, names=[labels.names[number] for number in chosen]), side)
    axes.set_xlabel("predicted")
    axes.set_ylabel("actual")
    axes.spines[:].set_color(PALE)
    axes.tick_params(length=0)
    title = f"{confusion.right.sum()} of {len(answers)} right"
    title += "" if count == every else f"; the {count} of {every:,} labels with most mistakes"
    axes.set_title(title, loc="left", fontsize=11, color=INK)
    return figure


def _write_counts(axes: Axes, matrix: NDArray[np.int64], shares: NDArray[np.floating]) -> None:
    count = len(matrix)
    if count > _WITH_NUMBERS_OF_MISTAKES:
        return
    size = 9 if count <= _WITH_ALL_NUMBERS else 6.5
    for row, column in zip(*np.nonzero(matrix), strict=True):
        if row == column and count > _WITH_ALL_NUMBERS:
            continue
        colour = "white" if shares[row, column] > 0.35 else INK if row == column else WRONG
        axes.text(column, row, str(matrix[row, column]), ha="center", va="center", fontsize=size, color=colour)


def _write_names(axes: Axes, labels: Labels, side: float) -> None:
    ticks, names = range(len(labels.names)), labels.names
    font = labels.sized(min(10.0, 0.85 * 72 * 0.93 * side / len(names)))  # points: a little less than a row is high
    turned = 90 if labels.long else 0
    axes.set_xticks(ticks, names, fontproperties=font, rotation=turned, parse_math=False)
    axes.set_yticks(ticks, names, fontproperties=font, parse_math=False)


def draw_pairs(answers: Answers, labels: Labels) -> Figure | None:
    """The commonest mistakes as bars, each with the pictures that were most surely mistaken; None without mistakes."""
    pairs = confusion_of(answers).mistakes(_PAIRS)
    if not pairs:
        return None
    names = [f"{labels.names[actual]} as {labels.names[predicted]}" for actual, predicted, _ in pairs]
    row, left = 0.52, 0.4 + 0.085 * max(map(columns, names))
    width, height = max(left + 2.2 + row * _PICTURES + 0.2, 6.0), 0.5 + row * len(pairs)
    figure = Figure((width, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.text(
        0.1,
        0.25,
        "Most confused: actual as predicted, how often, and the surest of them",
        fontsize=11,
        color=INK,
        va="center",
    )
    most = pairs[0][2]
    for place, (actual, predicted, count) in enumerate(pairs):
        middle = 0.5 + row * (place + 0.5)
        font = labels.sized(10)
        axes.text(left - 0.1, middle, names[place], ha="right", va="center", font=font, color=INK, parse_math=False)
        axes.barh(middle, 1.6 * count / most, 0.24, left, color=ORANGE)
        axes.text(left + 1.6 * count / most + 0.06, middle, str(count), va="center", fontsize=9, color=INK)
        for number, picture in enumerate(_mistaken(answers, actual, predicted)):
            show(
                axes, answers.samples.images[picture], (left + 2.2 + row * number, middle - row / 2 + 0.03), row - 0.06
            )
    axes.set(xlim=(0, width), ylim=(height, 0), aspect="auto")
    return figure


def _mistaken(answers: Answers, actual: int, predicted: int) -> NDArray[np.int64]:
    """Pictures of one label taken for another, the surest first."""
    guesses = answers.probabilities.argmax(axis=1)
    chosen = np.flatnonzero((answers.samples.labels == actual) & (guesses == predicted))
    order = np.argsort(-answers.probabilities[chosen, predicted], kind="stable")
    found: NDArray[np.int64] = chosen[order][:_PICTURES]
    return found
