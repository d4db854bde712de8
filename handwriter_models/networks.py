"""The networks by name, each with typed arguments that a bundle stores and `build` reads back.

`mlp` and `cnn` are the two small networks the first users of this project trained; `resnet34` is the classic one from
scratch with a replaced head; `compact` is ours: several small convolutional networks that vote inside one module,
because at a fixed number of parameters a vote is more accurate and better calibrated than one larger network
(An et al. 2020, arXiv:2008.10400, for MNIST); `transfer` is a network made for photographs, with a new head, and
`adapted` the same with the voters of `compact`.

All take a batch of shape (n, channels, size, size), float, and return logits of shape (n, outputs).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self, cast

import torch
from torch import Tensor, nn

from handwriter_models.backbone_networks import backbone_names
from handwriter_models.bundle_config import MOST_LABELS
from handwriter_models.errors import UserError


@dataclass(frozen=True)
class MlpArguments:
    """The seed's perceptron: 784-125-65-10."""

    outputs: int = 10
    size: int = 28
    hidden: tuple[int, ...] = (125, 65)


@dataclass(frozen=True)
class CnnArguments:
    """The seed's two convolutions with pooling and two dense layers."""

    outputs: int = 10
    size: int = 28
    widths: tuple[int, ...] = (32, 64)
    hidden: int = 128


@dataclass(frozen=True)
class ResNet34Arguments:
    """torchvision's ResNet-34 without pretrained weights and with a new head."""

    outputs: int = 10
    channels: int = 3


@dataclass(frozen=True)
class CompactArguments:
    """`members` networks of three stages of two 3x3 convolutions; their probabilities are averaged."""

    outputs: int = 11
    members: int = 3
    widths: tuple[int, ...] = (24, 48, 96)
    dropout: float = 0.2


@dataclass(frozen=True)
class CascadeArguments:
    """First which group of labels, then which label: two stages of the shape of one compact voter each."""

    outputs: int = 37
    groups: tuple[int, ...] = (10, 26, 1)
    widths: tuple[int, ...] = (24, 48, 96)
    dropout: float = 0.2


@dataclass(frozen=True)
class TransferArguments:
    """A network of `backbone_networks` without its head, and a new head: dense when `hidden` is 0.

    With `classes` the network keeps its own head of so many classes, and the new one reads what that says.
    """

    outputs: int = 10
    backbone: str = "resnet50"
    hidden: int = 128
    classes: int = 0


@dataclass(frozen=True)
class AdaptedArguments:
    """The voters of a `compact` network without their last layers, and a new head: dense when `hidden` is 0."""

    outputs: int = 10
    members: int = 3
    widths: tuple[int, ...] = (24, 48, 96)
    hidden: int = 0


class Mlp(nn.Sequential):
    """Flatten, then dense layers with ReLU."""

    def __init__(self, arguments: MlpArguments) -> None:
        sizes = (arguments.size**2, *arguments.hidden)
        layers: list[nn.Module] = [nn.Flatten()]
        for before, after in itertools.pairwise(sizes):
            layers += [nn.Linear(before, after), nn.ReLU()]
        super().__init__(*layers, nn.Linear(sizes[-1], arguments.outputs))


class Cnn(nn.Sequential):
    """Convolution 3x3, ReLU and pooling for each width, then two dense layers."""

    def __init__(self, arguments: CnnArguments) -> None:
        layers: list[nn.Module] = []
        channels, side = 1, arguments.size
        for width in arguments.widths:
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
            channels, side = width, side // 2
        layers += [nn.Flatten(), nn.Linear(channels * side * side, arguments.hidden), nn.ReLU()]
        super().__init__(*layers, nn.Linear(arguments.hidden, arguments.outputs))


def _stage(before: int, after: int) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for channels in (before, after):
        layers += [nn.Conv2d(channels, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
    return layers


class CompactMember(nn.Sequential):
    """One voter: three stages, pooling between them, global average, dropout, one dense layer."""

    def __init__(self, arguments: CompactArguments) -> None:
        layers: list[nn.Module] = []
        before = 1
        for number, width in enumerate(arguments.widths):
            layers += ([nn.MaxPool2d(2)] if number else []) + _stage(before, width)
            before = width
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(arguments.dropout)]
        super().__init__(*layers, nn.Linear(before, arguments.outputs))


class Compact(nn.Module):
    """Several voters; `members_logits` gives each one's answer for training, `forward` the log of their mean."""

    def __init__(self, arguments: CompactArguments) -> None:
        super().__init__()
        self.members = nn.ModuleList(CompactMember(arguments) for _ in range(arguments.members))

    def member_logits(self, pictures: Tensor) -> Tensor:
        """Logits of shape (members, n, outputs): each member learns on its own, so that they differ."""
        return torch.stack([member(pictures) for member in self.members])

    def forward(self, pictures: Tensor) -> Tensor:
        """Log of the mean probability, shape (n, outputs)."""
        logits = self.member_logits(pictures).float()
        return torch.logsumexp(torch.log_softmax(logits, dim=-1), dim=0) - torch.log(torch.tensor(float(len(logits))))


class Standardize(nn.Module):
    """Features with mean 0 and deviation 1, as the training pictures have them."""

    mean: Tensor
    scale: Tensor

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(dimension))
        self.register_buffer("scale", torch.ones(dimension))

    def forward(self, features: Tensor) -> Tensor:
        """(n, dimension) → the same."""
        return (features.float() - self.mean) * self.scale


