"""The state of an unfinished training as one safetensors file, its plain values as JSON in the file's header.

One file, written beside and renamed, so a kill at any moment leaves either the old state or the new one; and no
pickle, so reading a checkpoint never runs code.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from handwriter_models.errors import UserError

_FILE = "checkpoint.safetensors"
_FORMAT = 1


@dataclass(frozen=True)
class Checkpoint:
    """Tensors by name, and everything else as plain values."""

    tensors: dict[str, Tensor]
    values: dict[str, Any]


def run_folder(out: Path) -> Path:
    """Where the unfinished training that will become bundle `out` keeps its state."""
    return out.with_name(f"{out.name}.unfinished")


def write_checkpoint(folder: Path, tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> None:
    """Replaces the checkpoint in `folder` at once."""
    folder.mkdir(parents=True, exist_ok=True)
    header = {"handwriter": json.dumps({"format": _FORMAT, **values})}
    content = save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, header)
    scratch = folder / f"{_FILE}.tmp"
    with scratch.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(folder / _FILE)


def read_checkpoint(folder: Path) -> Checkpoint | None:
    """The checkpoint in `folder`, None when there is none yet."""
    path = folder / _FILE
    if not path.is_file():
        return None
    try:
        with safe_open(path, "pt") as file:
            values = json.loads((file.metadata() or {})["handwriter"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise UserError(f"{path} cannot be read: {error}", "start afresh with --restart") from error
    if values.get("format") != _FORMAT:
        raise UserError(f"{path} has format {values.get('format')!r}, not {_FORMAT}", "start afresh with --restart")
    return Checkpoint(tensors, values)


def remove_checkpoint(folder: Path) -> None:
    """Removes the state of a finished training, and its folder when nothing else is in it."""
    for name in (_FILE, f"{_FILE}.tmp"):
        (folder / name).unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
