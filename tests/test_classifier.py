"""A classifier gives probabilities by label, refuses what is blank or foreign, and answers alike in all threads."""

from __future__ import annotations

import threading
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import handwriter_models
from handwriter_models.bundle import BundleConfig, NetworkConfig, Preprocessing, Rejection, read_bundle
from handwriter_models.classifier import Classifier, load
from handwriter_models.errors import UserError
from handwriter_models.images import PictureError
from handwriter_models.inference import for_inference
from handwriter_models.ink import prepare
from handwriter_models.networks import build
from handwriter_models.photograph import Photograph
from tests.conftest import DIGITS, drawn_seven, small_config, write_small_bundle
from tests.small_photos import photo


def prepared(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 28, 28), np.uint8)


def unsettled(network: torch.nn.Module) -> torch.nn.Module:
    """The network with BatchNorm statistics as after training, so that folding them is not folding ones and zeros."""
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            for tensor in (layer.weight, layer.bias, layer.running_mean, layer.running_var):
                torch.nn.init.uniform_(tensor, 0.3, 1.2)
    return network.eval()


def classifier_like(config: object = None, **changes: object) -> Classifier:
    torch.manual_seed(0)
    config = small_config(**changes)  # type: ignore[arg-type]
    return Classifier(config, build(config.network.name, config.network.arguments))


def test_library_exports_are_loaded_by_name() -> None:
    assert handwriter_models.load is load
    assert handwriter_models.UserError is UserError
    with pytest.raises(AttributeError, match="nonsense"):
        _ = handwriter_models.nonsense


def test_prediction_holds_probabilities_in_label_order(small_bundle: Path) -> None:
    classifier = load(small_bundle)
    prediction = classifier.predict(drawn_seven())
    assert list(prediction.probabilities) == list(DIGITS)
    assert sum(prediction.probabilities.values()) == pytest.approx(1, abs=1e-6)
    assert prediction.label == max(prediction.probabilities, key=prediction.probabilities.__getitem__)
    assert 0 < prediction.confidence <= prediction.probabilities[prediction.label]
    assert np.array_equal(prediction.seen, prepare(drawn_seven()).pixels)
    assert prediction.milliseconds > 0
    assert prediction.category is None


def test_json_of_a_prediction_has_the_fields_of_the_http_answer(small_bundle: Path) -> None:
    answer = load(small_bundle).predict(drawn_seven()).to_json()
    assert list(answer) == ["model", "label", "confidence", "probabilities", "rejected", "milliseconds"]
    assert all(type(value) is float for value in answer["probabilities"].values())


def test_every_kind_of_source_is_answered_alike(small_bundle: Path, tmp_path: Path) -> None:
    classifier = load(small_bundle)
    buffer = BytesIO()
    drawn_seven().save(buffer, "PNG")
    (tmp_path / "seven.png").write_bytes(buffer.getvalue())
    sources = [drawn_seven(), buffer.getvalue(), tmp_path / "seven.png", np.asarray(drawn_seven())]
    assert len({prediction.confidence for prediction in map(classifier.predict, sources)}) == 1


def test_blank_picture_is_rejected_without_a_guess(small_bundle: Path) -> None:
    prediction = load(small_bundle).predict(Image.new("RGB", (280, 280), "white"))
    assert prediction.rejected
    assert prediction.reason == "blank"
    assert prediction.label == ""
    assert prediction.confidence == 0
    assert set(prediction.probabilities.values()) == {0.1}
    assert prediction.seen.max() == 0


def test_background_above_the_threshold_is_rejected_as_foreign() -> None:
    background = classifier_like().scores(prepare(drawn_seven()).pixels[None])[1][0]
    for threshold, rejected in ((float(background) * 0.99, True), (float(background) * 1.01, False)):
        prediction = classifier_like(rejection=Rejection("background", threshold)).predict(drawn_seven())
        assert prediction.rejected is rejected
        assert prediction.reason == ("not in its world" if rejected else "")
        assert prediction.label in DIGITS


