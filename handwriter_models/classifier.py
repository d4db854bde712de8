"""A loaded bundle that answers: `load("digits").predict(picture)`.

A classifier prepares the picture, asks its network, applies the bundle's temperature, and says when a picture is none
of its labels instead of guessing. It may be used from many threads at once: nothing in it changes after `load`.
It does not set torch's number of threads, which belongs to the process. A server should set one: on 2 cores with a load
of 9, settings taken in turn five times, one picture took 76 ms (70 to 82) with one thread and 796 ms (663 to 837) with
two, which wait for each other. Eight callers at once showed no clear difference (12 and 15 pictures a second, ranges
overlap). In the one quiet run there was, before networks were rewritten, it was 5.1 and 4.75 ms.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from time import perf_counter
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from handwriter_models.bundle import BundleConfig, find_bundle, read_bundle
from handwriter_models.errors import UserError, item_error
from handwriter_models.images import Source, read_picture
from handwriter_models.inference import bfloat16_pays, for_inference
from handwriter_models.photograph import ENOUGH
from handwriter_models.preparation import Prepared, preparation_of

_CHUNK, _CHUNK_OF_PHOTOGRAPHS = 256, 8  # pictures a pass through the network: bounds the memory of `scores`
NOT_REJECTED, BLANK, FOREIGN = "", "blank", "not in its world"


@dataclass(frozen=True)
class Prediction:
    """One answer.

    Attributes:
        model: the bundle's name.
        label: the most probable label, also when the picture is rejected as foreign; "" when it is blank.
        confidence: the label's probability times the probability that the picture is in the model's world.
        probabilities: by label, in the bundle's order, summing to 1.
        rejected: the picture is none of the labels.
        reason: why it is rejected: "blank", "not in its world", or "".
        category: the most probable group of labels, for models that have groups.
        seen: the picture that the network saw, uint8: handwriting (28, 28), photographs (size, size, 3).
        milliseconds: from the picture to the answer.
    """

    model: str
    label: str
    confidence: float
    probabilities: dict[str, float]
    rejected: bool
    reason: str
    seen: NDArray[np.uint8] = field(repr=False, compare=False)
    milliseconds: float
    category: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The fields of the HTTP answer; `category` only where there is one."""
        answer: dict[str, Any] = {
            "model": self.model,
            "label": self.label,
            "confidence": self.confidence,
            "probabilities": self.probabilities,
            "rejected": self.rejected,
            "milliseconds": self.milliseconds,
        }
        return answer if self.category is None else {**answer, "category": self.category}


