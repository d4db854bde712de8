"""The head of a bundle for photographs, learned again on part of a dataset: cross-validation in seconds.

The frozen network looks at every picture once; only heads are fitted k times. That is honest as long as the network
below has not learned from these pictures, so a bundle whose network was unfrozen is refused.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from curation.listing import PictureRow
from curation.split import PARTS
from handwriter_models.classifier import Classifier
from handwriter_models.errors import UserError
from handwriter_models.learning.calibration import fit_temperature
from handwriter_models.learning.heads import BrokenHeadError, Vectors, train_head
from training.datasets import photographs
from training.folds import FoldsOrder, cross_validate
from training.frozen import chosen_backbone, seen
from training.held_out import Unreadable
from training.recipes import Recipe
from training.samples import Numbers


def cross_validate_heads(
    order: FoldsOrder, classifier: Classifier, recipe: Recipe
) -> tuple[dict[str, Any], Unreadable]:
    """The table of `folds.cross_validate` for new heads on the bundle's network, copies of a picture together."""
    if not recipe.is_transfer or recipe.finetune.unfreeze:
        raise UserError(
            f"the whole network of model {classifier.name!r} has learned from its pictures, not only a head",
            "--folds for photographs needs a bundle of a frozen recipe without --unfreeze",
        )
    with photographs(order.source, recipe.data, recipe.train.seed) as dataset:
        everything = [row for part in PARTS for row in dataset.parts[part]]
        whole = replace(dataset, parts={"train": everything, "validation": [], "test": []})
        backbone, _ = chosen_backbone(recipe.backbone, order.bundle, order.device)
        found = seen(whole, backbone, recipe)
        heads = _Heads(found.parts["train"], families_of(found.rows["train"]), recipe, len(dataset.names), order.device)
        labels = found.parts["train"].labels.numpy()
        seed = recipe.train.seed
        table = cross_validate((labels, dataset.names), heads.groups, order.folds, seed, heads.fit_and_answer)
        unreadable = [*dataset.unreadable, *found.unreadable]
    return {"recipe": recipe.name, "divided": "copies of a picture together", **table}, unreadable


def families_of(rows: list[PictureRow]) -> Numbers:
    """The group of copies that each picture is in, numbered from 0; most are alone."""
    names = [f"family {row.family}" if row.family is not None else f"content {row.sha256}" for row in rows]
    return np.unique(np.array(names), return_inverse=True)[1]


class _Heads:
    """Fits a head on some of the pictures and answers others."""

    def __init__(self, vectors: Vectors, groups: Numbers, recipe: Recipe, outputs: int, device: str) -> None:
        self.vectors, self.groups, self.recipe, self.outputs, self.device = vectors, groups, recipe, outputs, device

    def fit_and_answer(self, train: Numbers, test: Numbers) -> NDArray[np.float32]:
        """As `folds.FitAndAnswer`: epoch and temperature are chosen on groups set apart of the training pictures."""
        apart = self._set_apart(train)
        options = self.recipe.head, self.recipe.train
        validation = self._some(apart, plain=True)
        try:
            trained = train_head(self._some(np.setdiff1d(train, apart)), validation, self.outputs, options, self.device)
        except BrokenHeadError as error:
            raise UserError(f"the head learned nothing: {error}", "the recipe needs a lower train.rate") from error
        logits = trained.logits(validation.values[:, 0]).numpy()
        temperature = fit_temperature(logits, validation.labels.numpy())
        answers = trained.logits(self._some(test, plain=True).values[:, 0]) / temperature
        probabilities: NDArray[np.float32] = torch.softmax(answers, 1).numpy()
        return probabilities

    def _set_apart(self, train: Numbers) -> Numbers:
        groups = np.unique(self.groups[train])
        count = max(1, round(self.recipe.data.validation * len(groups)))
        chosen = np.random.default_rng(self.recipe.train.seed).permutation(groups)[:count]
        return train[np.isin(self.groups[train], chosen)]

    def _some(self, places: Numbers, plain: bool = False) -> Vectors:
        values = self.vectors.values[places]
        return Vectors(values[:, :1] if plain else values, self.vectors.labels[places])
