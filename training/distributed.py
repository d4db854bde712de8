"""Several processes that train one model: what torchrun started, and the few things the processes say to each other.

`torchrun --nproc-per-node N training/__main__.py fit …` starts N equal processes ("ranks"). Each takes its share of the
pictures; gradients are averaged, so all hold the same weights after every step, and rank 0 alone prints, validates and
writes. Without torchrun there is one rank, and no process group is made. We average gradients ourselves instead of
wrapping the network in `DistributedDataParallel`: shares of unequal size then count by their pictures, figures travel
in the same message, and names of weights stay those of the bundle. Values travel as JSON, never as pickle. It does not
spread one network over several devices, and it does not survive the loss of a rank (the checkpoint does).
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.rendezvous import rendezvous

from handwriter_models.errors import FAILED, INTERRUPTED, WRONG_USE, UserError

_TORCHRUN = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
_PATIENCE = timedelta(days=7)  # rank 0 may scan for hours; a rank that died is noticed by torchrun at once
_FAULTS = "handwriter/faults"
Value = TypeVar("Value")


@dataclass(frozen=True)
class Ranks:
    """Which of `count` processes we are, and which of those on this machine; all must call each method in one order."""

    rank: int = 0
    count: int = 1
    local: int = 0

    @property
    def main(self) -> bool:
        """Whether this process prints, validates and writes."""
        return self.rank == 0

    def device(self, name: str) -> str:
        """The device of this rank: of several GPUs the one with its number on this machine."""
        if self.count == 1 or torch.device(name).type != "cuda":
            return name
        if self.local >= torch.cuda.device_count():
            raise UserError(
                f"there are more processes than the {torch.cuda.device_count()} GPUs here",
                f"--nproc-per-node {torch.cuda.device_count()}, or --device cpu",
            )
        torch.cuda.set_device(self.local)
        return f"cuda:{self.local}"

    def gathered(self, value: Value) -> list[Value]:
        """The values of all ranks in their order, on every rank; what JSON can hold."""
        if self.count == 1:
            return [value]
        data = torch.frombuffer(bytearray(json.dumps(value).encode()), dtype=torch.uint8)
        sizes = [torch.zeros(1, dtype=torch.int64) for _ in range(self.count)]
        dist.all_gather(sizes, torch.tensor([len(data)]))
        most = int(max(size.item() for size in sizes))
        texts = [torch.zeros(most, dtype=torch.uint8) for _ in range(self.count)]
        dist.all_gather(texts, nn.functional.pad(data, (0, most - len(data))))
        pairs = zip(texts, sizes, strict=True)
        return [json.loads(bytes(text[: int(size)].tolist())) for text, size in pairs]

    def from_first(self, make: Callable[[], Value]) -> Value:
        """What `make` gives on rank 0, the only one that calls it; what JSON can hold."""
        return self.gathered(make() if self.main else None)[0]  # type: ignore[return-value]

    def barrier(self) -> None:
        """Waits until all ranks are here."""
        self.gathered(None)

    @contextmanager
    def first_alone(self) -> Iterator[None]:
        """Rank 0 goes through the block while the others wait; they find done what it has written."""
        if not self.main:
            self.barrier()
        yield
        if self.main:
            self.barrier()

    def any_of(self, flag: bool) -> bool:
        """Whether it is true on any rank. In main memory: no GPU has to be waited for."""
        if self.count == 1:
            return flag
        flags = torch.tensor([int(flag)])
        dist.all_reduce(flags)
        return bool(flags.item())

    def share(self, index: Tensor) -> tuple[Tensor, float]:
        """Our part of a batch, and what it weighs in the whole.

        Two pictures at least where the batch has as many, or BatchNorm would have nothing to measure; a rank for which
        none are left repeats another's part with weight 0.
        """
        if self.count == 1:
            return index, 1.0
        working = max(1, min(self.count, len(index) // 2))
        part = index.tensor_split(working)[self.rank % working]
        return part, len(part) / len(index) if self.rank < working else 0.0

    @torch.no_grad()
    def average(self, network: nn.Module, weight: float, figures: Tensor) -> Tensor:
        """Makes gradients and BatchNorm's running statistics the weighted mean of all ranks'; returns summed `figures`.

        One message for all. The gradients are then those of the whole batch, up to rounding; statistics are means over
        the shares, each of which was normalised by itself (as in Goyal et al. 2017, "Accurate, Large Minibatch SGD").
        """
        if self.count == 1:
            return figures
        tensors = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
        tensors += _statistics(network)
        parts = [tensor.float().flatten() * weight for tensor in tensors]
        flat = torch.cat([*parts, figures.float() * (weight > 0)])
        dist.all_reduce(flat)
        place = 0
        for tensor in tensors:
            tensor.copy_(flat[place : place + tensor.numel()].view_as(tensor))
            place += tensor.numel()
        return flat[place:].to(figures.dtype)

    @torch.no_grad()
    def alike(self, network: nn.Module) -> None:
        """Gives every rank the weights of rank 0, on whatever device the network is."""
        if self.count > 1:
            for tensor in network.state_dict().values():
                sent = tensor.contiguous()
                dist.broadcast(sent, 0)
                tensor.copy_(sent)


ALONE = Ranks()


def _statistics(network: nn.Module) -> list[Tensor]:
    """Of the layers that are learning; those of a frozen network must not change by so much as a rounding."""
    layers = [one for one in network.modules() if isinstance(one, nn.modules.batchnorm._BatchNorm) and one.training]
    return [buffer for layer in layers for buffer in layer.buffers() if buffer.is_floating_point()]


@contextmanager
def ranks(environment: Mapping[str, str] = os.environ) -> Iterator[Ranks]:
    """The ranks that torchrun started, connected while the context lasts; one alone where it started none.

    What one rank could not do is told by that rank; the others end without a word, as does every rank but the first
    after Ctrl-C. torchrun itself ends with 1, whatever our exit code was.
    """
    if any(name not in environment for name in _TORCHRUN) or environment["WORLD_SIZE"] == "1":
        yield ALONE
        return
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() and dist.is_nccl_available() else "gloo"
    store, rank, count = next(rendezvous("env://"))
    dist.init_process_group(backend, store=store, rank=rank, world_size=count, timeout=_PATIENCE)
    found = Ranks(rank, count, int(environment["LOCAL_RANK"]))
    if not found.main:
        from training.progress import silence  # which imports the loop, and the loop this module

        silence()
    try:
        yield found
    except KeyboardInterrupt:
        if found.main:
            raise
        sys.exit(INTERRUPTED)
    except Exception as error:
        if store.add(_FAULTS, 1) > 1:  # another rank failed first and tells why; this one may only have missed it
            sys.exit(WRONG_USE if isinstance(error, UserError) else FAILED)
        raise
    dist.destroy_process_group()
