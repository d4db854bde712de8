"""`python handwriter_models site`: a page with models in it, as a folder of plain files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from handwriter_models.bundle import bundled_names, find_bundle, find_bundles, read_config
from handwriter_models.paths import name_or_path, user_path


def site(
    out: Annotated[
        Path,
        typer.Option(
            help="Folder for the site; an earlier one there is replaced.", parser=user_path, show_default=False
        ),
    ],
    models: Annotated[
        list[str] | None,
        typer.Argument(
            help="Bundles, or NAME=BUNDLE; all bundled ones that read handwriting when absent.", parser=name_or_path
        ),
    ] = None,
    title: Annotated[str, typer.Option(help="Of the page.")] = "HandWriter",
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """A page that reads pictures in the visitor's browser: plain files for any host, such as a static Space.

    The first model is the one that the page starts with. Needs the packages of requirements-extras.txt.

    Example: python handwriter_models site digits letters --out site
    """
    bundles = find_bundles(models or _handwriting())
    from handwriter_models.static_site.build import write_static_site

    made = write_static_site(bundles, out, title)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    if as_json:
        told = [{"name": m.name, "bytes": m.bytes, "bits": m.bits, "difference": m.difference} for m in made]
        print(json.dumps({"folder": str(out), "bytes": size, "models": told}))
        return
    for m in made:
        print(f"  {m.name}: {m.bytes / 1e6:.2f} MB, weights of {m.bits} bits, probabilities within {m.difference:.1g}")
    print(f"{out}: {size / 1e6:.2f} MB; serve it with any web server, or: python -m http.server -d {out}")


def _handwriting() -> list[str]:
    names = sorted(bundled_names(), key=lambda name: (name != "digits", name))
    return [name for name in names if read_config(find_bundle(name)).preprocessing.name == "ink"]
