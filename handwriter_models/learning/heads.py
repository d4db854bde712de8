"""A new head on vectors that are there already: everything in one tensor, hundreds of steps in a fraction of a second.

An epoch meets every picture once, through one of its views by chance. Vectors are standardised by the training
pictures' own mean and deviation; two pictures may be mixed (mixup, Zhang et al. 2018, arXiv:1710.09412, here on vectors
as in manifold mixup, Verma et al. 2019, arXiv:1806.05236); labels may weigh the same whatever their number of pictures.
The weights to keep are those of the epoch with the least validation loss, averaged over steps where that is asked.

It knows no files, recipes' names, networks or progress bars: the search of settings, the demo and `frozen` call it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from handwriter_models.learning.optimization import WeightAverage, build_optimizer, rate_at
from handwriter_models.learning.options import Epoch, HeadOptions, TrainOptions
from handwriter_models.networks import Head, Standardize

_FINEST = 2.0**-10  # of a vector's value: finer differences are those of float16, not of pictures
_QUIETEST = 0.1  # of the usual deviation: values that move less are not stretched further
Tell = Callable[[Epoch], None]


@dataclass(frozen=True)
class Vectors:
    """Pictures as a frozen network sees them.

    Attributes:
        values: (n, views, dimension); of validation pictures, whose one view is the plain one, (n, 1, dimension).
        labels: int64, (n,).
    """

    values: Tensor
    labels: Tensor

    def to(self, device: str) -> Vectors:
        """The same on another device, in full precision."""
        return Vectors(self.values.to(device).float(), self.labels.to(device))


@dataclass(frozen=True)
class TrainedHead:
    """The head in evaluation mode on the CPU; `best` is the number of the epoch that it comes from, from 1.

    `stopped` says why training ended before its last epoch; "" when it did not.
    """

    head: Head
    history: list[Epoch] = field(repr=False)
    best: int
    stopped: str = ""

    def logits(self, values: Tensor) -> Tensor:
        """(n, labels) of vectors (n, dimension)."""
        with torch.inference_mode():
            logits: Tensor = self.head(values.float())
        return logits


class BrokenHeadError(Exception):
    """The loss was no number in the first epoch already: there is no state to keep."""


def train_head(
    train: Vectors,
    validation: Vectors,
    outputs: int,
    options: tuple[HeadOptions, TrainOptions],
    device: str = "cpu",
    tell: Tell = lambda _: None,
) -> TrainedHead:
    """A head that has learned `train`, and was chosen by its loss on `validation`.

    Args:
        train: at least one picture.
        validation: may be empty: then the last epoch is kept.
        outputs: the number of labels.
        options: of the head, and of its training (optimizer, rate, batch, epochs, schedule, average, seed …).
        device: where it is trained; the same seed gives the same head on a CPU.
        tell: told after every epoch.

    Raises:
        BrokenHeadError: the loss was not finite before the first epoch ended.
    """
    own, common = options
    generator = torch.Generator(device).manual_seed(common.seed)
    head = first_head(train, outputs, own, common.seed).to(device)
    training = _Training(head, train.to(device), validation.to(device), (own, common), generator)
    best, kept = 0, training.weights()
    for number in range(1, common.epochs + 1):
        epoch = training.epoch(number)
        if not math.isfinite(epoch.loss + epoch.validation_loss):
            training.stopped = f"the loss became {epoch.loss + epoch.validation_loss} in epoch {number}"
            break
        training.history.append(epoch)
        tell(epoch)
        if not best or not len(validation.labels) or epoch.validation_loss < training.loss_of(best):
            best, kept = number, training.weights()
        elif own.patience and number - best >= own.patience:
            training.stopped = f"no better validation loss for {own.patience} epochs"
            break
    if not best:
        raise BrokenHeadError(training.stopped)
    training.layers.load_state_dict(kept)
    return TrainedHead(head.eval().cpu().requires_grad_(False), training.history, best, training.stopped)


def first_head(train: Vectors, outputs: int, options: HeadOptions, seed: int) -> Head:
    """Random but for the standardisation, which is that of the training pictures in all views."""
    values = train.values.flatten(0, 1).double()
    mean = values.mean(0)
    deviation = values.std(0, unbiased=False)
    moving = deviation[deviation > mean.abs() * _FINEST]
    # What hardly ever moves in few training pictures (a ReLU that none of them wakes, a class that they do not show)
    # must not shout in the next one.
    usual = moving.square().mean().sqrt() if options.scale == "all" else _QUIETEST * moving.median()
    deviation = deviation.clamp_min(usual if len(moving) else 1.0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        head = Head(values.shape[1], options.hidden, outputs)
    standardize = head[0]
    assert isinstance(standardize, Standardize)  # noqa: S101 - tells the type
    standardize.mean.copy_(mean)
    standardize.scale.copy_(1 / deviation)
    return head


class _Training:
    """The state of one training."""

    def __init__(
        self,
        head: Head,
        train: Vectors,
        validation: Vectors,
        options: tuple[HeadOptions, TrainOptions],
        generator: torch.Generator,
    ) -> None:
        self.own, self.common = options
        self.outputs, self.generator = cast(nn.Linear, head[-1]).out_features, generator
        # Standardised once, not at every step; the head itself does it when it answers.
        self.train = replace(train, values=head[0](train.values))
        self.validation = replace(validation, values=head[0](validation.values))
        self.layers = nn.Sequential(*list(head)[1:])
        self.optimizer = build_optimizer(self.layers, self.common)
        self.average = WeightAverage(self.layers, self.common.ema) if self.common.ema > 0 else None
        self.weight = self._weight_of_labels()
        self.steps_in_epoch = math.ceil(len(train.labels) / self.common.batch)
        self.done = 0
        self.history: list[Epoch] = []
        self.stopped = ""

    def weights(self) -> dict[str, Tensor]:
        """A copy of those to keep."""
        state = self.average.state if self.average else self.layers.state_dict()
        return {name: tensor.clone() for name, tensor in state.items()}

    def loss_of(self, number: int) -> float:
        return self.history[number - 1].validation_loss

    def epoch(self, number: int) -> Epoch:
        started = time.perf_counter()
        count = len(self.train.labels)
        order = torch.randperm(count, generator=self.generator, device=self.generator.device)
        sums = torch.zeros(2, device=self.train.values.device)
        for index in torch.split(order, self.common.batch):
            sums += self._step(index)
        loss, accuracy = (sums / count).tolist()
        rate = rate_at(self.done - 1, self._steps, self.common)
        return Epoch(number, loss, accuracy, *self._validate(), rate, round(time.perf_counter() - started, 4))

    @property
    def _steps(self) -> int:
        return self.steps_in_epoch * self.common.epochs

    def _step(self, index: Tensor) -> Tensor:
        """Sum of the losses and number of right answers, (2,)."""
        values, labels = self.train.values, self.train.labels[index]
        view = torch.randint(values.shape[1], index.shape, generator=self.generator, device=index.device)
        targets = F.one_hot(labels, self.outputs).float()
        seen, targets = self._mixed(values[index, view], targets)
        for group in self.optimizer.param_groups:
            group["lr"] = rate_at(self.done, self._steps, self.common)
        logits = self.layers(seen)
        loss = F.cross_entropy(logits, targets, self.weight, label_smoothing=self.common.label_smoothing)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        if self.common.clip > 0:
            nn.utils.clip_grad_norm_(self.layers.parameters(), self.common.clip)
        self.optimizer.step()
        if self.average:
            self.average.update(self.done)
        self.done += 1
        hits = logits.detach().argmax(1).eq(targets.argmax(1)).sum()
        return torch.stack([loss.detach() * len(index), hits.float()])

    def _mixed(self, values: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Each picture with another of the batch, in a share from Beta(mixup, mixup), the larger part its own."""
        if not self.own.mixup or len(values) < 2:
            return values, targets
        # One draw a batch: a Beta variable is the quotient of two Gamma ones.
        one, two = torch._standard_gamma(
            torch.full((2,), self.own.mixup, device=values.device), generator=self.generator
        ).tolist()
        share = max(one, two) / (one + two) if one + two > 0 else 1.0
        other = torch.randperm(len(values), generator=self.generator, device=values.device)
        return values.lerp(values[other], 1 - share), targets.lerp(targets[other], 1 - share)

    def _weight_of_labels(self) -> Tensor | None:
        if not self.own.balanced:
            return None
        counts = torch.bincount(self.train.labels, minlength=self.outputs).float()
        return len(self.train.labels) / (len(counts) * counts.clamp_min(1))

    @torch.inference_mode()
    def _validate(self) -> tuple[float, float]:
        """Loss and accuracy of the weights to keep; of nothing where there are no validation pictures."""
        if not len(self.validation.labels):
            return 0.0, 0.0
        logits: Tensor = torch.func.functional_call(self.layers, self.weights(), (self.validation.values[:, 0],))
        loss = F.cross_entropy(logits, self.validation.labels)
        return loss.item(), logits.argmax(1).eq(self.validation.labels).float().mean().item()
