"""Training on photographs themselves: parts of a backbone after its head has settled, or a whole network from nothing.

Both go through the one loop (`loop.Trainer`): this module gives it batches, decoded and changed in threads while the
device works on the batch before, and decides what comes of it. What a picture becomes follows from seed and step, so a
training that was stopped goes on to the same result. A picture that cannot be read any more is named, and another one
of its label takes its place.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from curation.features import content_picture
from curation.listing import PictureRow
from handwriter_models.errors import UserError
from handwriter_models.images import PictureError
from handwriter_models.inference import bfloat16_pays
from handwriter_models.learning.options import Epoch
from handwriter_models.networks import Transfer
from handwriter_models.photograph import Photograph
from handwriter_models.preparation import PhotographPreparation
from training.checkpoint import remove_checkpoint, run_folder
from training.datasets import Photographs
from training.loop import Trainer
from training.progress import messages, training_progress
from training.recipes import Recipe
from training.views import Changes, changes_of, seed_of

if TYPE_CHECKING:
    from training.fit import Order

Bytes = NDArray[np.uint8]
Numbers = NDArray[np.int64]
_AT_ONCE = 32  # pictures through the network when nothing is learned


@dataclass
class PhotoMaterial:
    """Photographs for a `Trainer`; closed by whoever made it.

    Attributes:
        root: where the rows' paths begin.
        train, validation: rows of the two parts.
        labels, validation_labels: their label numbers.
        way, changes: how a picture is prepared, and changed in training.
        identity: of the training.
        unreadable: path and reason of what could not be read meanwhile.
    """

    root: Path
    train: Sequence[PictureRow]
    validation: Sequence[PictureRow]
    labels: Numbers
    validation_labels: Numbers
    way: Photograph
    changes: Changes
    identity: Mapping[str, Any]
    unreadable: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._pool = ThreadPoolExecutor(min(16, max(2, os.cpu_count() or 1)), "photographs")
        self._waiting: dict[int, list[Future[Bytes]]] = {}
        self._inputs = PhotographPreparation(self.way).inputs

    def close(self) -> None:
        """Ends the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def ahead(self, index: Tensor, seed: int) -> None:
        """Begins to read the batch that will be asked for next."""
        self._waiting[seed] = self._futures(index, seed)

    def batch(self, index: Tensor, seed: int) -> Tensor:
        """Float (n, 3, size, size), changed and normalised."""
        futures = self._waiting.pop(seed, None) or self._futures(index, seed)
        self._waiting = {later: waiting for later, waiting in self._waiting.items() if later != seed}
        return self._inputs(torch.from_numpy(np.stack([future.result() for future in futures])))

    def validation_logits(self, network: nn.Module, device: str) -> NDArray[np.float32]:
        """Logits (m, outputs) of the plain validation pictures."""
        return self.logits(network, self.validation, device).numpy()

    def logits(self, network: nn.Module, rows: Sequence[PictureRow], device: str) -> Tensor:
        """Logits (n, outputs) of the rows' plain pictures; one that cannot be read is grey."""
        kind = torch.device(device).type
        lower = torch.autocast(kind, torch.bfloat16, enabled=kind == "cuda" or bfloat16_pays(network))
        found = []
        with torch.inference_mode(), lower:
            for start in range(0, len(rows), _AT_ONCE):
                prepared = np.stack(list(self._pool.map(self._plain, rows[start : start + _AT_ONCE])))
                found.append(network(self._inputs(torch.from_numpy(prepared).to(device))).float().cpu())
        return torch.cat(found)

    def _futures(self, index: Tensor, seed: int) -> list[Future[Bytes]]:
        return [self._pool.submit(self._changed, number, seed) for number in index.tolist()]

    def _changed(self, number: int, seed: int) -> Bytes:
        same = np.flatnonzero(self.labels == self.labels[number])
        after = np.searchsorted(same, number)
        for other in np.roll(same, -after).tolist():
            made = self._read(self.train[other], lambda picture: self.changes(picture, self.way, seed_of(seed, number)))
            if made is not None:
                return made
        raise UserError(
            f"no picture of label {self.train[number].label!r} can be read any more", "look into the folder"
        )

    def _plain(self, row: PictureRow) -> Bytes:
        made = self._read(row, self.way)
        grey = np.array(self.way.mean) * 255
        return np.full((self.way.crop, self.way.crop, 3), grey, np.uint8) if made is None else made

    def _read(self, row: PictureRow, make: Callable[[Any], Bytes]) -> Bytes | None:
        try:
            return make(content_picture(self.root / row.path, row.sha256))
        except PictureError as error:
            self.unreadable[row.path] = error.what
        except OSError as error:
            self.unreadable[row.path] = error.strerror or str(error)
        return None


