"""An explanation points at the ink that decides, in the picture's own geometry, and leaves the classifier as it was."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from handwriter_models.bundle import BundleConfig, NetworkConfig, Preprocessing
from handwriter_models.classifier import Classifier
from handwriter_models.errors import UserError
from handwriter_models.explain import Explanation, Support, explain
from handwriter_models.images import PictureError
from handwriter_models.ink import prepare_many
from handwriter_models.networks import build
from handwriter_models.overlays import overlay
from tests.called import Called, called
from tests.conftest import drawn_seven, small_config, write_small_bundle
from tests.small_photos import photo


def written(row: int, barred: bool) -> np.ndarray:
    """White ink on black, 28x28: two posts, and perhaps a bar between them, so that nothing else tells them apart."""
    picture = np.zeros((28, 28), np.uint8)
    picture[4:24, 4:7] = picture[4:24, 21:24] = 255
    if barred:
        picture[row : row + 3, 10:18] = 255
    return picture


def trained(network: str, arguments: dict[str, object]) -> Classifier:
    """A classifier that has learned "plain" and "barred" from such pictures."""
    torch.manual_seed(0)
    labels = torch.arange(64) % 2
    drawn = [written(9 + number % 9, bool(number % 2)) for number in range(64)]
    config = small_config(
        False, labels=("plain", "barred"), network=NetworkConfig(network, {"outputs": 2, **arguments})
    )
    net = build(network, dict(config.network.arguments)).train()
    inputs = (torch.from_numpy(prepare_many(np.stack(drawn))).unsqueeze(1) / 255 - 0.1307) / 0.3081
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(inputs), labels).backward()
        optimizer.step()
    return Classifier(config, net)


@pytest.fixture(scope="module")
def barred() -> Classifier:
    """Of convolutions."""
    return trained("cnn", {"widths": [4, 8], "hidden": 16})


def warmth(found: Explanation, one: Support) -> float:
    """The mean heat on the ink of a stroke."""
    ink = one.stroke.share * (found.prediction.seen > 0)
    return float((found.heat * ink).sum() / ink.sum())


def bar_of(found: Explanation) -> Support:
    """The stroke in the middle."""
    return min(found.strokes, key=lambda one: abs(float(one.stroke.line[:, 0].mean()) - 14))


@pytest.mark.parametrize("kind", ["cnn", "mlp", "compact"])
def test_heat_lies_on_the_stroke_that_decides(kind: str, barred: Classifier) -> None:
    others = {"mlp": {"hidden": [16]}, "compact": {"members": 2, "widths": [4, 6, 8], "dropout": 0.0}}
    model = barred if kind == "cnn" else trained(kind, others[kind])
    found = explain(model, written(12, barred=True))
    assert (found.label, found.method) == ("barred", "integrated-gradients")
    assert found.heat.dtype == np.float32
    assert (found.heat.min(), found.heat.max()) == (0, 1)
    posts = [warmth(found, one) for one in found.strokes if one is not bar_of(found)]
    assert warmth(found, bar_of(found)) > 1.5 * max(posts)


def test_stroke_that_decides_supports_its_label_and_speaks_against_the_other(barred: Classifier) -> None:
    picture = written(12, barred=True)
    found = explain(barred, picture)
    posts = [one for one in found.strokes if one is not bar_of(found)]
    assert bar_of(found).support > 0.5
    assert all(one.support < 0.25 for one in posts)
    other = explain(barred, picture, "plain")
    assert bar_of(other).support == pytest.approx(-bar_of(found).support, abs=1e-5)
    assert other.confidence == pytest.approx(1 - found.confidence, abs=1e-6)
    assert warmth(other, bar_of(other)) < max(warmth(other, one) for one in other.strokes)


def test_only_stroke_of_a_picture_supports_it_with_all_its_confidence(barred: Classifier) -> None:
    dash = np.zeros((28, 28), np.uint8)
    dash[12:17, 10:18] = 255
    found = explain(barred, dash)
    assert [one.support for one in found.strokes] == pytest.approx([found.confidence])
    assert not found.strokes[0].stroke.rest.any()


@pytest.mark.parametrize(
    ("network", "arguments"),
    [
        ("compact", {"members": 2, "widths": [4, 6, 8]}),
        ("cnn", {}),
        ("resnet34", {"channels": 1}),
        ("cascade", {"outputs": 10, "groups": [4, 6], "widths": [4, 6, 8]}),
    ],
)
def test_last_convolutions_of_every_network_can_be_shown(network: str, arguments: dict[str, object]) -> None:
    config = small_config(False, network=NetworkConfig(network, {"outputs": 10, **arguments}))
    torch.manual_seed(0)
    model = Classifier(config, build(network, dict(config.network.arguments)))
    found = explain(model, drawn_seven(), method="grad-cam")
    assert found.method == "grad-cam"
    assert found.heat.shape == (28, 28)
    assert np.isfinite(found.heat).all()
    assert 0 <= found.heat.min() <= found.heat.max() <= 1


def test_grad_cam_of_averaged_features_is_the_class_activation_map() -> None:
    """Zhou et al. 2016: the dense layer's weights over the last maps; here those of one label against the other."""
    arguments = {"outputs": 2, "members": 1, "widths": [4, 6, 8], "dropout": 0.0}
    config = small_config(False, labels=("a", "b"), network=NetworkConfig("compact", arguments))
    torch.manual_seed(1)
    network = build("compact", arguments).eval()
    found = explain(Classifier(config, network), drawn_seven(), "a", "grad-cam")
    layers = list(network.members[0])
    with torch.inference_mode():
        inputs = (torch.from_numpy(found.prediction.seen.copy())[None, None] / 255 - 0.1307) / 0.3081
        maps = torch.nn.Sequential(*layers[:-4])(inputs)[0]
        weights = layers[-1].weight[0] - layers[-1].weight[1]
        wanted = torch.einsum("c,chw->hw", weights, maps).numpy()
    wanted = np.clip(cv2.resize(wanted, (28, 28), interpolation=cv2.INTER_LINEAR), 0, None)
    assert np.allclose(found.heat, wanted / wanted.max(), atol=1e-4)


