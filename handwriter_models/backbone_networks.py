"""Networks that were made for photographs: those of torchvision by name, and how a network loses its head.

`mobilenet_v2_tf` is torchvision's network with the padding of TensorFlow, which weights that were trained there need.
Weights are not had here (`curation.backbone_weights` fetches or reads them, a bundle brings its own).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from handwriter_models.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor, nn

TENSORFLOW = "mobilenet_v2_tf"


@cache
def backbone_names() -> frozenset[str]:
    """Every network that can be built: torchvision's classifiers and `mobilenet_v2_tf`."""
    from handwriter_models.torchvision_import import torchvision

    return frozenset([*torchvision.models.list_models(module=torchvision.models), TENSORFLOW])


def built(name: str, outputs: int = 1000) -> nn.Module:
    """The network with random weights that are always the same."""
    import torch

    from handwriter_models.torchvision_import import torchvision

    plain = {"init_weights": True} if name in ("inception_v3", "googlenet") else {}  # else they warn
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network: nn.Module = torchvision.models.get_model(
            name.removesuffix("_tf"), weights=None, num_classes=outputs, **plain
        )
    if name == TENSORFLOW:
        for module in network.modules():
            if isinstance(module, torch.nn.Conv2d) and module.stride == (2, 2):
                module.padding = (0, 0)
                module.register_forward_pre_hook(_padded_as_tensorflow_does)
    return network


def _padded_as_tensorflow_does(_: nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor]:
    """One row and one column of zeros, at the right and below only."""
    from torch.nn.functional import pad

    return (pad(inputs[0], (0, 1, 0, 1)),)


def without_head(network: nn.Module) -> nn.Module:
    """The network itself, changed: its last dense layer passes through what it is given.

    Of our voting networks, each voter's; the vector is then those of all voters in a row.
    """
    import torch
    from torch import nn

    from handwriter_models.networks import Compact

    if isinstance(network, Compact):

        class _Side(nn.Module):
            def __init__(self, members: Sequence[nn.Module]) -> None:
                super().__init__()
                self.members = nn.ModuleList(members)

            def forward(self, pictures: Tensor) -> Tensor:
                return torch.cat([member(pictures) for member in self.members], dim=1)

        return _Side([without_head(member) for member in network.members])
    return _with_head(network, nn.Identity())


def with_classes(network: nn.Module) -> nn.Module:
    """The network itself, changed: it answers the square roots of its own classes' probabilities.

    What a network says of a picture in the classes that it once learned tells more about everyday things than the
    vector before, when there are few pictures to learn from. Square roots, because distances are then Hellinger's,
    in which small probabilities count, too (as for histograms: Arandjelovic and Zisserman 2012, RootSIFT).
    """
    import torch
    from torch import nn

    class _Classes(nn.Module):
        def __init__(self, dense: nn.Module) -> None:
            super().__init__()
            self.dense = dense

        def forward(self, vectors: Tensor) -> Tensor:
            return torch.softmax(self.dense(vectors).float(), dim=-1).sqrt()

    return _with_head(network, _Classes(network.get_submodule(head_name(network))))


def _with_head(network: nn.Module, head: nn.Module) -> nn.Module:
    parent, _, last = head_name(network).rpartition(".")
    setattr(network.get_submodule(parent), last, head)
    return network


def head_name(network: nn.Module) -> str:
    """The name of the last dense layer."""
    from torch import nn

    dense = [name for name, module in network.named_modules() if isinstance(module, nn.Linear)]
    if not dense:
        raise UserError("this network has no dense layer to take off", "choose another one, such as resnet50")
    return str(dense[-1])
