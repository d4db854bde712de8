"""Names of repositories on the Hub, as people write them: `user/repo` or `user/repo@revision`.

Only text is looked at: whether such a repository exists is asked by `download`. What is no such name (a path that
begins with a dot or has three parts, say) gives None, so that callers can say what else it may have been.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from handwriter_models.errors import UserError

_PART = r"[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9_])?"  # the Hub's own rule: no dot or dash at either end
_REPOSITORY = re.compile(rf"{_PART}/{_PART}", re.ASCII)
_REVISION = re.compile(r"[A-Za-z0-9](?:[\w./-]*[\w])?", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{7,40}")
_LONGEST, _LONGEST_REVISION, _WHOLE = 96, 200, 40


@dataclass(frozen=True)
class Reference:
    """A repository and a branch, tag or commit of it; `revision` "" is its main branch."""

    repo: str
    revision: str = ""

    @property
    def is_commit(self) -> bool:
        """Whether the revision may be a commit, whole or its beginning."""
        return bool(_COMMIT.fullmatch(self.revision))

    @property
    def is_whole_commit(self) -> bool:
        """Whether the revision is a commit, whose copy never grows old."""
        return self.is_commit and len(self.revision) == _WHOLE

    def __str__(self) -> str:
        return f"{self.repo}@{self.revision}" if self.revision else self.repo


def is_repository(name: str) -> bool:
    """Whether the Hub allows such a name of a repository, `user/name`."""
    odd = "--" in name or ".." in name or name.endswith(".git") or len(name) > _LONGEST
    return bool(_REPOSITORY.fullmatch(name)) and not odd


def parse_reference(text: str) -> Reference | None:
    """The reference in `user/repo[@revision]`, or None when it is none."""
    repo, at, revision = text.partition("@")
    fits = bool(_REVISION.fullmatch(revision)) and ".." not in revision and len(revision) <= _LONGEST_REVISION
    return Reference(repo, revision) if is_repository(repo) and (fits or not at) else None


def reference(text: str) -> Reference:
    """As `parse_reference`; raises `UserError` when it is none."""
    found = parse_reference(text)
    if found is None:
        raise UserError(f"{text!r} is no name of a repository on the Hub", "write user/repo or user/repo@revision", 422)
    return found
