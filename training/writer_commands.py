"""`python training writer …`: who wrote it, among people who agreed to be known by their hand.

fit trains a model, enroll makes a writer known by five pictures without training, forget removes one, who answers,
evaluate measures. Everything heavy is imported inside the commands. With `--json` the result is the only thing on
standard output.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from handwriter_models.errors import UserError
from handwriter_models.paths import user_path
from training.left_out import end

if TYPE_CHECKING:
    from training.writer_answer import Answer
    from training.writer_model import HandModel

_TOY = "A toy for people who agreed to it, not forensic evidence: it proves nothing about who wrote a text."
BUNDLED = Path(__file__).with_name("writer_bundle")
_SHOWN = 5

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help=f"Who wrote it, from several pictures of one hand. {_TOY}",
    rich_markup_mode=None,
)  # fmt: skip
Source = Annotated[str, typer.Argument(help="mnist (with QMNIST's writers) or omniglot (its drawers)")]
Data = Annotated[
    Path | None,
    typer.Option(
        help="a local copy of the data: the folder that holds MNIST/raw and qmnist, or omniglot", parser=user_path
    ),
]
Pictures = Annotated[
    list[Path], typer.Argument(help="pictures of one written character each, or folders of them", parser=user_path)
]
Model = Annotated[
    Path, typer.Option(help="bundle of a model of hands", parser=user_path, show_default="the one that comes with it")
]
WritersFile = Annotated[Path, typer.Option("--writers", help="file of the writers made known", parser=user_path)]
AsJson = Annotated[bool, typer.Option("--json", help="print the result as JSON, all else on standard error")]


@app.command()
def fit(
    source: Source,
    method: Annotated[str, typer.Option(help="hand: takes new writers later; resnet34: a fixed set of them")] = "hand",
    out: Annotated[
        Path | None, typer.Option(help="folder of the bundle (default: runs/METHOD-SOURCE)", parser=user_path)
    ] = None,
    data: Data = None,
    writers: Annotated[int, typer.Option(help="resnet34: how many writers to learn")] = 20,
    changes: Annotated[list[str] | None, typer.Option("--set", help="change the training: epochs=5, rate=1e-3")] = None,
    seed: Annotated[int, typer.Option(help="of the division of hands and of the training")] = 1,
    as_json: AsJson = False,
) -> None:
    """Trains a model of hands and measures it on hands, or on pictures, that it has not seen.

    python training writer fit mnist --out runs/hand
    """
    from training.writer_data import read_parts
    from training.writer_fit import WriterOrder, fit_writers, writer_recipe

    recipe = writer_recipe(method, source, {**_changes(changes or []), "seed": seed})
    place = out or Path("runs") / f"{method}-{source}"
    metrics = fit_writers(WriterOrder(read_parts(source, data, seed), method, recipe, place, writers))
    _show_table(metrics, f"bundle {place}", as_json)


def _changes(texts: list[str]) -> dict[str, Any]:
    """`epochs=5` as {"epochs": 5}; what it may be is checked by the recipe."""
    import tomllib

    found: dict[str, Any] = {}
    for text in texts:
        try:
            found |= tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise UserError(f"--set {text!r} is not FIELD=VALUE", "for example --set epochs=5") from error
    return found


@app.command()
def enroll(
    name: Annotated[str, typer.Argument(help="the writer's name")],
    pictures: Pictures,
    model: Model = BUNDLED,
    writers: WritersFile = Path("runs/writers.json"),
    as_json: AsJson = False,
) -> None:
    """Makes a writer known by five or more pictures; again with the same name adds to them. No picture is kept.

    python training writer enroll 지민 scans/jimin/
    """
    from training.writer_answer import usable_pictures
    from training.writer_enrolled import clean_name
    from training.writer_enrolled import enroll as add

    loaded = _embedding(model)
    images, _, left_out = usable_pictures(pictures)
    writer, added = add(writers, loaded, name, images)
    known = {"writer": clean_name(name), "added": added, "pictures": len(writer.pictures), "writers": str(writers)}
    line = f"{known['writer']} is known by {known['pictures']} pictures, {added} of them new ({writers})"
    typer.echo(json.dumps(known, ensure_ascii=False) if as_json else line)
    end(left_out)


@app.command()
def forget(
    name: Annotated[str, typer.Argument(help="the writer's name")],
    model: Model = BUNDLED,
    writers: WritersFile = Path("runs/writers.json"),
    as_json: AsJson = False,
) -> None:
    """Removes all that is known of a writer.

    python training writer forget 지민
    """
    from training.writer_enrolled import forget as remove

    remove(writers, _embedding(model), name)
    typer.echo(json.dumps({"forgotten": name}, ensure_ascii=False) if as_json else f"{name} is forgotten")


@app.command()
def who(
    pictures: Pictures,
    model: Model = BUNDLED,
    writers: WritersFile = Path("runs/writers.json"),
    as_json: AsJson = False,
) -> None:
    """Who wrote these pictures, all of one hand: a ranking, and "not sure" when the evidence is thin.

    The model that comes with it has learned digits only; of letters it knows nothing, and would not say so.

    python training writer who letter/1.png letter/2.png letter/3.png
    """
    from training.writer_answer import answer, unseen, usable_pictures
    from training.writer_enrolled import read_writers
    from training.writer_model import load_hand_model

    loaded = load_hand_model(model)
    known = read_writers(writers, loaded) if loaded.takes_new_writers else {}
    images, names, left_out = usable_pictures(pictures)
    images, known_before = unseen(images, names, known)
    said = answer(loaded, known, images)
    typer.echo(json.dumps(said.to_json(), ensure_ascii=False) if as_json else _told(said))
    end([*left_out, *known_before])


def _told(said: Answer) -> str:
    first = f"not sure: {said.reason}" if said.reason else f"{said.writer}"
    lines = [f"{name}  {value:.1%}" for name, value in said.ranking[:_SHOWN]]
    more = len(said.ranking) - _SHOWN
    strange = [] if said.someone_else is None else [f"someone else: {said.someone_else:.1%} (at even odds beforehand)"]
    counted = f"{said.pictures} picture{'' if said.pictures == 1 else 's'}"
    return "\n".join([f"{first}  [{counted}]", *lines, *([f"… and {more} more"] if more > 0 else []), *strange, _TOY])


@app.command()
def evaluate(
    source: Source,
    model: Model = BUNDLED,
    data: Data = None,
    writers: Annotated[int, typer.Option(help="how many writers to choose among (an embedding)")] = 20,
    enrolled: Annotated[int, typer.Option(help="pictures that each writer is known by (an embedding)")] = 5,
    as_json: AsJson = False,
) -> None:
    """How often the first and one of the first five are right, by the number of pictures, against chance.

    python training writer evaluate mnist
    """
    from training.writer_evaluate import evaluate_writers
    from training.writer_trials import Draws

    metrics = evaluate_writers(model, source, data, Draws(writers=writers, enrolled=enrolled))
    _show_table(metrics, f"{model} on {source}", as_json)


def _embedding(model: Path) -> HandModel:
    from training.writer_model import load_hand_model

    loaded = load_hand_model(model)
    if not loaded.takes_new_writers:
        raise UserError(
            f"{model} knows the writers it has learned, and takes no others",
            "use an embedding: python training writer fit mnist --method hand",
        )
    return loaded


def _show_table(metrics: dict[str, Any], title: str, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(metrics, ensure_ascii=False))
        return
    from training.writer_card import table_text

    typer.echo(f"{title}\n{table_text(metrics['by_pictures'])}")
