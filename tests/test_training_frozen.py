"""A new head on a frozen network: vectors are computed once, the bundle answers as the head did, faults are told."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from curation.backbones import Backbone
from curation.dataset import Dataset
from curation.features import Report, View, content_picture, features_of_views
from curation.scan import scan
from handwriter_models import load
from handwriter_models.bundle import read_config
from handwriter_models.errors import UserError
from tests.small_photos import pets
from tests.tiny_backbone import small_recipe, write_two_tones, write_weights
from training.datasets import photographs
from training.fit import Order, fit
from training.frozen import chosen_backbone, joined, learned_head, seen


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_weights(tmp_path_factory.mktemp("weights") / "small.safetensors")


@pytest.fixture(scope="module")
def bundle(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("bundle")
    fit(Order(str(write_two_tones(home / "tones")), small_recipe(), home / "out", start=str(weights)))
    return home / "out"


@pytest.fixture
def tones(tmp_path: Path) -> Path:
    return write_two_tones(tmp_path / "tones")


def test_the_bundle_tells_what_it_is_made_of(bundle: Path, weights: Path) -> None:
    config = read_config(bundle)
    assert (config.kind, config.labels, config.network.name) == ("photographs", ("dark", "밝다"), "transfer")
    assert config.network.arguments == {"backbone": "mobilenet_v3_small", "hidden": 8, "outputs": 2, "classes": 0}
    assert sum(config.data["splits"].values()) == 16
    assert config.recipe["backbone"]["weights"] == "small.safetensors"  # not where it lies
    assert str(weights.parent) not in (bundle / "config.json").read_text("utf-8")
    assert config.parent is not None
    assert config.parent["name"] == "mobilenet_v3_small"
    assert config.data["learned"]["pictures"] == config.data["splits"]["train"] + config.data["splits"]["validation"]
    assert config.metrics["accuracy"] == 1.0
    assert config.rejection is not None
    assert {"confusion.png", "curves.png"} <= {path.name for path in (bundle / "figures").iterdir()}


def test_the_bundle_answers_as_the_head_did(weights: Path, tones: Path) -> None:
    recipe = small_recipe()
    with photographs(str(tones), recipe.data, 1) as dataset:
        network, _ = chosen_backbone(recipe.backbone, str(weights), "cpu")
        found = seen(dataset, network, recipe)
        head = learned_head(found, 2, recipe, "cpu")
        rows = found.rows["test"]
        answers = torch.softmax(head.logits(found.parts["test"].values[:, 0]), 1)
        whole = joined(network, head.head, recipe, 2)
        prepared = np.stack([network.prepare(content_picture(tones / row.path, row.sha256)) for row in rows])
        with torch.inference_mode():
            again = torch.softmax(whole(network.inputs(torch.from_numpy(prepared))), 1)
    assert torch.allclose(answers, again, atol=0.03)


def test_a_loaded_bundle_names_pictures_it_never_saw(bundle: Path, tmp_path: Path) -> None:
    other = write_two_tones(tmp_path / "more", 20)
    classifier = load(bundle)
    answers = {path.parent.name: classifier.predict(path).label for path in sorted(other.rglob("1[5-9].jpg"))}
    assert answers == {"dark": "dark", "밝다": "밝다"}


def test_the_second_run_computes_nothing_and_gives_the_same(weights: Path, tones: Path, tmp_path: Path) -> None:
    recipe = small_recipe()
    with photographs(str(tones), recipe.data, 1) as dataset:
        network, _ = chosen_backbone(recipe.backbone, str(weights), "cpu")
        first, second = (seen(dataset, network, recipe) for _ in range(2))
        third = seen(dataset, network, small_recipe("augment.shear=3"))
    train = len(first.rows["train"])
    assert (first.computed, second.computed, third.computed) == (16 + train, 0, train)
    assert all(torch.equal(first.parts[part].values, second.parts[part].values) for part in first.parts)
    assert first.parts["train"].values.shape == (train, 2, 1024)
    assert first.parts["test"].values.shape[1] == 1


def test_a_bundle_gives_its_backbone_to_the_next_one(bundle: Path, tones: Path, tmp_path: Path) -> None:
    (tones / "dark").rename(tones / "어둡다")
    fit(Order(str(tones), small_recipe("name=next"), tmp_path / "next", start=str(bundle)))
    config = read_config(tmp_path / "next")
    assert config.parent is not None
    assert config.parent["fingerprint"] == read_config(bundle).data["fingerprint"]
    assert config.labels == ("밝다", "어둡다")
    assert config.data["learned"]["before"] == [], "the same pictures are kept once"
    ours, theirs = load(tmp_path / "next").network, load(bundle).network
    assert torch.equal(ours.backbone.features[0][0].weight, theirs.backbone.features[0][0].weight)


def test_weights_that_do_not_belong_are_refused(bundle: Path, weights: Path) -> None:
    choice = small_recipe().backbone
    for given, named in ((str(bundle), "resnet18"), (str(weights), "resnet18"), ("digits", "handwriting")):
        with pytest.raises(UserError, match=named) as raised:
            chosen_backbone(replace(choice, name="resnet18"), given, "cpu")
        assert raised.value.hint


def test_a_picture_that_breaks_after_the_scan_is_left_out_and_named(weights: Path, tones: Path, tmp_path: Path) -> None:
    recipe = small_recipe()
    with photographs(str(tones), recipe.data, 1) as dataset:
        row = dataset.parts["train"][0]
        (tones / row.path).write_bytes(b"\xff\xd8 no more")
        network, _ = chosen_backbone(recipe.backbone, str(weights), "cpu")
        found = seen(dataset, network, recipe)
    assert [path for path, _ in found.unreadable] == [row.path]
    assert row not in found.rows["train"]
    assert len(found.parts["train"].labels) == len(found.rows["train"]) == len(dataset.parts["train"]) - 1


@pytest.fixture
def hardly_any_room() -> Iterator[None]:
    """No file may grow beyond 2 MB: as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("hardly_any_room")