def test_low_largest_probability_is_rejected_as_foreign() -> None:
    for threshold, rejected in ((1.0, True), (0.0, False)):
        rule = Rejection("max_probability", threshold)
        assert classifier_like(background=False, rejection=rule).predict(drawn_seven()).rejected is rejected
    assert not classifier_like(background=False).predict(drawn_seven()).rejected


def test_scores_follow_from_the_logits_by_temperature() -> None:
    batch, config = prepared(5), small_config(temperature=2.5)
    network = unsettled(build("compact", config.network.arguments))
    with torch.inference_mode():
        pictures = (torch.from_numpy(batch).float().unsqueeze(1) / 255 - 0.1307) / 0.3081
        logits = network(pictures) / 2.5
    probabilities, background = Classifier(config, network).scores(batch)
    assert probabilities.dtype == background.dtype == np.float32
    assert np.allclose(probabilities, torch.softmax(logits[:, :10], 1).numpy(), atol=1e-5)
    assert np.allclose(background, torch.softmax(logits, 1)[:, 10].numpy(), atol=1e-5)


def test_scores_without_background_are_zero_for_it() -> None:
    probabilities, background = classifier_like(background=False).scores(prepared(3))
    assert probabilities.shape == (3, 10)
    assert background.tolist() == [0, 0, 0]


def test_scores_do_not_depend_on_the_batch() -> None:
    classifier, batch = classifier_like(), prepared(300)
    whole, single = classifier.scores(batch)[0], [classifier.scores(batch[n : n + 1])[0][0] for n in (0, 255, 256, 299)]
    assert np.allclose(whole[[0, 255, 256, 299]], single, atol=1e-6)
    assert classifier.scores(batch[:0])[0].shape == (0, 10)


@pytest.mark.parametrize(
    "batch", [np.zeros((2, 28, 28), np.float32), np.zeros((28, 28), np.uint8), np.zeros((1, 9, 9), np.uint8)]
)
def test_scores_of_unprepared_arrays_are_a_programming_error(batch: np.ndarray) -> None:
    with pytest.raises(ValueError, match="scores takes uint8"):
        classifier_like().scores(batch)


def test_many_pictures_are_answered_in_order_and_as_one_by_one(small_bundle: Path) -> None:
    classifier = load(small_bundle)
    blank = Image.new("RGB", (40, 40), "white")
    pictures = [blank if turn % 3 == 0 else drawn_seven().rotate(turn * 20, fillcolor="white") for turn in range(11)]
    many = classifier.predict_many(iter(pictures), batch=4)
    assert [prediction.reason == "blank" for prediction in many] == [turn % 3 == 0 for turn in range(11)]
    for prediction, picture in zip(many, pictures, strict=True):
        alone = classifier.predict(picture)
        assert (prediction.label, prediction.reason) == (alone.label, alone.reason)
        assert prediction.confidence == pytest.approx(alone.confidence, abs=1e-5)
    assert classifier.predict_many([]) == []


def test_wrong_picture_is_refused_with_its_own_error(small_bundle: Path) -> None:
    with pytest.raises(PictureError, match="text"):
        load(small_bundle).predict(b"no picture")


def test_eight_threads_get_the_answers_of_one(small_bundle: Path) -> None:
    classifier = load(small_bundle)
    pictures = [drawn_seven().rotate(turn * 30, fillcolor="white") for turn in range(6)]
    expected = [classifier.predict(picture).confidence for picture in pictures]
    wrong: list[object] = []

    def ask() -> None:
        for _ in range(3):
            found = [classifier.predict(picture).confidence for picture in pictures]
            wrong.extend(pair for pair in zip(found, expected, strict=True) if abs(pair[0] - pair[1]) > 1e-6)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("name", ["compact", "mlp", "cnn"])
def test_network_rewritten_for_answering_gives_the_same_logits(name: str) -> None:
    network = unsettled(build(name, {}))
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    pictures = torch.rand(4, 1, 28, 28)
    with torch.inference_mode():
        assert torch.allclose(for_inference(network)(pictures), network(pictures), atol=1e-5)
    assert all(torch.equal(tensor, before[key]) for key, tensor in network.state_dict().items())


