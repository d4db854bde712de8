"""A small Hugging Face Hub on loopback, over real HTTP: what huggingface_hub asks while it pushes and fetches.

Answers follow what the Hub answered when it was looked at (huggingface_hub 2.4): typed errors in `X-Error-Code`, a
missing and a private repository look alike to a stranger, a new repository begins with `.gitattributes`, large files go
to a storage of their own before the commit names them. Programs are pointed at it with `environment`. `fault` breaks
one request, chosen by its number.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from tests.hub_store import Account, Json, Repo, entry, is_outside_git
from tests.loopback_site import LoopbackSite, Request, Wire

TOKENS = {
    "hf_ana_writes": Account("ana", "write", ("club",)),
    "hf_ana_reads": Account("ana", "read"),
    "hf_bob_writes": Account("bob"),
}
_README = b"---\nsdk: %s\n---\n\nSee https://huggingface.co/docs/hub/spaces-config-reference\n"
SPACE_TEMPLATES = {
    "gradio": {"README__md": _README % b"gradio"},
    "static": {"README__md": _README % b"static", "index__html": b"<p>", "style__css": b"p {}"},
}
PAGE = 40  # entries of a tree in one answer
KINDS = {"models": "model", "datasets": "dataset", "spaces": "space"}
Reply = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True)
class Fault:
    """What befalls the nth request from now.

    `cut` before it is done, `cut after` it, `slow`, `circle` (it redirects to itself), `short` (less than it
    announced), a status, or other bytes than the Hub's.
    """

    nth: int
    kind: str | int | bytes
    until: int = 0  # and all up to this one


class RefusedError(Exception):
    """An error answer of the Hub."""

    def __init__(self, status: int, code: str = "", message: str = "") -> None:
        super().__init__(status)
        self.reply: Reply = (
            status,
            {"X-Error-Code": code, "X-Error-Message": message, "Content-Type": "application/json"},
            json.dumps({"error": message or code}).encode(),
        )


class HubSite(LoopbackSite):
    """The Hub. `repos` by kind and name; `tokens` by token."""

    def __init__(self) -> None:
        super().__init__()
        self.repos: dict[tuple[str, str], Repo] = {}
        self.renamed: dict[str, str] = {}
        self.tokens = dict(TOKENS)
        self.swapped: dict[tuple[str, str], bytes] = {}  # what comes in place of a commit's file
        self.pays = False  # accounts may run Spaces with a server
        self._fault: Fault | None = None
        self._since = 0

    def environment(self, home: Path, token: str = "") -> dict[str, str]:
        """The variables that make a program use this Hub, and nothing of the machine's own."""
        variables = {"HF_ENDPOINT": self.home, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1", "NO_PROXY": "127.0.0.1"}
        return {**variables, "HF_TOKEN": token, "OMP_NUM_THREADS": "1"}

    def repo(self, name: str, kind: str = "model", **fields: Any) -> Repo:
        """A repository, made here when there is none."""
        return self.repos.setdefault((kind, name), Repo(kind, name, **fields))

    def fault(self, nth: int, kind: str | int | bytes, until: int = 0) -> None:
        """Breaks the nth request from now on, and all up to `until`."""
        self._since, self._fault = len(self.requests), Fault(nth, kind, until)

    def mend(self) -> None:
        """Nothing is broken from now on."""
        self._fault = None

    def respond(self, request: Request, wire: Wire) -> None:
        fault = self._due(request)
        if fault == "cut":
            wire.reset()
            return
        if fault == "slow":
            wire.wait(0.2)
        if fault == "circle" or isinstance(fault, bytes):
            status, headers = (302, {"Location": request.target}) if fault == "circle" else (200, {})
            wire.send(status, headers, fault if isinstance(fault, bytes) else b"")
            return
        if fault == "short":
            wire.head(200, {"Content-Length": "5000"})
            wire.raw(b'{"id"')
            wire.reset()
            return
        try:
            reply: Reply = (fault, {}, b"out of order") if isinstance(fault, int) else self._reply(request)
        except RefusedError as refused:
            reply = refused.reply
        if fault == "cut after":
            wire.reset()
        elif request.method == "HEAD":  # tells a length without sending that much
            wire.head(reply[0], {**reply[1], "Content-Length": str(len(reply[2]))})
        else:
            wire.send(*reply)

    def _due(self, request: Request) -> str | int | bytes | None:
        if not self._fault:
            return None
        number = self.requests.index(request) + 1 - self._since
        last = max(self._fault.nth, self._fault.until)
        return self._fault.kind if self._fault.nth <= number <= last else None

    def _account(self, request: Request) -> Account | None:
        sent = request.headers.get("Authorization", "")
        if not sent:
            return None
        account = self.tokens.get(sent.removeprefix("Bearer "))
        if account is None:
            raise RefusedError(401, "", "Invalid credentials in Authorization header")
        return account

    def _reply(self, request: Request) -> Reply:
        who, path = self._account(request), request.path.strip("/")
        if path == "api/whoami-v2":
            if who is None:
                raise RefusedError(401, "", "Invalid username or password.")
            return _json(who.to_json())
        if path == "api/validate-yaml":
            return _validated(json.loads(request.body))
        if path == "api/repos/create":
            return self._create(who, json.loads(request.body))
        if path.startswith("api/"):
            return self._api(request, who, path.split("/", 4))
        if path.startswith("storage/"):
            return self._store(path, request.body)
        kind, _, rest = path.partition("/") if path.startswith(("datasets/", "spaces/")) else ("models", "", path)
        user, name, action = rest.split("/", 2)
        if action.startswith("info/lfs/objects/"):
            return self._large(request, who, KINDS[kind], f"{user}/{name.removesuffix('.git')}")
        assert action.startswith("resolve/"), path
        _, revision, file = action.split("/", 2)
        return self._file(self._seen(who, KINDS[kind], f"{user}/{name}"), revision, file)

    def _seen(self, who: Account | None, kind: str, name: str) -> Repo:
        repo = self.repos.get((kind, name))
        owns = who is not None and name.split("/")[0] in (who.name, *who.orgs)
        if repo is None or (repo.private and not owns):
            raise RefusedError(404 if who else 401, "RepoNotFound", "Repository not found")
        return repo

    def _create(self, who: Account | None, order: Json) -> Reply:
        kind, name = order.get("type", "model"), f"{order['organization']}/{order['name']}"
        if who is None or not who.may_write(order["organization"]):
            raise RefusedError(
                401 if who is None else 403, "", f'You don\'t have the rights to create a {kind} under "{name}"'
            )
        if (kind, name) in self.repos:
            raise RefusedError(409, "", f"You already created this {kind} repo: {name}")
        if kind == "space" and order["sdk"] != "static" and not self.pays:
            raise RefusedError(402, "", "Subscribe to PRO to run this Space")
        self.repo(name, kind, private=order.get("visibility") == "private", created_with=order)
        if kind == "space":
            self.repos[kind, name].add(**SPACE_TEMPLATES[order["sdk"]])
        prefix = "" if kind == "model" else f"{kind}s/"
        return _json({"url": f"{self.home}/{prefix}{name}", "name": name})

    def _api(self, request: Request, who: Account | None, parts: list[str]) -> Reply:
        _, kinds, user, name, *action = parts
        full = f"{user}/{name}"
        if full in self.renamed:
            target = request.target.replace(full, self.renamed[full])
            return 307, {"Location": target}, b""
        repo = self._seen(who, KINDS[kinds], full)
        what, _, rest = (action[0] if action else "revision/main").partition("/")
        if what in ("preupload", "commit"):
            if who is None or not who.may_write(user):
                raise RefusedError(403, "", "this token may not write")
            return _upload_modes(repo, request) if what == "preupload" else self._commit(repo, request)
        commit = repo.resolve(rest.split("/")[0] if what == "tree" else rest)
        if commit is None:
            raise RefusedError(404, "RevisionNotFound", f"Invalid rev id: {rest}")
        return self._tree(repo, commit, request) if what == "tree" else _json(_info(repo, commit))

    def _tree(self, repo: Repo, commit: str, request: Request) -> Reply:
        files, start = sorted(repo.commits[commit].items()), int(request.query.get("cursor", 0))
        folders = {str(Path(path).parent) for path, _ in files} - {"."}
        entries: list[Json] = [
            {"type": "directory", "path": name, "oid": "0" * 40, "size": 0} for name in sorted(folders)
        ]
        entries += [entry(path, data) for path, data in files]
        headers = {"Content-Type": "application/json"}
        if start + PAGE < len(entries):
            again = f"{self.home}{quote(request.path)}?recursive=true&cursor={start + PAGE}"
            headers["Link"] = f'<{again}>; rel="next"'
        return 200, headers, json.dumps(entries[start : start + PAGE]).encode()

    def _large(self, request: Request, who: Account | None, kind: str, name: str) -> Reply:
        repo, order = self._seen(who, kind, name), json.loads(request.body)
        if who is None or not who.may_write(name.split("/")[0]):
            raise RefusedError(403, "", "this token may not write")
        if request.path.endswith("verify"):
            assert len(repo.large[order["oid"]]) == order["size"]
            return _json({})
        action = f"{self.home}/{request.path.strip('/').removesuffix('batch')}verify"
        objects = []
        for wish in order["objects"]:
            upload = {"href": f"{self.home}/storage/{kind}/{name}/{wish['oid']}"}
            there = wish["oid"] in repo.large
            objects.append({**wish, **({} if there else {"actions": {"upload": upload, "verify": {"href": action}}})})
        return _json({"transfer": "basic", "objects": objects})

    def _store(self, path: str, body: bytes) -> Reply:
        _, kind, user, name, oid = path.split("/")
        assert hashlib.sha256(body).hexdigest() == oid, "the upload is not what was announced"
        self.repos[kind, f"{user}/{name}"].large[oid] = body
        return 200, {"ETag": f'"{oid}"'}, b""

    def _commit(self, repo: Repo, request: Request) -> Reply:
        lines = [json.loads(line) for line in request.body.splitlines()]
        head = lines.pop(0)["value"]
        if head.get("parentCommit", repo.refs["main"]) != repo.refs["main"]:
            raise RefusedError(412, "", "A commit has happened since. Please refresh and try again.")
        files = dict(repo.files)
        for line in lines:
            _CHANGES[line["key"]](files, line["value"], repo)
        oid = repo.commit(files)
        return _json({"commitUrl": f"{self.home}/{repo.name}/commit/{oid}", "commitOid": oid, "success": True})

    def _file(self, repo: Repo, revision: str, path: str) -> Reply:
        commit = repo.resolve(revision)
        if commit is None:
            raise RefusedError(404, "RevisionNotFound", revision)
        if repo.gated:
            raise RefusedError(403, "GatedRepo", "Access to this model is restricted")
        if path not in repo.commits[commit]:
            raise RefusedError(404, "EntryNotFound", path)
        listed = entry(path, repo.commits[commit][path])
        data = self.swapped.get((commit, path), repo.commits[commit][path])
        headers = {"X-Repo-Commit": commit, "ETag": f'"{listed["oid"]}"', "Accept-Ranges": "bytes"}
        if "lfs" in listed:
            headers |= {"X-Linked-Size": str(len(data)), "X-Linked-Etag": f'"{listed["lfs"]["oid"]}"'}
        return 200, headers, data


def _json(document: object) -> Reply:
    return 200, {"Content-Type": "application/json"}, json.dumps(document).encode()


def _info(repo: Repo, commit: str) -> Json:
    names = [{"rfilename": path} for path in sorted(repo.commits[commit])]
    return {"id": repo.name, "sha": commit, "private": repo.private, "siblings": names, "tags": []}


def _validated(order: Json) -> Reply:
    """As strict as the Hub about a card's front matter where a card of ours could be wrong."""
    parts = order["content"].split("---\n", 2)
    matter = yaml.safe_load(parts[1]) if len(parts) == 3 and not parts[0] else None
    if matter is None:
        return _json({"errors": [], "warnings": [{"message": "empty or missing yaml metadata in repo card"}]})
    strings = [tag for tag in matter.get("tags", []) if not isinstance(tag, str)]
    if strings or (order["repoType"] == "space" and matter.get("sdk") not in ("gradio", "static", "docker")):
        message = {"message": '"sdk" or "tags" is wrong'}
        return 400, {"Content-Type": "application/json"}, json.dumps({"errors": [message], "warnings": []}).encode()
    return _json({"errors": [], "warnings": []})


def _upload_modes(repo: Repo, request: Request) -> Reply:
    files = []
    for wish in json.loads(request.body)["files"]:
        mode = "lfs" if is_outside_git(wish["path"]) else "regular"
        known = entry(wish["path"], repo.files[wish["path"]]) if wish["path"] in repo.files else {}
        oid = known.get("lfs", known).get("oid")
        files.append({"path": wish["path"], "uploadMode": mode, "shouldIgnore": False, **({"oid": oid} if oid else {})})
    return _json({"files": files})


def _put_small(files: dict[str, bytes], value: Json, _: Repo) -> None:
    files[value["path"]] = b64decode(value["content"])


def _put_large(files: dict[str, bytes], value: Json, repo: Repo) -> None:
    files[value["path"]] = repo.large[value["oid"]]


def _remove(files: dict[str, bytes], value: Json, _: Repo) -> None:
    del files[value["path"]]


_CHANGES: dict[str, Callable[[dict[str, bytes], Json, Repo], None]] = {
    "file": _put_small,
    "lfsFile": _put_large,
    "deletedFile": _remove,
}
