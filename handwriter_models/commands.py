"""The library's commands: `list` the models, `download` others, `predict` pictures, `explain` the answers.

`list` answers from configs and headers alone, so it does not wait for torch; the others import what they need when
they run. Tables are for people; with `--json` standard output holds JSON and nothing else.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from handwriter_models.bundle import bundle_bytes, bundled_names, find_bundle, read_config
from handwriter_models.errors import INCOMPLETE, UserError
from handwriter_models.paths import name_or_path, user_path
from handwriter_models.picture_files import PictureFiles, picture_files
from handwriter_models.static_site.commands import site
from handwriter_models.weights import WEIGHTS_FILE, parameter_count

if TYPE_CHECKING:
    from handwriter_models.classifier import Classifier

app = typer.Typer(help="Models that read pictures: see them and ask them.", no_args_is_help=True, add_completion=False)
app.command("site")(site)
Json = dict[str, Any]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]


@dataclass(frozen=True)
class _Answer:
    """What is said about one file: the fields of `predict --json`."""

    path: Path
    model: str
    label: str | None = None
    confidence: float | None = None
    probabilities: dict[str, float] | None = None
    rejected: bool | None = None
    error: str | None = None


@app.command("list")
def list_models(as_json: AsJson = False) -> None:
    """The bundled models.

    Example: python handwriter_models list
    """
    models = [_model_row(name) for name in bundled_names()]
    if as_json:
        print(json.dumps(models))
    elif not models:
        print("no models are bundled here; train one with `python training fit`", file=sys.stderr)
    else:
        _print_models(models)


def _model_row(name: str) -> Json:
    folder = find_bundle(name)
    config = read_config(folder)
    accuracy = config.metrics.get("accuracy")
    return {
        "name": config.name,
        "kind": config.kind,
        "classes": len(config.labels),
        "labels": list(config.labels),
        "parameters": parameter_count(folder / WEIGHTS_FILE),
        "bytes": bundle_bytes(folder),
        "accuracy": accuracy if isinstance(accuracy, int | float) and not isinstance(accuracy, bool) else None,
        "description": dict(config.description),
    }


def _print_models(models: list[Json]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("name", "kind")
    for title in ("classes", "parameters", "size", "accuracy"):
        table.add_column(title, justify="right")
    table.add_column("description")
    for model in models:
        accuracy = "-" if model["accuracy"] is None else f"{model['accuracy']:.2%}"
        numbers = (f"{model['classes']}", f"{model['parameters']:,}", f"{model['bytes'] / 1e6:.2f} MB", accuracy)
        table.add_row(model["name"], model["kind"], *numbers, model["description"].get("en", ""))
    Console().print(table)


@app.command("predict")
def predict(
    paths: Annotated[
        list[Path], typer.Argument(help="Pictures, or folders of pictures.", parser=user_path, show_default=False)
    ],
    model: Annotated[
        str,
        typer.Option("--model", help="A bundled model's name, a bundle's folder, or user/repo.", parser=name_or_path),
    ] = "digits",
    as_json: AsJson = False,
) -> None:
    """What the model says about each picture.

    Ends with code 3 when some file could not be read.

    Example: python handwriter_models predict --model digits photo.jpg scans/
    """
    files = picture_files(paths)
    folder = find_bundle(model)
    read_config(folder)  # before the seconds that torch takes to load
    from handwriter_models.classifier import load

    answers = _answers(load(folder), files)
    _end(files, _print_lines(answers) if as_json else _print_answers(answers))


def _end(files: PictureFiles, failed: int) -> None:
    """Says what is left out; ends with code 3 when a file could not be read."""
    if files.others:
        print(f"passed over, as they are no pictures: {files.others}", file=sys.stderr)
    if failed:
        of = len(files.pictures) + len(files.obstacles)
        print(f"{failed} of {of} files could not be read", file=sys.stderr)
        raise typer.Exit(INCOMPLETE)


def _answers(classifier: Classifier, files: PictureFiles) -> Iterator[_Answer]:
    """One answer a file, in order; a few pictures at a time are in memory."""
    for path, why in files.obstacles:
        yield _Answer(Path(path), classifier.name, error=why)
    for file, said in zip(files.pictures, classifier.predict_each(files.pictures), strict=True):
        if isinstance(said, UserError):
            yield _Answer(file, classifier.name, error=said.what)
        else:
            yield _Answer(file, said.model, said.label, said.confidence, said.probabilities, said.rejected)


def _print_lines(answers: Iterator[_Answer]) -> int:
    failed = 0
    for answer in answers:
        # Plain ASCII: the name of a file need not be valid in any encoding.
        print(json.dumps({**vars(answer), "path": str(answer.path)}), flush=True)
        failed += answer.error is not None
    return failed


def _print_answers(answers: Iterator[_Answer]) -> int:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("file", "label", "confidence", "next", "")
    failed = 0
    for answer in answers:
        failed += answer.error is not None
        table.add_row(*(Text(cell) for cell in _cells(answer)))
    Console().print(table)
    return failed


def _cells(answer: _Answer) -> tuple[str, ...]:
    if answer.error is not None or answer.probabilities is None:
        return _printable(answer.path), "", "", "", f"error: {answer.error}"
    best, second = sorted(answer.probabilities.items(), key=lambda item: -item[1])[:2]
    in_world = (answer.confidence or 0.0) / best[1]
    runner_up = f"{second[0]} {second[1] * in_world:.1%}" if answer.label else ""
    note = "" if not answer.rejected else "blank" if not answer.label else "not one of the labels"
    return _printable(answer.path), answer.label or "", f"{answer.confidence:.1%}", runner_up, note


@app.command("download")
def download(
    reference: Annotated[str, typer.Argument(metavar="USER/REPO[@REVISION]", help="Of the Hub.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option(help="A folder to copy the bundle to; else it stays in the cache.", parser=user_path)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fetches a model from the Hugging Face Hub; `--model user/repo` does so by itself.

    Only config, weights in safetensors, card and figures are fetched, into the Hub's own cache.

    Example: python handwriter_models download user/repo@main --out runs/theirs
    """
    from handwriter_models.hub.copying import download_to

    found = download_to(reference, out)
    print(json.dumps(found.to_json()) if as_json else found.folder)


