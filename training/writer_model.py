"""A model of hands as a bundle, in one of two kinds, and how either weighs several pictures of one hand together.

`hand`: an embedding. The last layer of a compact network gives traits (see `writer_scoring`) instead of labels, so the
bundle's labels are only "trait 1", "trait 2", …; a new writer is known by the mean of a few pictures.
`writer`: a plain classifier whose labels are the writers that it has learned; no others can be added.

Both are read with the bundle's own strictness: safetensors only, names and shapes compared, every number checked.
"""

from __future__ import annotations

import hashlib
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from handwriter_models.bundle import BundleConfig, read_bundle
from handwriter_models.errors import UserError
from handwriter_models.networks import Compact
from handwriter_models.weights import WEIGHTS_FILE
from training.inference import logits_of, network_input
from training.samples import Images
from training.writer_scoring import Calibration, Floats, log_likelihoods

HAND, WRITER = "hand", "writer"
_BATCH = 500
_LIMITS = {"temperature": (0.01, 1000.0), "exponent": (-2.0, 2.0), "offset": (-1000.0, 1000.0)}


@dataclass(frozen=True)
class Known:
    """Hands to choose among: the mean vector of each one's pictures (n, dimension), and how many those were."""

    names: list[str]
    means: Floats
    counts: NDArray[np.int64]


class HandModel:
    """A loaded model of hands.

    Args:
        config: the bundle's config; `recipe["scoring"]` holds the calibration, and `between` of a `hand`.
        network: its network in evaluation mode.
        fingerprint: sha256 of the weights, "" for a model that is not saved yet.
    """

    def __init__(self, config: BundleConfig, network: nn.Module, fingerprint: str = "") -> None:
        self.config, self.network, self.fingerprint = config, network, fingerprint
        scoring = _scoring(config)
        self.calibration = Calibration(**{name: float(scoring[name]) for name in _LIMITS})
        self.between = np.array(scoring.get("between", []), np.float64)

    @property
    def takes_new_writers(self) -> bool:
        """Whether writers can be added without training."""
        return self.config.kind == HAND

    def vectors(self, images: Images) -> Floats:
        """uint8 (n, 28, 28) → (n, dimension): traits of the hand, or the log probability of each known writer."""
        if not len(images):
            return np.zeros((0, len(self.config.labels)))
        if self.takes_new_writers:
            return embedding(cast(Compact, self.network), images)
        logits = logits_of(self.network, images).astype(np.float64)
        shifted = logits - logits.max(axis=1, keepdims=True)
        answer: Floats = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return answer

    def known(self, names: list[str], groups: list[Floats]) -> Known:
        """Writers by the vectors of their pictures."""
        means = np.stack([vectors.mean(axis=0) for vectors in groups])
        return Known(names, means, np.array([len(vectors) for vectors in groups], np.int64))

    def learned(self) -> Known:
        """The writers that a classifier has learned."""
        names = list(self.config.labels)
        return Known(names, np.eye(len(names)), np.zeros(len(names), np.int64))

    def logs(self, known: Known, query: Floats, count: int) -> tuple[Floats, Floats]:
        """Log-likelihoods of each writer (m, writers) and of a stranger (m,); `query`: means of `count` vectors each.

        A classifier has no notion of strangers: theirs is -inf.
        """
        if not self.takes_new_writers:
            return query @ known.means.T * count, np.full(len(query), -math.inf)
        return log_likelihoods(self.between, known.means, known.counts, query, count)


@torch.inference_mode()
def embedding(network: Compact, images: Images) -> Floats:
    """The last layer of a one-member compact network as it is, (n, outputs): `forward` would make probabilities."""
    chunks = [torch.from_numpy(images[start : start + _BATCH]) for start in range(0, len(images), _BATCH)]
    outputs = [network.member_logits(network_input(chunk))[0].float() for chunk in chunks]
    values: Floats = torch.cat(outputs).double().numpy()
    return values


def load_hand_model(folder: str | os.PathLike[str]) -> HandModel:
    """The model in a bundle's folder; raises `UserError` on any fault, also for a bundle of another kind."""
    if not (Path(folder) / "config.json").is_file():
        raise UserError(
            f"{str(folder)!r} is not a bundle: it has no config.json", "make one: python training writer fit mnist"
        )
    config, network = read_bundle(folder)
    if config.kind not in (HAND, WRITER):
        raise UserError(
            f"{str(folder)!r} is a model of kind {config.kind!r}, not of hands",
            "give one that `python training writer fit` has made",
            422,
        )
    good = isinstance(network, Compact) and len(network.members) == 1
    if config.kind == HAND and not good:
        raise UserError(f"{str(folder)!r}: the network of a 'hand' is compact with one member", "make it again", 422)
    return HandModel(config, network, hashlib.sha256((Path(folder) / WEIGHTS_FILE).read_bytes()).hexdigest())


def _scoring(config: BundleConfig) -> dict[str, Any]:
    """`recipe["scoring"]`, checked: a bundle comes from anywhere, and a wrong number only shows as wrong answers."""
    scoring = config.recipe.get("scoring")
    wanted = {*_LIMITS, "between"} if config.kind == HAND else set(_LIMITS)
    if not isinstance(scoring, dict) or set(scoring) != wanted:
        raise _fault(config, "recipe.scoring", scoring, f"an object with {', '.join(sorted(wanted))}")
    for name, (low, high) in _LIMITS.items():
        if not _is_number(scoring[name], low, high):
            raise _fault(config, f"recipe.scoring.{name}", scoring[name], f"a number from {low:g} to {high:g}")
    between = scoring.get("between", [])
    good = isinstance(between, list) and all(_is_number(value, 1e-9, 1e9) for value in between)
    if not good or (config.kind == HAND and len(between) != len(config.labels)):
        raise _fault(config, "recipe.scoring.between", between, f"{len(config.labels)} numbers above 0")
    return scoring


def _is_number(value: object, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _fault(config: BundleConfig, field: str, value: object, wanted: str) -> UserError:
    return UserError(f"model {config.name!r}: field {field!r} is {str(value)[:80]!r}", f"it must be {wanted}", 422)
