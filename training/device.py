"""Where a network is trained: named by the person, or the first graphics processor where there is one."""

from __future__ import annotations

import torch

from handwriter_models.errors import UserError


def chosen_device(name: str) -> str:
    """`cpu`, `cuda` or what else torch knows; `auto` chooses. `UserError` when it cannot be used here."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:
        raise UserError(f"device {name!r} cannot be used here", "cpu, cuda, or auto") from error
    return name
