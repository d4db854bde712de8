"""The result of a training or an evaluation as a person reads it in a terminal.

Bundles of an earlier version have fewer metrics: a row whose value is not there is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.table import Table

from handwriter_models.learning.card import leak_statement
from handwriter_models.learning.confusion import Confusion
from handwriter_models.learning.metrics import confused_pairs

Metrics = dict[str, Any]
_SHOWN_PAIRS, _SHOWN_GROUPS, _WORST = 5, 8, 3


def print_summary(metrics: Metrics, title: str) -> None:
    """A small table on standard output; of two sources side by side when there is a second one below `on`."""
    columns = [metrics, metrics["on"]] if "on" in metrics else [metrics]
    table = Table(title=title, title_justify="left", show_header=len(columns) > 1, box=None, padding=(0, 2, 0, 0))
    table.add_column("")
    for column in columns:
        table.add_column(str(column.get("source", "")), overflow="fold")
    for name, value in _ROWS.items():
        cells = [value(column) for column in columns]
        if any(cells):
            table.add_row(name, *cells)
    if "seconds" in metrics:
        table.add_row("time", ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in metrics["seconds"].items()))
    console = Console(highlight=False, markup=False)
    console.print(table)
    for line in [*_left_out(metrics), *(_leak_line(column) for column in columns)]:
        console.print(line, soft_wrap=True) if line else None


def print_folds(table: dict[str, Any], title: str) -> None:
    """The table of a cross-validation, a line a fold, mean and standard deviation below."""
    names = list(table["mean"])
    drawn = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for name in ("fold", "fitted on", "measured on", *names):
        drawn.add_column(name, justify="right")
    for fold in table["folds"]:
        drawn.add_row(
            str(fold["fold"]), f"{fold['train']:,}", f"{fold['n']:,}", *(f"{fold[name]:.4f}" for name in names)
        )
    drawn.add_row("mean ±", "", "", *(f"{table['mean'][name]:.4f}" for name in names))
    drawn.add_row("std", "", "", *(f"{table['std'][name]:.4f}" for name in names))
    console = Console(highlight=False, markup=False)
    console.print(drawn)
    console.print(f"{table['groups']:,} groups, {table['divided']}; recipe {table['recipe']}, seed {table['seed']}")


def _accuracy(metrics: Metrics) -> str:
    return f"{metrics['accuracy']:.2%} of {metrics['n']} pictures{_interval(metrics.get('accuracy_interval'))}"


def _interval(interval: list[float] | None) -> str:
    return f" [{interval[0]:.2%} to {interval[1]:.2%}]" if interval else ""


def _by_writer(metrics: Metrics) -> str:
    interval = metrics.get("accuracy_interval_by_writer")
    return f"{_interval(interval).strip()} over {metrics['writers']} writers" if interval else ""


def _average(name: str) -> Callable[[Metrics], str]:
    return lambda metrics: f"{metrics[name]['weighted']:.4f} weighted, {metrics[name]['macro']:.4f} macro"


def _top(metrics: Metrics) -> str:
    return ", ".join(f"{share:.2%} in {k}" for k, share in metrics.get("top", {}).items())


def _areas(metrics: Metrics) -> str:
    if metrics.get("roc_auc") is None:
        return ""
    return f"ROC {metrics['roc_auc']:.4f}, average precision {metrics['average_precision']:.4f} (means of the labels)"


def _calibration(metrics: Metrics) -> str:
    before = metrics.get("ece_before_temperature", metrics["ece"])
    return f"{metrics['ece']:.4f} (before temperature {before:.4f})"


def _scores(metrics: Metrics) -> str:
    return f"log loss {metrics['nll']:.4f}, Brier {metrics['brier']:.4f}" if "nll" in metrics else ""


def _refused(metrics: Metrics) -> str:
    kept = metrics.get("accuracy_of_answered")
    return f"{metrics['refused']:.2%} of these true pictures" + (f"; {kept:.2%} of the others right" if kept else "")


def _rejection(metrics: Metrics) -> str:
    points = [point for point in metrics.get("rejection", {}).get("curve", ()) if point["answered"] in (0.95, 0.8, 0.5)]
    return ", ".join(f"{point['accuracy']:.2%} of the surest {point['answered']:.0%} right" for point in points)


def _groups(metrics: Metrics) -> str:
    found = metrics.get("by_group")
    if not found:
        return ""
    rows = sorted(found["each"].items(), key=lambda item: item[1]["group_accuracy"])
    shown = found["each"].items() if len(rows) <= _SHOWN_GROUPS else rows[:_SHOWN_GROUPS]
    each = "; ".join(f"{name} {row['group_accuracy']:.2%}, within {row['within']:.2%}" for name, row in shown)
    lowest = "" if len(rows) <= _SHOWN_GROUPS else f"the lowest of {len(rows)}: "
    return f"{found['group_accuracy']:.2%} ({lowest}{each})"


def _worst(metrics: Metrics) -> str:
    rows = sorted((row["f1"], name) for name, row in metrics.get("per_label", {}).items() if row["n"])
    return ", ".join(f"{name} {f1:.4f}" for f1, name in rows[:_WORST]) if len(rows) > _WORST else ""


def _confused(metrics: Metrics) -> str:
    pairs = metrics.get("confused") or confused_pairs(Confusion.from_json(metrics["confusion"]), metrics["labels"])
    return ", ".join(f"{pair['actual']} as {pair['predicted']} ({pair['count']})" for pair in pairs[:_SHOWN_PAIRS])


_ROWS: dict[str, Callable[[Metrics], str]] = {
    "accuracy": _accuracy,
    "  by whole writers": _by_writer,
    "precision": _average("precision"),
    "recall": _average("recall"),
    "f1": _average("f1"),
    "label among the first": _top,
    "group": _groups,
    "areas": _areas,
    "calibration error": _calibration,
    "scores": _scores,
    "refused": _refused,
    "surest answers": _rejection,
    "lowest f1": _worst,
    "most confused": _confused,
}


def _left_out(metrics: Metrics) -> list[str]:
    """What a comparison did not measure."""
    shared = metrics.get("shared")
    if not shared:
        return []
    lines = [
        f"measured on the {len(shared['labels'])} labels that both have; the model answered with all of its labels"
    ]
    for source, counts in shared["left_out"].items():
        if counts:
            names = ", ".join(f"{name} ({count})" for name, count in counts.items())
            lines.append(f"left out of {source}, pictures by label: {names}")
    return lines


def _leak_line(metrics: Metrics) -> str:
    """What is known about pictures that training and test share, in a sentence."""
    left_out = metrics.get("left_out_as_leaks")
    start = f"{metrics['source']}: " if "source" in metrics else ""
    start += f"{left_out} pictures known from the training were left out; " if left_out else ""
    text = leak_statement(metrics)
    return f"{start}{text}" if text else ""
