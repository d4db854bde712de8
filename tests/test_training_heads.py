"""A head learns vectors, is the same for the same seed, ends when it should, and keeps its last good state."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from handwriter_models.learning.heads import BrokenHeadError, TrainedHead, Vectors, train_head
from handwriter_models.learning.options import Epoch, HeadOptions, TrainOptions

OWN = HeadOptions(hidden=16, patience=0)
COMMON = TrainOptions(
    optimizer="adamw", rate=5e-3, batch=32, epochs=12, schedule="one-cycle", ema=0.9, label_smoothing=0.05, seed=4
)


def clouds(count: int, views: int = 3, seed: int = 0, labels: int = 3) -> Vectors:
    """Points around one centre a label, on scales that differ a thousandfold."""
    chance = torch.Generator().manual_seed(seed)
    centres = torch.randn(labels, 24, generator=torch.Generator().manual_seed(99))
    numbers = torch.arange(count) % labels
    values = centres[numbers][:, None] + 0.5 * torch.randn(count, views, 24, generator=chance)
    return Vectors(values * torch.logspace(-2, 1, 24) + 5, numbers)


def trained(own: HeadOptions = OWN, **common: object) -> TrainedHead:
    return train_head(clouds(90), clouds(30, 1, seed=1), 3, (own, replace(COMMON, **common)))  # type: ignore[arg-type]


def accuracy(head: TrainedHead) -> float:
    unseen = clouds(90, 1, seed=2)
    return head.logits(unseen.values[:, 0]).argmax(1).eq(unseen.labels).float().mean().item()


@pytest.mark.parametrize("own", [OWN, replace(OWN, hidden=0), replace(OWN, mixup=0.0), replace(OWN, balanced=False)])
def test_it_learns(own: HeadOptions) -> None:
    head = trained(own)
    assert accuracy(head) > 0.9
    assert len(head.history) == 12
    assert head.history[-1].validation_accuracy > 0.9


def test_the_same_seed_gives_the_same_head_and_leaves_the_chance_alone() -> None:
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    first, second, other = trained(), trained(), trained(seed=5)
    assert torch.equal(before, torch.random.get_rng_state())
    states = [head.head.state_dict() for head in (first, second, other)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert not torch.equal(states[0]["1.weight"], states[2]["1.weight"])


def test_the_epoch_with_the_least_validation_loss_is_kept() -> None:
    head = trained(epochs=20)
    losses = [epoch.validation_loss for epoch in head.history]
    assert head.best == losses.index(min(losses)) + 1
    held = clouds(30, 1, seed=1)
    loss = torch.nn.functional.cross_entropy(head.logits(held.values[:, 0]), held.labels).item()
    assert math.isclose(loss, min(losses), rel_tol=1e-4)


def test_it_ends_early_and_says_so() -> None:
    head = trained(replace(OWN, patience=2), epochs=400, rate=0.05)
    assert len(head.history) == head.best + 2
    assert "no better validation loss for 2 epochs" in head.stopped


def test_a_loss_that_breaks_later_keeps_the_last_good_state() -> None:
    head = trained(replace(OWN, mixup=0.0), optimizer="sgd", momentum=0.9, schedule="constant", rate=1e4, batch=90, ema=0.0, epochs=200)  # fmt: skip  # noqa: E501
    assert "in epoch" in head.stopped
    assert len(head.history) < 200
    assert all(tensor.isfinite().all() for tensor in head.head.state_dict().values())


def test_a_loss_that_is_broken_from_the_start_is_an_error() -> None:
    broken = clouds(30)
    broken.values[3] = float("nan")
    with pytest.raises(BrokenHeadError, match="epoch 1"):
        train_head(broken, clouds(9, 1), 3, (OWN, COMMON))


def test_without_validation_the_last_epoch_is_kept() -> None:
    nothing = Vectors(torch.empty(0, 1, 24), torch.empty(0, dtype=torch.int64))
    head = train_head(clouds(90), nothing, 3, (OWN, COMMON))
    assert head.best == 12
    assert accuracy(head) > 0.9


def test_values_that_never_change_do_no_harm() -> None:
    flat = clouds(60)
    flat.values[..., :4] = 3.0
    flat.values[..., 4] = 0.0
    head = train_head(flat, clouds(9, 1), 3, (OWN, COMMON))
    assert all(tensor.isfinite().all() for tensor in head.head.state_dict().values())


def test_a_value_that_wakes_only_in_new_pictures_does_not_shout() -> None:
    asleep = clouds(60)
    asleep.values[..., 7] = 0.0
    head = train_head(asleep, clouds(9, 1), 3, (OWN, COMMON))
    quiet = clouds(9, 1).values[:, 0]
    quiet[:, 7] = 0.0
    awake = quiet.clone()
    awake[:, 7] = 0.3  # what is usual among the others
    assert (head.logits(awake) - head.logits(quiet)).abs().max() < 5


def test_rare_labels_weigh_the_same_when_balanced() -> None:
    chance = torch.Generator().manual_seed(0)
    labels = (torch.arange(200) % 20 == 0).long()  # ten of the rare label
    values = torch.randn(200, 1, 8, generator=chance) + labels[:, None, None] * 0.6
    recall = {}
    for balanced in (False, True):
        own = replace(OWN, hidden=0, mixup=0.0, balanced=balanced)
        head = train_head(Vectors(values, labels), Vectors(values, labels), 2, (own, COMMON))
        recall[balanced] = head.logits(values[labels == 1, 0]).argmax(1).float().mean().item()
    assert recall[True] > recall[False]


def test_each_epoch_is_told_as_it_ends() -> None:
    heard: list[Epoch] = []
    head = train_head(clouds(60), clouds(9, 1), 3, (OWN, COMMON), tell=heard.append)
    assert heard == head.history


def test_one_picture_is_enough_to_run() -> None:
    head = train_head(clouds(1), clouds(3, 1), 3, (OWN, COMMON))
    assert len(head.history) == 12
