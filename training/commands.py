"""The commands of `python training`: fit, evaluate, recipes; export, publish, search and writer have their own files.

Everything heavy is imported inside the commands, so that `--help` answers at once. With `--json` the result is the only
thing on standard output.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from handwriter_models.paths import name_or_path, user_path
from training.export_commands import app as export_app
from training.left_out import end
from training.publish_commands import app as publish_app
from training.search_command import app as search_app
from training.writer_commands import app as writer_app

if TYPE_CHECKING:
    from training.evaluate import OnLeaks
    from training.recipes import Recipe

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Trains, measures and lists: a dataset goes in, a bundle comes out.",
    rich_markup_mode=None,
)
app.add_typer(search_app)
app.add_typer(export_app)
app.add_typer(publish_app)
app.add_typer(writer_app, name="writer")
_SOURCES = "a dataset or folder of pictures, mnist, sklearn-digits, omniglot-korean, omniglot-latin, characters, …"
Source = Annotated[str, typer.Argument(help=_SOURCES, parser=name_or_path)]
Data = Annotated[
    Path | None, typer.Option(help="a local copy of the data: the folder that holds MNIST/raw", parser=user_path)
]
AsJson = Annotated[bool, typer.Option("--json", help="print the metrics as JSON, all else on standard error")]


@app.command()
def fit(
    source: Source,
    recipe: Annotated[
        str, typer.Option(help="name of a recipe (see `recipes`) or path of a .toml file", parser=name_or_path)
    ],
    out: Annotated[
        Path | None, typer.Option(help="folder of the bundle (default: runs/RECIPE)", parser=user_path)
    ] = None,
    data: Data = None,
    init: Annotated[
        str | None,
        typer.Option(
            "--weights",
            "--init",
            help="imagenet, none, a .safetensors file, or a bundle (user/repo, too)",
            parser=name_or_path,
        ),
    ] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="change a field of the recipe: train.epochs=5")
    ] = None,
    unfreeze: Annotated[
        list[str] | None, typer.Option(help="module of a frozen backbone that learns on at a low rate, such as layer4")
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
    python training fit data/pets --recipe frozen-resnet50
    """
    from handwriter_models.bundle import pinned
    from training.device import chosen_device
    from training.distributed import ranks
    from training.fit import Order
    from training.fit import fit as run
    from training.recipes import read_recipe

    common = {"epochs": epochs, "batch": batch, "rate": rate, "seed": seed}
    overrides = [*(changes or []), *(f"train.{key}={value}" for key, value in common.items() if value is not None)]
    overrides += [f"finetune.unfreeze={json.dumps(unfreeze)}"] if unfreeze else []
    start = pinned(init) if init else None
    with ranks() as group:
        chosen = read_recipe(recipe, overrides)
        place = out or Path("runs") / chosen.name
        where = group.device(chosen_device(device))
        result = run(Order(source, chosen, place, data, resume, restart, where, start, group))
    if not group.main:
        return
    _show(result.metrics, f"bundle {result.bundle}", as_json)
    end(result.unreadable)


@app.command()
def evaluate(
    bundle: Annotated[str, typer.Argument(help="name of a bundled model, or a bundle's folder", parser=name_or_path)],
    source: Source,
    other: Annotated[
        str | None, typer.Option("--on", help="another source, measured beside the first", parser=name_or_path)
    ] = None,
    folds: Annotated[int | None, typer.Option(help="fit the bundle's recipe anew on K parts, and measure each")] = None,
    leave_out_leaks: Annotated[
        bool, typer.Option("--leave-out-leaks", help="leave out pictures that are known from the training")
    ] = False,
    leaky: Annotated[bool, typer.Option("--leaky", help="measure them, too; the result says so")] = False,
    data: Data = None,
    figures: Annotated[Path | None, typer.Option(help="folder to draw the figures into", parser=user_path)] = None,
    device: Annotated[str, typer.Option(help="of --folds: cpu, cuda, or auto")] = "auto",
    as_json: AsJson = False,
) -> None:
    """Measures a bundle on the pictures of a source that it has not learned.

    python training evaluate digits sklearn-digits --figures runs/figures
    """
    from handwriter_models.errors import UserError
    from training.device import chosen_device

    if folds is not None:
        if other or figures or leaky or leave_out_leaks:
            raise UserError("--folds fits new models, and goes with none of the other options", "give it alone")
        _cross_validate(bundle, source, folds, data, chosen_device(device), as_json)
        return
    if leaky and leave_out_leaks:
        raise UserError("--leaky and --leave-out-leaks exclude each other", "give one of them")
    from training.compare import compare
    from training.evaluate import evaluate_bundle
    from training.stopwatch import Stopwatch

    watch = Stopwatch()
    on_leaks: OnLeaks = "measure" if leaky else "leave out" if leave_out_leaks else "refuse"
    with watch.stage("evaluate"):
        if other:
            both = compare(bundle, (source, other), data, on_leaks)
            metrics, measured = both.metrics(), {"": both.home, "on": both.away}
        else:
            one = evaluate_bundle(bundle, source, data, on_leaks)
            metrics, measured = one.metrics(), {"": one}
    if figures:
        from training.figures import draw_figures, save_figures

        with watch.stage("draw"):
            for folder, evaluation in measured.items():
                save_figures(draw_figures(evaluation.answers), figures / folder)
    name = measured[""].classifier.name
    _show({**metrics, "seconds": watch.seconds}, f"{name} on {source}{f' and {other}' if other else ''}", as_json)
    end([file for evaluation in measured.values() for file in evaluation.unreadable])


def _cross_validate(bundle: str, source: str, folds: int, data: Path | None, device: str, as_json: bool) -> None:
    from training.folds import FoldsOrder
    from training.refit import cross_validate_bundle
    from training.summary import print_folds

    table, unreadable = cross_validate_bundle(FoldsOrder(bundle, source, folds, data, device))
    if as_json:
        typer.echo(json.dumps(table, ensure_ascii=False))
    else:
        print_folds(table, f"{table['recipe']} on {source}, {folds} folds")
    end(unreadable)


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
    network = f"{recipe.backbone.name} + new head" if recipe.is_transfer else recipe.network.name
    text = f"{network}, {train.optimizer} {train.rate:g}, batch {train.batch}, {train.epochs} epochs"
    return f"{text}: {next(iter(recipe.description.values()), '')}"


def _show(metrics: dict[str, Any], title: str, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(metrics, ensure_ascii=False))
        return
    from training.summary import print_summary

    print_summary(metrics, title)
