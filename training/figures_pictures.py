"""The figures that are pictures: ten drawn by lot, the surest mistakes, the highest losses of each label.

Handwriting is drawn as dark ink on white, pixel by pixel; photographs as they are. Photographs are shown fewer and
wider, since a PNG of many of them is large.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from training.answers import Answers
from training.figures_style import INK, PALE, RIGHT, WRONG, Labels
from training.samples import Numbers

_BY_LOT = 10
_MOST_PICTURES, _MOST_WITH_LONG_LABELS, _MOST_PHOTOGRAPHS = 40, 20, 10
_LOSS = 1e-12  # least probability in a loss


def draw_examples(answers: Answers, labels: Labels) -> Figure:
    """Ten pictures drawn by lot (the same for the same test), green when right and red when wrong."""
    order = np.random.default_rng(0).permutation(len(answers.hits))[:_BY_LOT]
    return _grid(answers, order, labels, "Drawn by lot: predicted / actual", _sure)


def draw_mistakes(answers: Answers, labels: Labels) -> Figure | None:
    """The wrong answers that were given with the highest confidence; None without mistakes."""
    wrong = np.flatnonzero(~answers.hits)
    if not len(wrong):
        return None
    best = answers.probabilities[wrong].max(axis=1)
    worst = wrong[np.argsort(-best, kind="stable")][: _most(answers, labels)]
    shown = f"{len(worst)} of {len(wrong)}" if len(wrong) > len(worst) else f"{len(wrong)}"
    return _grid(answers, worst, labels, f"Surest mistakes ({shown}): predicted / actual, confidence", _sure)


def draw_losses(answers: Answers, labels: Labels) -> Figure:
    """The pictures with the highest loss of each label in turn, right ones too: where to look for wrong labels."""
    truth = answers.samples.labels
    losses = _losses(answers)
    turn = np.zeros(len(truth), int)
    for label in np.unique(truth):
        members = np.flatnonzero(truth == label)
        turn[members[np.argsort(-losses[members], kind="stable")]] = np.arange(len(members))
    chosen = np.lexsort((-losses, turn))[: _most(answers, labels)]
    title = "Highest losses of each label: predicted / actual, loss"
    return _grid(answers, chosen, labels, title, lambda own, number: f"{_losses(own)[number]:.2f}")


def _losses(answers: Answers) -> NDArray[np.floating]:
    own = answers.probabilities[np.arange(len(answers.hits)), answers.samples.labels]
    losses: NDArray[np.floating] = -np.log(np.maximum(own, _LOSS))
    return losses


def _most(answers: Answers, labels: Labels) -> int:
    if answers.samples.images.ndim == 4:
        return _MOST_PHOTOGRAPHS
    return _MOST_WITH_LONG_LABELS if labels.long else _MOST_PICTURES


def _sure(answers: Answers, number: int) -> str:
    return f"{answers.probabilities[number].max():.0%}"


def show(axes: Axes, picture: NDArray[np.uint8], corner: tuple[float, float], side: float) -> None:
    """The picture in a frame with its upper left `corner`, at most `side` wide and high, in the axes' own inches."""
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    left, top = corner[0] + (side - scale * width) / 2, corner[1] + (side - scale * height) / 2
    extent = (left, left + scale * width, top + scale * height, top)
    if picture.ndim == 2:
        axes.imshow(picture, "gray_r", vmin=0, vmax=255, interpolation="nearest", extent=extent)
    else:
        axes.imshow(picture, interpolation="auto", extent=extent)
    axes.add_patch(Rectangle(corner, side, side, fill=False, edgecolor=PALE, linewidth=0.8))


def _grid(
    answers: Answers, chosen: Numbers, labels: Labels, title: str, detail: Callable[[Answers, int], str]
) -> Figure:
    """The chosen pictures in rows, one axis for all in inches; long labels get wider cells and a line of their own."""
    wide = labels.long or answers.samples.images.ndim == 4
    side, line = (1.3 if wide else 0.88), 0.17
    columns = min(5 if wide else 10, len(chosen))
    across, down = side + 0.07, side + line * (2 if labels.long else 1) + 0.1
    width, height = max(across * columns + 0.07, 4.8), down * -(-len(chosen) // columns) + 0.45
    figure = Figure((width, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.text(0.07, 0.22, title, fontsize=11, color=INK, va="center")
    predicted = answers.probabilities.argmax(axis=1)
    for place, number in enumerate(chosen.tolist()):
        left, bottom = 0.07 + across * (place % columns), 0.35 + down * (place // columns + 1) - 0.1
        guess, actual = labels.names[predicted[number]], labels.names[answers.samples.labels[number]]
        right = predicted[number] == answers.samples.labels[number]
        text = f"{guess} /\n{actual}" if labels.long else f"{guess}/{actual} {detail(answers, number)}"
        show(axes, answers.samples.images[number], (left, bottom - side), side)
        font, colour = labels.sized(9 if labels.long else 10), RIGHT if right else WRONG
        axes.text(left + side / 2, bottom - side - 0.03, text, fontproperties=font, color=colour, ha="center",
                  va="bottom", linespacing=1.0, parse_math=False)  # fmt: skip
        if labels.long:
            axes.text(left + side - 0.04, bottom - 0.04, detail(answers, number), fontsize=8, color=INK, ha="right",
                      va="bottom", bbox={"facecolor": "white", "linewidth": 0, "pad": 1.0, "alpha": 0.8})  # fmt: skip
    axes.set(xlim=(0, width), ylim=(height, 0), aspect="auto")
    return figure
