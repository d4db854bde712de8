"""Networks by name: the seeds' shapes as they describe them, arguments checked, votes averaged."""

from __future__ import annotations

import json

import pytest
import torch

from handwriter_models.errors import UserError
from handwriter_models.networks import NETWORK_NAMES, arguments_as_json, build, resolve_arguments


def parameters(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("name", "channels"), [("mlp", 1), ("cnn", 1), ("compact", 1), ("resnet34", 3), ("transfer", 3)]
)
def test_every_network_answers_a_batch_with_logits(name: str, channels: int) -> None:
    network = build(name, {"outputs": 7}).eval()
    with torch.inference_mode():
        logits = network(torch.rand(2, channels, 28, 28))
    assert logits.shape == (2, 7)
    assert torch.isfinite(logits).all()


def test_all_names_are_tested_here() -> None:
    elsewhere = {"cascade", "adapted"}  # test_cascade, test_adapted
    assert set(NETWORK_NAMES) - elsewhere == {"mlp", "cnn", "compact", "resnet34", "transfer"}


def test_perceptron_has_the_layers_784_125_65_10() -> None:
    assert parameters(build("mlp", {})) == 784 * 125 + 125 + 125 * 65 + 65 + 65 * 10 + 10


def test_compact_network_stays_below_half_a_million_parameters() -> None:
    assert parameters(build("compact", {})) <= 500_000


def test_voters_of_the_compact_network_are_averaged_as_probabilities() -> None:
    network = build("compact", {"members": 3, "widths": [4, 6, 8]}).eval()
    pictures = torch.rand(5, 1, 28, 28)
    with torch.inference_mode():
        votes = torch.softmax(network.member_logits(pictures), dim=-1)
        answer = network(pictures)
    assert votes.shape == (3, 5, 11)
    assert torch.allclose(answer.exp(), votes.mean(dim=0), atol=1e-6)
    assert not torch.allclose(votes[0], votes[1], atol=1e-3)


def test_single_channel_residual_network_takes_grey_pictures() -> None:
    network = build("resnet34", {"outputs": 3, "channels": 1}).eval()
    with torch.inference_mode():
        assert network(torch.rand(1, 1, 64, 64)).shape == (1, 3)


@pytest.mark.parametrize("name", ["mlp", "cnn", "compact", "resnet34", "transfer"])
def test_arguments_as_json_are_complete_and_build_the_same_network(name: str) -> None:
    arguments = json.loads(json.dumps(arguments_as_json(name, {"outputs": 4})))
    assert resolve_arguments(name, arguments) == resolve_arguments(name, {"outputs": 4})
    with torch.device("meta"):
        shapes = [
            {key: tensor.shape for key, tensor in build(name, given).state_dict().items()}
            for given in (arguments, {"outputs": 4})
        ]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize(
    ("name", "arguments", "what"),
    [
        ("vit", {}, "unknown network 'vit'"),
        ("mlp", {"depth": 3}, "no argument 'depth'"),
        ("mlp", {"outputs": 0}, "'outputs'"),
        ("mlp", {"outputs": True}, "'outputs'"),
        ("mlp", {"outputs": 2.0}, "'outputs'"),
        ("mlp", {"hidden": 125}, "'hidden'"),
        ("mlp", {"hidden": []}, "'hidden'"),
        ("mlp", {"hidden": ["a"]}, "'hidden'"),
        ("cnn", {"widths": [10**6]}, "'widths'"),
        ("compact", {"dropout": 1.0}, "'dropout'"),
        ("compact", {"dropout": float("nan")}, "'dropout'"),
        ("compact", {"dropout": "0.2"}, "'dropout'"),
        ("compact", {"members": None}, "'members'"),
    ],
)
def test_wrong_argument_is_refused_with_its_value(name: str, arguments: dict[str, object], what: str) -> None:
    with pytest.raises(UserError, match=what) as caught:
        build(name, arguments)
    assert caught.value.hint
    assert caught.value.status == 422
