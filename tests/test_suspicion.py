"""Planted faults stand at the top of the list, with words; datasets that are too small are no reason to crash."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from curation.backbones import Backbone
from curation.dataset import Dataset
from curation.rows import Member
from curation.scan import scan
from curation.suspicion import WEIGHTS, Suspect, suspect
from curation.suspicion_vectors import doubtful_labels, nearness, strange_pictures
from curation.suspicion_words import words
from tests.shared_data import shared_folder
from tests.small_photos import pets, photo, save

ROOT = Path(__file__).resolve().parents[1]
COLOURS = {"red": (200, 40, 40), "green": (40, 190, 50), "blue": (40, 60, 200)}


def colours() -> Backbone:
    """A network that sees colours only."""

    class Mean(nn.Module):
        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            return torch.cat([pictures.mean(dim=(1, 2)), 0.3 * pictures.std(dim=(1, 2))], dim=1)

    def prepare(picture: Image.Image) -> np.ndarray:
        return np.asarray(picture.resize((16, 16)))

    return Backbone("colours", "whole16", 6, prepare, Mean(), lambda prepared: prepared.float())


def tinted(colour: tuple[int, int, int], seed: int) -> Image.Image:
    return Image.blend(photo(seed), Image.new("RGB", (160, 120), colour), 0.6)


def coloured(root: Path, count: int = 15) -> Path:
    for place, (label, colour) in enumerate(COLOURS.items()):
        for number in range(count):
            save(root / label / f"{label} {number}.jpg", tinted(colour, 100 * place + number))
    return root


def listed(root: Path, network: Backbone | None = None) -> tuple[list[Suspect], list[str]]:
    """The list and the notes."""
    notes: list[str] = []
    with Dataset(root) as dataset:
        scan(dataset.pictures)
        return suspect(dataset.pictures, network, notes.append), notes


def flags_of(root: Path) -> dict[str, tuple[tuple[str, float, str], ...]]:
    with Dataset(root) as dataset:
        return {row.path: row.flags for row in dataset.pictures.rows() if row.flags}


def test_wrong_labels_come_first_with_the_label_they_look_like(tmp_path: Path) -> None:
    coloured(tmp_path)
    wrong = {
        save(tmp_path / "red" / "a.jpg", tinted(COLOURS["blue"], 900)): "blue",
        save(tmp_path / "green" / "b.jpg", tinted(COLOURS["red"], 901)): "red",
        save(tmp_path / "blue" / "c.jpg", tinted(COLOURS["green"], 902)): "green",
    }
    found, notes = listed(tmp_path, colours())
    assert {tmp_path / one.path: one.suggestion for one in found[:3]} == wrong
    assert all(f"labelled {one.label!r}, looks like {one.suggestion!r}" in one.reasons for one in found[:3])
    assert notes == []
    assert len(found) < 12


def test_a_picture_unlike_every_class_is_an_outlier(tmp_path: Path) -> None:
    coloured(tmp_path)
    save(tmp_path / "red" / "odd.jpg", tinted((240, 240, 20), 900))
    found, _ = listed(tmp_path, colours())
    odd = next(one for one in found[:3] if one.path == "red/odd.jpg")
    assert any(reason.startswith("unlike") for reason in odd.reasons)


def test_the_list_is_ordered_and_its_scores_lie_between_0_and_1(tmp_path: Path) -> None:
    coloured(tmp_path)
    save(tmp_path / "red" / "grey.jpg", Image.new("RGB", (160, 120), "grey"))
    save(tmp_path / "red" / "a.jpg", tinted(COLOURS["blue"], 900))
    found, _ = listed(tmp_path, colours())
    scores = [one.score for one in found]
    assert scores == sorted(scores, reverse=True)
    assert 0 < min(scores) <= max(scores) <= 1
    assert all(one.reasons for one in found)


def test_flags_are_stored_for_the_review_and_replaced_by_the_next_run(tmp_path: Path) -> None:
    coloured(tmp_path)
    save(tmp_path / "red" / "a.jpg", tinted(COLOURS["blue"], 900))
    listed(tmp_path, colours())
    first = flags_of(tmp_path)
    assert ("label", "blue") in {(kind, detail) for kind, _, detail in first["red/a.jpg"]}
    assert all(0 < score <= WEIGHTS[kind] for flags in first.values() for kind, score, _ in flags)
    (tmp_path / "red" / "a.jpg").unlink()
    listed(tmp_path, colours())
    assert "red/a.jpg" not in flags_of(tmp_path)


def test_without_a_network_only_quality_and_conflicts_are_judged_and_other_flags_stay(tmp_path: Path) -> None:
    coloured(tmp_path)
    save(tmp_path / "red" / "a.jpg", tinted(COLOURS["blue"], 900))
    listed(tmp_path, colours())
    before = flags_of(tmp_path)
    found, notes = listed(tmp_path)
    assert (found, notes) == ([], [])
    assert flags_of(tmp_path) == before


def test_the_same_bytes_under_two_labels_are_a_conflict_on_both_sides(tmp_path: Path) -> None:
    pets(tmp_path)
    save(tmp_path / "dog" / "copy.jpg", photo(0))
    found, _ = listed(tmp_path)
    assert [(one.path, one.reasons[0]) for one in found] == [
        ("dog/copy.jpg", "the same picture is also under '고양이'"),
        ("고양이/cat 0.jpg", "the same picture is also under 'dog'"),
    ]


def test_copies_in_one_group_under_two_labels_are_a_conflict(tmp_path: Path) -> None:
    pets(tmp_path)
    with Dataset(tmp_path) as dataset:
        scan(dataset.pictures)
        ids = {row.path: row.id for row in dataset.pictures.rows()}
        pair = [ids["dog/dog 1.jpg"], ids["고양이/cat 2.jpg"]]
        dataset.pictures.store_members([Member(one, pair[0], 1, "scaled", 3, one == pair[0]) for one in pair])
        assert {one.id for one in suspect(dataset.pictures)} == set(pair)


def test_pictures_on_which_somebody_decided_are_not_listed_again(tmp_path: Path) -> None:
    pets(tmp_path)
    save(tmp_path / "dog" / "grey.jpg", Image.new("RGB", (160, 120), "grey"))
    with Dataset(tmp_path) as dataset:
        scan(dataset.pictures)
        (one,) = suspect(dataset.pictures)
        dataset.pictures.judge([one.id], "keep", "me")
        assert suspect(dataset.pictures) == []


def test_one_class_has_outliers_but_no_wrong_labels(tmp_path: Path) -> None:
    for number in range(20):
        save(tmp_path / "red" / f"{number}.jpg", tinted(COLOURS["red"], number))
    save(tmp_path / "red" / "odd.jpg", tinted(COLOURS["blue"], 900))
    found, notes = listed(tmp_path, colours())
    assert found[0].path == "red/odd.jpg"
    assert notes == ["all pictures judged are labelled 'red': wrong labels cannot be told"]


def test_small_classes_are_named_and_left_out(tmp_path: Path) -> None:
    coloured(tmp_path)
    save(tmp_path / "yellow" / "only.jpg", tinted((240, 240, 20), 900))
    found, notes = listed(tmp_path, colours())
    assert "yellow/only.jpg" not in {one.path for one in found}
    assert notes == ["1 class(es) with fewer than 5 different pictures were not judged by features: 'yellow'"]


@pytest.mark.parametrize("count", [1, 2, 4, 5, 6])
def test_hardly_any_pictures_are_no_reason_to_crash(tmp_path: Path, count: int) -> None:
    coloured(tmp_path, count)
    listed(tmp_path, colours())


def test_twelve_copies_of_one_picture_are_one_picture(tmp_path: Path) -> None:
    coloured(tmp_path)
    for number in range(12):
        save(tmp_path / "violet" / f"{number}.jpg", photo(5))
    _, notes = listed(tmp_path, colours())
    assert "'violet'" in notes[0]


def test_pictures_that_are_gone_are_noted(tmp_path: Path) -> None:
    coloured(tmp_path)
    notes: list[str] = []
    with Dataset(tmp_path) as dataset:
        scan(dataset.pictures)
        (tmp_path / "red" / "red 3.jpg").unlink()
        suspect(dataset.pictures, colours(), notes.append)
    assert notes[0].startswith("red/red 3.jpg: ")


# On vectors alone


def clouds(count: int, chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Three classes around three directions of 32."""
    centres = chance.normal(size=(3, 32))
    labels = np.repeat(np.arange(3), count)
    vectors = centres[labels] + 0.5 * chance.normal(size=(3 * count, 32))
    return vectors.astype(np.float32), labels, np.arange(3 * count)


