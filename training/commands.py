"""The commands of `python training`: fit, evaluate, recipes.

Everything heavy is imported inside the commands, so that `--help` answers at once. With `--json` the result is the only
thing on standard output.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from handwriter_models.errors import INCOMPLETE

if TYPE_CHECKING:
    from training.recipes import Recipe

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Trains, measures and lists: a dataset goes in, a bundle comes out.",
    rich_markup_mode=None,
)
Source = Annotated[str, typer.Argument(help="mnist, sklearn-digits, or a folder of pictures (label/picture)")]
Data = Annotated[Path | None, typer.Option(help="a local copy of the data: the folder that holds MNIST/raw")]
AsJson = Annotated[bool, typer.Option("--json", help="print the metrics as JSON, all else on standard error")]


@app.command()
def fit(
    source: Source,
    recipe: Annotated[str, typer.Option(help="name of a recipe (see `recipes`) or path of a .toml file")],
    out: Annotated[Path | None, typer.Option(help="folder of the bundle (default: runs/RECIPE)")] = None,
    data: Data = None,
    init: Annotated[
        str | None, typer.Option("--weights", "--init", help="bundle whose weights the training begins with")
    ] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="change a field of the recipe: train.epochs=5")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="train.epochs")] = None,
    batch: Annotated[int | None, typer.Option(help="train.batch")] = None,
    rate: Annotated[float | None, typer.Option(help="train.rate, the learning rate")] = None,
    seed: Annotated[int | None, typer.Option(help="train.seed")] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto")] = "auto",
    resume: Annotated[bool, typer.Option("--resume", help="go on with an unfinished training of this bundle")] = False,
    restart: Annotated[bool, typer.Option("--restart", help="throw the unfinished training away")] = False,
    as_json: AsJson = False,
) -> None:
    """Trains a model and writes it as a bundle. Ctrl-C saves; the same command with --resume goes on.

    python training fit mnist --recipe mlp-digits --out runs/mlp
    """
    from training.fit import Order
    from training.fit import fit as run
    from training.recipes import read_recipe

    common = {"epochs": epochs, "batch": batch, "rate": rate, "seed": seed}
    overrides = [*(changes or []), *(f"train.{key}={value}" for key, value in common.items() if value is not None)]
    chosen = read_recipe(recipe, overrides)
    place = out or Path("runs") / chosen.name
    order = Order(source, chosen, place, data, resume, restart, _device(device), init)
    result = run(order)
    _show(result.metrics, f"bundle {result.bundle}", as_json)
    _end(result.unreadable)


@app.command()
def evaluate(
    bundle: Annotated[str, typer.Argument(help="name of a bundled model, or a bundle's folder")],
    source: Source,
    data: Data = None,
    figures: Annotated[Path | None, typer.Option(help="folder to draw the figures into")] = None,
    as_json: AsJson = False,
) -> None:
    """Measures a bundle on the pictures of a source that it has not learned.

    python training evaluate digits sklearn-digits --figures runs/figures
    """
    from training.evaluate import evaluate_bundle, metrics_of
    from training.stopwatch import Stopwatch

    watch = Stopwatch()
    with watch.stage("evaluate"):
        classifier, answers, unreadable = evaluate_bundle(bundle, source, data)
        metrics = metrics_of(classifier, answers)
    if figures:
        from training.figures import draw_figures, save_figures

        with watch.stage("draw"):
            save_figures(draw_figures(answers), figures)
    _show({**metrics, "seconds": watch.seconds}, f"{classifier.name} on {source}", as_json)
    _end(unreadable)


@app.command()
def recipes(as_json: Annotated[bool, typer.Option("--json", help="print whole recipes as JSON")] = False) -> None:
    """Lists our recipes.

    python training recipes
    """
    from training.recipes import read_recipe, recipe_names

    found = [read_recipe(name) for name in recipe_names()]
    if as_json:
        typer.echo(json.dumps([recipe.as_json() for recipe in found], ensure_ascii=False, indent=2))
        return
    width = max(len(recipe.name) for recipe in found)
    for recipe in found:
        typer.echo(f"{recipe.name:<{width}}  {_line(recipe)}")


def _line(recipe: Recipe) -> str:
    train = recipe.train
    text = f"{recipe.network.name}, {train.optimizer} {train.rate:g}, batch {train.batch}, {train.epochs} epochs"
    return f"{text}: {next(iter(recipe.description.values()), '')}"


def _device(name: str) -> str:
    import torch

    from handwriter_models.errors import UserError

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:
        raise UserError(f"device {name!r} cannot be used here", "cpu, cuda, or auto") from error
    return name


def _show(metrics: dict[str, Any], title: str, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(metrics, ensure_ascii=False))
        return
    from training.summary import print_summary

    print_summary(metrics, title)


def _end(unreadable: list[tuple[str, str]]) -> None:
    """Lists what could not be read, and says so with the exit code."""
    for path, reason in unreadable:
        typer.echo(f"left out: {path}: {reason}", err=True)
    if unreadable:
        raise typer.Exit(INCOMPLETE)
