"""Training on photographs themselves: only what was named learns, a stopped run goes on, a lost picture is replaced."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from handwriter_models.bundle import read_config
from handwriter_models.errors import UserError
from handwriter_models.networks import Transfer, build
from handwriter_models.photograph import Photograph
from tests.tiny_backbone import NAME, small_recipe, write_two_tones, write_weights
from training.datasets import Photographs, photographs
from training.finetune import PhotoMaterial, finetuned, material_of, trained, unfrozen
from training.fit import Order, fit
from training.recipes import Recipe

WAY = Photograph(36, 32)
DEEP = "features.11"


def recipe_of(**finetune: object) -> Recipe:
    recipe = small_recipe("train.rate=0.01", "train.precision=fp32", f'finetune.unfreeze=["{DEEP}"]')
    return replace(recipe, finetune=replace(recipe.finetune, epochs=2, batch=4, **finetune))  # type: ignore[arg-type]


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[Photographs]:
    recipe = recipe_of()
    with photographs(str(write_two_tones(tmp_path / "tones", 6)), recipe.data, 1) as opened:
        yield opened


@pytest.fixture
def network(tmp_path: Path) -> Transfer:
    from curation.backbone_weights import weighted
    from handwriter_models.backbone_networks import without_head

    made = build("transfer", {"backbone": NAME, "hidden": 8, "outputs": 2})
    assert isinstance(made, Transfer)
    given = without_head(weighted(NAME, str(write_weights(tmp_path / "w.safetensors")))[1])
    made.backbone.load_state_dict(given.state_dict())
    torch.manual_seed(0)
    for layer in list(made.head)[1:]:
        if isinstance(layer, torch.nn.Linear):
            layer.reset_parameters()
    return made


def order_of(home: Path, recipe: Recipe, **more: object) -> Order:
    return Order("tones", recipe, home / "out", **more)  # type: ignore[arg-type]


def copied(network: Transfer) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def test_only_head_and_named_modules_change_and_statistics_never(
    dataset: Photographs, network: Transfer, tmp_path: Path
) -> None:
    recipe = recipe_of(rate=1.0)
    before = copied(network)
    material = material_of(dataset, dataset.parts, WAY, recipe, None)
    unfrozen(network, recipe.finetune.unfreeze)
    trained(order_of(tmp_path, recipe), network, replace(recipe, train=replace(recipe.train, epochs=1)), material)
    material.close()
    changed = {name for name, tensor in network.state_dict().items() if not torch.equal(tensor, before[name])}
    assert changed
    assert all(name.startswith((f"backbone.{DEEP}.", "head.")) for name in changed)
    assert any(name.startswith("backbone.") for name in changed)
    assert not [name for name in changed if "running" in name or name.startswith("head.0.")]


def test_what_does_worse_on_validation_is_not_kept(dataset: Photographs, network: Transfer, tmp_path: Path) -> None:
    recipe = recipe_of(rate=1.0)
    wild = replace(recipe, train=replace(recipe.train, rate=30.0))
    before = copied(network)
    material = material_of(dataset, dataset.parts, WAY, wild, None)
    history = finetuned(order_of(tmp_path, wild), network, material)
    material.close()
    assert history == []
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_a_module_that_is_not_there_is_named_with_those_that_are(network: Transfer) -> None:
    with pytest.raises(UserError, match="'layer4'") as raised:
        unfrozen(network, ["layer4"])
    assert "features" in raised.value.hint


@dataclass
class Stopped(PhotoMaterial):
    """Ctrl-C while the given batch is made."""

    at: int = 0

    def batch(self, index: Tensor, seed: int) -> Tensor:
        self.at -= 1
        if self.at == 0:
            os.kill(os.getpid(), signal.SIGINT)
        return super().batch(index, seed)


def test_a_stopped_training_goes_on_to_the_same_weights(
    dataset: Photographs, network: Transfer, tmp_path: Path
) -> None:
    recipe = recipe_of()
    unfrozen(network, recipe.finetune.unfreeze)
    before, states = copied(network), []
    for stop in (0, 3):
        home = tmp_path / f"stop{stop}"
        material = material_of(dataset, dataset.parts, WAY, recipe, None)
        given = {name: getattr(material, name) for name in material.__dataclass_fields__}
        plan = replace(recipe, train=replace(recipe.train, epochs=2, batch=4))
        network.load_state_dict(before)
        unfrozen(network, recipe.finetune.unfreeze)
        if stop:
            halting = Stopped(**given, at=stop)
            with pytest.raises(KeyboardInterrupt):
                trained(order_of(home, plan), network, plan, halting)
            halting.close()
            network.load_state_dict(before)
            unfrozen(network, recipe.finetune.unfreeze)
        trained(order_of(home, plan, resume=bool(stop)), network, plan, material)
        material.close()
        states.append(copied(network))
    assert all(torch.equal(tensor, states[1][name]) for name, tensor in states[0].items())


def test_a_lost_picture_is_named_and_one_of_its_label_takes_its_place(dataset: Photographs) -> None:
    recipe = recipe_of()
    material = material_of(dataset, dataset.parts, WAY, recipe, None)
    gone, checked = dataset.parts["train"][0], dataset.parts["validation"][0]
    for row in (gone, checked):
        (material.root / row.path).unlink()
    batch = material.batch(torch.tensor([0, 1]), 5)
    assert batch.shape == (2, 3, 32, 32)
    assert (batch[0].mean() > 0) == (gone.label != "dark")
    material.validation_logits(torch.nn.Flatten(), "cpu")
    assert set(material.unreadable) == {gone.path, checked.path}
    material.close()


def test_batches_follow_from_the_seed_whether_read_ahead_or_not(dataset: Photographs) -> None:
    material = material_of(dataset, dataset.parts, WAY, recipe_of(), None)
    index = torch.tensor([2, 0, 1])
    plain = material.batch(index, 5)
    material.ahead(index, 5)
    assert torch.equal(material.batch(index, 5), plain)
    assert not torch.equal(material.batch(index, 6), plain)
    material.close()


def test_unfreezing_is_part_of_the_fit_and_a_finished_one_is_not_done_again(tmp_path: Path) -> None:
    weights = write_weights(tmp_path / "w.safetensors")
    source = write_two_tones(tmp_path / "tones", 6)
    recipe = replace(recipe_of(), finetune=replace(recipe_of().finetune, epochs=1))
    order = Order(str(source), recipe, tmp_path / "out", start=str(weights))
    first = fit(order)
    config = read_config(tmp_path / "out")
    assert config.recipe["finetune"]["unfreeze"] == [DEEP]
    assert "finetune" in first.metrics["seconds"]
    again = fit(replace(order, resume=True))
    assert again.metrics["seconds"] == first.metrics["seconds"]  # read, not measured anew
