"""The command line of `app.py`. Everything heavy is loaded by `serve`, so that `--help` and a wrong use are quick."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from handwriter_models.errors import run_command
from handwriter_models.paths import name_or_path, user_path

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

MODELS = "Model to offer, by NAME=… under another name; repeatable."
Models = Annotated[list[str] | None, typer.Option("--model", metavar="[NAME=]BUNDLE", help=MODELS, parser=name_or_path)]
Host = Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all.")]
Port = Annotated[int, typer.Option(help="Port to listen on; 0 for any free one.")]
Share = Annotated[bool, typer.Option("--share", help="Also open a public link through Gradio.")]
Corrections = Annotated[
    Path | None,
    typer.Option(
        "--feedback",
        metavar="DATASET",
        envvar="HANDWRITER_FEEDBACK",
        help="Keep visitors' corrections.",
        parser=user_path,
    ),
]
Megabytes = Annotated[int, typer.Option("--feedback-limit", metavar="MB", help="How much of them is kept.")]
Auth = Annotated[
    list[str] | None, typer.Option("--auth", metavar="USER:PASSWORD", help="Who may use the server; repeatable.")
]
AuthFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="The same, one a line (not seen by `ps`).", parser=user_path)
]
TokenFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="A token that lets programs in.", parser=user_path)
]
Rate = Annotated[str, typer.Option("--rate-limit", metavar="RATE", help="By address: 20/s, 100/m or off.")]
Names = Annotated[
    list[str] | None,
    typer.Option("--allow-host", metavar="NAME", envvar="HANDWRITER_HOSTS", help="A name of this server; repeatable."),
]
Proxy = Annotated[str, typer.Option(metavar="ADDRESSES", help="Proxies in front, which name the visitor: 10.0.0.0/8.")]
Prefix = Annotated[str, typer.Option(metavar="/PREFIX", help="Below which a proxy shows the server.")]


@app.command(epilog="Example:  python app.py --model digits --port 7861")
def start(
    model: Models = None,
    host: Host = "",
    port: Port = 7860,
    share: Share = False,
    feedback: Corrections = None,
    feedback_limit: Megabytes = 500,
    auth: Auth = None,
    auth_file: AuthFile = None,
    api_token_file: TokenFile = None,
    rate_limit: Rate = "",
    allow_host: Names = None,
    proxy: Proxy = "",
    root_path: Prefix = "",
) -> None:
    """Opens the demo in which a network reads handwriting: draw, upload or show it, and the REST API beside it.

    Without --model all bundled models are offered, `digits` first. HANDWRITER_AUTH and HANDWRITER_API_TOKEN do what
    --auth and --api-token-file do. An address that others reach is limited to 60 requests a second and visitor.
    """
    from demo.serve import Access, Options, serve

    access = Access(auth or (), auth_file, api_token_file, rate_limit, allow_host or (), proxy, root_path)
    serve(Options(model or (), host or default_host(), port, share, feedback, feedback_limit, access))


def default_host() -> str:
    """Only this machine; on a Hugging Face Space all interfaces, because its proxy comes from outside."""
    return "0.0.0.0" if os.environ.get("SPACE_ID") else "127.0.0.1"  # noqa: S104


def main() -> None:
    """Runs the command and exits with its code."""
    run_command(app)
