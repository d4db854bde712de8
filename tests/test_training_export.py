"""An exported bundle answers under onnxruntime as it does here, says all about itself, and is written only then."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import typer
from torch import nn
from typer.testing import CliRunner

from handwriter_models.bundle import BundleConfig, NetworkConfig, Preprocessing, write_bundle
from handwriter_models.classifier import load
from handwriter_models.errors import UserError
from handwriter_models.export.onnx_file import Answering, Export, export_onnx, onnx_bytes, onnx_scores
from handwriter_models.ink import prepare
from handwriter_models.networks import Head, build
from handwriter_models.preparation import preparation_of
from tests.conftest import drawn_seven, small_config
from tests.small_photos import photo
from training.export_commands import export

onnx = pytest.importorskip("onnx", reason="onnx is an extra")
pytest.importorskip("onnxscript", reason="onnxscript is an extra")
pytest.importorskip("onnxruntime", reason="onnxruntime is an extra")
ROOT = Path(__file__).resolve().parents[1]


def turned_sevens(count: int = 6) -> np.ndarray:
    return np.stack([prepare(drawn_seven().rotate(turn * 20, fillcolor="white")).pixels for turn in range(count)])


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Export:
    """The bundled model with a background, and its form of 8 bits."""
    return export_onnx("digits", tmp_path_factory.mktemp("onnx") / "digits.onnx", int8=True)


def test_file_answers_as_the_classifier_for_any_number_of_pictures(digits: Export) -> None:
    data = Path(digits.file.path).read_bytes()
    for count in (1, 2, 6):
        pictures = turned_sevens(count)
        probabilities, background = onnx_scores(data, pictures)
        wanted, foreign = load("digits").scores(pictures)
        assert np.abs(probabilities - wanted).max() < 1e-5
        assert background.shape == (count,)
        assert np.abs(background - foreign).max() < 1e-5
    assert digits.file.difference < 1e-4
    assert digits.file.same_labels == 1


def test_file_holds_all_that_a_program_must_know(digits: Export) -> None:
    model = onnx.load(digits.file.path)
    onnx.checker.check_model(model)
    config = load("digits").config
    held = {entry.key: json.loads(entry.value) for entry in model.metadata_props}
    assert held == digits.metadata
    assert (held["name"], held["labels"], held["temperature"]) == ("digits", list(config.labels), config.temperature)
    assert held["rejection"] == {"score": "background", "threshold": config.rejection and config.rejection.threshold}
    assert held["preprocessing"] == {"name": "ink", "size": 28, "mean": 0.1307, "std": 0.3081}
    assert held["input"] == {"name": "pictures", "type": "uint8", "shape": ["n", 28, 28]}
    assert [one.name for one in model.graph.input] == ["pictures"]
    assert [one.name for one in model.graph.output] == held["outputs"] == ["probabilities", "background"]
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param
    assert {one.domain: one.version for one in model.opset_import} == {"": digits.opset}


def test_file_is_hardly_larger_than_the_weights_and_tells_nothing_about_this_machine(digits: Export) -> None:
    data = Path(digits.file.path).read_bytes()
    weights = (ROOT / "handwriter_models/bundled/digits/model.safetensors").stat().st_size
    assert len(data) == digits.file.bytes < 1.05 * weights
    assert str(ROOT).encode() not in data
    assert b".py" not in data


def test_int8_is_a_quarter_of_the_size_and_mostly_says_the_same(digits: Export) -> None:
    assert digits.int8 is not None
    data = Path(digits.int8.path).read_bytes()
    assert Path(digits.int8.path).name == "digits.int8.onnx"
    assert len(data) == digits.int8.bytes < 0.35 * digits.file.bytes
    assert digits.int8.same_labels > 0.95
    assert digits.file.difference < digits.int8.difference < 0.3
    assert onnx_scores(data, turned_sevens())[0].argmax(axis=1)[0] == 7
    held = {entry.key: entry.value for entry in onnx.load_from_string(data).metadata_props}
    assert {key: json.loads(held[key]) for key in digits.metadata} == digits.metadata


def test_command_prints_what_was_written_and_without_a_background_there_are_probabilities_only(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(export)
    out = tmp_path / "models" / "모델.onnx"
    drawn_seven().save(tmp_path / "seven.png")
    wish = ["cnn-digits", "--out", str(out), "--check", str(tmp_path / "seven.png")]
    done = CliRunner().invoke(app, [*wish, "--json"])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["file"]["bytes"] == out.stat().st_size
    assert (document["opset"], document["pictures"], document["int8"]) == (18, 1, None)
    assert [path.name for path in out.parent.iterdir()] == ["모델.onnx"]
    (probabilities,) = onnx_scores(out.read_bytes(), turned_sevens())
    assert np.abs(probabilities - load("cnn-digits").scores(turned_sevens())[0]).max() < 1e-5
    refused = CliRunner().invoke(app, [*wish, "--calibrate", str(tmp_path)])
    assert isinstance(refused.exception, UserError)


def test_photographs_are_normalised_inside_too() -> None:
    way = Preprocessing("photograph", 64, (0.5, 0.4, 0.3), (0.2, 0.3, 0.4))
    config = BundleConfig("animals", "photographs", ("고양이", "dog"), NetworkConfig("transfer", {"outputs": 2}), way)
    torch.manual_seed(0)
    body = [nn.Conv2d(3, 4, 5, stride=4), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten()]
    network = nn.Sequential(*body, Head(16, 8, 2)).eval()
    preparation = preparation_of(way)
    data = onnx_bytes(Answering(config, network, preparation), preparation, {})
    pictures = np.stack([preparation(photo(number)).pixels for number in range(3)])
    values = (torch.from_numpy(pictures).permute(0, 3, 1, 2) / 255 - torch.tensor(way.mean).view(3, 1, 1)).div(
        torch.tensor(way.std).view(3, 1, 1)
    )
    wanted = network(values).softmax(dim=1).detach().numpy()
    assert np.abs(onnx_scores(data, pictures)[0] - wanted).max() < 1e-5


def shaky(folder: Path) -> Path:
    """A bundle whose two labels are the same sum in another order, so that only rounding tells which is greater."""
    config = small_config(
        background=False,
        labels=("a", "b"),
        temperature=0.001,
        network=NetworkConfig("mlp", {"outputs": 2, "hidden": [1024]}),
    )
    network = build("mlp", dict(config.network.arguments))
    random = torch.Generator().manual_seed(0)
    first, last = network[1], network[3]
    order = torch.randperm(512, generator=random)
    half, sums = torch.randn(512, 784, generator=random) * 1000, torch.randn(512, generator=random) * 1000
    state = network.state_dict()
    state["1.weight"] = torch.cat([half, half[order]])
    state["1.bias"] = torch.zeros_like(first.bias)
    state["3.weight"] = torch.stack([torch.cat([sums, sums * 0]), torch.cat([sums * 0, sums[order]])])
    state["3.bias"] = torch.zeros_like(last.bias)
    return write_bundle(folder, config, state, "# shaky\n")


def test_file_that_would_answer_otherwise_is_not_written(tmp_path: Path) -> None:
    bundle, out = shaky(tmp_path / "shaky"), tmp_path / "out" / "shaky.onnx"
    with pytest.raises(UserError, match="would differ from torch by"):
        export_onnx(bundle, out)
    assert not out.parent.exists()


def test_unusable_pictures_of_the_check_are_named_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "empty").mkdir()
    out = tmp_path / "m.onnx"
    for place, what in ((tmp_path / "text.png", "is text"), (tmp_path / "empty", "no pictures in the folder")):
        with pytest.raises(UserError, match=what):
            export_onnx("mlp-digits", out, [place])
    assert not out.exists()


def test_missing_extra_is_named_with_the_way_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)  # as Python itself marks what cannot be imported
    with pytest.raises(UserError, match="needs the package onnxscript") as refused:
        export_onnx("mlp-digits", tmp_path / "m.onnx")
    assert "pip install -r requirements-extras.txt" in refused.value.hint
    assert not (tmp_path / "m.onnx").exists()
