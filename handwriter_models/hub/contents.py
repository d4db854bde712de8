"""What of a repository is a bundle: which files are fetched, how large they may be, and whether they came whole.

The Hub's listing gives every file's size and fingerprint before a byte of it is fetched: git's SHA-1 of a small file,
the SHA-256 of a large one. So a repository that is too large or not ours is refused on its listing, and what arrived is
compared with it. Files that no bundle has (pickles above all) are never asked for.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from handwriter_models.bundle import CARD_FILE, CONFIG_FILE, FIGURES_FOLDER, LARGEST, LARGEST_FIGURE
from handwriter_models.errors import UserError
from handwriter_models.weights import WEIGHTS_FILE

if TYPE_CHECKING:
    from huggingface_hub import HfApi

MOST_FIGURES, MOST_FILES = 64, 100_000
_FIGURE = re.compile(rf"{FIGURES_FOLDER}/[\w][\w.-]{{0,80}}\.png", re.ASCII)
_RUNS_CODE = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".h5", ".keras", ".joblib")


@dataclass(frozen=True)
class Listed:
    """A file as the Hub lists it: bytes, git's SHA-1, and the SHA-256 where it is stored outside git."""

    size: int
    sha1: str
    sha256: str | None = None

    def is_of(self, data: bytes | Path) -> bool:
        """Whether this content, or this file's, is the listed one."""
        size = len(data) if isinstance(data, bytes) else data.stat().st_size
        if size != self.size:
            return False
        if self.sha256:
            return _digest(hashlib.sha256(), data) == self.sha256
        # git's own name of a content, which nothing secret hangs on
        return _digest(hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False), data) == self.sha1


def _digest(state: hashlib._Hash, data: bytes | Path) -> str:
    if isinstance(data, bytes):
        state.update(data)
    else:
        with data.open("rb") as file:
            while piece := file.read(2**20):
                state.update(piece)
    return state.hexdigest()


def listing(api: HfApi, repo: str, commit: str, kind: str = "model") -> dict[str, Listed]:
    """All files of a commit by path; raises `UserError` when there are absurdly many."""
    from huggingface_hub.hf_api import RepoFile

    entries = api.list_repo_tree(repo, recursive=True, revision=commit, repo_type=kind)
    some = list(islice(entries, MOST_FILES + 1))
    if len(some) > MOST_FILES:
        raise UserError(f"{kind} {repo} has more than {MOST_FILES:,} files", "that is more than we compare", 413)
    files = [entry for entry in some if isinstance(entry, RepoFile)]
    return {file.path: Listed(file.size, file.blob_id, file.lfs.sha256 if file.lfs else None) for file in files}


def is_of_bundle(path: str) -> bool:
    """Whether a bundle may have such a file."""
    return path in LARGEST or bool(_FIGURE.fullmatch(path))


def wanted(files: Mapping[str, Listed], place: str) -> list[str]:
    """The files to fetch, config first and weights last; raises `UserError` when it is no bundle or too large."""
    missing = [name for name in (CONFIG_FILE, WEIGHTS_FILE) if name not in files]
    if missing:
        codes = sorted(name for name in files if name.endswith(_RUNS_CODE))
        why = f"; {codes[0]} could run code and is never read" if codes else ""
        raise UserError(f"{place} is not one of our bundles: it has no {missing[0]}{why}", _OURS, 422)
    figures = sorted(name for name in files if _FIGURE.fullmatch(name))
    names = [CONFIG_FILE, *([CARD_FILE] if CARD_FILE in files else []), *figures[:MOST_FIGURES], WEIGHTS_FILE]
    for name in names:
        most = LARGEST.get(name, LARGEST_FIGURE)
        if files[name].size > most:
            told = f"{place}: {name} has {files[name].size / 2**20:.0f} MB, at most {most // 2**20} are read"
            raise UserError(told, "this is not one of our bundles; nothing was fetched", 413)
    return names


_OURS = "only models that `python training publish` made can be loaded"


def total(files: Mapping[str, Listed], names: Iterable[str]) -> int:
    """Bytes of these files together."""
    return sum(files[name].size for name in names)
