"""Pictures bent in the batch: shapes, range, chance from one generator."""

import pytest
import torch

from handwriter_models.errors import UserError
from training import augment

ALL = {"rotate": 14, "shear": 0.2, "scale": 0.14, "shift": 1.5, "elastic": 1.3, "thickness": 0.5, "blur": 0.5}


def batch(count: int = 16) -> torch.Tensor:
    pictures = torch.zeros(count, 28, 28, dtype=torch.uint8)
    pictures[:, 6:22, 13:16] = 255
    return pictures


def test_without_options_only_the_type_changes() -> None:
    plain = augment.build({})(batch(), torch.Generator())
    assert plain.shape == (16, 1, 28, 28)
    assert torch.equal(plain.squeeze(1), batch().float() / 255)


def test_the_same_generator_state_gives_the_same_pictures() -> None:
    one, other, third = (augment.build(ALL)(batch(), torch.Generator().manual_seed(seed)) for seed in (3, 3, 4))
    assert torch.equal(one, other)
    assert not torch.equal(one, third)


@pytest.mark.parametrize("name", ALL)
def test_each_option_changes_pictures_and_keeps_them_in_range(name: str) -> None:
    bent = augment.build({name: ALL[name]})(batch(), torch.Generator().manual_seed(1))
    assert bent.shape == (16, 1, 28, 28)
    assert 0 <= float(bent.min()) <= float(bent.max()) <= 1.0001
    assert not torch.equal(bent.squeeze(1), batch().float() / 255)


def test_the_given_pictures_are_not_touched() -> None:
    pictures = batch()
    augment.build(ALL)(pictures, torch.Generator().manual_seed(1))
    assert torch.equal(pictures, batch())


@pytest.mark.parametrize(
    ("options", "word"), [({"turn": 3}, "turn"), ({"rotate": "much"}, "much"), ({"blur": -1}, "-1")]
)
def test_a_wrong_option_is_named(options: dict[str, object], word: str) -> None:
    with pytest.raises(UserError, match=word):
        augment.build(options)
