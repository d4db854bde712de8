"""The figures of a bundle: curves, confusion, examples, worst mistakes, reliability. Small PNG files, no window.

`Figure` objects only, never pyplot: its global state would leak from one training into the next and is not for
threads. Labels are drawn as they are, `$` included, in a font that has their glyphs.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle

from training.evaluate import Answers
from training.fonts import font_for, package_for
from training.loop import Epoch
from training.metrics import calibration_bins
from training.progress import messages
from training.samples import Numbers

RIGHT, WRONG, INK, PALE = "#1a7f37", "#c62828", "#24292f", "#d0d7de"
BLUE, ORANGE = "#2563eb", "#d97706"
_DPI = 110
_MOST_LABELS_WITH_NUMBERS = 20
_SHORT, _LONGEST = 3, 12  # letters of a label: up to here beside another one; cut beyond
_MOST_PICTURES = 40


def draw_figures(answers: Answers, history: Sequence[Epoch] = ()) -> dict[str, bytes]:
    """PNG files by name; curves only where there is a history, mistakes only where there are any."""
    names, font = _drawable_names(answers.samples.names)
    figures = {
        "curves.png": draw_curves(history) if history else None,
        "confusion.png": draw_confusion(answers, names, font),
        "examples.png": draw_examples(answers, names, font),
        "mistakes.png": draw_mistakes(answers, names, font),
        "reliability.png": draw_reliability(answers),
    }
    return {name: _png(figure) for name, figure in figures.items() if figure is not None}


def save_figures(figures: dict[str, bytes], folder: Path) -> None:
    """Writes the files into `folder`, made when it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in figures.items():
        (folder / name).write_bytes(content)


