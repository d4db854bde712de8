"""The training loop: whole data set in memory, batches by index, one generator seed a step.

Each step seeds its own random numbers from (seed, step), and the order of an epoch follows from (seed, epoch). So the
state of a training is its weights, its average, its optimizer and a step number; a training stopped at any step goes on
to the same weights as an unbroken one (bit for bit on a CPU). It does not decide what a good model is: it ends after
the recipe's epochs, and calibration and measurement come after.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from handwriter_models.errors import UserError
from handwriter_models.learning.optimization import (
    WeightAverage,
    build_optimizer,
    load_optimizer,
    optimizer_tensors,
    rate_at,
)
from handwriter_models.learning.options import Epoch
from training.checkpoint import Checkpoint, write_checkpoint
from training.distributed import ALONE, Ranks
from training.inference import MEAN, STD, logits_of
from training.interruption import Interruption
from training.recipes import Recipe
from training.samples import Numbers, Samples

_LOOK_EVERY = 20  # steps between two looks at the loss: each look makes the device wait
Augment = Callable[[Tensor, torch.Generator], Tensor]


class Progress(Protocol):
    """Whoever shows how the training goes."""

    def step(self, done: int, loss: float, accuracy: float) -> None:
        """`done` steps of all are taken; mean loss and accuracy of this epoch so far."""

    def epoch(self, epoch: Epoch) -> None:
        """An epoch is over and saved."""


class Learned(Protocol):
    """What a trainer learns from; `identity` goes into the checkpoint so that only the same training is resumed."""

    @property
    def identity(self) -> Mapping[str, Any]: ...  # noqa: D102 - told above

    @property
    def labels(self) -> Numbers:
        """Of the training pictures, (n,)."""

    @property
    def validation_labels(self) -> Numbers:
        """Of the validation pictures, (m,)."""

    def batch(self, index: Tensor, seed: int) -> Tensor:
        """Training pictures by number as the network takes them; the same for the same seed."""

    def ahead(self, index: Tensor, seed: int) -> None:
        """Told which batch will be asked for next."""

    def validation_logits(self, network: nn.Module, device: str) -> NDArray[np.float32]:
        """Logits (m, outputs) of the validation pictures; the network is in evaluation mode."""


@dataclass(frozen=True)
class Material:
    """Prepared handwriting in memory, bent anew each time it is seen."""

    train: Samples
    validation: Samples
    augment: Augment
    identity: Mapping[str, Any]

    @property
    def labels(self) -> Numbers:
        """Of the training pictures."""
        return self.train.labels

    @property
    def validation_labels(self) -> Numbers:
        """Of the validation pictures."""
        return self.validation.labels

    def batch(self, index: Tensor, seed: int) -> Tensor:
        """Bent and normalised; in main memory, where the same random numbers are drawn whatever the device."""
        generator = torch.Generator().manual_seed(seed)
        return self.augment(torch.from_numpy(self.train.images)[index], generator).sub(MEAN).div_(STD)

    def ahead(self, index: Tensor, seed: int) -> None:
        """Nothing to do: the pictures are there."""

    def validation_logits(self, network: nn.Module, device: str) -> NDArray[np.float32]:
        """Of all validation pictures."""
        return logits_of(network, self.validation.images, device)


class Trainer:
    """One training of `network` by `recipe`, able to save itself to `folder` and to go on from there.

    Of several ranks each learns from its share of every batch; rank 0 validates and saves.
    """

    def __init__(
        self, network: nn.Module, recipe: Recipe, material: Learned, folder: Path, device: str, ranks: Ranks = ALONE
    ) -> None:
        options, self.ranks = recipe.train, ranks
        self.options, self.material, self.folder, self.device = options, material, folder, device
        self.network = network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = build_optimizer(self.network, options)
        self.average = WeightAverage(self.network, options.ema) if options.ema > 0 else None
        self.labels = torch.from_numpy(material.labels)
        self.steps_in_epoch = math.ceil(len(self.labels) / options.batch)
        self.steps = self.steps_in_epoch * options.epochs
        self.done = 0
        self.seconds = 0.0  # of the present epoch
        self.sums = torch.zeros(3, dtype=torch.float64, device=device)  # loss, hits, pictures of the present epoch
        self.history: list[Epoch] = []

    @property
    def weights(self) -> dict[str, Tensor]:
        """The weights to validate and keep: the average where there is one."""
        return self.average.state if self.average else self.network.state_dict()

    def train(self, progress: Progress) -> None:
        """All remaining epochs; a save after each. Ctrl-C saves at once and raises `KeyboardInterrupt`."""
        with Interruption() as interruption:
            while self.done < self.steps:
                self._epoch(progress, interruption)
                self._close_epoch()
                self.save()
                progress.epoch(self.history[-1])

    def _epoch(self, progress: Progress, interruption: Interruption) -> None:
        number, first = divmod(self.done, self.steps_in_epoch)
        order = torch.randperm(
            len(self.labels), generator=torch.Generator().manual_seed(self._seed(number, epoch=True))
        )
        batch = self.options.batch
        started, before = time.perf_counter(), self.seconds
        self.network.train()
        for place in range(first, self.steps_in_epoch):
            if place + 1 < self.steps_in_epoch:
                later, _ = self.ranks.share(order[(place + 1) * batch : (place + 2) * batch])
                self.material.ahead(later, self._seed(self.done + 1))
            self._step(order[place * batch : (place + 1) * batch])
            if self.done % _LOOK_EVERY == 0 or place + 1 == self.steps_in_epoch:
                loss, accuracy = self._means()
                progress.step(self.done, loss, accuracy)
            self.seconds = before + time.perf_counter() - started
            if self.ranks.any_of(interruption.asked):
                self._means()  # never saves weights that have become useless
                self.save()
                raise KeyboardInterrupt

    def _step(self, index: Tensor) -> None:
        seed = self._seed(self.done)
        index, weight = self.ranks.share(index)
        torch.manual_seed(seed)
        labels = self.labels[index].to(self.device)
        pictures = self.material.batch(index, seed).to(self.device)
        for group in self.optimizer.param_groups:
            group["lr"] = rate_at(self.done, self.steps, self.options)
        with torch.autocast(torch.device(self.device).type, torch.bfloat16, enabled=self.options.precision == "bf16"):
            logits = self._logits(pictures)
        loss = F.cross_entropy(
            logits.flatten(0, 1).float(), labels.repeat(len(logits)), label_smoothing=self.options.label_smoothing
        )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        hits = logits.detach().mean(0).argmax(1).eq(labels).sum()
        figures = torch.stack([loss.detach().double() * len(index), hits.double(), hits.new_tensor(len(index))])
        self.sums += self.ranks.average(self.network, weight, figures)
        if self.options.clip > 0:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.options.clip)
        self.optimizer.step()
        if self.average:
            self.average.update(self.done)
        self.done += 1

    def _logits(self, pictures: Tensor) -> Tensor:
        """(members, n, outputs): members that vote learn each on its own."""
        if hasattr(self.network, "member_logits"):
            members: Tensor = self.network.member_logits(pictures)
            return members
        logits: Tensor = self.network(pictures)
        return logits.unsqueeze(0)

    def _seed(self, number: int, epoch: bool = False) -> int:
        """Far apart for different seeds, epochs and steps (odd multipliers modulo 2^63); a step's, for ranks, too."""
        own = 0 if epoch else self.ranks.rank * 0x94D049BB133111EB  # or all shares would be bent alike
        return (self.options.seed * 0x9E3779B97F4A7C15 + (2 * number + epoch) * 0xBF58476D1CE4E5B9 + own) % 2**63

    def _means(self) -> tuple[float, float]:
        """Mean loss and accuracy of the present epoch."""
        loss, hits, count = self.sums.tolist()
        self._check_finite(loss, "loss")
        return loss / count, hits / count

    def _check_finite(self, value: float, what: str) -> None:
        if math.isfinite(value):
            return
        epoch, step = divmod(self.done - 1, self.steps_in_epoch)
        kept = f"the state after epoch {epoch} is kept in {self.folder}" if epoch else "no epoch was finished"
        raise UserError(
            f"the {what} became {value} in epoch {epoch + 1}, by step {step + 1}; {kept}",
            f"try a rate below {self.options.rate:g} (--rate), the schedule one-cycle, or train.clip = 1.0",
        )

    def _close_epoch(self) -> None:
        loss, accuracy = self._means()
        validation_loss, validation_accuracy = self.ranks.from_first(self.validate)
        self._check_finite(validation_loss, "validation loss")
        last_rate = rate_at(self.done - 1, self.steps, self.options)
        number = len(self.history) + 1
        self.history.append(
            Epoch(number, loss, accuracy, validation_loss, validation_accuracy, last_rate, round(self.seconds, 3))
        )
        self.sums.zero_()
        self.seconds = 0.0

    def validate(self) -> tuple[float, float]:
        """Loss and accuracy of the weights to keep on the validation pictures."""
        with self.kept_weights() as network:
            logits = torch.from_numpy(self.material.validation_logits(network, self.device))
        labels = torch.from_numpy(self.material.validation_labels)
        return F.cross_entropy(logits, labels).item(), logits.argmax(1).eq(labels).float().mean().item()

    def kept_weights(self) -> KeptWeights:
        """A context in which the network has the weights to keep and is in evaluation mode."""
        return KeptWeights(self.network, self.weights)

    def save(self) -> None:
        """The whole state to the run folder, at once; of several ranks, which are all alike, the first does it."""
        if not self.ranks.main:
            return
        tensors = {f"network.{name}": tensor for name, tensor in self.network.state_dict().items()}
        tensors |= {f"optimizer.{name}": tensor for name, tensor in optimizer_tensors(self.optimizer).items()}
        tensors["sums"] = self.sums
        if self.average:
            tensors |= {f"average.{name}": tensor for name, tensor in self.average.state.items()}
        history = [asdict(epoch) for epoch in self.history]
        values = {"identity": dict(self.material.identity), "done": self.done, "seconds": self.seconds}
        write_checkpoint(self.folder, tensors, {**values, "history": history})

    def load(self, checkpoint: Checkpoint) -> None:
        """Goes on from a checkpoint of the same training."""
        parts: dict[str, dict[str, Tensor]] = {"network": {}, "optimizer": {}, "average": {}}
        for name, tensor in checkpoint.tensors.items():
            part, _, rest = name.partition(".")
            parts.setdefault(part, {})[rest] = tensor
        self.network.load_state_dict(parts["network"])
        load_optimizer(self.optimizer, parts["optimizer"])
        if self.average:
            self.average.load(parts["average"])
        self.sums = checkpoint.tensors["sums"].to(self.device)
        self.done, self.seconds = checkpoint.values["done"], checkpoint.values["seconds"]
        self.history = [Epoch(**values) for values in checkpoint.values["history"]]


class KeptWeights:
    """Swaps other weights into a network and back; copies, so that the training's own tensors stay in place."""

    def __init__(self, network: nn.Module, weights: Mapping[str, Tensor]) -> None:
        self.network, self.weights = network, weights
        self.live: dict[str, Tensor] = {}

    def __enter__(self) -> nn.Module:
        self.live = {name: tensor.clone() for name, tensor in self.network.state_dict().items()}
        self.network.load_state_dict(self.weights)
        return self.network.eval()

    def __exit__(self, *_: object) -> None:
        self.network.load_state_dict(self.live)
