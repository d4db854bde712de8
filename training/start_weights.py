"""The network a training begins with: random, or with the weights of another bundle.

A bundle with the same network and labels gives all its weights. One with other labels gives everything but its last
layer, which is learned anew: what strokes look like is the same in every script, and that is how a network can learn
forty letters from fourteen drawings of each. `compact` gives to `cascade`, too: their voters are built alike.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from handwriter_models.bundle import BundleConfig, NetworkConfig, find_bundle, read_bundle
from handwriter_models.errors import UserError
from handwriter_models.networks import build
from training.progress import messages


def first_network(config: BundleConfig, start: str | None) -> nn.Module:
    """The network of `config` with random weights, or those of the bundle `start`.

    Raises:
        UserError: the bundle's network has layers of other names or shapes.
    """
    network = build(config.network.name, config.network.arguments)
    if start is None:
        return network
    given, trained = read_bundle(find_bundle(start))
    own, weights = network.state_dict(), trained.state_dict()
    if (given.network, given.labels) != (config.network, config.labels):
        weights = _without_head(given.network, weights)
        if not weights or any(name not in own or own[name].shape != tensor.shape for name, tensor in weights.items()):
            raise UserError(
                f"bundle {start} ({given.network.name}) has another network than the recipe asks for",
                f"start from a bundle with the network {config.network.name} and the same arguments",
            )
        messages.print(f"begins with the weights of {given.name}; {len(config.labels)} labels are learned anew")
    network.load_state_dict({**own, **weights})
    return network


def _without_head(network: NetworkConfig, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose shape does not depend on the number of outputs; none of a network that fixes that number."""
    outputs = int(network.arguments["outputs"])
    try:
        shapes = [_shapes(network.name, {**network.arguments, "outputs": count}) for count in (outputs, outputs + 1)]
    except UserError:
        return {}
    return {name: tensor for name, tensor in weights.items() if shapes[0][name] == shapes[1][name]}


def _shapes(name: str, arguments: dict[str, Any]) -> dict[str, torch.Size]:
    with torch.device("meta"):
        return {key: tensor.shape for key, tensor in build(name, arguments).state_dict().items()}
