"""`fit` on what people's own photographs are like, when it is killed, and when a head reads a network's own classes."""

from __future__ import annotations

import math
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from curation.backbones import backbone
from curation.feature_store import Store
from handwriter_models import load
from handwriter_models.bundle import read_config
from handwriter_models.errors import UserError
from tests.picture_files import clear, four_inks, too_many_pixels, turned
from tests.tiny_backbone import NAME, small_recipe, write_two_tones, write_weights
from tests.training_cases import start_training
from training.fit import Order, fit
from training.frozen import chosen_backbone

SMALL = [f"backbone.name={NAME}", "backbone.views=1", "train.epochs=8", "head.hidden=8", "train.batch=8"]
OPTIONS = ["--recipe", "frozen-mobilenet-v2", *(part for change in SMALL for part in ("--set", change))]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_weights(tmp_path_factory.mktemp("weights") / "small.safetensors")


def test_turned_transparent_four_ink_and_large_photographs_are_learned(weights: Path, tmp_path: Path) -> None:
    tones = write_two_tones(tmp_path / "tones")
    for number in range(2):
        (tones / "밝다" / f"turned{number}.jpg").write_bytes(turned(number))
        (tones / "밝다" / f"clear{number}.png").write_bytes(clear(number))
        (tones / "dark" / f"inks{number}.jpg").write_bytes(four_inks(number))
    Image.new("RGB", (6000, 4000), (20, 20, 30)).save(tones / "dark" / "huge.png")
    (tones / "dark" / "bomb.png").write_bytes(too_many_pixels())
    result = fit(Order(str(tones), small_recipe(), tmp_path / "out", start=str(weights)))
    assert [path for path, _ in result.unreadable] == ["dark/bomb.png"]
    assert sum(read_config(tmp_path / "out").data["splits"].values()) == 16 + 7
    assert result.metrics["n"] >= 2


def test_a_killed_extraction_keeps_its_vectors_and_the_same_command_ends_as_unbroken(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tones = write_two_tones(tmp_path / "tones", 24)
    command = ["fit", tones, "--weights", weights, *OPTIONS]
    process = start_training(*command, "--out", tmp_path / "out", cache=tmp_path)
    features = tones / "features"
    while not any(path.stat().st_size > 20_000 for path in features.glob("*.f16")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (tmp_path / "out").exists()
    kept = sum(len(Store(path, 1024).places()) for path in features.glob("*.f16"))
    recipe = small_recipe()
    fit(Order(str(tones), recipe, tmp_path / "out", start=str(weights)))
    computed = int(capsys.readouterr().err.split(" vectors computed")[0].split()[-1])
    splits = read_config(tmp_path / "out").data["splits"]
    assert 0 < computed == 2 * splits["train"] + splits["validation"] + splits["test"] - kept
    fit(Order(str(tones), recipe, tmp_path / "again", start=str(weights)))
    assert (tmp_path / "again/model.safetensors").read_bytes() == (tmp_path / "out/model.safetensors").read_bytes()


def test_a_head_whose_loss_becomes_nan_keeps_its_last_good_state_and_says_why(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tones = write_two_tones(tmp_path / "tones")
    steep = ("train.optimizer=sgd", "train.clip=0", "train.schedule=constant", "train.epochs=60", "head.patience=0")
    fit(Order(str(tones), small_recipe(*steep, "train.rate=20"), tmp_path / "out", start=str(weights)))
    assert "ended early: the loss became" in capsys.readouterr().err
    assert all(bool(value.isfinite().all()) for value in load(tmp_path / "out").network.state_dict().values())
    with pytest.raises(UserError, match="the loss became") as raised:
        fit(
            Order(
                str(tones),
                small_recipe(*steep, "train.rate=1000", "train.batch=1"),
                tmp_path / "none",
                start=str(weights),
            )
        )
    assert "--rate" in raised.value.hint
    assert not (tmp_path / "none").exists()


def test_a_bundle_for_handwriting_is_no_backbone_for_photographs(tmp_path: Path) -> None:
    tones = write_two_tones(tmp_path / "tones")
    with pytest.raises(UserError, match="handwriting") as raised:
        fit(Order(str(tones), small_recipe(), tmp_path / "out", start="digits"))
    assert raised.value.hint
    assert not (tmp_path / "out").exists()


def test_a_head_may_read_the_classes_of_the_network_below(weights: Path, tmp_path: Path) -> None:
    tones = write_two_tones(tmp_path / "tones")
    recipe = small_recipe("backbone.reads=classes")
    metrics = fit(Order(str(tones), recipe, tmp_path / "out", start=str(weights))).metrics
    config = read_config(tmp_path / "out")
    assert config.network.arguments["classes"] == 3  # of the file
    assert config.recipe["backbone"]["reads"] == "classes"
    classifier = load(tmp_path / "out")
    assert classifier.network.backbone.classifier[-1].dense.weight.shape[0] == 3
    answer = classifier.predict(next((tones / "dark").glob("*.jpg")))
    assert math.isclose(sum(answer.probabilities.values()), 1, abs_tol=1e-4)
    assert 0 <= metrics["accuracy"] <= 1
    found, _ = chosen_backbone(recipe.backbone, str(tmp_path / "out"), "cpu")
    assert found.dimension == 3
    with pytest.raises(UserError, match="reads the classes"):
        chosen_backbone(replace(recipe.backbone, reads="vector"), str(tmp_path / "out"), "cpu")


def test_what_a_network_says_of_its_classes_is_square_roots_of_probabilities(weights: Path) -> None:
    pictures = [Image.new("RGB", (64, 64), colour) for colour in ("white", "navy")]
    said = backbone(NAME, str(weights), classes=True)(pictures)
    assert np.allclose(np.square(said).sum(1), 1, atol=0.02)
    vector = backbone(NAME, str(weights))
    import safetensors.torch

    state = safetensors.torch.load_file(weights)
    logits = torch.from_numpy(vector(pictures)) @ state["classifier.3.weight"].T + state["classifier.3.bias"]
    assert np.allclose(said, torch.softmax(logits, 1).sqrt().numpy(), atol=0.05)
    with pytest.raises(UserError, match="know no classes"):
        backbone(NAME, "none", classes=True)
