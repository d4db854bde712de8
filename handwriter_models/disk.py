"""A disk that is full, or may only be read: recognised in what programs and libraries raise, and put into words.

SQLite calls a full disk "disk I/O error" when it cannot make the file beside its database, and libraries wrap what the
system said; so the whole chain of an error is looked at, and a folder can be tried out.
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from handwriter_models.errors import UserError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SAID_FULL = ("No space left on device", "Disk quota exceeded", "database or disk is full")
_TRIAL = 256 * 1024  # bytes: what SQLite makes beside a database is smaller


def disk_fault(error: BaseException) -> UserError | None:
    """What to tell when a full disk, or one that may only be read, is the cause; None when it is not."""
    for one in _chain(error):
        place = getattr(one, "filename", None)
        name = f" of {os.fsdecode(place)}" if isinstance(place, str | bytes | os.PathLike) else ""
        number = one.errno if isinstance(one, OSError) else None
        if number in _FULL or (not isinstance(one, UserError) and any(said in str(one) for said in _SAID_FULL)):
            return full_disk(name)
        if number == errno.EROFS:
            return UserError(f"the disk{name} may only be read", "give another folder, or mount it for writing", 507)
    return None


def full_disk(of: str) -> UserError:
    """That there is no room left; `of` is " of PLACE", or nothing."""
    return UserError(
        f"the disk{of} is full, or your share of it is used up",
        "make room; what was finished is kept, and the same command goes on",
        507,
    )


def fault_of_folder(folder: Path) -> UserError | None:
    """Why nothing more can be written to a folder, which is tried out; None when something can."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(_TRIAL))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return full_disk(f" of {folder}") if error.errno in _FULL else disk_fault(error)
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came of, also of a group of tasks."""
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        before = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
        waiting += [before] if before else []
        waiting += one.exceptions if isinstance(one, BaseExceptionGroup) else ()
