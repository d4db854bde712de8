"""What of a source is left out: files that are no pictures are counted, pictures that could not be read are named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import typer

from handwriter_models.errors import INCOMPLETE
from training.progress import messages


def end(unreadable: Iterable[tuple[str, str]]) -> None:
    """Lists path and reason on standard error, and ends with code 3; does nothing when there are none."""
    told = list(unreadable)
    for path, reason in told:
        typer.echo(f"left out: {path}: {reason}", err=True)
    if told:
        raise typer.Exit(INCOMPLETE)


def tell_of_folder(others: int, notes: Sequence[str]) -> None:
    """Says how many files are no pictures, and what is to be known of the labels."""
    if others:
        messages.print(f"passed over, as they are no pictures: {others:,}")
    for note in notes:
        messages.print(f"warning: {note}", markup=False)
