"""The card of a model of hands: what it answers, the table of figures, on what, and what it must not be used for."""

from __future__ import annotations

import json
from typing import Any

from handwriter_models.bundle import BundleConfig
from training.writer_model import HAND

ETHICS = (
    "A toy for recognising hands among people who agreed to it. It is not forensic evidence: it proves nothing about "
    "who wrote a text, and must not be used to accuse, grade or identify anybody."
)
_MNIST = "[MNIST](http://yann.lecun.com/exdb/mnist/) with the writers of [QMNIST](https://github.com/facebookresearch/qmnist)"
_SOURCES = {"mnist": _MNIST, "omniglot": "[Omniglot](https://github.com/brendenlake/omniglot) (Lake et al. 2015), MIT"}


def write_writer_card(config: BundleConfig) -> str:
    """The card's text."""
    front = {"license": "mit", "library_name": "handwriter", "tags": ["handwriting", "handwriter", "writer"]}
    lines = [f"{key}: {json.dumps(value)}" for key, value in front.items()]
    parts = (
        "\n".join(["---", *lines, "---"]),
        f"# {config.name}\n\n" + "\n\n".join(config.description.values()),
        f"**{ETHICS}**",
        _what(config),
        f"## Figures\n\n{table_text(config.metrics['by_pictures'])}\n\n{_how(config)}",
        _limits(config),
    )
    return "\n\n".join(parts) + "\n"


def _what(config: BundleConfig) -> str:
    if config.kind == HAND:
        return (
            f"An embedding with {len(config.labels)} traits, not a classifier: its labels name traits. A writer is "
            "known by the mean of five or more pictures; nothing is trained and no picture is kept.\n\n"
            "```\npython training writer enroll NAME five-or-more.png … --model FOLDER\n"
            "python training writer who some.png … --model FOLDER\n```"
        )
    return f"A classifier of {len(config.labels)} writers. `python training writer who some.png … --model FOLDER`"


def table_text(table: dict[str, Any]) -> str:
    """The figures as a table in Markdown, a row a number of pictures."""
    head = "| pictures | top-1 | 95 % | top-5 | 95 % | chance | ECE | sure | right when sure | strangers named |"
    rows = [head, "|---" * 10 + "|"]
    for count, row in table.items():
        cells = [count]
        for name in ("top1", "top5"):
            low, high = row[f"{name}_interval"] or (None, None)
            cells += [_percent(row[name]), f"{_percent(low)} to {_percent(high)}"]
        chances = f"{_percent(row['chance'])}, {_percent(min(1.0, 5 * row['chance']))}"
        cells += [
            chances,
            f"{row['ece']:.3f}",
            *(_percent(row.get(name)) for name in ("sure", "right_when_sure", "strangers_named")),
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


def _how(config: BundleConfig) -> str:
    first = next(iter(config.metrics["by_pictures"].values()))
    among = f"one of {first['writers']} writers"
    if config.kind == HAND:
        hands = {part: len(names) for part, names in config.data["hands"].items()}
        return (
            f"{among}, each known by five pictures; other pictures are asked about. Learned from {hands['train']} "
            f"hands, calibrated on {hands['validation']}, measured on {hands['test']} others. Intervals by drawing "
            "whole hands anew. “Sure”: questions that got a name. “Strangers named”: the hand asked about was not "
            "among the writers, and one was named."
        )
    return f"{among}, all learned; measured on pictures of them that were not. Intervals by drawing whole hands anew."


def _limits(config: BundleConfig) -> str:
    source = str(config.data.get("source"))
    same = (
        "It has learned digits only: of letters it knows nothing, and would not say so. All pictures of a writer come "
        "from one form: one day, one pen, one scanner, which helps to tell people apart and is not the hand. Another "
        "day and another pen are not measured."
        if source == "mnist"
        else "All characters of a person were drawn on one machine with one pointer, which is not the hand alone; and "
        "one person may have drawn several alphabets under different numbers."
    )
    return f"## Data and limits\n\n{_SOURCES.get(source, source)}. {same}"