def test_copies_do_not_vouch_for_each_other() -> None:
    vectors, labels, families = clouds(20, np.random.default_rng(0))
    vectors[:6], labels[:6], families[:6] = vectors[40], 0, 7777  # six copies of one picture, all under a wrong label
    doubts = doubtful_labels(vectors, labels, families)
    assert (doubts.score[:6] > 0).all()
    assert (doubts.looks_like[:6] == 2).all()


def test_right_labels_are_seldom_doubted() -> None:
    vectors, labels, families = clouds(60, np.random.default_rng(1))
    assert (doubtful_labels(vectors, labels, families).score > 0).mean() <= 0.02
    assert (strange_pictures(vectors, labels, families).score > 0).mean() <= 0.1


def test_vectors_that_are_all_the_same_tell_nothing() -> None:
    labels, families = np.repeat([0, 1], 6), np.arange(12)
    vectors = np.ones((12, 8), np.float32)
    assert not strange_pictures(vectors, labels, families).score.any()
    doubtful_labels(vectors, labels, families)
    assert not strange_pictures(np.zeros((12, 8), np.float32), labels, families).score.any()


def test_nearness_is_that_of_the_nearest_of_other_families() -> None:
    vectors = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32)
    near = nearness(vectors, np.array([0, 0, 0, 1]), np.array([0, 0, 1, 2]))
    assert near[0].tolist() == [1.0, 1.0]
    assert near[2, 1] == 0


