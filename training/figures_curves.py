"""The figures that are lines: training history, reliability, rejection, ROC and precision-recall.

Good models crowd into a corner of the unit square, so axes begin where something happens: false alarms run on a
logarithmic scale where there are enough pictures for one, precision and recall begin below the worst label's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullFormatter
from numpy.typing import NDArray

from handwriter_models.learning.metrics import at_temperature, calibration_bins, expected_calibration_error
from handwriter_models.learning.options import Epoch
from handwriter_models.learning.ranking import aurc, average_precision, found_and_alarms, rejection_curve, roc_auc
from training.answers import Answers
from training.figures_style import BLUE, GREY, INK, ORANGE, PALE, RIGHT, Labels, tidy

Floats = NDArray[np.floating]
_NAMED = 5  # labels with a colour of their own: the lowest ones
_COLOURS = ("#c62828", "#d97706", "#7c3aed", "#0891b2", "#db2777")
_MANY = 200  # pictures of other labels from which on a logarithmic scale shows more than steps
_MOST_LINES = 40  # labels beyond are left to the macro average and the lowest


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
        axes.set_xlabel("epoch", fontsize=9)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend(frameon=False, fontsize=9)
        tidy(axes, "Loss" if what == "loss" else "Accuracy (%)")
    return figure


def draw_reliability(answers: Answers) -> Figure:
    """Confidence against accuracy in 15 bins, before and after the temperature, over how many pictures each bin has."""
    figure = Figure((4.8, 5.4), layout="constrained")
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    axes.plot([0, 1], [0, 1], color=PALE, linewidth=1.5, linestyle="--")
    labels, after = answers.samples.labels, answers.probabilities
    before = at_temperature(after, answers.temperature)
    for probabilities, name, colour, size in ((before, "before", ORANGE, 6), (after, "after", BLUE, 7)):
        if name == "before" and answers.temperature == 1.0:
            continue
        confidence, accuracy, counts = map(np.asarray, zip(*calibration_bins(labels, probabilities), strict=True))
        error = expected_calibration_error(labels, probabilities)
        text = f"{name} temperature {answers.temperature:g} (ECE {error:.4f})"
        # A bin of a few pictures says little: it is drawn pale.
        for few in (True, False):
            chosen = (counts < 10) == few
            axes.plot(confidence[chosen], accuracy[chosen], "o" if few else "o-", color=colour, markersize=size,
                      alpha=0.3 if few else 0.9, linewidth=1.5, label=None if few else text)  # fmt: skip
        edges = np.linspace(0, 1, 16)
        below.hist(probabilities.max(axis=1), edges, color=colour, histtype="step", linewidth=1.5)
    axes.set(xlim=(0, 1.02), ylim=(0, 1.03), ylabel="share of right answers")
    axes.legend(frameon=False, fontsize=9, loc="best")
    below.set(xlabel="confidence (pale: fewer than 10 pictures)", ylabel="pictures", yscale="log")
    below.yaxis.set_minor_formatter(NullFormatter())
    tidy(axes, "Reliability: does 90 % sure mean 90 % right?")
    tidy(below, "")
    return figure


def draw_rejection(answers: Answers) -> Figure:
    """Accuracy when only the surest share of the pictures is answered, and where the bundle's own rule stands."""
    figure = Figure((4.8, 3.9), layout="constrained")
    axes = figure.subplots()
    hits, rejected = answers.hits, answers.rejected
    answered, accuracy = rejection_curve(hits, answers.confidence)
    lowest = float(accuracy[-1])
    shown = answered >= max(0.02, min(20 / len(hits), 1 / 3))  # of the first few pictures the share jumps
    axes.plot(100 * answered[shown], 100 * accuracy[shown], color=BLUE, linewidth=1.8)
    if rejected.any() and not rejected.all():
        own = float(hits[~rejected].mean())
        lowest = min(lowest, own)
        axes.plot(100 * (1 - rejected.mean()), 100 * own, "o", color=RIGHT, markersize=8,
                  label=f"own rule: answers {1 - rejected.mean():.1%}, {own:.2%} right")  # fmt: skip
        axes.legend(frameon=False, fontsize=9, loc="lower left")
    lowest = min(lowest, float(accuracy[shown].min()))
    axes.set(xlim=(0, 101), ylim=(100 - max(1.25 * (100 - 100 * lowest), 0.5), 100.3 - 0.3 * lowest + 0.02))
    axes.set(xlabel="pictures answered (%), surest first", ylabel="right among them (%)")
    tidy(axes, f"Rejection: all answered, {accuracy[-1]:.2%} right (AURC {aurc(accuracy):.2g})")
    return figure


