"""A linear head as the one optimum of a convex problem: for few pictures, better and quicker than steps at random.

Softmax regression with a squared penalty on its weights has a single optimum, found by L-BFGS (Liu & Nocedal 1989) from
zero. Gradient steps from random weights, as `heads` takes them for heads of any shape, leave a part of that noise in
the head, and from five pictures a label it tells. Nothing is random here, so the same pictures give the same head.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

from handwriter_models.learning.heads import Vectors, first_head
from handwriter_models.learning.options import HeadOptions
from handwriter_models.networks import Head

Floats = NDArray[np.float64]
_NEAR_ENOUGH = 1e-6  # share by which the loss still falls: two thirds of scipy's steps, with the same answers


@dataclass(frozen=True)
class LinearOptions:
    """`penalty` of the squared weights, beside a loss that counts each picture once; `steps` of the search at most."""

    penalty: float = 0.5
    steps: int = 200


@dataclass(frozen=True)
class _Problem:
    """Rows of standardised vectors (n, d), their labels (n,), and how much each counts."""

    rows: Floats
    labels: NDArray[np.int64]
    counts: Floats
    penalty: float

    def value(self, flat: Floats) -> tuple[float, Floats]:
        """Loss and its gradient at weights and biases (labels, d + 1), flattened."""
        weights = flat.reshape(-1, self.rows.shape[1] + 1)
        logs = log_softmax(self.rows @ weights[:, :-1].T + weights[:, -1], axis=1)
        every = np.arange(len(self.labels))
        loss = -float(self.counts @ logs[every, self.labels]) + self.penalty / 2 * float(
            np.square(weights[:, :-1]).sum()
        )
        wrong = np.exp(logs)
        wrong[every, self.labels] -= 1
        wrong *= self.counts[:, None]
        slope = np.column_stack([wrong.T @ self.rows + self.penalty * weights[:, :-1], wrong.sum(axis=0)])
        return loss, slope.ravel()


def linear_head(train: Vectors, outputs: int, options: LinearOptions = LinearOptions()) -> Head:
    """The head in evaluation mode; each label weighs the same, all views of a picture count as one picture.

    A label without pictures gets a head that never answers it first. `train` holds one picture at least.
    """
    head = first_head(train, outputs, HeadOptions(hidden=0, scale="all"), seed=0)
    views = train.values.shape[1]
    with torch.inference_mode():
        rows = head[0](train.values.flatten(0, 1)).double().numpy()
    labels = train.labels.repeat_interleave(views).numpy()
    held = np.bincount(labels, minlength=outputs)
    counts = len(labels) / views / (held > 0).sum() / np.maximum(held, 1)
    problem = _Problem(rows, labels, counts[labels], options.penalty)
    start = np.zeros(outputs * (rows.shape[1] + 1))
    settings = {"maxiter": options.steps, "ftol": _NEAR_ENOUGH}
    found = minimize(problem.value, start, jac=True, method="L-BFGS-B", options=settings)
    weights = torch.from_numpy(found.x.reshape(outputs, -1)).float()
    head[-1].load_state_dict({"weight": weights[:, :-1], "bias": weights[:, -1]})
    return head.eval().requires_grad_(False)