class Head(nn.Sequential):
    """Standardised features to logits, with one hidden layer and ReLU unless `hidden` is 0."""

    def __init__(self, dimension: int, hidden: int, outputs: int) -> None:
        layers: list[nn.Module] = [nn.Linear(dimension, hidden), nn.ReLU()] if hidden else []
        super().__init__(Standardize(dimension), *layers, nn.Linear(hidden or dimension, outputs))


class Transfer(nn.Module):
    """A backbone and a head; (n, 3, size, size) → logits.

    The backbone stays in evaluation mode also while the network is trained: the statistics of its BatchNorm are those
    of the pictures that it learned from, and a few hundred pictures would only spoil them.
    """

    def __init__(self, arguments: TransferArguments) -> None:
        super().__init__()
        from handwriter_models.backbone_networks import built, head_name, with_classes, without_head

        network = built(arguments.backbone, arguments.classes or 1)
        dimension = arguments.classes or cast(nn.Linear, network.get_submodule(head_name(network))).in_features
        self.backbone = (with_classes if arguments.classes else without_head)(network).eval()
        self.head = Head(dimension, arguments.hidden, arguments.outputs)

    def train(self, mode: bool = True) -> Self:
        """As usual, but for the backbone."""
        super().train(mode)
        self.backbone.eval()
        return self

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits of shape (n, outputs)."""
        logits: Tensor = self.head(self.backbone(pictures))
        return logits


def _resnet34(arguments: ResNet34Arguments) -> nn.Module:
    from handwriter_models.torchvision_import import torchvision

    network: nn.Module = torchvision.models.resnet34(weights=None, num_classes=arguments.outputs)
    if arguments.channels != 3:
        network.conv1 = nn.Conv2d(arguments.channels, 64, 7, stride=2, padding=3, bias=False)
    return network


def _cascade(arguments: CascadeArguments) -> nn.Module:
    from handwriter_models.cascade import Cascade  # which is made of this module's parts

    return Cascade(arguments)


def _adapted(arguments: AdaptedArguments) -> nn.Module:
    from handwriter_models.adapted import Adapted  # likewise

    return Adapted(arguments)


_BUILDERS: dict[str, tuple[type[Any], Any]] = {
    "mlp": (MlpArguments, Mlp),
    "cnn": (CnnArguments, Cnn),
    "resnet34": (ResNet34Arguments, _resnet34),
    "compact": (CompactArguments, Compact),
    "cascade": (CascadeArguments, _cascade),
    "transfer": (TransferArguments, Transfer),
    "adapted": (AdaptedArguments, _adapted),
}
NETWORK_NAMES = tuple(_BUILDERS)
_WIDEST = 4096  # of a layer
_MOST_OUTPUTS = MOST_LABELS + 1  # one is for the background


def resolve_arguments(name: str, arguments: Mapping[str, Any]) -> Any:  # noqa: ANN401 - one dataclass a network
    """The typed arguments of network `name`; raises `UserError` on an unknown name, field or type."""
    if name not in _BUILDERS:
        raise UserError(f"unknown network {name!r}", f"networks: {', '.join(NETWORK_NAMES)}", status=422)
    kind = _BUILDERS[name][0]
    defaults = asdict(kind())
    unknown = sorted(set(arguments) - set(defaults))
    if unknown:
        raise UserError(f"network {name!r} has no argument {unknown[0]!r}", f"arguments: {', '.join(defaults)}", 422)
    values = {field.name: _checked(name, field.name, defaults[field.name], arguments) for field in fields(kind)}
    return kind(**values)


def _checked(network: str, field: str, default: object, arguments: Mapping[str, Any]) -> object:
    value = arguments.get(field, default)
    most = _MOST_OUTPUTS if field in ("outputs", "groups") else _WIDEST
    if isinstance(default, tuple):
        good = isinstance(value, list | tuple) and 0 < len(value) <= 16 and all(_is_size(item, most) for item in value)
        value = tuple(value) if good else value
    elif isinstance(default, str):
        good = isinstance(value, str) and value in backbone_names()
    elif isinstance(default, float):
        good = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1
    else:
        good = _is_size(value, most) or (
            field in ("hidden", "classes") and network in ("transfer", "adapted") and value == 0 and value is not False
        )
    if not good:
        raise UserError(
            f"argument {field!r} of network {network!r} is {value!r}", f"give a value like {default!r}", status=422
        )
    return value


def _is_size(value: object, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= most


def build(name: str, arguments: Mapping[str, Any]) -> nn.Module:
    """A new network with random weights; raises `UserError` as `resolve_arguments` does."""
    resolved = resolve_arguments(name, arguments)
    network: nn.Module = _BUILDERS[name][1](resolved)
    return network


def arguments_as_json(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """All arguments with defaults filled in, ready for a bundle's config."""
    return asdict(resolve_arguments(name, arguments))
