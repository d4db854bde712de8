"""Optimizer, learning rate by step, and the running average of the weights.

Each is a pure function of the recipe and the step, or keeps its state in plain tensors, so that a resumed training
goes on exactly where it stopped.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from handwriter_models.learning.options import TrainOptions


def build_optimizer(network: nn.Module, options: TrainOptions) -> torch.optim.Optimizer:
    """The recipe's optimizer; biases and normalisation are not decayed, they hold no capacity to restrain."""
    weights = [parameter for parameter in network.parameters() if parameter.ndim > 1]
    rest = [parameter for parameter in network.parameters() if parameter.ndim <= 1]
    groups = [{"params": weights, "weight_decay": options.weight_decay}, {"params": rest, "weight_decay": 0.0}]
    if options.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=options.rate, momentum=options.momentum, nesterov=options.momentum > 0)
    kind = torch.optim.AdamW if options.optimizer == "adamw" else torch.optim.Adam
    return kind(groups, lr=options.rate)


def rate_at(step: int, steps: int, options: TrainOptions) -> float:
    """Learning rate of `step` out of `steps` (one-cycle: Smith & Topin 2018, with cosines as fast.ai draws it)."""
    if options.schedule == "constant":
        return options.rate
    climb = round(options.warmup * steps) if options.schedule == "one-cycle" else 0
    if step < climb:
        return _cosine(options.rate / 25, options.rate, step / climb)
    return _cosine(options.rate, options.rate / 1e4, (step - climb) / max(1, steps - climb))


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


class WeightAverage:
    """Exponential moving average of all weights and of BatchNorm's statistics, which belong to them."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self._live = dict(network.state_dict(keep_vars=True))
        self.state = {name: tensor.detach().clone() for name, tensor in self._live.items()}
        self._names = [name for name, tensor in self.state.items() if tensor.is_floating_point()]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Takes the network's present weights in; the first steps count more, or the random start would linger."""
        decay = min(self.decay, (1 + step) / (10 + step))
        averaged = [self.state[name] for name in self._names]
        torch._foreach_lerp_(averaged, [self._live[name].detach() for name in self._names], 1 - decay)

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Goes on from a saved average."""
        for name, tensor in self.state.items():
            tensor.copy_(state[name])


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """State of the optimizer as "<parameter>.<key>" → tensor."""
    return {
        f"{number}.{key}": value
        for number, entries in optimizer.state_dict()["state"].items()
        for key, value in entries.items()
        if isinstance(value, Tensor)
    }


def load_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Puts back what `optimizer_tensors` gave, in the parameters' memory layout so that later sums round alike."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Any]] = {}
    for name, tensor in tensors.items():
        number, key = name.split(".", 1)
        like = parameters[int(number)]
        fits = tensor.shape == like.shape
        state.setdefault(int(number), {})[key] = torch.empty_like(like).copy_(tensor) if fits else tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
