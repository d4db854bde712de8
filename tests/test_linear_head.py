"""The linear head: the optimum of its problem, the same every time, fair to rare labels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from handwriter_models.learning.heads import Vectors
from handwriter_models.learning.linear import LinearOptions, linear_head


def clusters(counts: list[int], size: int = 12, apart: float = 2.0) -> Vectors:
    """Vectors of labels whose middles differ; the same each time."""
    random = np.random.default_rng(0)
    middles = random.normal(0, apart, (len(counts), size))
    labels = np.repeat(np.arange(len(counts)), counts)
    values = middles[labels] + random.normal(0, 1, (len(labels), size))
    return Vectors(torch.from_numpy(values[:, None].astype(np.float32)), torch.from_numpy(labels))


def test_it_is_the_optimum_that_scikit_learn_finds() -> None:
    train = clusters([20, 20, 20])
    head = linear_head(train, 3, LinearOptions(penalty=2.0))
    rows = head[0](train.values[:, 0]).numpy()
    theirs = LogisticRegression(C=1 / 2.0, tol=1e-8, max_iter=2000).fit(rows, train.labels.numpy())
    ours = torch.softmax(head(train.values[:, 0]), 1).numpy()
    assert ours == pytest.approx(theirs.predict_proba(rows), abs=2e-3)


def test_views_of_a_picture_count_as_one_picture() -> None:
    train = clusters([9, 9])
    threefold = Vectors(train.values.repeat(1, 3, 1), train.labels)
    once, thrice = linear_head(train, 2), linear_head(threefold, 2)
    assert torch.allclose(once(train.values[:, 0]), thrice(train.values[:, 0]), atol=1e-2)


def test_rare_label_weighs_as_much_as_a_frequent_one() -> None:
    train = clusters([60, 4], apart=0.6)
    answers = linear_head(train, 2)(train.values[:, 0]).argmax(1)
    assert answers[train.labels == 1].float().mean() >= 0.75


def test_label_without_pictures_is_never_the_answer_and_values_that_never_move_do_no_harm() -> None:
    train = clusters([8, 8])
    train.values[..., :3] = 5.0
    logits = linear_head(train, 3)(train.values[:, 0])
    assert torch.isfinite(logits).all()
    assert (logits.argmax(1) == train.labels).all()