def material_of(
    dataset: Photographs, rows: Mapping[str, list[PictureRow]], way: Photograph, recipe: Recipe, start: str | None
) -> PhotoMaterial:
    """What a trainer learns from: the training and validation rows."""
    train, validation = rows["train"], rows["validation"]
    identity = {"recipe": recipe.as_json(), "fingerprint": dataset.fingerprint(), "start": start}
    labels = (dataset.labels(train), dataset.labels(validation))
    return PhotoMaterial(dataset.pictures.root, train, validation, *labels, way, changes_of(recipe.augment), identity)


def trained(order: Order, network: nn.Module, recipe: Recipe, material: PhotoMaterial) -> list[Epoch]:
    """Trains `network` by `recipe.train`, resuming where that was asked; leaves it in evaluation mode on the CPU.

    A batch that the device's memory does not hold is halved, and the training begins again; not with several ranks,
    where the others wait in the middle of a step.
    """
    from training.fit import take_up

    order.ranks.alike(network)
    before = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
    trainer = Trainer(network, recipe, material, run_folder(order.out), order.device, order.ranks)
    take_up(order, trainer, dict(material.identity))
    options = recipe.train
    try:
        with training_progress(trainer.steps, trainer.done, options.epochs, len(material.train)) as progress:
            trainer.train(progress)
    except KeyboardInterrupt:
        messages.print(f"saved at step {trainer.done} of {trainer.steps}: the same command with --resume goes on")
        raise
    except OSError as error:
        raise UserError(
            f"cannot save the training in {trainer.folder}: {error.strerror or error}",
            "make room; the same command with --resume goes on from the last epoch that was saved",
        ) from error
    except torch.OutOfMemoryError as error:
        if order.ranks.count > 1:
            raise UserError(
                f"the memory of {order.device} does not hold a process' share of {options.batch} pictures",
                f"give --batch {max(1, options.batch // 2)}; for --unfreeze, --set finetune.batch=…",
            ) from error
        if options.batch == 1:
            raise UserError(f"the memory of {order.device} does not hold one picture", "--device cpu") from error
        messages.print(f"out of memory: beginning again with batches of {options.batch // 2}")
        remove_checkpoint(trainer.folder)
        network.load_state_dict(before)
        smaller = replace(recipe, train=replace(options, batch=options.batch // 2))
        return trained(replace(order, resume=False), network, smaller, material)
    for faults in order.ranks.gathered(material.unreadable):  # each rank meets those of its share
        material.unreadable |= faults
    network.load_state_dict(trainer.weights)
    network.to("cpu").eval().requires_grad_(False)
    return trainer.history


def unfrozen(network: Transfer, prefixes: Sequence[str]) -> list[str]:
    """Lets head and the named modules of the backbone learn, nothing else; the names of those modules."""
    network.requires_grad_(False)
    network.head.requires_grad_(True)
    names = [name for name, _ in network.backbone.named_modules() if name]
    for prefix in prefixes:
        if not any(name == prefix or name.startswith(f"{prefix}.") for name in names):
            top = ", ".join(name for name, _ in network.backbone.named_children())
            raise UserError(f"the backbone has no module {prefix!r}", f"modules: {top}, and those in them")
        network.backbone.get_submodule(prefix).requires_grad_(True)
    return names


def finetuned(order: Order, network: Transfer, material: PhotoMaterial) -> list[Epoch]:
    """Lets parts of the backbone learn, too, at a lower rate; the network is what does better on validation.

    The history is empty where it did better before. BatchNorm's statistics stay those of the backbone.
    """
    recipe, options = order.recipe, order.recipe.finetune
    unfrozen(network, options.unfreeze)
    before = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
    loss_before = order.ranks.from_first(lambda: _validation_loss(network.eval(), material, order.device))
    rate = recipe.train.rate * options.rate
    calm = replace(recipe.train, rate=rate, ema=0.0, schedule="one-cycle", clip=recipe.train.clip or 1.0)
    slow = replace(recipe, train=replace(calm, epochs=options.epochs, batch=options.batch))
    messages.print(f"unfrozen: {', '.join(options.unfreeze)}; rate {rate:g}", markup=False)
    history = trained(order, network, slow, material)
    loss_after = order.ranks.from_first(lambda: _validation_loss(network, material, order.device))
    if loss_after < loss_before:
        messages.print(f"fine-tuning helped: validation loss {loss_before:.4f} → {loss_after:.4f}")
        return history
    network.load_state_dict(before)
    messages.print(f"fine-tuning did not help ({loss_before:.4f} → {loss_after:.4f}): the head alone is kept")
    return []


def _validation_loss(network: nn.Module, material: PhotoMaterial, device: str) -> float:
    logits = torch.from_numpy(material.validation_logits(network.to(device), device))
    network.to("cpu")
    return F.cross_entropy(logits, torch.from_numpy(material.validation_labels)).item()
