"""How a command ends whose source has pictures that could not be read: each is named, and the exit code says so."""

from __future__ import annotations

from collections.abc import Iterable

import typer

from handwriter_models.errors import INCOMPLETE


def end(unreadable: Iterable[tuple[str, str]]) -> None:
    """Lists path and reason on standard error, and ends with code 3; does nothing when there are none."""
    told = list(unreadable)
    for path, reason in told:
        typer.echo(f"left out: {path}: {reason}", err=True)
    if told:
        raise typer.Exit(INCOMPLETE)
