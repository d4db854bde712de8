"""The commands: download, what goes wrong, and `--model user/repo`, as people call them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import drawn_seven, write_small_bundle
from tests.hub_site import HubSite

ROOT = Path(__file__).resolve().parents[1]
TOKEN = "hf_ana_writes"


@pytest.fixture(scope="module")
def site() -> Iterator[HubSite]:
    with HubSite() as opened:
        yield opened


def ended(variables: dict[str, str], program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", str(ROOT / program), *map(str, arguments)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120, env={**os.environ, **variables}
    )
    assert TOKEN not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_a_model_is_fetched_and_asked_without_a_network(site: HubSite, tmp_path: Path) -> None:
    bundle, repo = write_small_bundle(tmp_path / "small"), site.repo("ana/cli")
    files = {path.relative_to(bundle).as_posix(): path.read_bytes() for path in bundle.rglob("*") if path.is_file()}
    repo.commit({**repo.files, **files})
    drawn_seven().save(tmp_path / "seven.png")
    strangers = site.environment(tmp_path / "home")
    done = ended(strangers, "handwriter_models", "download", "ana/cli@main", "--out", tmp_path / "mine", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["folder"] == str(tmp_path / "mine")
    assert not any(path.is_symlink() for path in (tmp_path / "mine").rglob("*"))
    assert {path: (tmp_path / "mine" / path).read_bytes() for path in files} == files
    offline = {**strangers, "HF_HUB_OFFLINE": "1"}
    done = ended(offline, "handwriter_models", "predict", "--model", "ana/cli@main", "--json", tmp_path / "seven.png")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["model"] == "small"
    assert f"ana/cli@{site.repo('ana/cli').refs['main'][:7]} from the cache" in done.stderr


def test_what_goes_wrong_ends_with_2_and_a_hint(site: HubSite, tmp_path: Path) -> None:
    told = {**site.environment(tmp_path, TOKEN), "HF_DEBUG": "1"}
    done = ended(told, "handwriter_models", "download", "ana/nowhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert "model ana/nowhere was not found\n  check the name" in done.stderr
    done = ended(told, "training", "publish", "digits", "--repo", "bob/digits")
    assert done.returncode == 2
    assert "the token belongs to ana, not to bob" in done.stderr
    (tmp_path / "keep.txt").write_text("mine")
    done = ended(told, "handwriter_models", "download", "ana/nowhere", "--out", tmp_path)
    assert "'keep.txt', which is no part of a bundle" in done.stderr
