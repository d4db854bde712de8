"""`curation scan`: every new or changed picture is read once, and what it gave is in the database within a second.

Workers decode, the main process writes. A scan that is killed has stored all but the
last moment, and the next one reads only what is missing.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path

from curation.files import Known, Scanned
from curation.fingerprint import LIMITS, Look, look, prints
from curation.folders import FolderLabels
from curation.pictures import Pictures
from curation.walk import Entry, walk
from curation.workers import awaited, workers
from handwriter_models.errors import UserError, item_error
from handwriter_models.images import PictureError
from handwriter_models.labels import told_alike
from handwriter_models.picture_files import Obstacle, Other

_BINARY = getattr(os, "O_BINARY", 0)
AHEAD = 4  # chunks that wait for each worker
CHUNK = 32  # pictures that a worker takes at once, and hashes at once
Tell = Callable[[int, int], None]  # done and all, of the files that must be read


@dataclass
class Summary:
    """What a scan came to.

    `read` counts the pictures that had to be opened, `others` files that are no pictures, `notes` are about labels.
    """

    images: int = 0
    read: int = 0
    gone: int = 0
    others: int = 0
    notes: list[str] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True)
class _Wanted:
    entry: Entry
    label: str
    crawled: str  # the sha256 that the crawler computed, if it did


def scan(pictures: Pictures, tell: Tell = lambda *_: None, count: int = 0) -> Summary:
    """Brings the database up to date with the folder; `count` workers decode (0: one a core)."""
    started = time.monotonic()
    summary = Summary()
    known = pictures.known()
    entries: dict[str, Entry] = {}
    for found in walk(pictures.root):
        if isinstance(found, Obstacle):
            summary.unreadable.append((found.path, found.why))
        elif isinstance(found, Other):
            summary.others += 1
        else:
            entries[found.path] = found
    if not entries and not known:
        raise _nothing(pictures.root, summary)
    labels = FolderLabels(pictures.root, pictures.labels())
    names = {labels.of(folder) for folder in {entry.label for entry in entries.values()}}  # a bad one ends it here
    summary.notes = [*labels.notes(), *told_alike(names)]
    pictures.normalize_labels()
    pictures.store_setting("left out", {"others": summary.others, "obstacles": summary.unreadable})
    wanted = _wanted(pictures, entries, known, labels)
    _read(pictures, wanted, tell, count)
    gone = [path for path, one in known.items() if one.state == "kept" and path not in entries]
    pictures.mark_gone(gone)
    faults = pictures.faults()
    summary.unreadable += faults
    summary.images = len(entries) - len(faults)
    summary.read, summary.gone = len(wanted), len(gone)
    summary.seconds = time.monotonic() - started
    return summary


def _nothing(root: Path, summary: Summary) -> UserError:
    if summary.unreadable:
        path, why = summary.unreadable[0]
        return UserError(f"no picture in {root} can be reached ({path or '.'}: {why})", "check the permissions")
    others = f", but {summary.others} other files" if summary.others else ""
    return UserError(
        f"there are no pictures in {root}{others}",
        "give a folder of a crawl, or one with a folder of pictures for each class",
    )


def _wanted(
    pictures: Pictures, entries: dict[str, Entry], known: dict[str, Known], labels: FolderLabels
) -> list[_Wanted]:
    """The files that are new or changed, or whose content has not been measured."""
    crawled, printed = pictures.crawled(), pictures.printed()
    wanted = []
    for path, entry in entries.items():
        before = known.get(path)
        if before and _is_unchanged(before, entry) and (before.sha256 in printed or not before.sha256):
            continue
        sha, size = crawled.get(path, ("", -1))
        wanted.append(_Wanted(entry, labels.of(entry.label), sha if size == entry.bytes else ""))
    return wanted


def _is_unchanged(before: Known, entry: Entry) -> bool:
    now = (entry.bytes, entry.modified, entry.part)
    return before.state == "kept" and (before.bytes, before.modified, before.part) == now


def _read(pictures: Pictures, wanted: Sequence[_Wanted], tell: Tell, count: int) -> None:
    """Chunks are stored in order, one transaction each."""
    done = 0
    try:
        with workers(count, len(wanted)) as pool:
            for scanned in _results(pool, pictures.root, wanted, AHEAD * (count or os.cpu_count() or 1)):
                pictures.record(scanned)
                done = min(done + CHUNK, len(wanted))
                tell(done, len(wanted))
    except BrokenProcessPool as error:
        raise UserError(
            f"a process that decodes pictures has died, at {wanted[done].entry.path} or soon after it",
            "scan again; if it dies again, give --workers 1, and move the file away that ends the scan",
        ) from error


def _results(pool: Executor, root: Path, wanted: Sequence[_Wanted], most: int) -> Iterator[list[Scanned]]:
    """In order; at most `most` chunks are under way, so that memory does not grow with the dataset."""
    waiting: deque[Future[list[Scanned]]] = deque()
    for chunk in _chunks(wanted):
        waiting.append(pool.submit(_scanned, root, chunk))
        if len(waiting) >= most:
            yield awaited(pool, waiting.popleft())
    while waiting:
        yield awaited(pool, waiting.popleft())


def _chunks(wanted: Sequence[_Wanted]) -> Iterator[Sequence[_Wanted]]:
    """In slices of `CHUNK`."""
    return (wanted[start : start + CHUNK] for start in range(0, len(wanted), CHUNK))


def _scanned(root: Path, chunk: Sequence[_Wanted]) -> list[Scanned]:
    found = [(one, _looked(root, one)) for one in chunk]
    looks = [result for _, result in found if isinstance(result, Look)]
    by_content = {held.sha256: held for held in prints(looks)}
    scanned = []
    for one, result in found:
        if isinstance(result, Look):
            scanned.append(Scanned(one.entry, one.label, result.sha256, print=by_content[result.sha256]))
        elif result:
            scanned.append(Scanned(one.entry, one.label, fault=result))
    return scanned


def _looked(root: Path, one: _Wanted) -> Look | str:
    """The look, or the fault; "" when the file is gone, moved by a verdict while we came to it."""
    try:
        if one.entry.bytes > LIMITS.bytes:
            return f"larger than {LIMITS.bytes >> 20} MB"
        # A pipe that has taken the file's place since must not hold us.
        descriptor = os.open(root / one.entry.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _BINARY)
        with open(descriptor, "rb", buffering=0) as file:  # noqa: PTH123 - a descriptor has no path
            data = file.read(one.entry.bytes + 1)  # a larger buffer costs as much as a tenth of the decoding
        return look(data, one.crawled)
    except FileNotFoundError:
        return ""
    except PictureError as error:
        return error.what.removeprefix("the picture is ").removeprefix("the picture ")
    except OSError as error:
        return error.strerror or str(error)
    except Exception as error:
        return item_error(error, one.entry.path).what