def test_photograph_has_a_map_of_its_crop_and_no_strokes() -> None:
    network = NetworkConfig("transfer", {"outputs": 3, "backbone": "mobilenet_v3_small", "hidden": 0})
    way = Preprocessing("photograph", 128, (0.5, 0.4, 0.3), (0.2, 0.3, 0.4))
    config = BundleConfig("animals", "photographs", ("고양이", "dog", "bird"), network, way)
    model = Classifier(config, build("transfer", dict(network.arguments)))
    found = explain(model, photo(1), "고양이")
    assert (found.method, found.strokes, found.heat.shape) == ("grad-cam", (), (128, 128))
    assert overlay(found.prediction.seen, found.heat).size == (384, 384)


def test_perceptron_has_no_convolutions_to_show() -> None:
    config = small_config(False, network=NetworkConfig("mlp", {"outputs": 10}))
    with pytest.raises(UserError, match="has no convolutions") as refused:
        explain(Classifier(config, build("mlp", {})), drawn_seven(), method="grad-cam")
    assert "integrated-gradients" in refused.value.hint


def test_unknown_label_and_unusable_picture_are_refused(barred: Classifier) -> None:
    with pytest.raises(UserError, match="has no label 'striped'") as refused:
        explain(barred, drawn_seven(), "striped")
    assert "plain, barred" in refused.value.hint
    with pytest.raises(PictureError, match="text"):
        explain(barred, b"no picture")


def test_blank_picture_has_no_evidence(barred: Classifier) -> None:
    found = explain(barred, Image.new("RGB", (60, 60), "white"))
    assert (found.label, found.confidence, found.strokes) == ("", 0, ())
    assert found.heat.shape == (28, 28)
    assert not found.heat.any()
    assert explain(barred, Image.new("RGB", (60, 60), "white"), "plain").confidence == 0


def test_classifier_answers_alike_before_during_and_after(barred: Classifier) -> None:
    pictures = [written(9 + number, barred=bool(number % 2)) for number in range(6)]
    before = [barred.predict(picture).probabilities for picture in pictures]
    wrong: list[object] = []

    def ask(method: str) -> None:
        for picture, wanted in zip(pictures, before, strict=True):
            found = explain(barred, picture, method=method)  # type: ignore[arg-type]
            wrong.extend([found] if found.prediction.probabilities != wanted else [])

    with torch.inference_mode():  # as in a server
        assert explain(barred, pictures[1], method="grad-cam").heat.any()
    threads = [threading.Thread(target=ask, args=(method,)) for method in ("grad-cam", "integrated-gradients") * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert [barred.predict(picture).probabilities for picture in pictures] == before
    assert not any(module._forward_hooks for module in barred.network.modules())
    assert not any(parameter.requires_grad for parameter in barred.network.parameters())


def explained(*arguments: object, cwd: Path) -> Called:
    return called("handwriter_models", "explain", *arguments, folder=cwd)


def test_command_writes_pictures_beside_no_input_and_ends_with_3_when_one_is_unreadable(tmp_path: Path) -> None:
    bundle = write_small_bundle(tmp_path / "small")
    drawn_seven().save(tmp_path / "일곱.png")
    drawn_seven(100).save(tmp_path / "일곱-heat.png")
    (tmp_path / "text.png").write_text("no picture")
    before = (tmp_path / "일곱-heat.png").read_bytes()
    names = ["일곱.png", "text.png", "일곱-heat.png"]
    done = explained(*names, "--model", bundle, "--out", ".", "--label", "7", "--json", cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    seven, text, other = [json.loads(line) for line in done.stdout.splitlines()]
    assert (seven["path"], seven["label"], seven["method"]) == ("일곱.png", "7", "integrated-gradients")
    assert (seven["heat"], seven["strokes"]) == ("일곱-2-heat.png", "일곱-2-strokes.png")
    assert all(-1 <= one["support"] <= 1 and len(one["line"][0]) == 2 for one in seven["support"])
    assert 0 < seven["confidence"] < 1
    assert "is text" in text["error"]
    assert other["error"] is None
    assert (tmp_path / "일곱-heat.png").read_bytes() == before
    written_files = {path.name for path in tmp_path.glob("*-*.png")}
    assert written_files == {"일곱-heat.png", "일곱-2-heat.png", "일곱-2-strokes.png", "일곱-heat-heat.png"} | {
        "일곱-heat-strokes.png"
    }
    with Image.open(tmp_path / seven["heat"]) as picture:
        assert picture.size == (280, 280)


def test_command_with_a_wrong_wish_ends_with_2(tmp_path: Path) -> None:
    drawn_seven().save(tmp_path / "seven.png")
    done = explained("seven.png", "--out", "out", "--method", "guess", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "unknown method 'guess'" in done.stderr
    assert "Traceback" not in done.stderr
