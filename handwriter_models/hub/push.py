"""Sends a folder to a repository on the Hub: one commit of what differs, and only where it is nobody's other work.

What lies there is known from the Hub's listing (git's SHA-1, or the SHA-256 of large files), so a second push finds
nothing to do, and one that was interrupted goes on: large files that arrived are not sent again, and the commit, which
comes last, is there or not. Files that are no part of what is pushed are never touched; when there are any, the push
is refused unless it is forced.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from handwriter_models.errors import UserError
from handwriter_models.hub.connection import TIMEOUT, Tell, account, hub, say, told
from handwriter_models.hub.contents import Listed, listing
from handwriter_models.hub.refs import is_repository

if TYPE_CHECKING:
    from huggingface_hub import HfApi

Kind = Literal["model", "dataset", "space"]
Content = bytes | Path
_BY_THE_HUB = frozenset({".gitattributes", "README.md", "LICENSE"})  # what its pages put into a new repository
_FORCE = "choose another name, or give --force: what is no part of this stays, the rest is replaced"
_LARGEST_READ = 16 * 2**20
_PAGES = {"model": "", "dataset": "datasets/", "space": "spaces/"}


def _nothing_more(_: Mapping[str, Listed], __: Callable[[str], bytes]) -> str:
    return ""


@dataclass(frozen=True)
class Target:
    """Where to push, and what may lie there already.

    Attributes:
        repo: `user/name`, or `name` of whoever owns the token.
        private: for a new repository; an existing public one is refused.
        sdk: of a Space: gradio or static.
        hardware: of a new Space, "" for the usual.
        belongs: whether a path may be ours: such files may be replaced, and are removed when they are no longer pushed.
        objection: given what is there, and how to read a small file of it: why it is not ours, or "".
    """

    repo: str
    kind: Kind = "model"
    private: bool = False
    sdk: str = ""
    hardware: str = ""
    belongs: Callable[[str], bool] = _BY_THE_HUB.__contains__
    objection: Callable[[Mapping[str, Listed], Callable[[str], bytes]], str] = _nothing_more


@dataclass(frozen=True)
class Published:
    """What came of it. `changed`: files sent and removed; none when all was there already."""

    url: str
    repo: str
    commit: str
    changed: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """What the commands print with `--json`."""
        return {"url": self.url, "repo": self.repo, "commit": self.commit, "changed": list(self.changed)}


def publish_folder(
    folder: Path, target: Target, *, token: str | None, force: bool = False, tell: Tell = say
) -> Published:
    """Pushes all files of a folder but hidden ones; as `push`. A link in it is refused: it may lead anywhere."""
    paths = [path for path in sorted(folder.rglob("*")) if not _is_hidden(path.relative_to(folder))]
    for path in paths:
        if path.is_symlink():
            raise UserError(f"{path} is a link", "put the file itself into the folder")
    files: dict[str, Content] = {path.relative_to(folder).as_posix(): path for path in paths if path.is_file()}
    owned = replace(target, repo=owned_name(target.repo, token))
    return push(files, owned, token=token, force=force, tell=tell)


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") or part == "__pycache__" for part in path.parts)


def push(
    files: Mapping[str, Content], target: Target, *, token: str | None, force: bool = False, tell: Tell = say
) -> Published:
    """Makes the repository if need be, and makes it hold `files`.

    Args:
        files: by path in the repository.
        target: the repository, its name as `owned_name` gives it.
        token: of whoever may write there.
        force: also into a repository that holds something else, which is left in place.
        tell: takes one line for each step.

    Raises:
        UserError: nothing to push, another's work there, what the Hub refuses, no network.
    """
    from huggingface_hub import constants

    if not files:
        raise UserError("there is nothing to publish", "the folder has no files")
    repo, place = target.repo, f"{target.kind} {target.repo}"
    with told(place, token):
        api = hub(token)
        parent, is_new = _settled(api, repo, target, tell)
        there = listing(api, repo, parent, target.kind)
        why = "" if is_new else _objection(api, target, parent, there, files.keys())
        if why and not force:
            raise UserError(f"{place} is something else: {why}", _FORCE, 409)
        sent = [path for path, content in files.items() if path not in there or not there[path].is_of(content)]
        old = sorted(there.keys() - files.keys() - _BY_THE_HUB)
        gone = [] if why else [path for path in old if target.belongs(path)]
        url = f"{constants.ENDPOINT}/{_PAGES[target.kind]}{repo}"
        if not sent and not gone:
            tell(f"{place}: all {len(files)} files are there already")
            return Published(url, repo, parent, ())
        size = sum(_size(files[path]) for path in sent)
        tell(f"{place}: sending {len(sent)} of {len(files)} files, {size / 1e6:.2f} MB")
        commit = _commit(api, repo, target.kind, parent, {path: files[path] for path in sent}, gone)
    tell(f"{place}: done, commit {commit[:7]}")
    return Published(url, repo, commit, (*sent, *gone))


def _size(content: Content) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def owned_name(repo: str, token: str | None) -> str:
    """The whole name of a repository, `user/name`; `name` alone is in the hands of whoever owns the token.

    Raises `UserError` unless the token is valid, may write, and its owner has a say there.
    """
    if not token:
        raise UserError("publishing needs a token", "log in (hf auth login), set HF_TOKEN, or give --token-file", 401)
    who = account(token, repo)
    name = str(who.get("name"))
    repo = repo if "/" in repo else f"{name}/{repo}"
    if not is_repository(repo):
        raise UserError(
            f"{repo!r} is no name of a repository", "write user/name: letters, digits, '-', '_' and '.'", 422
        )
    access = (who.get("auth") or {}).get("accessToken") or {}
    if access.get("role") == "read":
        raise UserError(
            f"the token of {name} may only read", "make one that writes: huggingface.co/settings/tokens", 403
        )
    spaces = [name, *(str(org.get("name")) for org in who.get("orgs") or [])]
    owner = repo.split("/")[0]
    if owner.lower() not in (space.lower() for space in spaces):
        raise UserError(f"the token belongs to {name}, not to {owner}", f"give --repo {name}/{repo.split('/')[1]}", 403)
    return repo


def _settled(api: HfApi, repo: str, target: Target, tell: Tell) -> tuple[str, bool]:
    """The newest commit of the repository, which is made when there is none, and whether it was made now."""
    from huggingface_hub.errors import RepositoryNotFoundError

    def look() -> Any:  # noqa: ANN401 - ModelInfo, DatasetInfo or SpaceInfo
        return api.repo_info(repo, repo_type=target.kind, timeout=TIMEOUT)

    made = False
    try:
        found = look()
    except RepositoryNotFoundError:
        extra: dict[str, Any] = {"space_sdk": target.sdk} if target.kind == "space" else {}
        if target.hardware:
            extra["space_hardware"] = target.hardware
        api.create_repo(repo, repo_type=target.kind, private=target.private, exist_ok=True, **extra)
        tell(f"{target.kind} {repo}: made{', private' if target.private else ''}")
        found, made = look(), True
    if target.private and not found.private:
        raise UserError(f"{target.kind} {repo} is there already, and public", "make it private on its page first", 409)
    if not found.sha:
        raise UserError(f"{target.kind} {repo} has no first commit", "make another repository", 422)
    return str(found.sha), made


def _objection(api: HfApi, target: Target, commit: str, there: Mapping[str, Listed], pushed: Set[str]) -> str:
    """Why the repository is not ours to write to, or ""; `there`: what it holds."""

    def read(path: str) -> bytes:
        if there[path].size > _LARGEST_READ:
            return b""
        place = api.hf_hub_download(target.repo, path, revision=commit, repo_type=target.kind)
        return Path(place).read_bytes()

    foreign = sorted(path for path in there if path not in _BY_THE_HUB | pushed and not target.belongs(path))
    return f"it holds {foreign[0]!r}" if foreign else target.objection(there, read)


def _commit(api: HfApi, repo: str, kind: Kind, parent: str, sent: Mapping[str, Content], gone: list[str]) -> str:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    changes: list[Any] = [CommitOperationAdd(path, content) for path, content in sent.items()]
    changes += [CommitOperationDelete(path) for path in gone]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the Hub's advice on a card is for its page
        done = api.create_commit(
            repo, changes, commit_message=_message(sent, gone), repo_type=kind, parent_commit=parent
        )
    return str(done.oid)


def _message(sent: Mapping[str, Content], gone: list[str]) -> str:
    some = [*sent, *gone]
    return f"Publish {some[0] if len(some) == 1 else f'{len(some)} files'} with HandWriter"