def test_rewritten_residual_network_gives_the_same_logits() -> None:
    network = unsettled(build("resnet34", {"channels": 1}))
    pictures = torch.rand(1, 1, 28, 28)
    with torch.inference_mode():
        expected = network(pictures)
        assert torch.allclose(
            for_inference(network)(pictures), expected, rtol=1e-3, atol=1e-3 * float(expected.abs().max())
        )


def test_given_network_keeps_training_where_it_was() -> None:
    config = small_config()
    network = build("compact", config.network.arguments).train()
    Classifier(config, network)
    assert network.training
    assert all(parameter.requires_grad for parameter in network.parameters())


def test_network_that_takes_other_pictures_is_refused_at_load(tmp_path: Path) -> None:
    for name, arguments in (("resnet34", {"outputs": 10, "channels": 3}), ("mlp", {"outputs": 10, "size": 14})):
        config = small_config(background=False, network=NetworkConfig(name, arguments))
        with pytest.raises(UserError, match="takes no such pictures"):
            Classifier(config, build(name, arguments))


def test_network_whose_answer_does_not_fit_the_labels_is_refused() -> None:
    with pytest.raises(UserError, match=r"answers values of shape \(10,\), not 11"):
        Classifier(small_config(), build("mlp", {"outputs": 10}))


def photographs(hidden: int = 4) -> BundleConfig:
    network = NetworkConfig("transfer", {"outputs": 3, "backbone": "mobilenet_v3_small", "hidden": hidden})
    way = Preprocessing("photograph", 64, (0.5, 0.4, 0.3), (0.2, 0.3, 0.4), 72, True)
    return BundleConfig("animals", "photographs", ("고양이", "dog", "bird"), network, way)


@pytest.mark.parametrize("hidden", [4, 0])
def test_photographs_are_answered_as_the_network_and_its_preparation_say(tmp_path: Path, hidden: int) -> None:
    folder = write_small_bundle(tmp_path / "animals", photographs(hidden))
    answers = load(folder).predict_many([photo(1), photo(2, (40, 300))])
    seen = np.stack([Photograph(72, 64, bicubic=True)(photo(1)), Photograph(72, 64, bicubic=True)(photo(2, (40, 300)))])
    assert np.array_equal(np.stack([one.seen for one in answers]), seen)
    config, network = read_bundle(folder)
    values = torch.from_numpy(seen).permute(0, 3, 1, 2) / 255
    mean, std = (torch.tensor(part).view(3, 1, 1) for part in (config.preprocessing.mean, config.preprocessing.std))
    wanted = network((values - mean) / std).softmax(1)
    found = torch.tensor([list(one.probabilities.values()) for one in answers])
    assert torch.allclose(found, wanted, atol=0.02)  # bfloat16 where the processor has it
    assert [one.label for one in answers] == [config.labels[place] for place in wanted.argmax(1).tolist()]


def test_category_is_the_group_whose_labels_are_most_probable_together() -> None:
    config = replace(small_config(), groups={str(n): "even" if n % 2 == 0 else "odd" for n in range(10)})
    model = Classifier(config, build(config.network.name, config.network.arguments))
    answer = model.predict(drawn_seven())
    odd = sum(answer.probabilities[str(n)] for n in range(1, 10, 2))
    assert answer.category == ("odd" if odd > 0.5 else "even")
    assert answer.to_json()["category"] == answer.category
    assert model.predict(Image.new("RGB", (60, 60), "white")).category is None


def test_frozen_part_stays_in_evaluation_mode_while_its_head_learns() -> None:
    network = build("transfer", dict(photographs().network.arguments)).train()
    assert network.head.training
    assert not any(module.training for module in network.backbone.modules())


def test_loading_twice_gives_the_same_answers(small_bundle: Path) -> None:
    batch = prepared(4)
    assert np.array_equal(load(small_bundle).scores(batch)[0], load(str(small_bundle)).scores(batch)[0])
    config, network = read_bundle(small_bundle)
    assert np.array_equal(Classifier(config, network).scores(batch)[0], load(small_bundle).scores(batch)[0])
