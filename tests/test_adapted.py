"""The network `adapted`: frozen voters of a compact network under a new head."""

from __future__ import annotations

import pytest
import torch

from handwriter_models.errors import UserError
from handwriter_models.inference import for_inference
from handwriter_models.networks import build

SMALL = {"members": 2, "widths": [4, 6, 8]}


def test_voters_take_the_weights_of_a_compact_network_by_their_names() -> None:
    given = build("compact", {**SMALL, "outputs": 5}).state_dict()
    network = build("adapted", {**SMALL, "outputs": 3})
    own = {name for name in network.state_dict() if name.startswith("members.")}
    last = {f"members.{voter}.23.{part}" for voter in (0, 1) for part in ("weight", "bias")}
    assert own == set(given) - last
    network.load_state_dict({name: given[name] for name in own}, strict=False)
    assert torch.equal(network.state_dict()["members.1.0.weight"], given["members.1.0.weight"])


@pytest.mark.parametrize("hidden", [0, 5])
def test_rewritten_for_answering_it_answers_alike(hidden: int) -> None:
    network = build("adapted", {**SMALL, "outputs": 3, "hidden": hidden}).eval()
    pictures = torch.rand(4, 1, 28, 28)
    with torch.inference_mode():
        answers = network(pictures)
        assert answers.shape == (4, 3)
        assert torch.allclose(for_inference(network)(pictures), answers, atol=1e-4)


def test_training_moves_the_head_only_in_its_mode() -> None:
    network = build("adapted", SMALL).train()
    assert [network.head.training, network.members.training, network.members[0].training] == [True, False, False]


@pytest.mark.parametrize("argument", [{"hidden": -1}, {"hidden": False}, {"members": 0}, {"widths": []}])
def test_wrong_argument_is_refused(argument: dict[str, object]) -> None:
    with pytest.raises(UserError, match="argument"):
        build("adapted", {**SMALL, **argument})
