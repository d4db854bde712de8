"""The loop: it learns, it repeats itself exactly, it goes on exactly, and it stops when numbers go wrong."""

from __future__ import annotations

import os
import signal
import threading
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from handwriter_models.errors import UserError
from handwriter_models.learning.optimization import WeightAverage, rate_at
from handwriter_models.learning.options import Epoch, TrainOptions
from handwriter_models.networks import build
from tests.training_cases import TINY, small_recipe, stripes
from training.augment import build as build_augmentation
from training.checkpoint import read_checkpoint, run_folder
from training.inference import plain_pictures
from training.loop import Material, Trainer
from training.recipes import Recipe, recipe_from_table


class StoppedError(Exception):
    """A kill at a moment that the test chooses."""


class Listener:
    """Counts what a trainer tells; `at_step` is called with each number of steps done."""

    def __init__(self, at_step: object = None) -> None:
        self.steps: list[int] = []
        self.epochs: list[Epoch] = []
        self.at_step = at_step

    def step(self, done: int, loss: float, accuracy: float) -> None:
        self.steps.append(done)
        if callable(self.at_step):
            self.at_step(done)

    def epoch(self, epoch: Epoch) -> None:
        self.epochs.append(epoch)


def tiny_recipe() -> Recipe:
    return recipe_from_table(tomllib.loads(TINY))


def trainer(recipe: Recipe, folder: Path, count: int = 320) -> Trainer:
    torch.manual_seed(recipe.train.seed)
    arguments = {**recipe.network.arguments, "outputs": 2}
    augment = build_augmentation(recipe.augment) if recipe.augment else plain_pictures
    material = Material(stripes(count), stripes(40, seed=9), augment, {"recipe": recipe.as_json()})
    return Trainer(build(recipe.network.name, arguments), recipe, material, folder, "cpu")


def weights(one: Trainer) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in one.weights.items()}


def assert_equal(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> None:
    assert a.keys() == b.keys()
    for name in a:
        assert torch.equal(a[name], b[name]), name


@pytest.mark.parametrize("recipe", [small_recipe(epochs=5, rate=3e-3), tiny_recipe()], ids=["mlp", "compact"])
def test_bars_are_learned(recipe: Recipe, tmp_path: Path) -> None:
    listener = Listener()
    one = trainer(recipe, tmp_path)
    one.train(listener)
    assert listener.epochs == one.history
    assert [epoch.epoch for epoch in one.history] == list(range(1, recipe.train.epochs + 1))
    assert one.history[-1].validation_accuracy > 0.95
    assert one.history[-1].loss < one.history[0].loss


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_training_taken_up_after_any_epoch_ends_with_the_same_bits(optimizer: str, tmp_path: Path) -> None:
    recipe = tiny_recipe()
    recipe = replace(recipe, train=replace(recipe.train, optimizer=optimizer, epochs=3))
    unbroken = trainer(recipe, tmp_path / "a", count=100)
    unbroken.train(Listener())

    def stop(done: int) -> None:
        if done == 4:  # the last step of epoch 2
            raise StoppedError

    with pytest.raises(StoppedError):
        trainer(recipe, tmp_path / "b", count=100).train(Listener(stop))
    torch.manual_seed(77)  # the state of torch's own generator must not matter
    again = trainer(recipe, tmp_path / "b", count=100)
    checkpoint = read_checkpoint(tmp_path / "b")
    assert checkpoint is not None
    assert checkpoint.values["done"] == 2
    again.load(checkpoint)
    again.train(Listener())
    assert_equal(weights(unbroken), weights(again))
    assert [replace(e, seconds=0) for e in again.history] == [replace(e, seconds=0) for e in unbroken.history]


def test_ctrl_c_saves_in_the_middle_of_an_epoch_and_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    recipe = tiny_recipe()
    recipe = replace(recipe, train=replace(recipe.train, batch=4, epochs=2))
    unbroken = trainer(recipe, tmp_path / "a", count=100)
    unbroken.train(Listener())
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):  # 25 steps an epoch; the listener hears of step 20
        trainer(recipe, tmp_path / "b", count=100).train(Listener(lambda _: os.kill(os.getpid(), signal.SIGINT)))
    assert signal.getsignal(signal.SIGINT) is before
    checkpoint = read_checkpoint(tmp_path / "b")
    assert checkpoint is not None
    assert checkpoint.values["done"] == 20
    again = trainer(recipe, tmp_path / "b", count=100)
    again.load(checkpoint)
    again.train(Listener())
    assert_equal(weights(unbroken), weights(again))
    assert again.history[0].loss == pytest.approx(unbroken.history[0].loss, rel=1e-9)


