"""A bundle's weights: safetensors only, checked tensor by tensor against the network the config describes.

The network is first built without memory (on torch's meta device), so a config that asks for a monstrous network
costs nothing: its shapes are compared with the file's header, and only a file that fits is read into it.
torch is imported inside the functions, because listing bundles needs the header alone.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from handwriter_models.bundle_config import BundleConfig, unique_keys
from handwriter_models.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor, nn

WEIGHTS_FILE = "model.safetensors"
_LARGEST_HEADER = 16 * 2**20
_NOT_LEARNED = ("running_mean", "running_var", "num_batches_tracked")
_AGAIN = "copy or make the bundle again; only safetensors files are read"


class TensorKind(NamedTuple):
    """Number type (as safetensors names it) and shape."""

    dtype: str
    shape: tuple[int, ...]


def header_kinds(head: bytes, file: str) -> dict[str, TensorKind]:
    """Number types and shapes by name in the first bytes of a safetensors file; needs no torch."""
    length = int.from_bytes(head[:8], "little")
    if len(head) < 8 or length > _LARGEST_HEADER or length + 8 > len(head):
        raise UserError(f"{file} is not a whole safetensors file", _AGAIN, 422)
    try:
        document = json.loads(head[8 : 8 + length], object_pairs_hook=unique_keys)
        document.pop("__metadata__", None)
        return {name: _kind(entry) for name, entry in document.items()}
    except (ValueError, RecursionError, AttributeError, KeyError, TypeError) as error:
        why = f": {error}" if "twice" in str(error) else ""
        raise UserError(f"{file} has a damaged header{why}", _AGAIN, 422) from error


def _kind(entry: dict[str, Any]) -> TensorKind:
    shape = entry["shape"]
    if not all(isinstance(side, int) and side >= 0 for side in shape):
        raise ValueError(shape)
    return TensorKind(str(entry["dtype"]), tuple(shape))


def parameter_count(path: Path) -> int:
    """The number of learned values in a weights file, from its header alone."""
    with path.open("rb") as file:
        head = file.read(8)
        head += file.read(min(int.from_bytes(head, "little"), _LARGEST_HEADER))
    kinds = header_kinds(head, str(path))
    return sum(math.prod(kind.shape) for name, kind in kinds.items() if not name.endswith(_NOT_LEARNED))


def network_from_bytes(config: BundleConfig, data: bytes, file: str) -> nn.Module:
    """The config's network with the weights in `data`, in evaluation mode; raises `UserError` naming `file`."""
    import safetensors
    import safetensors.torch

    network = _hollow_network(config)
    _compare(_kinds(network.state_dict()), header_kinds(data, file), file)
    try:
        state = safetensors.torch.load(data)
    except (safetensors.SafetensorError, ValueError, KeyError, RuntimeError) as error:
        raise UserError(f"{file} is damaged: {error}", _AGAIN, 422) from error
    _check_finite(state, file)
    network.load_state_dict(state, strict=True, assign=True)
    return network.eval().requires_grad_(False)


def check_state(config: BundleConfig, state: Mapping[str, Tensor], file: str) -> None:
    """Raises `UserError` unless `state` is what the config's network holds, all of it finite."""
    _compare(_kinds(_hollow_network(config).state_dict()), _kinds(state), file)
    _check_finite(state, file)


def state_bytes(state: Mapping[str, Tensor]) -> bytes:
    """The weights as a safetensors file."""
    import safetensors.torch

    # Cloned, because safetensors refuses tensors that share memory.
    return safetensors.torch.save({name: tensor.detach().cpu().contiguous().clone() for name, tensor in state.items()})


def _hollow_network(config: BundleConfig) -> nn.Module:
    import torch

    from handwriter_models.networks import build

    with torch.device("meta"):
        return build(config.network.name, config.network.arguments)


def _kinds(state: Mapping[str, Tensor]) -> dict[str, TensorKind]:
    import torch

    names = {torch.float32: "F32", torch.int64: "I64", torch.float16: "F16", torch.bfloat16: "BF16"}
    return {
        name: TensorKind(names.get(tensor.dtype, str(tensor.dtype)), tuple(tensor.shape))
        for name, tensor in state.items()
    }


def _compare(wanted: Mapping[str, TensorKind], found: Mapping[str, TensorKind], file: str) -> None:
    missing, foreign = sorted(wanted.keys() - found.keys()), sorted(found.keys() - wanted.keys())
    if missing:
        raise UserError(f"{file}: tensor {missing[0]!r} is missing", "the weights belong to another network", 422)
    if foreign:
        raise UserError(f"{file}: tensor {foreign[0][:100]!r} is foreign", "the weights belong to another network", 422)
    for name, kind in wanted.items():
        if found[name] != kind:
            is_now, must_be = (f"{kind.dtype} {list(kind.shape)}" for kind in (found[name], kind))
            raise UserError(f"{file}: tensor {name!r} is {is_now}", f"the config's network needs {must_be}", 422)


def _check_finite(state: Mapping[str, Tensor], file: str) -> None:
    import torch

    for name, tensor in state.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise UserError(f"{file}: tensor {name!r} holds NaN or infinite values", "train again at a lower rate", 422)
