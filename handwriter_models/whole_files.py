"""A file is whole or not there: written beside its place, on the disk, then renamed."""

from __future__ import annotations

import os
from pathlib import Path

from handwriter_models.errors import UserError


def write_whole(path: Path, data: bytes, place: str) -> None:
    """Puts the data in the place of what is there; when it cannot, `UserError` says to give another `place`."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with scratch.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise UserError(f"cannot write {path}: {error.strerror}", f"make room, or give another {place}") from error
