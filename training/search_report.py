"""What a search found: a table for people, a plot, and the best recipe as a TOML file that `fit` takes."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tomlkit
from matplotlib.figure import Figure
from rich.table import Table

from handwriter_models.whole_files import write_whole
from training.figures_style import BLUE, GREY, INK, ORANGE
from training.recipes import Recipe

if TYPE_CHECKING:
    import optuna

RECIPE, PLOT = "best.toml", "search.png"
_SHOWN = 10
_ENOUGH = 10  # trials from which it can be said what mattered


def table(trials: list[dict[str, Any]], asked: Mapping[str, Any]) -> Table:
    """The best ten trials; `asked` are the settings of the recipe that the search began with."""
    shown = Table(title=f"the best of {len(trials)} trials (over three folds of the training pictures)")
    for name in ("trial", "loss", "accuracy", "settings that differ from the recipe"):
        shown.add_column(name, justify="left" if " " in name else "right")
    for row in trials[:_SHOWN]:
        settings = ", ".join(
            f"{name.partition('.')[2]} {_short(value)}"
            for name, value in row["settings"].items()
            if asked.get(name) != value
        )
        accuracy = f"{row['accuracy']:.2%} ± {row['spread']:.2%}"
        shown.add_row(str(row["trial"]), f"{row['loss']:.4f}", accuracy, settings or "none")
    return shown


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)


def importance(study: optuna.Study) -> dict[str, float]:
    """What share of the differences in loss each setting explains (PED-ANOVA, Watanabe et al. 2023); {} if unknown."""
    import optuna

    ended = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
    if len(ended) < _ENOUGH:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Optuna calls it experimental
        found = optuna.importance.get_param_importances(
            study, evaluator=optuna.importance.PedAnovaImportanceEvaluator()
        )
    return {name: float(share) for name, share in found.items() if math.isfinite(share)}


def draw(trials: list[dict[str, Any]], shares: Mapping[str, float]) -> Figure:
    """The loss of every trial in the order of trials with the best so far, and what mattered."""
    figure = Figure((9.0, 4.0), layout="constrained")
    axes = figure.subplots(1, 2 if shares else 1, squeeze=False)[0]
    ordered = sorted(trials, key=lambda row: row["trial"])
    numbers = np.array([row["trial"] for row in ordered])
    losses = np.array([row["loss"] for row in ordered])
    axes[0].scatter(numbers, losses, s=18, color=GREY, label="a trial")
    axes[0].step(numbers, np.minimum.accumulate(losses), where="post", color=BLUE, label="the best so far")
    top = float(np.quantile(losses, 0.9)) if len(losses) > 4 else float(losses.max())
    low = float(losses.min())
    axes[0].set_ylim(low - 0.05 * (top - low or 1), top + 0.2 * (top - low or 1))  # broken ones would hide the others
    axes[0].set(xlabel="trial", ylabel="loss over three folds")
    axes[0].legend(frameon=False)
    if shares:
        named = sorted(shares.items(), key=lambda item: item[1])
        axes[1].barh([name for name, _ in named], [share for _, share in named], color=ORANGE)
        axes[1].set(xlabel="share of the difference in loss")
    for one in axes:
        one.spines[["top", "right"]].set_visible(False)
        one.tick_params(colors=INK)
    return figure


def write_recipe(recipe: Recipe, best: Mapping[str, Any], path: Path) -> None:
    """The recipe as `python training fit --recipe PATH` reads it, with the figures it was chosen by."""
    document = tomlkit.document()
    document.add(
        tomlkit.comment(
            f"Found by a search: loss {best['loss']:.4f}, accuracy {best['accuracy']:.2%} over three folds "
            f"of the training pictures (trial {best['trial']})."
        )
    )
    for name, value in recipe.as_json().items():
        document.add(name, tomlkit.item(value))
    write_whole(path, tomlkit.dumps(document).encode(), "--out")
