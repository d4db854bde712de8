"""The folder that an export is written to: beside its place until it is complete, then renamed.

`OUT.unfinished` holds a locked mark while it is being written. The system lets go of the lock when the writer dies, so
what a killed export left is known to be nobody's, and the next one empties it. A folder without the mark is not ours
and is never touched.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from handwriter_models.errors import UserError

UNFINISHED, MARK = ".unfinished", ".curation-export"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def writing(out: Path, root: Path) -> Iterator[Path]:
    """A folder to write to; it becomes `out` when the block ends well, and is gone when it does not.

    Raises:
        UserError: when `out` holds something, lies in the dataset `root`, or cannot be written (a full disk).
    """
    out = _checked(out, root)
    folder = out.with_name(out.name + UNFINISHED)
    try:
        lock = _taken(folder)
        try:
            yield folder
            _flush()
            if os.name == "nt":
                lock.release()  # Windows renames no folder of which a file is open
            if out.exists():
                out.rmdir()  # it was empty; if it is not any more, this raises
            folder.rename(out)
        except BaseException:
            with suppress(OSError):
                _emptied(folder)
            raise
        finally:
            lock.release()
            _unmarked(out, folder)
    except OSError as error:
        raise _failed(out, error) from error


def _unmarked(out: Path, folder: Path) -> None:
    """Takes the mark away, and with it what is left of a failed export, unless that could not be emptied."""
    with suppress(OSError):
        (out / MARK).unlink(missing_ok=True)
    with suppress(OSError):
        if [entry.name for entry in folder.iterdir()] in ([MARK], []):
            (folder / MARK).unlink(missing_ok=True)
            folder.rmdir()


def _checked(out: Path, root: Path) -> Path:
    real, inside = Path(os.path.realpath(out)), Path(os.path.realpath(root))
    if real == inside or inside in real.parents:
        raise UserError(f"{out} lies inside the dataset {root}", "give a folder outside of it")
    try:
        if os.path.lexists(real) and not real.is_dir():
            raise UserError(f"{out} is a file, not a folder", "give a folder that does not exist yet")
        if real.is_dir() and any(real.iterdir()):
            raise UserError(f"the folder {out} is not empty", "give a folder that does not exist yet")
        real.parent.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"cannot write to {str(out)!r}: {reason}", "give another folder") from error
    return real


def _taken(folder: Path) -> FileLock:
    """The lock of the folder, which is empty now but for its mark."""
    if os.path.lexists(folder) and (folder.is_symlink() or not folder.is_dir() or _is_foreign(folder)):
        raise UserError(
            f"{folder} is in the way, and it is not an unfinished export", "move it away, or give another folder"
        )
    folder.mkdir(exist_ok=True)
    lock = FileLock(folder / MARK, thread_local=False, is_singleton=False)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise UserError(f"another export is writing to {folder}", "wait for it, or give another folder") from error
    _emptied(folder)
    return lock


def _is_foreign(folder: Path) -> bool:
    return not (folder / MARK).is_file() and any(folder.iterdir())


def _emptied(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.name == MARK:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _flush() -> None:
    """A rename may reach the disk before the bytes do; after a power cut that would look like a finished export."""
    if hasattr(os, "sync"):
        os.sync()


def _failed(out: Path, error: OSError) -> UserError:
    if error.errno in _FULL:
        return UserError(
            f"there is no room for {out}: {error.strerror}",
            "free some space, or give a folder on another disk; nothing was left behind",
        )
    return UserError(
        f"cannot write {out}: {error.strerror or error}", "check permissions and room, or give another folder"
    )
