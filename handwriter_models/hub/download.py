"""Brings a bundle from the Hub into the Hub's own cache (`hf cache ls` shows it), and finds it there without a network.

The commit is settled first and everything belongs to it, so a push in between cannot mix two versions. The config is
read before the weights are fetched: a repository that is not ours costs a few kilobytes. The name of a branch points to
a commit in the cache only once all of it is there; that is what a later start without a network goes by.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handwriter_models.bundle import CONFIG_FILE, read_config
from handwriter_models.errors import UserError
from handwriter_models.hub.connection import TIMEOUT, Tell, UnreachableError, hub, own_token, say, told
from handwriter_models.hub.contents import Listed, listing, total, wanted
from handwriter_models.hub.refs import Reference, is_repository
from handwriter_models.weights import WEIGHTS_FILE
from handwriter_models.whole_files import write_whole

if TYPE_CHECKING:
    from huggingface_hub import HfApi

_SHORT = 7  # digits of a commit in messages, as git shows them


@dataclass(frozen=True)
class Downloaded:
    """A bundle in the cache. `offline`: the Hub was not asked, or gave no answer."""

    folder: Path
    repo: str
    commit: str
    offline: bool

    def to_json(self) -> dict[str, Any]:
        """What `python handwriter_models download --json` prints."""
        return {"repo": self.repo, "commit": self.commit, "folder": str(self.folder), "offline": self.offline}


def download(asked: Reference, *, token: str | None = None, tell: Tell = say) -> Downloaded:
    """The bundle in the cache, fetched unless it is there.

    Args:
        asked: the repository, and the branch, tag or commit.
        token: whose eyes to see it with; None: those of whoever runs this program, if logged in.
        tell: takes one line: which commit it is, and whether it comes from the cache.

    Raises:
        UserError: it is not there, not ours, too large, not to be had with this token, or there is no network and no
            copy in the cache.
    """
    place = f"model {asked}"
    kept = _kept(asked) if asked.is_whole_commit else None
    if kept:  # a commit never changes
        tell(f"{place}: {_pinned(kept)}, from the cache")
        return kept
    try:
        token = token or own_token()
        with told(place, token, reads=True):
            found = _fetched(asked, hub(token), tell)
    except UnreachableError as error:
        kept = _kept(asked)
        if kept is None:
            raise UserError(error.what, f"{error.hint}; the cache has no copy of it", error.status) from error
        tell(f"{place}: the Hub cannot be reached; using {_pinned(kept)} from the cache")
        return kept
    tell(f"{place}: {_pinned(found)}")
    return found


def _pinned(found: Downloaded) -> str:
    return f"{found.repo}@{found.commit[:_SHORT]}"


def _fetched(asked: Reference, api: HfApi, tell: Tell) -> Downloaded:
    info = api.model_info(asked.repo, revision=asked.revision or None, timeout=TIMEOUT)
    if not info.sha:
        raise UserError(f"model {asked} has no commit yet", "its owner must push something first", 422)
    if not Reference(asked.repo, str(info.sha)).is_whole_commit or not is_repository(str(info.id)):
        raise ValueError("no commit, or no name")  # it becomes a folder of the cache
    if info.id.lower() != asked.repo.lower():
        tell(f"model {asked.repo} is called {info.id} now")
    folder = _storage(asked.repo) / "snapshots" / info.sha
    if _missing(folder, (CONFIG_FILE, WEIGHTS_FILE)):  # the weights come last: with them all is there
        _fetch_all(api, asked, info.sha, tell)
    _remember(folder, asked.revision or "main", info.sha)
    return Downloaded(folder, asked.repo, info.sha, offline=False)


def _fetch_all(api: HfApi, asked: Reference, commit: str, tell: Tell) -> None:
    files = listing(api, asked.repo, commit)
    names = wanted(files, f"model {asked}")
    tell(f"fetching {asked.repo}@{commit[:_SHORT]}: {total(files, names) / 1e6:.2f} MB")
    config = _fetch(api, asked.repo, commit, {CONFIG_FILE: files[CONFIG_FILE]})
    _check_ours(config.parent, asked)
    _fetch(api, asked.repo, commit, {name: files[name] for name in names})


def _missing(folder: Path, names: Sequence[str]) -> list[str]:
    return [name for name in names if not (folder / name).is_file()]


def _fetch(api: HfApi, repo: str, commit: str, files: dict[str, Listed]) -> Path:
    """Puts the files into the cache and returns the last one's place; a damaged one is fetched once more."""
    from huggingface_hub import try_to_load_from_cache

    path = Path()
    for name, listed in files.items():
        there = try_to_load_from_cache(repo, name, revision=commit)
        path = Path(api.hf_hub_download(repo, name, revision=commit))
        if isinstance(there, str):
            continue  # compared when it came
        if not listed.is_of(path):
            path = Path(api.hf_hub_download(repo, name, revision=commit, force_download=True))
        if not listed.is_of(path):
            path.unlink()
            raise UserError(f"model {repo}: {name} arrived damaged", "run it again", 502)
    return path


def _check_ours(folder: Path, asked: Reference) -> None:
    try:
        read_config(folder)
    except UserError as error:
        what = error.what.replace(str(folder / CONFIG_FILE), CONFIG_FILE)
        raise UserError(f"model {asked} is not one of our bundles: {what}", error.hint, 422) from error


def _storage(repo: str) -> Path:
    """Where the Hub's cache keeps a model: `refs/BRANCH` names a commit, `snapshots/COMMIT/` has its files."""
    from huggingface_hub.constants import HF_HUB_CACHE

    return Path(HF_HUB_CACHE) / f"models--{repo.replace('/', '--')}"


def _remember(folder: Path, revision: str, commit: str) -> None:
    if revision != commit:
        with suppress(UserError):  # a cache that only others may write to still serves
            write_whole(folder.parents[1] / "refs" / revision, commit.encode(), "HF_HOME")


def _kept(asked: Reference) -> Downloaded | None:
    """The whole bundle in the cache, without asking anybody."""
    storage = _storage(asked.repo)
    names = [_read_line(storage / "refs" / (asked.revision or "main"))]
    if asked.is_commit:
        names += sorted(path.name for path in (storage / "snapshots").glob(f"{asked.revision}*"))
    for commit in filter(None, names):
        folder = storage / "snapshots" / commit
        if not _missing(folder, (CONFIG_FILE, WEIGHTS_FILE)):
            return Downloaded(folder, asked.repo, commit, offline=True)
    return None


def _read_line(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except (OSError, ValueError):
        return ""
