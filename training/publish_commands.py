"""The command `python training publish`: a bundle as a model on the Hugging Face Hub, and a Space that serves it."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from handwriter_models.paths import name_or_path, user_path

app = typer.Typer()


class SpaceKind(StrEnum):
    """What runs a Space: a server with processors, one with a shared GPU, or the visitor's own browser."""

    GRADIO = "gradio"
    ZEROGPU = "zerogpu"
    STATIC = "static"


@app.command()
def publish(
    bundle: Annotated[str, typer.Argument(help="name of a bundled model, or a bundle's folder", parser=name_or_path)],
    repo: Annotated[str, typer.Option(help="user/name on the Hub, or name for your own")],
    space: Annotated[SpaceKind | None, typer.Option(help="also make a Space of this kind that serves it")] = None,
    private: Annotated[bool, typer.Option("--private", help="make new repositories private")] = False,
    force: Annotated[bool, typer.Option("--force", help="also into a repository that holds something else")] = False,
    token_file: Annotated[
        Path | None, typer.Option(help="file that holds your token; else HF_TOKEN or your log-in", parser=user_path)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print what was published as JSON")] = False,
) -> None:
    """Publishes a bundle on the Hugging Face Hub; a second time, only what has changed is sent.

    python training publish digits --repo user/digits --space static
    """
    from handwriter_models.bundle import find_bundle
    from handwriter_models.hub.publish import publish_bundle, publisher_token

    if space:
        from handwriter_models.hub.space import SpaceOrder, check_space, publish_space

        check_space(space.value)
    folder, token = find_bundle(bundle), publisher_token(token_file)
    done = {"model": publish_bundle(folder, repo, token=token, private=private, force=force)}
    if space:
        order = SpaceOrder(space.value, folder, done["model"])
        done["space"] = publish_space(order, token=token, private=private, force=force)
    if as_json:
        typer.echo(json.dumps({kind: published.to_json() for kind, published in done.items()}, ensure_ascii=False))
    else:
        for kind, published in done.items():
            typer.echo(f"{kind}: {published.url}")
