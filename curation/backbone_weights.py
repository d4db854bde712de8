"""Networks of torchvision with their weights, and how a network loses its head.

Weights come from torchvision's server (only tensors are read, and the check sum is in the address), from a .safetensors
file that must fit to the letter, or are random and always the same. The number of classes is the file's: the head is
taken off anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handwriter_models.errors import UserError
from handwriter_models.weights import header_kinds

if TYPE_CHECKING:
    from torch import Tensor, nn

TENSORFLOW = "mobilenet_v2_tf"
IMAGENET, NONE = "imagenet", "none"
_LARGEST = 2 * 2**30  # bytes of a weights file
State = dict[str, Any]
Fetch = Callable[[Any], State]  # of a torchvision `Weights` member, over the network


def weighted(name: str, weights: str, fetch: Fetch | None = None) -> tuple[str, nn.Module]:
    """A short name of the weights, and the network with them."""
    if weights == NONE:
        return NONE, _built(name)
    if weights != IMAGENET:
        return _from_file(name, Path(weights))
    if name == TENSORFLOW:
        raise UserError(f"{name} has no weights that could be fetched", "give --weights FILE.safetensors")
    from handwriter_models.torchvision_import import torchvision

    best = torchvision.models.get_model_weights(name).DEFAULT
    network = _built(name)
    try:
        network.load_state_dict((fetch or _fetched)(best), strict=True)
    except (OSError, RuntimeError) as error:
        raise UserError(
            f"the ImageNet weights of {name} cannot be had: {error}",
            "without the network, give --weights FILE.safetensors, or a bundle's folder in place of the name",
            503,
        ) from error
    return best.name.lower(), network


def _fetched(weights: Any) -> State:  # noqa: ANN401 - torchvision's enumeration of weights
    """From torchvision's server into torch's own cache; the check sum is in the address, and only tensors are read."""
    state: State = weights.get_state_dict(progress=False, check_hash=True, weights_only=True)
    return state


def _from_file(name: str, path: Path) -> tuple[str, nn.Module]:
    import safetensors
    import safetensors.torch

    data = _file_bytes(path)
    kinds = header_kinds(data, str(path))
    head = f"{_head_of(_built(name, 1))}.weight"
    shape = kinds[head].shape if head in kinds else ()
    if len(shape) != 2 or not 0 < shape[0] <= 100_000:
        raise UserError(f"{path} has no head {head!r}", f"it must hold all weights of torchvision's {name}", 422)
    network = _built(name, shape[0])
    try:
        network.load_state_dict(safetensors.torch.load(data), strict=True)
    except (safetensors.SafetensorError, ValueError, KeyError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise UserError(f"{path} does not fit {name}: {reason}", "give the weights of this network", 422) from error
    if not all(bool(value.isfinite().all()) for value in network.state_dict().values()):
        raise UserError(f"{path} holds NaN or infinite values", "give another file", 422)
    return sha256(data).hexdigest()[:12], network


def _file_bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST:
            raise UserError(f"{path} is larger than {_LARGEST >> 30} GB", "these are not weights we read", 413)
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"cannot read weights {str(path)!r}: {reason}", "give imagenet, none or a file") from error


def _built(name: str, outputs: int = 1000) -> nn.Module:
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
    head = _head_of(network)
    parent, _, last = head.rpartition(".")
    setattr(network.get_submodule(parent), last, nn.Identity())
    return network


def _head_of(network: nn.Module) -> str:
    """The name of the last dense layer."""
    from torch import nn

    dense = [name for name, module in network.named_modules() if isinstance(module, nn.Linear)]
    if not dense:
        raise UserError("this network has no dense layer to take off", "choose another one, such as resnet50")
    return str(dense[-1])
