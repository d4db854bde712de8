"""What is pushed lies on the Hub byte for byte; twice changes nothing; an interrupted push is finished by the next."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from handwriter_models.bundle import BUNDLED
from tests.conftest import drawn_seven, write_small_bundle
from tests.hub_child import HubChild, hub_child
from tests.hub_site import HubSite
from tests.hub_store import Account, Repo

TOKEN = "hf_ana_writes"


@dataclass(frozen=True)
class Scene:
    """A Hub, a child that uses it, and a small bundle."""

    site: HubSite
    child: HubChild
    home: Path

    @property
    def bundle(self) -> Path:
        return self.home / "small"

    def publish(self, repo: str, bundle: Path | None = None, token: str | None = TOKEN, **how: bool) -> dict[str, Any]:
        return self.child.ask("publish", bundle=str(bundle or self.bundle), repo=repo, token=token, **how)

    def copy(self, name: str) -> Path:
        """The bundle once more, to be changed."""
        return Path(shutil.copytree(self.bundle, self.home / name))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    home = tmp_path_factory.mktemp("hub")
    write_small_bundle(home / "small")
    with HubSite() as site, hub_child(site.environment(home / "home")) as child:
        drawn_seven().save(home / "seven.png")
        yield Scene(site, child, home)


def pushed(repo: Repo) -> dict[str, bytes]:
    return {path: data for path, data in repo.files.items() if path != ".gitattributes"}


def test_a_model_goes_and_comes_back_byte_for_byte_and_answers_as_before(scene: Scene) -> None:
    done = scene.publish("ana/round", BUNDLED / "digits")
    repo = scene.site.repo("ana/round")
    assert (done["url"], done["commit"]) == (f"{scene.site.home}/ana/round", repo.refs["main"])
    for name in ("config.json", "model.safetensors", "figures/confusion.png"):
        assert repo.files[name] == (BUNDLED / "digits" / name).read_bytes(), name
    assert sorted(done["changed"]) == sorted(pushed(repo))
    found = scene.child.ask("download", reference="ana/round")
    came = {path: Path(found["folder"], path).read_bytes() for path in pushed(repo)}
    assert came == pushed(repo)
    seven = str(scene.home / "seven.png")
    here, there = (scene.child.ask("predict", name=name, picture=seven) for name in ("digits", "ana/round"))
    assert here["probabilities"] == there["probabilities"]


def test_the_second_time_nothing_is_sent_and_no_commit_is_made(scene: Scene) -> None:
    first = scene.publish("ana/twice")
    scene.site.forget()
    second = scene.publish("twice")
    assert (second["commit"], second["changed"]) == (first["commit"], [])
    assert [request.method for request in scene.site.requests] == ["GET", "GET", "GET", "HEAD", "GET"]


def test_of_a_changed_bundle_only_what_changed_is_sent_and_old_figures_go(scene: Scene) -> None:
    bundle = scene.copy("changed")
    scene.publish("ana/changed", bundle)
    (bundle / "figures" / "curve.png").rename(bundle / "figures" / "new.png")
    (bundle / "secret.env").write_text("password")
    done = scene.publish("ana/changed", bundle)
    assert done["changed"] == ["figures/new.png", "figures/curve.png"]
    assert sorted(pushed(scene.site.repo("ana/changed"))) == [
        "README.md",
        "config.json",
        "figures/new.png",
        "model.safetensors",
    ]


def test_an_interrupted_push_is_finished_by_the_next(scene: Scene) -> None:
    """At each request once: the push ends before the Hub has done it, or the Hub does it and its answer is lost."""
    scene.site.forget()
    scene.publish("ana/whole")
    steps, whole = len(scene.site.requests), pushed(scene.site.repo("ana/whole"))
    assert steps >= 12
    failures = 0
    for nth in range(1, steps + 1):
        for kind in (418, "cut after"):
            name = f"ana/{'ended' if kind == 418 else 'lost'}-{nth}"
            expected = {path: data.replace(b"ana/whole", name.encode()) for path, data in whole.items()}
            scene.site.fault(nth, kind)
            answer = scene.publish(name)
            scene.site.mend()
            if "error" in answer:
                failures += 1
                assert kind == 418 or "run it again" in answer["hint"], answer
                assert scene.publish(name)["commit"] == scene.site.repo(name).refs["main"]
            assert pushed(scene.site.repo(name)) == expected, name
            assert len(scene.site.repo(name).commits) == 2, "one commit of ours"
    assert failures > steps, "or too little was interrupted"


def test_an_error_of_the_hub_is_told_and_passes(scene: Scene) -> None:
    scene.site.fault(1, 500)
    answer = scene.publish("ana/later")
    scene.site.mend()
    assert "the Hub is out of order (500)" in answer["error"]
    assert "few minutes" in answer["hint"]
    assert "commit" in scene.publish("ana/later")


def test_who_may_not_write_is_told_before_anything_is_sent(scene: Scene) -> None:
    scene.site.tokens["hf_narrow_token"] = Account("ana", "fineGrained")
    cases = [
        (None, "ana/x", "needs a token", "hf auth login"),
        ("hf_wrong_token", "ana/x", "the token is not valid", "settings/tokens"),
        ("hf_ana_reads", "ana/x", "the token of ana may only read", "one that writes"),
        ("hf_bob_writes", "ana/x", "the token belongs to bob, not to ana", "--repo bob/x"),
        ("hf_narrow_token", "ana/x", "the token may not do this (403)", "the right to write"),
        (TOKEN, "ana/-x", "no name of a repository", "letters, digits"),
    ]
    for token, repo, what, hint in cases:
        answer = scene.publish(repo, token=token)
        assert what in answer["error"], answer
        assert hint in answer["hint"], answer
        assert token is None or token not in str(answer)
    assert ("model", "ana/x") not in scene.site.repos


def test_the_work_of_somebody_else_is_left_alone_unless_forced(scene: Scene) -> None:
    bert = scene.site.repo("ana/bert")
    bert.add(config__json=b'{"model_type": "bert"}', model__safetensors=b"weights", figures___mine__png=b"mine")
    notes = scene.site.repo("ana/notes")
    notes.add(thesis__pdf=b"years")
    for repo, reason in ((bert, "field 'format' is missing"), (notes, "it holds 'thesis.pdf'")):
        before = repo.refs["main"]
        answer = scene.publish(repo.name)
        assert reason in answer["error"]
        assert "--force" in answer["hint"]
        assert repo.refs["main"] == before
        assert "commit" in scene.publish(repo.name, force=True)
    assert notes.files["thesis.pdf"] == b"years"
    assert bert.files["figures/mine.png"] == b"mine"
    assert b'"format": 1' in bert.files["config.json"]


def test_private_is_kept_private_and_a_public_one_is_not_taken_for_it(scene: Scene) -> None:
    scene.publish("club/secret", private=True)
    assert scene.site.repo("club/secret").private
    assert scene.publish("club/secret", private=True)["changed"] == []
    scene.publish("ana/open")
    assert "is there already, and public" in scene.publish("ana/open", private=True)["error"]


def test_a_broken_bundle_is_not_published(scene: Scene) -> None:
    bundle = scene.copy("broken")
    weights = bundle / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-8])
    scene.site.forget()
    assert "model.safetensors" in scene.publish("ana/broken", bundle)["error"]
    assert [request.path for request in scene.site.requests] == ["/api/whoami-v2"]


def test_the_card_loads_the_published_model_and_its_metadata_is_the_hubs(scene: Scene) -> None:
    from huggingface_hub import ModelCard

    scene.publish("ana/card", BUNDLED / "digits")
    text = scene.site.repo("ana/card").files["README.md"].decode()
    assert 'load("ana/card").predict("picture.png")' in text
    assert 'load("digits")' not in text
    data = ModelCard(text).data
    assert (data.license, data.library_name, data.model_name) == ("mit", "handwriter", "digits")
    (accuracy,) = [result for result in data.eval_results or [] if result.metric_type == "accuracy"]
    assert (accuracy.task_type, accuracy.dataset_type) == ("image-classification", "mnist")
    assert {"handwriter", "handwriting"} <= set(data.tags or [])
    plain = scene.site.repo("ana/whole").files["README.md"].decode()
    assert yaml.safe_load(plain.split("---\n")[1])["library_name"] == "handwriter"
    assert 'load("ana/whole")' in plain


def test_a_space_that_is_not_ours_or_not_paid_for_is_told(scene: Scene) -> None:
    model = {name: scene.publish("ana/served")[name] for name in ("url", "repo", "commit", "changed")}
    how = {"bundle": str(scene.bundle), "model": model, "kind": "gradio", "token": TOKEN}
    refused = scene.child.ask("publish_space", **how)
    assert "wants a subscription (402)" in refused["error"]
    assert "--space static" in refused["hint"]
    theirs = scene.site.repo("ana/served", "space")
    theirs.add(README__md=b"---\nsdk: gradio\n---\nmine", app__py=b"mine")
    assert "its README.md is not ours" in scene.child.ask("publish_space", **how)["error"]
    theirs.add(main__py=b"mine")
    assert "it holds 'main.py'" in scene.child.ask("publish_space", **how)["error"]


@pytest.mark.parametrize("kind", ["dataset", "space"])
def test_any_folder_goes_and_comes_back_byte_for_byte(scene: Scene, kind: str) -> None:
    folder = scene.home / kind
    files = {f"그림/{number:02}.png": b"\x89PNG" + bytes([number]) * 50 for number in range(60)}
    files |= {"README.md": b"---\nsdk: static\n---\n", "data/empty.txt": b"", "index.html": "<p>한글".encode()}
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    (folder / ".env").write_text("HF_TOKEN=secret")
    how = {"folder": str(folder), "repo": "ana/things", "kind": kind, "token": TOKEN, "sdk": "static"}
    done = scene.child.ask("publish_folder", **how)
    assert done["url"] == f"{scene.site.home}/{kind}s/ana/things"
    there = pushed(scene.site.repo("ana/things", kind))
    assert {path: there[path] for path in files} == files
    assert there.keys() - files <= {"style.css"}, "what the Hub put there"
    assert scene.child.ask("publish_folder", **{**how, "force": True})["changed"] == []
    (folder / "data" / "leads").symlink_to("/etc")
    assert "is a link" in scene.child.ask("publish_folder", **how)["error"]
