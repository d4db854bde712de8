"""The result of a training or an evaluation as a person reads it in a terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

_SHOWN_PAIRS = 5


def print_summary(metrics: dict[str, Any], title: str) -> None:
    """A small table on standard output."""
    table = Table(title=title, title_justify="left", show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_row("accuracy", f"{metrics['accuracy']:.2%} of {metrics['n']} pictures")
    for name in ("precision", "recall", "f1"):
        table.add_row(name, f"{metrics[name]['weighted']:.4f} weighted, {metrics[name]['macro']:.4f} macro")
    before = metrics.get("ece_before_temperature", metrics["ece"])
    table.add_row("calibration error", f"{metrics['ece']:.4f} (before temperature {before:.4f})")
    table.add_row("refused", f"{metrics['refused']:.2%} of these true pictures")
    pairs = _confused_pairs(metrics)
    if pairs:
        table.add_row("most confused", ", ".join(f"{actual} as {guess} ({count})" for count, actual, guess in pairs))
    table.add_row("time", ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in metrics["seconds"].items()))
    Console(highlight=False, markup=False).print(table)


def _confused_pairs(metrics: dict[str, Any]) -> list[tuple[int, str, str]]:
    names = metrics["labels"]
    pairs = [
        (count, names[row], names[column])
        for row, counts in enumerate(metrics["confusion"])
        for column, count in enumerate(counts)
        if row != column and count
    ]
    return sorted(pairs, key=lambda pair: -pair[0])[:_SHOWN_PAIRS]
