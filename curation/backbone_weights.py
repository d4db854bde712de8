"""Where the weights of torchvision's networks come from.

Weights come from torchvision's server (only tensors are read, and the check sum is in the address), from a .safetensors
file that must fit to the letter, or are random and always the same. The number of classes is the file's: the head is
taken off anyway.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handwriter_models.backbone_networks import TENSORFLOW, built, head_name
from handwriter_models.errors import UserError
from handwriter_models.paths import user_path
from handwriter_models.weights import header_kinds

if TYPE_CHECKING:
    from torch import nn

IMAGENET, NONE = "imagenet", "none"
_LARGEST = 2 * 2**30  # bytes of a weights file
State = dict[str, Any]
Fetch = Callable[[Any], State]  # of a torchvision `Weights` member, over the network


def weighted(name: str, weights: str, fetch: Fetch | None = None) -> tuple[str, nn.Module]:
    """A short name of the weights, and the network with them."""
    if weights == NONE:
        return NONE, built(name)
    if weights != IMAGENET:
        return _from_file(name, user_path(weights))
    if name == TENSORFLOW:
        raise UserError(f"{name} has no weights that could be fetched", "give --weights FILE.safetensors")
    from handwriter_models.torchvision_import import torchvision

    best = torchvision.models.get_model_weights(name).DEFAULT
    network = built(name)
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
    head = f"{head_name(built(name, 1))}.weight"
    shape = kinds[head].shape if head in kinds else ()
    if len(shape) != 2 or not 0 < shape[0] <= 100_000:
        raise UserError(f"{path} has no head {head!r}", f"it must hold all weights of torchvision's {name}", 422)
    network = built(name, shape[0])
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
