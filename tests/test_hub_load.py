"""A bundle comes from the Hub byte for byte and is found again without a network; what is not ours is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import drawn_seven, write_small_bundle
from tests.hub_child import HubChild, hub_child
from tests.hub_site import HubSite
from tests.hub_store import Repo


@dataclass(frozen=True)
class Scene:
    """A Hub, a child that uses it, and the files of a small bundle."""

    site: HubSite
    child: HubChild
    home: Path
    bundle: dict[str, bytes]

    def put(self, name: str, **more: bytes) -> Repo:
        """A model repository with the bundle, and more."""
        repo = self.site.repo(name)
        repo.commit({**repo.files, **self.bundle})
        repo.add(**more)
        return repo


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    home = tmp_path_factory.mktemp("hub")
    folder = write_small_bundle(home / "small")
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with HubSite() as site, hub_child(site.environment(home / "home")) as child:
        drawn_seven().save(home / "seven.png")
        yield Scene(site, child, home, files)


def read_back(folder: str) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()
    }


def test_the_files_of_a_bundle_arrive_and_no_others(scene: Scene) -> None:
    scene.put("ana/small", pytorch_model__bin=b"pickle", notes__txt=b"x", figures___evil__svg=b"<svg>", run__py=b"x")
    scene.site.forget()
    found = scene.child.ask("download", reference="ana/small")
    assert read_back(found["folder"]) == scene.bundle
    assert found["said"][-1] == f"model ana/small: ana/small@{found['commit'][:7]}"
    asked = {request.path.rpartition("/")[2] for request in scene.site.asked("/ana/small/resolve")}
    assert asked == {"config.json", "model.safetensors", "README.md", "curve.png"}
    same = scene.child.ask("predict", name=str(scene.home / "small"), picture=str(scene.home / "seven.png"))
    there = scene.child.ask("predict", name="ana/small", picture=str(scene.home / "seven.png"))
    assert there["probabilities"] == same["probabilities"]


def test_a_branch_a_tag_and_a_commit_are_told_apart_and_a_commit_is_asked_for_once(scene: Scene) -> None:
    repo = scene.put("ana/versions")
    repo.refs["v1"] = repo.refs["main"]
    newer = repo.add(README__md=b"# newer\n")
    old = scene.child.ask("download", reference="ana/versions@v1")
    new = scene.child.ask("download", reference="ana/versions@main")
    assert (old["commit"], new["commit"]) == (repo.refs["v1"], newer)
    assert Path(new["folder"], "README.md").read_bytes() == b"# newer\n"
    assert scene.child.ask("download", reference=f"ana/versions@{repo.refs['v1'][:7]}")["commit"] == repo.refs["v1"]
    scene.site.forget()
    again = scene.child.ask("download", reference=f"ana/versions@{newer}")
    assert (again["folder"], again["offline"], scene.site.requests) == (new["folder"], True, [])


def test_without_an_answer_the_last_copy_serves_and_says_so(scene: Scene) -> None:
    repo = scene.put("ana/offline")
    first = scene.child.ask("download", reference="ana/offline")
    repo.add(README__md=b"# never seen\n")
    for kind in ("cut", 503):
        scene.site.fault(1, kind, until=9)
        kept = scene.child.ask("download", reference="ana/offline")
        assert (kept["commit"], kept["offline"]) == (first["commit"], True)
        assert "the Hub cannot be reached; using ana/offline@" in kept["said"][-1]
    refused = scene.child.ask("download", reference="ana/never")
    scene.site.mend()
    assert "the cache has no copy" in refused["hint"]


def test_a_copy_that_was_cut_short_is_no_copy_and_is_completed_later(scene: Scene) -> None:
    scene.put("ana/cut")
    scene.site.fault(4, 404)  # model, tree, HEAD and GET of the config
    assert "error" in scene.child.ask("download", reference="ana/cut")
    scene.site.fault(1, "cut", until=9)
    assert "no copy" in scene.child.ask("download", reference="ana/cut")["hint"]
    scene.site.mend()
    assert read_back(scene.child.ask("download", reference="ana/cut")["folder"]) == scene.bundle


def test_a_renamed_repository_is_followed_and_named(scene: Scene) -> None:
    scene.put("ana/new-name")
    scene.site.renamed["ana/old-name"] = "ana/new-name"
    scene.site.repos["model", "ana/old-name"] = scene.site.repos["model", "ana/new-name"]
    found = scene.child.ask("download", reference="ana/old-name")
    assert "model ana/old-name is called ana/new-name now" in found["said"]


def test_a_private_model_is_for_its_owner_only(scene: Scene) -> None:
    scene.put("ana/secret").private = True
    stranger = scene.child.ask("download", reference="ana/secret")
    missing = scene.child.ask("download", reference="ana/nothing-here")
    assert stranger["error"] == missing["error"].replace("nothing-here", "secret") == "model ana/secret was not found"
    assert "if it is private, log in" in stranger["hint"]
    assert "error" in scene.child.ask("download", reference="ana/secret", token="hf_bob_writes")
    assert "folder" in scene.child.ask("download", reference="ana/secret", token="hf_ana_reads")
    wrong = scene.child.ask("download", reference="ana/small", token="hf_no_such_token")
    assert "the token is not valid" in wrong["error"]
    assert "hf_no_such_token" not in str(wrong)


def test_what_cannot_be_loaded_is_refused_with_its_reason(scene: Scene) -> None:
    site = scene.site
    site.repo("ana/empty")
    site.repo("bob/bert").add(config__json=b'{"model_type": "bert"}', model__safetensors=b"weights")
    site.repo("bob/pickled").add(config__json=b"{}", pytorch_model__bin=b"pickle")
    site.repo("bob/huge").add(config__json=b"[" * (17 * 2**20), model__safetensors=b"x")
    scene.put("bob/gated").gated = True
    broken = scene.put("bob/broken")
    broken.add(model__safetensors=scene.bundle["model.safetensors"][:-9])
    cases = {
        "ana/empty": "it has no config.json",
        "bob/bert": "not one of our bundles: config.json: field 'format' is missing",
        "bob/pickled": "pytorch_model.bin could run code",
        "bob/huge": "config.json has 17 MB",
        "bob/gated": "is gated",
        "ana/small@nowhere": "no such revision",
    }
    scene.site.forget()
    for reference, reason in cases.items():
        answer = scene.child.ask("download", reference=reference)
        assert reason in answer["error"], answer
        assert answer["hint"]
    assert not [request for request in site.requests if request.path.endswith((".bin", ".safetensors"))]
    answer = scene.child.ask("predict", name="bob/broken", picture=str(scene.home / "seven.png"))
    assert "damaged" in answer["error"] or "safetensors" in answer["error"]


def test_damage_on_the_way_is_noticed(scene: Scene) -> None:
    """Of the same length, so that only its fingerprint tells."""
    repo = scene.put("ana/damaged")
    good, commit = scene.bundle["README.md"], repo.refs["main"]
    scene.site.swapped[commit, "README.md"] = good[:-1] + b"?"
    answer = scene.child.ask("download", reference="ana/damaged")
    assert "README.md arrived damaged" in answer["error"]
    scene.site.swapped.clear()
    assert read_back(scene.child.ask("download", reference="ana/damaged")["folder"]) == scene.bundle


@pytest.mark.parametrize("nth", [1, 3], ids=["the model", "a file"])
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("circle", "it redirects in a circle"),
        (b"<html>log in to this network</html>", "is not the Hub's"),
        (b"", "is not the Hub's"),
        (b"[]", "is not the Hub's"),
        (b"null", "is not the Hub's"),
        (b'{"id": 5, "sha": ["../../x"]}', "is not the Hub's"),
        (b'{"id": "ana/odd", "sha": "../../x", "siblings": []}', "is not the Hub's"),
        ("short", "127.0.0.1"),
        (401, "only to people it knows (401)"),
        (403, "does not give it to everybody (403)"),
        (404, "it was not found (404)"),
        (410, "no longer there (410)"),
        (418, "the Hub refused (418)"),
        (429, "too many questions (429)"),
        (451, "for legal reasons (451)"),
    ],
)
def test_what_is_no_answer_of_the_hub_or_a_refusal_is_told_as_such(
    scene: Scene, nth: int, kind: str | int | bytes, reason: str
) -> None:
    name = f"ana/odd-{nth}-{len(scene.site.repos)}"  # of which no cache has a copy
    scene.put(name)
    scene.site.fault(nth, kind, until=99)
    answer = scene.child.ask("download", reference=name)
    scene.site.mend()
    assert reason in answer["error"]
    assert answer["hint"]
    assert "write" not in answer["error"] + answer["hint"], "nothing was to be written there"
    assert "folder" in scene.child.ask("download", reference=name), "a fault leaves nothing behind"


def test_a_copy_serves_where_a_network_answers_in_place_of_the_hub(scene: Scene) -> None:
    scene.put("ana/travels")
    first = scene.child.ask("download", reference="ana/travels")
    for kind in ("circle", b"<html>log in to this network</html>", 429):
        scene.site.fault(1, kind, until=99)
        assert scene.child.ask("download", reference="ana/travels")["folder"] == first["folder"]
    scene.site.mend()


def test_nobody_is_told_more_than_needed(scene: Scene) -> None:
    scene.site.forget()
    scene.child.ask("download", reference="ana/small")
    agents = {request.headers["User-Agent"] for request in scene.site.requests}
    assert all(agent.startswith("handwriter/") and "torch" not in agent for agent in agents)
    assert {request.path.split("/")[1] for request in scene.site.requests} == {"api"}
    assert not any(request.headers["Authorization"] for request in scene.site.requests)