class Classifier:
    """A bundle's config and network, ready to answer.

    Args:
        config: the bundle's config.
        network: its network; a copy in evaluation mode is taken, the given one stays as it is.

    Raises:
        UserError: the network does not take such pictures, or its answer does not fit the labels.
    """

    def __init__(self, config: BundleConfig, network: nn.Module) -> None:
        self.name = config.name
        self.config = config
        self.labels = config.labels
        self.network = for_inference(network)
        self.preparation = preparation_of(config.preprocessing)
        self._halves = bfloat16_pays(self.network)
        self._try_out()

    def predict(self, picture: Source) -> Prediction:
        """The answer for one picture, in any form that `read_picture` takes; raises `PictureError` as it does."""
        return self.predict_many([picture])[0]

    def predict_many(self, pictures: Iterable[Source], batch: int = 64) -> list[Prediction]:
        """The answers in order; pictures are read as they come, `batch` at a time go through the network."""
        answers: list[Prediction] = []
        waiting = iter(pictures)
        while group := [self._prepared(picture) for picture in islice(waiting, batch)]:
            answers += self._answers(group)
        return answers

    def predict_each(self, pictures: Iterable[Source], batch: int = 64) -> Iterator[Prediction | UserError]:
        """As `predict_many`, but a picture that cannot be read has its fault in its place and costs no other."""
        waiting = iter(pictures)
        while group := [self._prepared_or_fault(picture) for picture in islice(waiting, batch)]:
            answers = iter(self._answers([one for one in group if not isinstance(one, UserError)]))
            yield from (one if isinstance(one, UserError) else next(answers) for one in group)

    def scores(self, batch: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Of prepared pictures, uint8 (n, *preparation.shape): probabilities (n, labels) and of the background (n,)."""
        shape = self.preparation.shape
        if batch.dtype != np.uint8 or batch.shape[1:] != shape:
            raise ValueError(f"scores takes uint8 (n, {', '.join(map(str, shape))}), not {batch.dtype} {batch.shape}")
        chunk = _CHUNK if len(shape) == 2 else _CHUNK_OF_PHOTOGRAPHS
        logits = [self._logits(batch[start : start + chunk]) for start in range(0, len(batch), chunk)]
        return self._probabilities(torch.cat(logits) if logits else torch.empty(0, self._outputs))

    @property
    def _outputs(self) -> int:
        return len(self.labels) + self.config.has_background

    def _prepared(self, picture: Source) -> tuple[Prepared, float]:
        start = perf_counter()
        return self.preparation(read_picture(picture, enough=ENOUGH)), perf_counter() - start

    def _prepared_or_fault(self, picture: Source) -> tuple[Prepared, float] | UserError:
        try:
            return self._prepared(picture)
        except Exception as error:
            return item_error(error, picture if isinstance(picture, str | os.PathLike) else "a picture")

    def _answers(self, group: list[tuple[Prepared, float]]) -> list[Prediction]:
        if not group:
            return []
        start = perf_counter()
        shown = [made.pixels for made, _ in group if not made.blank]
        nothing = np.zeros((0, *self.preparation.shape), np.uint8)
        probabilities, background = self.scores(np.stack(shown) if shown else nothing)
        rows = iter(zip(probabilities.tolist(), background.tolist(), strict=True))
        share = (perf_counter() - start) / len(group)
        return [self._answer(made, None if made.blank else next(rows), seconds + share) for made, seconds in group]

    def _answer(self, made: Prepared, row: tuple[list[float], float] | None, seconds: float) -> Prediction:
        blank = row is None
        values, background = row or ([1 / len(self.labels)] * len(self.labels), 0.0)
        best = max(range(len(values)), key=values.__getitem__)
        reason = BLANK if blank else FOREIGN if self._is_foreign(values[best], background) else NOT_REJECTED
        return Prediction(
            model=self.name,
            label="" if blank else self.labels[best],
            confidence=0.0 if blank else values[best] * (1 - background),
            probabilities=dict(zip(self.labels, values, strict=True)),
            rejected=bool(reason),
            reason=reason,
            seen=made.pixels,
            milliseconds=seconds * 1000,
            category=None if blank else self._category(values),
        )

    def _category(self, values: list[float]) -> str | None:
        """The group that is most probable, which need not be that of the best label."""
        sums: dict[str, float] = {}
        for label, value in zip(self.labels, values, strict=True):
            group = self.config.groups.get(label)
            if group is not None:
                sums[group] = sums.get(group, 0.0) + value
        return max(sums, key=sums.__getitem__) if sums else None

    def _is_foreign(self, best: float, background: float) -> bool:
        rule = self.config.rejection
        if rule is None:
            return False
        return bool(rule.refuses(np.array(best), np.array(background)))

    def _logits(self, batch: NDArray[np.uint8]) -> Tensor:
        lower = torch.autocast("cpu", torch.bfloat16, enabled=self._halves)
        with torch.inference_mode(), lower:
            logits: Tensor = self.network(self.preparation.inputs(torch.from_numpy(np.ascontiguousarray(batch))))
            return logits.float()

    def _probabilities(self, logits: Tensor) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        with torch.inference_mode():
            scaled = logits / self.config.temperature
            probabilities: NDArray[np.float32] = torch.softmax(scaled[:, : len(self.labels)], dim=1).numpy()
            if not self.config.has_background:
                return probabilities, np.zeros(len(probabilities), np.float32)
            return probabilities, torch.softmax(scaled, dim=1)[:, -1].numpy()

    def _try_out(self) -> None:
        """One pass: a network that does not fit is found now, not at the first visitor, who need not wait either."""
        try:
            logits = self._logits(np.zeros((1, *self.preparation.shape), np.uint8))
        except RuntimeError as error:
            raise self._misfit(f"takes no such pictures: {str(error).splitlines()[0]}") from error
        if logits.shape != (1, self._outputs) or not bool(torch.isfinite(logits).all()):
            answers = tuple(logits.shape)[1:]
            raise self._misfit(f"answers values of shape {answers}, not {self._outputs} finite ones")

    def _misfit(self, what: str) -> UserError:
        hint = "the bundle's config does not fit its weights; make the bundle again"
        return UserError(f"the network of model {self.name!r} {what}", hint, 422)


def load(name: str | os.PathLike[str]) -> Classifier:
    """The classifier of a bundled model or of the bundle in a folder; raises `UserError` when there is none."""
    return Classifier(*read_bundle(find_bundle(name)))
