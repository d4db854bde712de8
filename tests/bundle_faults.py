"""Bundles damaged on purpose: a field of the config or a tensor changed, and the refusal that follows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from handwriter_models.bundle import (
    read_bundle,
)
from handwriter_models.errors import UserError


def changed(document: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """The document with the field at the dotted path set, or deleted when the value is `...`."""
    *parents, last = path.split(".")
    inner = document
    for name in parents:
        inner = inner[name]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return document


def edit_config(folder: Path, path: str, value: object) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(changed(json.loads(file.read_text()), path, value)))


def edit_weights(folder: Path, **tensors: torch.Tensor | None) -> None:
    file = folder / "model.safetensors"
    state = {**safetensors.torch.load_file(file), **tensors}
    file.write_bytes(safetensors.torch.save({name: tensor for name, tensor in state.items() if tensor is not None}))


def refusal(folder: Path) -> UserError:
    with pytest.raises(UserError) as caught:
        read_bundle(folder)
    assert caught.value.hint
    assert str(folder) in caught.value.what or caught.value.what.startswith(("unknown network", "network", "argument"))
    return caught.value