def draw_roc(answers: Answers, labels: Labels) -> Figure | None:
    """One label against the rest, by its probability; None where there is only one label."""

    def curve(truth: NDArray[np.bool_], score: Floats) -> tuple[Floats, Floats]:
        found, alarms = found_and_alarms(truth, score)
        return np.append(0, alarms) / alarms[-1], np.append(0, found) / found[-1]

    others = len(answers.hits) - np.bincount(answers.samples.labels).max()
    least = 1 / len(answers.hits) if others >= _MANY else 0.0
    figure, axes = _figure_of_labels(answers, labels, curve, roc_auc)
    if axes is None:
        return None
    axes.plot(*[np.geomspace(least, 1, 100) if least else np.linspace(0, 1, 2)] * 2, color=PALE, linestyle="--")
    axes.set(xlabel="false alarms, share of the other labels' pictures", ylabel="found, share of the label's pictures")
    axes.set_xscale("log" if least else "linear")
    axes.set_xlim(least, 1.02 if not least else 1.0)
    axes.set_title(axes.get_title("left").replace("AREA", "ROC: mean area"), loc="left", fontsize=11, color=INK)
    return figure


def draw_precision_recall(answers: Answers, labels: Labels) -> Figure | None:
    """One label against the rest: how many that are called so are, against how many that are so are found."""

    def curve(truth: NDArray[np.bool_], score: Floats) -> tuple[Floats, Floats]:
        found, alarms = found_and_alarms(truth, score)
        precision, recall = found / (found + alarms), found / found[-1]
        return np.append(recall[::-1], 0), np.append(precision[::-1], 1)

    figure, axes = _figure_of_labels(answers, labels, curve, average_precision)
    if axes is None:
        return None
    start = _start(answers)
    axes.set(xlabel="recall", ylabel="precision", xlim=(start, 1 + 0.01 * (1 - start)))
    axes.set_ylim(start, 1 + 0.02 * (1 - start))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_title(axes.get_title("left").replace("AREA", "Precision and recall: mean average precision"), loc="left",
                   fontsize=11, color=INK)  # fmt: skip
    return figure


def _start(answers: Answers) -> float:
    """Where both axes begin so that the worst label's precision and recall, where they are equal, lie well inside."""
    worst = 1.0
    for label in np.unique(answers.samples.labels):
        truth = answers.samples.labels == label
        highest = np.argsort(-answers.probabilities[:, label], kind="stable")[: int(truth.sum())]
        worst = min(worst, float(truth[highest].mean()))
    return max(0.0, round(1 - max(4 * (1 - worst), 0.02), 2)) if worst > 0.8 else 0.0


def _figure_of_labels(
    answers: Answers,
    labels: Labels,
    curve: Callable[[NDArray[np.bool_], Floats], tuple[Floats, Floats]],
    area: Callable[[NDArray[np.bool_], Floats], float | None],
) -> tuple[Figure, Axes | None]:
    """A curve for each label, the lowest ones in colours of their own."""
    figure = Figure((5.2, 4.6), layout="constrained")
    truth = answers.samples.labels
    areas = {n: area(truth == n, answers.probabilities[:, n]) for n in np.unique(truth).tolist()}
    known = sorted((value, n) for n, value in areas.items() if value is not None)
    if not known:
        return figure, None
    axes = figure.subplots()
    for place, (value, number) in reversed(list(enumerate(known[:_MOST_LINES]))):
        across, up = curve(truth == number, answers.probabilities[:, number])
        named = place < _NAMED
        label = f"{labels.names[number]}  {value:.4f}" if named else None
        colour, width, alpha = (_COLOURS[place], 1.8, 1.0) if named else (GREY, 0.8, 0.6)
        axes.step(across, up, where="post", color=colour, linewidth=width, alpha=alpha, label=label)
    handles, texts = axes.get_legend_handles_labels()
    title = f"lowest of {len(known)}" if len(known) > _NAMED else None
    axes.legend(handles[::-1], texts[::-1], title=title, frameon=False, prop=labels.sized(9), loc="lower right" if
                area is roc_auc else "lower left")  # fmt: skip
    axes.set_ylim(0, 1.02)
    tidy(axes, f"AREA {sum(value for value, _ in known) / len(known):.4f}")
    return figure, axes