def test_large_classes_are_judged_from_a_sample_in_little_time() -> None:
    chance = np.random.default_rng(2)
    vectors, labels, families = clouds(2000, chance)
    wrong = chance.choice(len(labels), 60, replace=False)
    labels[wrong] = (labels[wrong] + 1) % 3
    doubts = doubtful_labels(vectors, labels, families)
    assert (doubts.score[wrong] > 0).mean() >= 0.9
    assert len(set(np.argsort(-doubts.score)[:60]) & set(wrong)) >= 50


# Words, layers, real photographs


@pytest.mark.parametrize("kind", WEIGHTS)
def test_every_kind_has_words(kind: str) -> None:
    assert words(kind, "x", "dog") not in ("", kind, f"{kind} (x)")


def test_the_list_without_a_network_does_not_load_torch() -> None:
    code = "import sys, curation.suspicion; sys.exit(bool({'torch', 'sklearn', 'cleanlab'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_of_fifteen_faults_among_real_photographs_thirteen_are_in_the_first_twenty(tmp_path: Path) -> None:
    from benchmarks.suspicion import list_of, plant, top
    from curation.backbones import backbone

    shared = shared_folder()
    weights = shared / "weights" / "mobilenet_v2_imagenet_1001.safetensors"
    if not weights.exists():
        pytest.skip(f"no {weights}")
    wrong, foreign = plant(shared / "data", tmp_path, seed=0)
    found = list_of(tmp_path, backbone("mobilenet_v2_tf", str(weights)))
    assert len(top(found, 20) & (wrong | foreign)) >= 13
