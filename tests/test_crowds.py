"""Blank pages, one placeholder that every site has saved, chains: what crowds together costs memory by its number."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from curation import tables
from curation.pairs import PARTNERS, near_pairs
from tests.called import ROOT, called
from tests.small_photos import jpeg
from tests.test_groups import members

# In a process of its own, with no more memory than a square of the pictures would need by far.
CHILD = """
import resource, sys
import numpy as np
from curation.fingerprint import Style
from curation.groups import grouped
from curation.links import Contents, links
from curation.pairs import near_pairs
from tests.test_groups import candidate

before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
count = int(sys.argv[2])
chance = np.random.default_rng(0)
if sys.argv[1] == "equal":
    found = near_pairs(np.full(count, 12345, np.uint64), 14)
elif sys.argv[1] == "near":
    values = np.zeros(count, np.uint64)
    for _ in range(4):
        values ^= np.uint64(1) << chance.integers(0, 64, count, dtype=np.uint64)
    found = near_pairs(values, 8)
elif sys.argv[1] == "blank":
    paper = np.full((1, 64, 64), 250, np.uint8)
    alike = Contents(
        np.zeros((count, 16), np.uint64),
        np.full(count, Style.DRAWING),
        np.full(count, 300, np.float32),
        lambda places, side: np.repeat(paper[:, :side, :side], len(places), 0),
    )
    found = links(alike)
    assert sum(one.keep for one in grouped([candidate(file) for file in range(count)], alike.hashes, found)) == 1
print(len(found), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def told(kind: str, count: int) -> tuple[int, int]:
    """Pairs, and kilobytes of memory that they took."""
    command = [sys.executable, "-c", CHILD, kind, str(count)]
    answer = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert answer.returncode == 0, answer.stderr[-2000:]
    pairs, memory = answer.stdout.split()
    return int(pairs), int(memory)


@pytest.mark.parametrize(("kind", "count"), [("equal", 100_000), ("near", 20_000), ("blank", 50_000)])
def test_memory_grows_with_the_number_of_pictures_not_with_its_square(kind: str, count: int) -> None:
    pairs, memory = told(kind, count)
    assert count - 1 <= pairs <= PARTNERS * count
    assert memory < 30 * count  # kilobytes; all pairs would take 170 * count and more


def test_each_of_a_crowd_keeps_its_nearest_partners_and_is_marked() -> None:
    chance = np.random.default_rng(0)
    bits = np.array([chance.choice(64, 4, replace=False) for _ in range(5000)])
    values = np.bitwise_or.reduce(np.uint64(1) << bits.astype(np.uint64), axis=1)
    values = np.concatenate([[np.uint64(0)], values, chance.integers(0, 2**64, 500, dtype=np.uint64)])
    found = near_pairs(values, 8)
    partners = np.bincount(np.r_[found.first, found.second], minlength=len(values))
    assert set(found.crowded.tolist()) == set(range(5001))
    assert partners[:5001].min() >= PARTNERS // 2
    assert len(found) <= PARTNERS * len(values)
    apart = np.bitwise_count(values[1:5001, None] ^ values[None, 1:5001]) + 99 * np.eye(5000, dtype=np.uint8)
    for place, nearest in enumerate(apart.min(axis=1), 1):
        assert found.distance[(found.first == place) | (found.second == place)].min() <= nearest


def test_a_long_chain_is_one_family_in_short_clusters() -> None:
    """Each picture is like the next, as the frames of a film are."""
    count = 16_000
    found = members(count, [(place, place + 1) for place in range(count - 1)])
    assert {one.family for one in found.values()} == {1}
    ends: dict[int | None, list[int]] = {}
    for one in found.values():
        ends.setdefault(one.cluster, []).append(one.file)
    assert max(max(some) - min(some) for cluster, some in ends.items() if cluster) <= 2


def test_a_star_is_one_cluster_with_all_its_pictures() -> None:
    found = members(20_000, [(0, place) for place in range(1, 20_000)])
    assert {one.cluster for one in found.values()} == {1}
    assert sum(one.keep for one in found.values()) == 1


def test_files_of_one_look_are_one_group_and_the_scan_says_what_crowds(tmp_path: Path) -> None:
    paper = jpeg(Image.new("RGB", (64, 64), "white"))
    for number in range(60):
        (tmp_path / "blank").mkdir(exist_ok=True)
        (tmp_path / "blank" / f"{number}.jpg").write_bytes(paper + bytes([number]))  # after the picture's end
    told = json.loads(called("curation", "scan", tmp_path, "--json").stdout)
    assert (told["groups"], told["redundant"], told["crowded"]) == (1, 59, 0)  # one leads all others
    out = io.StringIO()
    tables.scanned(Console(file=out, width=200), tmp_path, told)
    assert "very many like them" not in out.getvalue()
    tables.scanned(Console(file=out, width=200), tmp_path, {**told, "crowded": 812})
    assert "812 pictures have very many like them" in out.getvalue()
