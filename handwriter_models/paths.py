"""Paths as people write them: `~` is a home folder, also where no shell has put it in (`--out=~/x`, quotes, services).

Every option and argument that takes a path has one of these as its typer `parser`.
"""

from __future__ import annotations

import os
from pathlib import Path


def user_path(text: str | os.PathLike[str]) -> Path:
    """The path, with `~` and `~user` at its start as that person's home."""
    return Path(name_or_path(os.fspath(text)))


def name_or_path(text: str) -> str:
    """The same of what may be a name instead (`mnist`, `user/repo`), which stays as it is."""
    try:
        return os.path.expanduser(text)  # noqa: PTH111 - a Path would change names: `a//b`, ``
    except ValueError:  # a zero byte
        return text