def test_training_in_another_thread_works(tmp_path: Path) -> None:
    one = trainer(small_recipe(epochs=1), tmp_path, count=32)
    thread = threading.Thread(target=one.train, args=(Listener(),))
    thread.start()
    thread.join()
    assert len(one.history) == 1


def test_loss_that_is_no_number_stops_and_keeps_the_last_good_state(tmp_path: Path) -> None:
    one = trainer(small_recipe(epochs=4, optimizer="sgd"), tmp_path, count=64)

    def poison(done: int) -> None:
        if done == 8:  # the end of epoch 2
            with torch.no_grad():
                next(one.network.parameters()).fill_(float("nan"))

    with pytest.raises(UserError, match=r"became nan in epoch 2, by step 4; the state after epoch 1 is kept") as caught:
        one.train(Listener(poison))
    assert "--rate" in caught.value.hint
    checkpoint = read_checkpoint(tmp_path)
    assert checkpoint is not None
    assert checkpoint.values["done"] == 4
    assert all(tensor.isfinite().all() for tensor in checkpoint.tensors.values())


def test_training_that_fails_at_once_says_that_nothing_is_kept(tmp_path: Path) -> None:
    one = trainer(small_recipe(batch=2), tmp_path, count=64)

    def poison(_: int) -> None:
        with torch.no_grad():
            next(one.network.parameters()).fill_(float("inf"))

    with pytest.raises(UserError, match=r"became nan in epoch 1, by step \d+; no epoch was finished"):
        one.train(Listener(poison))
    assert read_checkpoint(tmp_path) is None


def test_average_takes_batch_norm_statistics_along() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    average = WeightAverage(network, decay=0.9)
    network.train()
    for step in range(300):
        network(torch.full((4, 1, 5, 5), 3.0))
        average.update(step)
    assert torch.allclose(average.state["1.running_mean"], network[1].running_mean, rtol=1e-2)
    assert average.state["1.running_mean"] is not network[1].running_mean


def test_average_is_what_is_validated_and_live_weights_come_back(tmp_path: Path) -> None:
    one = trainer(tiny_recipe(), tmp_path, count=64)
    live = {name: tensor.clone() for name, tensor in one.network.state_dict().items()}
    assert one.average is not None
    for tensor in one.average.state.values():
        tensor.zero_()
    loss, _ = one.validate()
    assert loss == pytest.approx(torch.tensor(2.0).log().item(), abs=1e-5), "zero weights know nothing of two labels"
    assert_equal(live, one.network.state_dict())


def test_rate_climbs_and_falls_as_the_schedule_says() -> None:
    one_cycle = TrainOptions(rate=1.0, schedule="one-cycle", warmup=0.3)
    rates = [rate_at(step, 100, one_cycle) for step in range(100)]
    assert rates[0] == pytest.approx(1 / 25)
    assert rates.index(max(rates)) == 30
    assert max(rates) == pytest.approx(1.0)
    assert rates[-1] < 0.01
    cosine = [rate_at(step, 100, TrainOptions(rate=1.0, schedule="cosine")) for step in range(100)]
    assert cosine == sorted(cosine, reverse=True)
    assert {rate_at(step, 100, TrainOptions(rate=0.5)) for step in range(100)} == {0.5}


def test_state_of_a_run_lies_beside_its_bundle(tmp_path: Path) -> None:
    assert run_folder(tmp_path / "digits") == tmp_path / "digits.unfinished"
