"""The recipe of a handwriting bundle, fitted again on part of a source: what cross-validation measures.

The pieces are those of `fit` in the same order, without a bundle at the end. Weights are random at the start, also
where the bundle itself began with another one's: that one may have seen the pictures of the test.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from handwriter_models.classifier import Classifier, load
from handwriter_models.errors import UserError
from training.fit import Order, augmentation_of, calibrated, first_config, with_extras
from training.folds import FoldsOrder, cross_validate, groups_of
from training.held_out import Unreadable, recipe_of
from training.loop import Material, Trainer
from training.progress import messages, training_progress
from training.recipes import Recipe
from training.samples import Numbers, Samples, Splits, check_labels, set_apart
from training.sources import read_source
from training.start_weights import first_network


def cross_validate_bundle(order: FoldsOrder) -> tuple[dict[str, Any], Unreadable]:
    """The table of `folds.cross_validate` for the bundle's recipe on all of a source, and files that were not read.

    Raises:
        UserError: the bundle has no recipe that can be followed again, or a label has too few pictures or writers.
    """
    classifier = load(order.bundle)
    recipe = recipe_of(classifier)
    if recipe is None:
        raise UserError(
            f"model {classifier.name!r} has no recipe, so it cannot be fitted again",
            "--folds needs a bundle that `python training fit` made",
        )
    if classifier.config.preprocessing.name == "photograph":
        from training.refit_heads import cross_validate_heads

        return cross_validate_heads(order, classifier, recipe)
    splits = read_source(order.source, order.data, recipe.data, recipe.train.seed)
    samples = splits.everything()
    check_labels(samples)
    again = _refit(Order(order.source, recipe, Path(), order.data, device=order.device), samples)
    seed = recipe.train.seed
    table = cross_validate((samples.labels, samples.names), groups_of(samples), order.folds, seed, again)
    grouped = "by writer" if (samples.groups >= 0).all() else "equal pictures together; writers are not known"
    return {"recipe": recipe.name, "divided": grouped, **table}, splits.unreadable


def _refit(order: Order, samples: Samples) -> Callable[[Numbers, Numbers], NDArray[np.float32]]:
    def fit_and_answer(train: Numbers, test: Numbers) -> NDArray[np.float32]:
        messages.print(f"fold: {len(train):,} pictures to fit on, {len(test):,} to measure")
        return _fitted(order, samples.take(train)).scores(samples.images[test])[0]

    return fit_and_answer


def _fitted(order: Order, samples: Samples) -> Classifier:
    """The recipe trained and calibrated on these samples."""
    recipe: Recipe = order.recipe
    torch.manual_seed(recipe.train.seed)
    rest, validation = set_apart(samples, recipe.data.validation, recipe.train.seed)
    train = with_extras(rest, order)
    config = first_config(order, Splits(rest, validation, validation))
    network = first_network(config, None)
    material = Material(train, validation, augmentation_of(recipe), {})
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(network, recipe, material, Path(folder), order.device)
        with training_progress(trainer.steps, 0, recipe.train.epochs, len(train)) as progress:
            trainer.train(progress)
    network.load_state_dict(trainer.weights)
    network = network.eval().to("cpu")
    return Classifier(calibrated(config, network, recipe, validation), network)
