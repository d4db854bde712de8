"""What a person sees while a model is trained: a bar with rate, time left, loss and accuracy, a line an epoch.

All of it goes to standard error, so that standard output stays free for the result. Without a terminal (a log file)
there is no bar, only the lines.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from handwriter_models.learning.options import Epoch

messages = Console(stderr=True, highlight=False, soft_wrap=True)


def silence() -> None:
    """No message and no bar from now on: of several processes one speaks."""
    messages.quiet = True
    os.environ["TTY_COMPATIBLE"] = "0"  # rich's own switch: bars elsewhere then take standard error for a file


class EpochLines:
    """A line an epoch, and the bar between them."""

    def __init__(self, bar: Progress, task: TaskID, epochs: int, pictures: int) -> None:
        self.bar, self.task, self.epochs, self.pictures = bar, task, epochs, pictures

    def step(self, done: int, loss: float, accuracy: float) -> None:
        """Moves the bar to step `done`."""
        task = self.bar.tasks[self.task]
        rate = (task.speed or 0.0) * self.pictures * self.epochs / (task.total or 1.0)
        shown = f"{rate:,.0f}/s" if rate else "–"
        self.bar.update(self.task, completed=done, rate=shown, loss=f"{loss:.4f}", accuracy=f"{accuracy:.2%}")

    def epoch(self, epoch: Epoch) -> None:
        """Prints the line of a finished epoch."""
        width = len(str(self.epochs))
        self.bar.console.print(
            f"epoch {epoch.epoch:>{width}}/{self.epochs}  loss {epoch.loss:.4f}  accuracy {epoch.accuracy:.2%}  "
            f"validation {epoch.validation_accuracy:.2%} (loss {epoch.validation_loss:.4f})  "
            f"{epoch.seconds:.1f} s  {self.pictures / max(epoch.seconds, 1e-9):,.0f} pictures/s",
            soft_wrap=True,
        )


@contextmanager
def training_progress(steps: int, done: int, epochs: int, pictures: int) -> Iterator[EpochLines]:
    """The bar of one training of `steps` steps, of which `done` are behind it."""
    columns = (
        TextColumn("training"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("loss {task.fields[loss]} accuracy {task.fields[accuracy]}"),
    )
    with Progress(*columns, console=messages, disable=not messages.is_terminal) as bar:
        task = bar.add_task("training", total=steps, completed=done, rate="–", loss="–", accuracy="–")
        yield EpochLines(bar, task, epochs, pictures)
