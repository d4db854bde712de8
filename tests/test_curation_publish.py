"""A dataset on a Hub of our own: what arrives is the export, with licences; what may not be public does not go out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from PIL import Image

from curation.records import Found
from tests.hub_site import HubSite
from tests.test_export import crawled

ROOT = Path(__file__).parent.parent
LICENCE = "CC BY 4.0"


@pytest.fixture(scope="module")
def hub() -> Iterator[HubSite]:
    with HubSite() as site:
        yield site


def published(hub: HubSite, home: Path, *arguments: str, token: str = "hf_ana_writes") -> tuple[int, str, str]:
    """Exit code, standard output and standard error of `python curation publish …`."""
    command = [sys.executable, "-W", "error", str(ROOT / "curation"), "publish", *arguments]
    environment = {**os.environ, **hub.environment(home / "home", token)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, cwd=home)
    return done.returncode, done.stdout, done.stderr


def pictures(root: Path, licence: str) -> Path:
    addresses = [f"https://x.example/{number}.jpg" for number in range(4)]
    return crawled(root, [Found(one, title="고양이 사진", author="A", licence=licence) for one in addresses])


def test_the_pictures_arrive_with_their_licences_once(hub: HubSite, tmp_path: Path) -> None:
    dataset = pictures(tmp_path / "cats", LICENCE)
    hub.fault(5, "cut")
    code, _, told = published(hub, tmp_path, str(dataset), "--repo", "ana/cats")
    assert code == 2, told
    assert "run it again" in told
    assert "hf_ana_writes" not in told
    hub.mend()
    code, output, told = published(hub, tmp_path, str(dataset), "--repo", "cats", "--json")
    assert code == 0, told
    answer = json.loads(output)
    assert (answer["repo"], answer["count"]) == ("ana/cats", 4)
    files = hub.repo("ana/cats", "dataset").files
    assert {"README.md", "ATTRIBUTION.md", "labels.json"} < files.keys()
    [table] = [pq.read_table(BytesIO(data)) for path, data in files.items() if path.endswith(".parquet")]
    stored = {path.read_bytes() for path in dataset.rglob("*.jpg")}
    assert {row["bytes"] for row in table["image"].to_pylist()} == stored
    assert all(Image.open(BytesIO(data)).size == (40, 30) for data in stored)
    assert set(table["licence"].to_pylist()) == {LICENCE}
    card = yaml.safe_load(files["README.md"].decode().split("---")[1])
    assert card["task_categories"] == ["image-classification"]
    assert "CC BY" in files["ATTRIBUTION.md"].decode()
    code, output, told = published(hub, tmp_path, str(dataset), "--repo", "ana/cats", "--json")
    assert (code, json.loads(output)["changed"]) == (0, []), told


def test_pictures_of_unknown_licence_are_not_made_public_by_accident(hub: HubSite, tmp_path: Path) -> None:
    dataset = pictures(tmp_path / "found", "")
    code, _, told = published(hub, tmp_path, str(dataset), "--repo", "ana/found")
    assert code == 2
    assert "4 of 4" in told
    assert "--private" in told
    assert ("dataset", "ana/found") not in hub.repos
    code, _, told = published(
        hub, tmp_path, str(dataset), "--repo", "ana/found", "--private", "--format", "imagefolder"
    )
    assert code == 0, told
    repo = hub.repo("ana/found", "dataset")
    assert repo.private
    assert sum(path.endswith(".jpg") for path in repo.files) == 4


def test_the_work_of_others_stays(hub: HubSite, tmp_path: Path) -> None:
    dataset = pictures(tmp_path / "cats", LICENCE)
    hub.repo("ana/thesis", "dataset").add(**{"data/train-00000-of-00001.parquet": b"PAR1"})
    code, _, told = published(hub, tmp_path, str(dataset), "--repo", "ana/thesis")
    assert code == 2
    assert "something else" in told
    code, _, told = published(hub, tmp_path, str(dataset), "--repo", "bob/cats")
    assert code == 2
    assert "not to bob" in told
    assert "Traceback" not in told
