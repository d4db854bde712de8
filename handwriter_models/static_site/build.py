"""Builds a static site that reads pictures in the visitor's browser: page, models as ONNX, and onnxruntime-web.

A static Space is free for everyone, never sleeps, and keeps pictures on the visitor's device; any other host of plain
files serves it as well. The page prepares pictures as `ink` and `photograph` do (the modules in `page/prepare` are
those, in JavaScript; tests compare them) and answers as `Classifier` does.

A site is written beside its place and then takes it, so that it is whole or not there. It does not push to the Hub.
"""

from __future__ import annotations

import html
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from handwriter_models.bundle import take_place
from handwriter_models.errors import UserError
from handwriter_models.static_site import PAGE
from handwriter_models.static_site.models import SiteModel, site_model
from handwriter_models.whole_files import write_whole

RUNTIME = Path(__file__).parent / "runtime"
_NAMES = "models.json"
_SITE = {"index.html", _NAMES}  # what every site has, and nobody else
_TITLE = "HandWriter"


def write_static_site(bundles: Mapping[str, Path], folder: Path, title: str = "") -> list[SiteModel]:
    """Writes the site into `folder` and returns what became of the models, the first of which the page starts with.

    Args:
        bundles: folders of bundles, of any kind, by the name that each has on the page.
        folder: where it goes; an earlier site there is replaced, anything else is left alone.
        title: of the page and the Space.

    Raises:
        UserError: there is no bundle, `folder` holds something else, the ONNX packages are missing, or a network cannot
            be exported.
    """
    _check(bundles, folder)
    title = title.strip() or _TITLE
    models = [site_model(bundle, name) for name, bundle in bundles.items()]
    files = dict(_page_files(title))
    files["README.md"] = _readme(title, models).encode()
    files[_NAMES] = json.dumps([model.name for model in models], ensure_ascii=False).encode()
    for model in models:
        files |= {f"models/{model.name}/{name}": data for name, data in model.files.items()}
    _write(files, folder)
    return models


def _check(bundles: Mapping[str, Path], folder: Path) -> None:
    """What can be wrong is told before minutes of work."""
    from handwriter_models.export.onnx_file import check_extras

    if not bundles:
        raise UserError("a site needs at least one model", "name a bundled model or the folder of a bundle")
    if folder.is_file():
        raise UserError(f"{folder} is a file, a site is a folder", "give another place for the site")
    held = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if held and not held >= _SITE:
        raise UserError(f"{folder} holds {min(held)!r}, which is no part of a site", "give an empty or new folder")
    check_extras()


def _page_files(title: str) -> Iterator[tuple[str, bytes]]:
    for base, below in ((PAGE, ""), (RUNTIME, "runtime/")):
        for path in sorted(base.rglob("*")):
            if path.is_file():
                yield below + path.relative_to(base).as_posix(), path.read_bytes()
    yield "index.html", (PAGE / "index.html").read_text("utf-8").replace("{title}", html.escape(title)).encode()


def _readme(title: str, models: Sequence[SiteModel]) -> str:
    names = ", ".join(f"`{model.name}`" for model in models)
    return f"""---
title: {json.dumps(title, ensure_ascii=False)}
emoji: ✍️
colorFrom: indigo
colorTo: gray
sdk: static
app_file: index.html
pinned: false
---

# {title}

Write a character or show a picture, and a small network says what it is, on your own device: the page fetches its
models ({names}) once, and sends nothing. Any host of plain files serves this folder.

The licences of what is in `runtime/` are in `runtime/LICENSES.txt`.
"""


def _write(files: dict[str, bytes], folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", suffix=".tmp", dir=folder.parent) as work:
        fresh = Path(work) / "fresh"
        for name, data in files.items():
            write_whole(fresh / name, data, "--out")
        take_place(fresh, folder, Path(work) / "old")
