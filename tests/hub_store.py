"""What the Hub of `hub_site` holds: accounts and repositories, with commits, branches and files as git names them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

OUTSIDE_GIT = {".safetensors", ".png", ".jpg", ".onnx", ".parquet", ".wasm"}  # as a new repository's .gitattributes say
Json = dict[str, Any]


@dataclass(frozen=True)
class Account:
    """Whose token it is. `role`: read or write."""

    name: str
    role: str = "write"
    orgs: tuple[str, ...] = ()

    def may_write(self, namespace: str) -> bool:
        return self.role == "write" and namespace in (self.name, *self.orgs)

    def to_json(self) -> Json:
        access = {"displayName": "test", "role": self.role, "createdAt": "2026-01-01T00:00:00.000Z"}
        return {
            "type": "user",
            "name": self.name,
            "fullname": self.name.title(),
            "orgs": [{"type": "org", "name": name} for name in self.orgs],
            "auth": {"type": "access_token", "accessToken": access},
        }


def git_name(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def pointer(data: bytes) -> bytes:
    """What git itself stores in place of a large file."""
    oid = hashlib.sha256(data).hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(data)}\n".encode()


def is_outside_git(path: str) -> bool:
    return PurePosixPath(path).suffix in OUTSIDE_GIT


def entry(path: str, data: bytes) -> Json:
    """A file as the tree lists it."""
    listed: Json = {"type": "file", "path": path, "size": len(data), "oid": git_name(data)}
    if is_outside_git(path):
        small = pointer(data)
        listed["oid"] = git_name(small)
        listed["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": len(small)}
    return listed


@dataclass
class Repo:
    """One repository: the files of every commit, and where its branches and tags point."""

    kind: str
    name: str
    private: bool = False
    gated: bool = False
    created_with: Json = field(default_factory=dict)
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    large: dict[str, bytes] = field(default_factory=dict)  # uploaded, by SHA-256, whether committed or not

    def __post_init__(self) -> None:
        self.commit({".gitattributes": b"*.safetensors filter=lfs\n"})

    @property
    def files(self) -> dict[str, bytes]:
        """Of the newest commit."""
        return self.commits[self.refs["main"]]

    def commit(self, files: dict[str, bytes]) -> str:
        """Makes these the files of main."""
        text = repr((len(self.commits), self.kind, self.name, sorted(files.items())))
        oid = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        self.commits[oid] = dict(files)
        self.refs["main"] = oid
        return oid

    def add(self, **files: bytes) -> str:
        """A commit with these files more; `__` stands for a dot, `___` for a slash."""
        named = {name.replace("___", "/").replace("__", "."): data for name, data in files.items()}
        return self.commit({**self.files, **named})

    def resolve(self, revision: str) -> str | None:
        """The commit behind a branch, a tag, or a commit or its beginning."""
        if revision in self.refs:
            return self.refs[revision]
        found = [oid for oid in self.commits if oid.startswith(revision)] if re.fullmatch(r"\w{7,40}", revision) else []
        return found[0] if len(found) == 1 else None
