"""A dataset on a Hub of our own: what arrives is the export, with licences; what may not be public does not go out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from PIL import Image

from curation.records import Found
from tests.called import Called
from tests.hub_child import HubChild, hub_child
from tests.hub_site import HubSite
from tests.test_export import crawled
from tests.test_export_metadata import PICTURES, PLACES, assert_bare, of_parquet, write_pictures

LICENCE, TOKEN = "CC BY 4.0", "hf_ana_writes"


@dataclass(frozen=True)
class Scene:
    """A Hub, and a child that publishes to it."""

    hub: HubSite
    child: HubChild

    def publish(self, dataset: Path, repo: str, *options: str) -> Called:
        """What `python curation publish …` does, below the folder of the dataset."""
        words = ["publish", str(dataset), "--repo", repo, *options]
        answer = self.child.ask("command", stage="curation", words=words, folder=str(dataset.parent))
        assert answer.pop("said") == []
        done = Called(**answer)
        assert TOKEN not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    home = tmp_path_factory.mktemp("home")
    with HubSite() as site, hub_child(site.environment(home, TOKEN)) as child:
        yield Scene(site, child)


def pictures(root: Path, licence: str) -> Path:
    addresses = [f"https://x.example/{number}.jpg" for number in range(4)]
    return crawled(root, [Found(one, title="고양이 사진", author="A", licence=licence) for one in addresses])


def test_the_pictures_arrive_with_their_licences_once(scene: Scene, tmp_path: Path) -> None:
    dataset = pictures(tmp_path / "cats", LICENCE)
    scene.hub.fault(5, "cut")
    done = scene.publish(dataset, "ana/cats")
    assert done.returncode == 2, done.stderr
    assert "run it again" in done.stderr
    scene.hub.mend()
    done = scene.publish(dataset, "cats", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["repo"], answer["count"]) == ("ana/cats", 4)
    files = scene.hub.repo("ana/cats", "dataset").files
    assert {"README.md", "ATTRIBUTION.md", "labels.json"} < files.keys()
    [table] = [pq.read_table(BytesIO(data)) for path, data in files.items() if path.endswith(".parquet")]
    stored = {path.read_bytes() for path in dataset.rglob("*.jpg")}
    assert {row["bytes"] for row in table["image"].to_pylist()} == stored
    assert all(Image.open(BytesIO(data)).size == (40, 30) for data in stored)
    assert set(table["licence"].to_pylist()) == {LICENCE}
    card = yaml.safe_load(files["README.md"].decode().split("---")[1])
    assert card["task_categories"] == ["image-classification"]
    assert "CC BY" in files["ATTRIBUTION.md"].decode()
    done = scene.publish(dataset, "ana/cats", "--json")
    assert (done.returncode, json.loads(done.stdout)["changed"]) == (0, []), done.stderr


def test_pictures_of_unknown_licence_are_not_made_public_by_accident(scene: Scene, tmp_path: Path) -> None:
    dataset = pictures(tmp_path / "found", "")
    done = scene.publish(dataset, "ana/found")
    assert done.returncode == 2
    assert "4 of 4" in done.stderr
    assert "--private" in done.stderr
    assert ("dataset", "ana/found") not in scene.hub.repos
    done = scene.publish(dataset, "ana/found", "--private", "--format", "imagefolder")
    assert done.returncode == 0, done.stderr
    repo = scene.hub.repo("ana/found", "dataset")
    assert repo.private
    assert sum(path.endswith(".jpg") for path in repo.files) == 4


def test_the_work_of_others_stays(scene: Scene, tmp_path: Path) -> None:
    dataset = pictures(tmp_path / "cats", LICENCE)
    scene.hub.repo("ana/thesis", "dataset").add(**{"data/train-00000-of-00001.parquet": b"PAR1"})
    done = scene.publish(dataset, "ana/thesis")
    assert done.returncode == 2
    assert "something else" in done.stderr
    done = scene.publish(dataset, "bob/cats")
    assert done.returncode == 2
    assert "not to bob" in done.stderr


@pytest.mark.parametrize("form", ["parquet", "imagefolder"])
def test_no_place_and_no_text_is_pushed_unless_asked_for(scene: Scene, tmp_path: Path, form: str) -> None:
    dataset = write_pictures(tmp_path / "trip")
    answers, stored = [], []
    for repo, *more in (("ana/trip",), ("ana/whole", "--keep-metadata")):
        done = scene.publish(dataset, f"{repo}-{form}", "--unlicensed", "--format", form, "--json", *more)
        assert done.returncode == 0, done.stderr
        answers.append(json.loads(done.stdout))
        files = scene.hub.repo(f"{repo}-{form}", "dataset").files
        tables = [data for path, data in files.items() if path.endswith(".parquet")]
        folders = [data for path, data in files.items() if path.endswith((".jpg", ".png", ".webp", ".tif"))]
        stored.append(sorted(folders + [data for table in tables for data in of_parquet(table)]))
    bare, whole = stored
    assert len(bare) == len(PICTURES)
    for data in bare:
        assert_bare(data)
    assert whole == sorted(PICTURES.values())
    assert [answer["positions"] for answer in answers] == [PLACES, PLACES]
    assert ["taken out" in " ".join(answer["warnings"]) for answer in answers] == [True, False]


def test_pictures_that_are_gone_or_changed_end_it_with_3(scene: Scene, tmp_path: Path) -> None:
    dataset = pictures(tmp_path / "cats", LICENCE)
    assert scene.publish(dataset, "ana/fewer").returncode == 0
    gone, changed, *_ = sorted(dataset.rglob("*.jpg"))
    gone.unlink()
    changed.write_bytes(changed.read_bytes()[::-1])
    done = scene.publish(dataset, "ana/fewer", "--json")
    assert done.returncode == 3, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["count"], answer["missed"]) == (2, 2)
    assert "left out" in done.stderr
