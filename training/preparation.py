"""Pictures through `handwriter_models.ink`, once: in several processes, and kept for the next run.

MNIST takes the better part of a minute. The result is kept as a file of the cache folder under a name made of the raw
pictures and of the code that prepares them, so a change of either prepares anew and nothing stale is ever read.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

import handwriter_models
from handwriter_models.errors import item_error
from handwriter_models.ink import prepare, prepare_many
from handwriter_models.paths import user_path
from training.samples import Images

_CODE = ("ink.py", "cleaning.py")  # all that stands between a raw array and a prepared one
_CHUNK = 500  # pictures a task: long enough to outweigh its transport, short enough to share out evenly
_WORTH_PROCESSES = 4 * _CHUNK  # below this, starting processes costs more than it saves
Arrays = dict[str, NDArray[Any]]
Task = TypeVar("Task")
Result = TypeVar("Result")


def cache_folder() -> Path:
    """Where prepared pictures and downloads are kept: $HANDWRITER_CACHE, or the user's cache folder."""
    chosen = os.environ.get("HANDWRITER_CACHE")
    standard = user_path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "handwriter"
    return user_path(chosen) if chosen else standard


def prepared_arrays(pictures: Images) -> Images:
    """Raw pictures (n, height, width) of one size as (n, 28, 28), from the cache when they were prepared before."""
    digest = hashlib.sha256(str(pictures.shape).encode())
    digest.update(np.ascontiguousarray(pictures).data)
    chunks = [pictures[start : start + _CHUNK] for start in range(0, len(pictures), _CHUNK)]
    return cached_array(digest.hexdigest(), lambda: np.concatenate(in_processes(prepare_many, chunks, len(pictures))))


def prepared_file(path: Path) -> tuple[Images | None, str]:
    """The prepared picture of one file, or None and the reason why there is none."""
    from handwriter_models.images import PictureError, read_picture

    try:
        ink = prepare(read_picture(path))
    except PictureError as error:
        return None, error.what
    except OSError as error:
        return None, error.strerror or str(error)
    except Exception as error:
        return None, item_error(error, path).what
    return (None, "no ink found in it") if ink.blank else (ink.pixels, "")


def prepared_files(paths: Sequence[Path]) -> list[tuple[Images | None, str]]:
    """`prepared_file` for many, in order. Not kept: files of a folder may change at any time."""
    chunks = [paths[start : start + _CHUNK // 10] for start in range(0, len(paths), _CHUNK // 10)]
    return [answer for answers in in_processes(_prepared_chunk, chunks, 10 * len(paths)) for answer in answers]


def _prepared_chunk(paths: Sequence[Path]) -> list[tuple[Images | None, str]]:
    return [prepared_file(path) for path in paths]


def cached_array(key: str, make: Callable[[], Images]) -> Images:
    """One array kept by `cached_arrays`."""
    return cached_arrays(f"array {key}", (), lambda: {"array": make()})["array"]


def cached_arrays(key: str, code: Sequence[Path], make: Callable[[], Arrays]) -> Arrays:
    """The arrays kept under `key`, the present preparation and the present `code`; made and kept when not there."""
    path = cache_folder() / f"prepared-{hashlib.sha256((key + _version(code)).encode()).hexdigest()[:32]}.npz"
    try:
        with np.load(path, allow_pickle=False) as file:
            kept: Arrays = dict(file)
    except (OSError, ValueError, EOFError, BadZipFile):
        kept = make()
        _keep(path, kept)
    return kept


def _version(code: Sequence[Path]) -> str:
    folder = Path(handwriter_models.__file__ or "").parent
    files = [*(folder / name for name in _CODE), *code]
    return "".join(hashlib.sha256(file.read_bytes()).hexdigest() for file in files)


def _keep(path: Path, arrays: Arrays) -> None:
    """Writes by rename, so that a reader never sees half a file; a full or read-only disk costs only the next run."""
    scratch = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with scratch.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        scratch.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            scratch.unlink()


def in_processes(work: Callable[[Task], Result], tasks: Sequence[Task], pictures: int) -> list[Result]:
    """`work` on each task in order, in one process a core when there are enough pictures."""
    cores = os.cpu_count() or 1
    if pictures < _WORTH_PROCESSES or cores == 1:
        return [work(task) for task in tasks]
    # spawn: a fork of a process with torch's threads in it can hang
    with ProcessPoolExecutor(min(cores, len(tasks)), get_context("spawn"), initializer=_quiet_worker) as pool:
        return list(pool.map(work, tasks))


def _quiet_worker() -> None:
    """Ctrl-C reaches the whole process group: the parent answers it; and OpenCV must not start threads of its own."""
    import cv2

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
