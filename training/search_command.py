"""`python training search`: the options, and what is printed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from handwriter_models.paths import name_or_path, user_path
from training.left_out import end

app = typer.Typer()


@app.command()
def search(
    source: Annotated[
        str, typer.Argument(help="a dataset, or a folder of pictures (label/picture)", parser=name_or_path)
    ],
    recipe: Annotated[str, typer.Option(help="a frozen recipe to begin with", parser=name_or_path)] = "frozen-resnet50",
    trials: Annotated[int, typer.Option(help="trials in all, those of earlier runs included")] = 50,
    sampler: Annotated[str, typer.Option(help="tpe (learns from what was tried) or random")] = "tpe",
    out: Annotated[
        Path, typer.Option(help="folder of the trials, the plot and the best recipe", parser=user_path)
    ] = Path("runs/search"),
    weights: Annotated[
        str | None, typer.Option(help="imagenet, none, a .safetensors file, or a bundle", parser=name_or_path)
    ] = None,
    changes: Annotated[list[str] | None, typer.Option("--set", help="change a field of the recipe")] = None,
    processes: Annotated[int, typer.Option(help="that try at the same time; 0: one a core")] = 0,
    restart: Annotated[bool, typer.Option("--restart", help="forget the trials in the folder")] = False,
    device: Annotated[str, typer.Option(help="for the backbone: cpu, cuda, or auto")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="print all trials as JSON")] = False,
) -> None:
    """Tries settings of the head and its training; the best becomes a recipe. The same command goes on.

    python training search data/pets --trials 50 --out runs/search
    """
    from training.device import chosen_device
    from training.figures_style import png
    from training.recipes import read_recipe
    from training.search import SearchOrder
    from training.search import search as run
    from training.search_report import PLOT, RECIPE, draw, importance, table, write_recipe

    begun = read_recipe(recipe, changes or [])
    order = SearchOrder(source, begun, out, trials, sampler, processes, restart, chosen_device(device), weights)
    found = run(order)
    shares = importance(found.study)
    (out / PLOT).write_bytes(png(draw(found.trials, shares)))
    write_recipe(found.recipe, found.trials[0], out / RECIPE)
    if as_json:
        told = {"trials": found.trials, "importance": shares, "recipe": str(out / RECIPE), "plot": str(out / PLOT)}
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        _show(table(found.trials, _asked(begun.as_json())), out)
    end(found.unreadable)


def _asked(table: dict[str, object]) -> dict[str, object]:
    return {
        f"{section}.{name}": value
        for section, values in table.items()
        if isinstance(values, dict)
        for name, value in values.items()
    }


def _show(shown: object, out: Path) -> None:
    from rich.console import Console

    from training.search_report import PLOT, RECIPE

    Console().print(shown)
    typer.echo(f"the best: python training fit SOURCE --recipe {out / RECIPE}  (plot: {out / PLOT})")
