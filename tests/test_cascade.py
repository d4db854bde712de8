"""The cascade: probabilities of groups times those within, and what it can begin with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from handwriter_models.bundle import BundleConfig, NetworkConfig, write_bundle
from handwriter_models.errors import UserError
from handwriter_models.inference import for_inference
from handwriter_models.networks import arguments_as_json, build
from training.start_weights import first_network

SMALL = {"outputs": 6, "groups": [3, 2, 1], "widths": [4, 6, 8]}


def config_of(name: str, arguments: dict[str, object], labels: str) -> BundleConfig:
    network = NetworkConfig(name, arguments_as_json(name, {**arguments, "outputs": len(labels)}))
    return BundleConfig("small", "handwriting", tuple(labels), network)


def write(folder: Path, config: BundleConfig) -> str:
    network = build(config.network.name, config.network.arguments)
    return str(write_bundle(folder, config, network.state_dict(), "", {}))


def test_answer_is_the_probability_of_the_group_times_that_within() -> None:
    network = build("cascade", SMALL).eval()
    pictures = torch.rand(5, 1, 28, 28)
    with torch.inference_mode():
        answer = network(pictures).exp()
        groups = torch.softmax(network.members[0](pictures), dim=-1)
        second = torch.softmax(network.members[1](pictures)[:, 3:5], dim=-1)
    assert torch.allclose(answer.sum(dim=1), torch.ones(5), atol=1e-5)
    assert torch.allclose(answer[:, :3].sum(dim=1), groups[:, 0], atol=1e-5)
    assert torch.allclose(answer[:, 3:5], groups[:, 1:2] * second, atol=1e-5)
    assert torch.allclose(answer[:, 5], groups[:, 2], atol=1e-5), "a group of one label is that label"


def test_second_stage_learns_nothing_from_other_groups() -> None:
    network = build("cascade", SMALL).train()
    loss = torch.nn.functional.nll_loss(network(torch.rand(4, 1, 28, 28)), torch.tensor([3, 4, 3, 4]))
    loss.backward()
    gradient = network.members[1][-1].weight.grad
    assert gradient[3:5].abs().sum() > 0
    assert gradient[[0, 1, 2, 5]].abs().sum() == 0


def test_rewritten_cascade_answers_alike() -> None:
    network = build("cascade", SMALL).eval()
    pictures = torch.rand(3, 1, 28, 28)
    with torch.inference_mode():
        assert torch.allclose(for_inference(network)(pictures), network(pictures), atol=1e-4)


def test_groups_that_do_not_sum_to_the_labels_are_refused() -> None:
    with pytest.raises(UserError, match="hold 5 labels, but it has 6 outputs"):
        build("cascade", {**SMALL, "groups": [3, 2]})


def test_bundle_with_other_labels_gives_all_but_its_last_layer(tmp_path: Path) -> None:
    small = {"members": 2, "widths": [4, 6, 8]}
    start = write(tmp_path / "start", config_of("compact", small, "abcde"))
    torch.manual_seed(1)
    other = config_of("compact", small, "ㄱㄴㄷㄹㅁ")
    network, given = first_network(other, start), first_network(replace(other, labels=tuple("abcde")), start)
    same = {name for name, value in network.state_dict().items() if torch.equal(value, given.state_dict()[name])}
    assert set(network.state_dict()) - same == {
        f"members.{voter}.{layer}" for voter in (0, 1) for layer in ("23.weight", "23.bias")
    }


def test_cascade_begins_with_the_voters_of_a_compact_network(tmp_path: Path) -> None:
    start = write(tmp_path / "start", config_of("compact", {"members": 2, "widths": [4, 6, 8]}, "abcde"))
    network = first_network(config_of("cascade", SMALL, "012xy*"), start)
    given = first_network(config_of("compact", {"members": 2, "widths": [4, 6, 8]}, "abcde"), start)
    for voter in (0, 1):
        assert torch.equal(network.members[voter][0].weight, given.members[voter][0].weight)


def test_bundle_of_another_shape_is_refused(tmp_path: Path) -> None:
    start = write(tmp_path / "start", config_of("compact", {"members": 2, "widths": [4, 6, 8]}, "abcde"))
    for name, arguments in (("compact", {"members": 1, "widths": [4, 6, 8]}), ("mlp", {}), ("cnn", {})):
        with pytest.raises(UserError, match="has another network"):
            first_network(config_of(name, arguments, "abcdef"), start)
    fixed = write(tmp_path / "fixed", config_of("cascade", SMALL, "012xy*"))
    with pytest.raises(UserError, match="has another network"):
        first_network(config_of("cascade", SMALL, "abcdef"), fixed)
