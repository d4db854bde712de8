"""The models that one server offers, by name, and the bounded pool of threads in which they answer.

Decoding, preparing and the network let go of the interpreter lock for most of their time, so threads are enough; there
are as many as cores, because more of them only cost memory (each holds its own activations). What waits beyond
`waiting` is refused at once, so that a rush is answered with a clear "busy" instead of minutes of silence.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from demo.space_file import space_models
from handwriter_models.bundle import bundled_names, find_bundles, read_bundle
from handwriter_models.errors import UserError
from handwriter_models.learning.intervals import wilson

if TYPE_CHECKING:
    from handwriter_models.classifier import Classifier

T = TypeVar("T")


@dataclass(frozen=True)
class Shelved:
    """A loaded model and the folder it came from."""

    classifier: Classifier
    folder: Path

    @property
    def name(self) -> str:
        """The name by which clients ask for it."""
        return self.classifier.name

    def summary(self) -> dict[str, Any]:
        """What a client wants to know before it chooses: JSON types only."""
        config = self.classifier.config
        return {
            "name": self.name,
            "kind": config.kind,
            "description": dict(config.description),
            "labels": list(config.labels),
            "groups": dict(config.groups),
            "parameters": _parameters(config.network.name, config.network.arguments),
            "accuracy": _number(config.metrics, "accuracy"),
            "tested": _number(config.metrics, "n"),
            "interval": _interval(config.metrics),
            "ece": _number(config.metrics, "ece"),
            "rejects": config.rejection is not None,
        }


def _parameters(network: str, arguments: dict[str, Any]) -> int:
    """Of the network as it was trained: a loaded one is folded and has fewer. Nothing is allocated."""
    import torch

    from handwriter_models.networks import build

    with torch.device("meta"):
        return sum(parameter.numel() for parameter in build(network, arguments).parameters())


def _number(metrics: Any, field: str) -> float | int | None:  # noqa: ANN401 - a bundle's free table
    value = metrics.get(field) if isinstance(metrics, dict) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _interval(metrics: dict[str, Any]) -> list[float] | None:
    """[low, high] of the accuracy at 95 %: over whole writers where they are known, else over pictures."""
    for field in ("accuracy_interval_by_writer", "accuracy_interval"):
        match metrics.get(field):
            case [int() | float() as low, int() | float() as high]:
                return [float(low), float(high)]
    accuracy, count = _number(metrics, "accuracy"), _number(metrics, "n")
    if accuracy is None or not isinstance(count, int) or not 0 <= accuracy <= 1 or count < 1:
        return None
    return wilson(round(accuracy * count), count)


class Shelf:
    """Loaded models; the first one answers when a client names none."""

    def __init__(self, models: Sequence[Shelved]) -> None:
        self._models = {model.name: model for model in models}
        self.default = models[0].name

    @property
    def names(self) -> list[str]:
        """Names in the order in which they are offered."""
        return list(self._models)

    def get(self, name: str | None = None) -> Shelved:
        """The model called `name`; raises `UserError` (422) naming the others."""
        model = self._models.get(name or self.default)
        if model is None:
            raise UserError(f"unknown model {name!r}", f"models here: {', '.join(self._models)}", status=422)
        return model

    def summaries(self) -> list[dict[str, Any]]:
        """All summaries; `default` marks the one that answers when none is named."""
        return [{**model.summary(), "default": model.name == self.default} for model in self._models.values()]

    def warm_up(self) -> None:
        """Asks every model once: the first forward pass of a process takes a hundred times as long as the next."""
        for model in self._models.values():
            model.classifier.predict(_drawn_line())


def _drawn_line() -> np.ndarray[Any, np.dtype[np.uint8]]:
    picture = np.full((280, 280, 3), 255, np.uint8)
    picture[60:220, 130:150] = 0
    return picture


def find_models(asked: Sequence[str]) -> dict[str, Path]:
    """Name and folder of the models asked for, else of those of the Space, else of all bundled ones, `digits` first.

    `NAME=BUNDLE` gives a model another name. Loads no torch, so that a mistyped name is told at once; raises
    `UserError` when one is unknown, when its config is broken, when two share a name, or when there is none at all.
    """
    names = list(asked) or space_models() or sorted(bundled_names(), key=lambda name: (name != "digits", name))
    if not names:
        raise UserError("no model is bundled", "train one (python training fit --help) and give --model FOLDER", 422)
    return find_bundles(names)


def load_shelf(folders: Mapping[str, Path]) -> Shelf:
    """Loads the models under the names that they are given; raises `UserError` on a broken one."""
    import torch

    from handwriter_models.classifier import Classifier

    torch.set_num_threads(1)  # networks this small are slower on two threads, and requests run side by side anyway
    models = []
    for name, folder in folders.items():
        config, network = read_bundle(folder)
        models.append(Shelved(Classifier(replace(config, name=name), network), folder))
    return Shelf(models)


class Workers:
    """A bounded pool of threads for work that keeps a core busy."""

    def __init__(self, threads: int | None = None, waiting: int = 256) -> None:
        self._pool = ThreadPoolExecutor(threads or max(2, os.cpu_count() or 2), thread_name_prefix="predict")
        self._free = self._most = waiting

    @property
    def waiting(self) -> int:
        """How many pictures wait or are being answered."""
        return self._most - self._free

    async def run(self, work: Callable[[], T]) -> T:
        """What `work()` returns, from a thread; raises `UserError` (503) when too many already wait."""
        if self._free <= 0:
            raise UserError("too many pictures are waiting", "send it again in a few seconds", status=503)
        self._free -= 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._free += 1

    def close(self) -> None:
        """Lets the threads end; what waits is dropped."""
        self._pool.shutdown(wait=False, cancel_futures=True)