@app.command("explain")
def explain(
    paths: Annotated[
        list[Path], typer.Argument(help="Pictures, or folders of pictures.", parser=user_path, show_default=False)
    ],
    out: Annotated[
        Path, typer.Option(help="Folder for the pictures of the explanations.", parser=user_path, show_default=False)
    ],
    model: Annotated[
        str,
        typer.Option("--model", help="A bundled model's name, a bundle's folder, or user/repo.", parser=name_or_path),
    ] = "digits",
    label: Annotated[str | None, typer.Option(help="The label to explain; else what the model says.")] = None,
    method: Annotated[str | None, typer.Option(help="grad-cam (photographs) or integrated-gradients (ink).")] = None,
    as_json: AsJson = False,
) -> None:
    """Where in each picture the evidence for the answer lies, and what each stroke of handwriting does for it.

    Writes NAME-heat.png and, for handwriting, NAME-strokes.png: orange strokes support the label, blue ones speak
    against it. Ends with code 3 when some file could not be read.

    Example: python handwriter_models explain --model digits seven.png --out explained
    """
    files = picture_files(paths)
    folder = find_bundle(model)
    read_config(folder)  # before the seconds that torch takes to load
    from handwriter_models.classifier import load
    from handwriter_models.explain_files import Wish, explain_files, method_named

    wish = Wish(out, label, method_named(method))
    failed = 0
    for line in explain_files(load(folder), files, wish):
        failed += line["error"] is not None
        print(json.dumps(line) if as_json else _explained(line), flush=True)
    _end(files, failed)


def _explained(line: Json) -> str:
    path = _printable(Path(line["path"]))
    if line["error"] is not None:
        return f"{path}: error: {line['error']}"
    supports = " ".join(f"{one['support']:+.2f}" for one in line["support"])
    strokes = f"; strokes {supports}" if supports else ""
    return f"{path}: {line['label'] or 'blank'} {line['confidence']:.1%}{strokes} -> {_printable(Path(line['heat']))}"


def _printable(path: Path) -> str:
    """The path without what could steer a terminal or has no encoding."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in str(path))