def _drawable_names(names: list[str]) -> tuple[list[str], FontProperties]:
    """The labels and a font for them; numbered labels and a message where no font has their glyphs."""
    font = font_for([*names, "…"])
    if font is not None:
        return [name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…" for name in names], font
    messages.print(f"no font here can draw all labels; install one: apt-get install {package_for(names)}")
    return [f"label {number}" for number in range(1, len(names) + 1)], FontProperties()


def _png(figure: Figure) -> bytes:
    drawn = BytesIO()
    figure.savefig(drawn, format="png", dpi=_DPI, facecolor="white", pil_kwargs={"optimize": True})
    return drawn.getvalue()


def _tidy(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(PALE)
    axes.tick_params(colors=INK, labelsize=9)
    axes.grid(axis="y", color=PALE, linewidth=0.6)
    axes.set_axisbelow(True)


def draw_curves(history: Sequence[Epoch]) -> Figure:
    """Loss and accuracy by epoch, training and validation."""
    figure = Figure((9, 3.6), layout="constrained")
    epochs = [epoch.epoch for epoch in history]
    loss, accuracy = figure.subplots(1, 2)
    marker = "o" if len(history) < 3 else ""
    for axes, what, scale in ((loss, "loss", 1.0), (accuracy, "accuracy", 100.0)):
        training = [scale * getattr(epoch, what) for epoch in history]
        validation = [scale * getattr(epoch, f"validation_{what}") for epoch in history]
        axes.plot(epochs, training, color=BLUE, linewidth=1.8, marker=marker, label="training")
        axes.plot(epochs, validation, color=ORANGE, linewidth=1.8, marker=marker, label="validation")
        axes.set_title("Loss" if what == "loss" else "Accuracy (%)", loc="left", fontsize=11, color=INK)
        axes.set_xlabel("epoch", fontsize=9)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend(frameon=False, fontsize=9)
        _tidy(axes)
    return figure


def draw_confusion(answers: Answers, names: list[str], font: FontProperties) -> Figure:
    """Actual labels down, predicted across; each row's share as colour, the count as a number."""
    count = len(names)
    matrix = np.zeros((count, count), int)
    np.add.at(matrix, (answers.samples.labels, answers.probabilities.argmax(axis=1)), 1)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    side = min(max(4.2, 0.5 * count + 1.2), 12)
    figure = Figure((side, side), layout="constrained")
    axes = figure.subplots()
    # The root lets one mistake in a thousand be seen beside the diagonal.
    axes.imshow(np.sqrt(shares), cmap="Blues", vmin=0, vmax=1)
    if count <= _MOST_LABELS_WITH_NUMBERS:
        for row, column in zip(*np.nonzero(matrix), strict=True):
            colour = "white" if shares[row, column] > 0.35 else INK if row == column else WRONG
            axes.text(column, row, str(matrix[row, column]), ha="center", va="center", fontsize=9, color=colour)
    ticks = range(0, count, max(1, count // 40))
    turned = 90 if max(len(name) for name in names) > _SHORT else 0
    axes.set_xticks(ticks, [names[tick] for tick in ticks], fontproperties=font, rotation=turned, parse_math=False)
    axes.set_yticks(ticks, [names[tick] for tick in ticks], fontproperties=font, parse_math=False)
    axes.set_xlabel("predicted")
    axes.set_ylabel("actual")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    right = int(np.trace(matrix))
    axes.set_title(f"{right} of {matrix.sum()} right", loc="left", fontsize=11, color=INK)
    return figure


def draw_examples(answers: Answers, names: list[str], font: FontProperties) -> Figure:
    """The first pictures of each label in turn, titled predicted/actual, green when right and red when wrong."""
    labels = answers.samples.labels
    turn = np.zeros(len(labels), int)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        turn[members] = np.arange(len(members))
    chosen = np.lexsort((labels, turn))[:_MOST_PICTURES]
    return _grid(answers, chosen, names, font, "Test pictures: predicted / actual")


def draw_mistakes(answers: Answers, names: list[str], font: FontProperties) -> Figure | None:
    """The wrong answers in which the actual label got the least probability."""
    labels = answers.samples.labels
    wrong = np.flatnonzero(answers.probabilities.argmax(axis=1) != labels)
    if not len(wrong):
        return None
    worst = wrong[np.argsort(answers.probabilities[wrong, labels[wrong]], kind="stable")][:_MOST_PICTURES]
    shown = f"{len(worst)} of {len(wrong)}" if len(wrong) > len(worst) else f"{len(wrong)}"
    return _grid(answers, worst, names, font, f"Worst mistakes ({shown}): predicted / actual, confidence")


def _grid(answers: Answers, chosen: Numbers, names: list[str], font: FontProperties, title: str) -> Figure:
    """The chosen pictures in rows, one axis for all in inches; long labels get wider cells and a line of their own."""
    long = max(len(name) for name in names) > _SHORT
    side, line = (1.45, 0.17) if long else (0.88, 0.17)
    columns = min(6 if long else 10, len(chosen))
    across, down = side + 0.07, side + line * (2 if long else 1) + 0.1
    width, height = max(across * columns + 0.07, 4.5), down * -(-len(chosen) // columns) + 0.45
    figure = Figure((width, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.text(0.07, 0.22, title, fontsize=11, color=INK, va="center")
    predicted = answers.probabilities.argmax(axis=1)
    for place, number in enumerate(chosen):
        left, bottom = 0.07 + across * (place % columns), 0.35 + down * (place // columns + 1) - 0.1
        guess, actual = predicted[number], answers.samples.labels[number]
        sure = f"  {answers.probabilities[number, guess]:.0%}" if guess != actual else ""
        text = f"{names[guess]}{sure} /\n{names[actual]}" if long else f"{names[guess]}/{names[actual]}{sure}"
        colour = RIGHT if guess == actual else WRONG
        axes.imshow(answers.samples.images[number], "gray_r", vmin=0, vmax=255, interpolation="nearest",
                    extent=(left, left + side, bottom, bottom - side))  # fmt: skip
        axes.add_patch(Rectangle((left, bottom - side), side, side, fill=False, edgecolor=PALE, linewidth=0.8))
        axes.text(left + side / 2, bottom - side - 0.03, text, fontproperties=font, fontsize=10, color=colour,
                  ha="center", va="bottom", linespacing=1.0, parse_math=False)  # fmt: skip
    axes.set(xlim=(0, width), ylim=(height, 0), aspect="auto")
    return figure


def draw_reliability(answers: Answers) -> Figure:
    """Confidence against accuracy in 15 bins; on the diagonal, 90 % sure means right nine times out of ten."""
    bins = calibration_bins(answers.samples.labels, answers.probabilities)
    confidence, accuracy, counts = (np.asarray(values) for values in zip(*bins, strict=True))
    figure = Figure((4.6, 4.2), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=PALE, linewidth=1.5, linestyle="--")
    axes.scatter(confidence, accuracy, s=20 + 380 * counts / counts.sum(), color=BLUE, alpha=0.75, linewidths=0)
    axes.set(xlim=(0, 1.03), ylim=(0, 1.03), xlabel="confidence", ylabel="share of right answers")
    axes.set_title("Reliability", loc="left", fontsize=11, color=INK)
    axes.text(0.98, 0.03, "area: share of the pictures", ha="right", fontsize=9, color=INK)
    _tidy(axes)
    return figure
