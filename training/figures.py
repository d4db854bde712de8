"""The figures of a bundle by file name: lines, matrices and pictures, all drawn from the same answers, as small PNGs.

What is drawn how stands in `figures_curves`, `figures_confusion` and `figures_pictures`. File names stay as they are:
cards and programs know them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from handwriter_models.learning.options import Epoch
from training.answers import Answers
from training.figures_confusion import draw_confusion, draw_pairs
from training.figures_curves import draw_curves, draw_precision_recall, draw_rejection, draw_reliability, draw_roc
from training.figures_pictures import draw_examples, draw_losses, draw_mistakes
from training.figures_style import drawable, png


def draw_figures(answers: Answers, history: Sequence[Epoch] = ()) -> dict[str, bytes]:
    """PNG files by name; curves only where there is a history, mistakes only where there are any."""
    labels = drawable(answers.samples.names)
    makers: dict[str, Callable[[], Figure | None]] = {
        "curves.png": lambda: draw_curves(history) if history else None,
        "examples.png": lambda: draw_examples(answers, labels),
        "confusion.png": lambda: draw_confusion(answers, labels),
        "confused_pairs.png": lambda: draw_pairs(answers, labels),
        "mistakes.png": lambda: draw_mistakes(answers, labels),
        "top_losses.png": lambda: draw_losses(answers, labels),
        "reliability.png": lambda: draw_reliability(answers),
        "rejection.png": lambda: draw_rejection(answers),
        "roc.png": lambda: draw_roc(answers, labels),
        "precision_recall.png": lambda: draw_precision_recall(answers, labels),
    }
    drawn = {name: make() for name, make in makers.items()}
    return {name: png(figure) for name, figure in drawn.items() if figure is not None}


def save_figures(figures: dict[str, bytes], folder: Path) -> None:
    """Writes the files into `folder`, made when it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in figures.items():
        (folder / name).write_bytes(content)
