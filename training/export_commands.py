"""The command `python training export`: a bundle as an ONNX file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handwriter_models.paths import name_or_path, user_path

if TYPE_CHECKING:
    from handwriter_models.export.onnx_file import Export, OnnxFile

app = typer.Typer()


@app.command()
def export(
    bundle: Annotated[str, typer.Argument(help="name of a bundled model, or a bundle's folder", parser=name_or_path)],
    out: Annotated[
        Path | None, typer.Option(help="the file to write (default: runs/NAME.onnx)", parser=user_path)
    ] = None,
    int8: Annotated[
        bool, typer.Option("--int8", help="also write it in whole numbers of 8 bits, NAME.int8.onnx")
    ] = False,
    check: Annotated[
        list[Path] | None,
        typer.Option(help="picture, or folder of pictures, to compare answers on; may be repeated", parser=user_path),
    ] = None,
    calibrate: Annotated[
        list[Path] | None,
        typer.Option(help="the same for --int8, to measure the ranges of its values on", parser=user_path),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print what was written as JSON")] = False,
) -> None:
    """Writes a bundle as one ONNX file that answers as it does, compared with torch on real pictures.

    python training export digits --out digits.onnx --int8
    """
    from handwriter_models.bundle import find_bundle, read_config
    from handwriter_models.errors import UserError

    if calibrate and not int8:
        raise UserError("--calibrate is for --int8", "give both, or neither")
    name = read_config(find_bundle(bundle)).name  # before the seconds that torch takes to load
    from handwriter_models.export.onnx_file import export_onnx

    done = export_onnx(bundle, out or Path("runs") / f"{name}.onnx", check or (), int8, calibrate or ())
    if as_json:
        typer.echo(json.dumps(done.to_json(), ensure_ascii=False))
    else:
        _show(done)


def _show(done: Export) -> None:
    inputs = done.metadata["input"]
    shape = " x ".join(map(str, inputs["shape"]))
    answers = ", ".join(done.metadata["outputs"])
    typer.echo(f"{_line(done.file)} (opset {done.opset}; {inputs['name']}: uint8 {shape} -> {answers})")
    if done.int8:
        typer.echo(_line(done.int8))
    typer.echo(f"compared with torch on {done.pictures} pictures")


def _line(file: OnnxFile) -> str:
    same = f"{file.same_labels:.1%} the same label, probabilities within {file.difference:.2g}"
    return f"{file.path}: {file.bytes / 1e6:.2f} MB, {same}"
