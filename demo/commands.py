"""The command line of `app.py`. Everything heavy is loaded by `serve`, so that `--help` and a wrong use are quick."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from handwriter_models.errors import run_command

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

Models = Annotated[list[str] | None, typer.Option("--model", metavar="NAME|FOLDER", help="Model to offer; repeatable.")]


@app.command(epilog="Example:  python app.py --model digits --port 7861")
def start(
    model: Models = None,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all.")] = "",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 for any free one.")] = 7860,
    share: Annotated[bool, typer.Option("--share", help="Also open a public link through Gradio.")] = False,
) -> None:
    """Opens the demo in which a network reads handwriting: draw, upload or show it, and the REST API beside it.

    Without --model all bundled models are offered, `digits` first.
    """
    from demo.serve import Options, serve

    serve(Options(model or (), host or default_host(), port, share))


def default_host() -> str:
    """Only this machine; on a Hugging Face Space all interfaces, because its proxy comes from outside."""
    return "0.0.0.0" if os.environ.get("SPACE_ID") else "127.0.0.1"  # noqa: S104


def main() -> None:
    """Runs the command and exits with its code."""
    run_command(app)