def test_a_full_disk_is_told_and_the_vectors_stay(weights: Path, tones: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot write the bundle"):
        fit(Order(str(tones), small_recipe(), tmp_path / "out", start=str(weights)))
    assert not (tmp_path / "out").exists()
    recipe = small_recipe()
    with photographs(str(tones), recipe.data, 1) as dataset:
        network, _ = chosen_backbone(recipe.backbone, str(weights), "cpu")
        assert seen(dataset, network, recipe).computed == 0


class Cramped(nn.Module):
    """A network whose device holds three pictures."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        if len(pictures) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return pictures.mean(dim=(2, 3))


def cramped(most: int) -> Backbone:
    return Backbone(
        f"cramped{most}", "whole8", 3, lambda one: np.asarray(one.resize((8, 8))), Cramped(most),
        lambda prepared: prepared.permute(0, 3, 1, 2).float(),
    )  # fmt: skip


def test_out_of_memory_halves_the_batch_and_says_so(tmp_path: Path) -> None:
    told: list[str] = []
    with Dataset(pets(tmp_path / "pets")) as dataset:
        scan(dataset.pictures)
        rows, plain = dataset.pictures.rows(), View("", lambda one, _: np.asarray(one.resize((8, 8))))
        report = Report(note=told.append)
        small = features_of_views(dataset.pictures, cramped(3), rows, [plain], report)[0]
        large = features_of_views(dataset.pictures, cramped(99), rows, [plain])[0]
        assert np.array_equal(small.vectors, large.vectors)
        assert told == [f"out of memory: going on with {count} pictures at once" for count in (6, 3)]
        with pytest.raises(UserError, match="does not hold one picture"):
            features_of_views(dataset.pictures, cramped(0), rows, [plain])
