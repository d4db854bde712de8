"""A Space that serves a published model: the demo of this project as a Gradio Space, or a static page.

A Gradio Space holds this project's own files and names the model, at its commit, in `space.json`; the demo fetches it
when it starts. Its requirements are those packages of ours which its files import. What Gradio itself brings is left to
Gradio, because the Hub installs Gradio with extras that want older versions of some of them. The ZeroGPU kind leaves
torch to the Space, too, where only some versions work, and answers on the processor all the same: these networks are
quicker than the way to a shared GPU. The static kind is built by `static_site` and needs no server.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from handwriter_models.bundle import BUNDLED, read_config
from handwriter_models.errors import UserError
from handwriter_models.hub.connection import Tell, say
from handwriter_models.hub.contents import Listed
from handwriter_models.hub.imports import imported_packages
from handwriter_models.hub.push import Published, Target, publish_folder

SpaceKind = Literal["gradio", "zerogpu", "static"]
ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("demo", "handwriter_models", "curation")
_PYTHON = "3.12.12"  # of the two that ZeroGPU offers, the one that our packages run on
_ZERO_HARDWARE = "zero-a10g"
_TEACHES = "characters"
_TORCH = ("torch", "torchvision")
_INDEX = "HANDWRITER_TORCH_INDEX"  # names an index with CPU builds of torch; else gigabytes for graphics cards come
_STATIC = re.compile(r"(?:[\w.-]+/)*[\w.-]+\.(?:js|mjs|css|wasm|onnx|zst|gz|json|png|svg|html|txt)")
_SIGN = "Made with HandWriter."
_TEMPLATE = "huggingface.co/docs/hub/spaces-config-reference"  # the only line of the README of a new Space
_IN_TEMPLATES = frozenset({".gitattributes", "README.md", "index.html", "style.css"})
_ZERO_APP = '''"""Starts the demo on ZeroGPU, which wants a function that may use its GPU, and a word at the start.

Gradio's `launch` would give that word; this demo has a server of its own, and answers on the processor.
"""

import os
import sys


def declare() -> None:
    import spaces  # before torch
    import spaces.zero

    @spaces.GPU
    def unused() -> None:
        pass

    spaces.zero.startup()


if __name__ == "__main__":
    if os.environ.get("SPACES_ZERO_GPU"):
        try:
            declare()
        except Exception as error:  # the demo works without
            print(f"ZeroGPU is not there: {error!r}", file=sys.stderr)
    from demo.commands import main

    main()
'''


@dataclass(frozen=True)
class SpaceOrder:
    """A Space of a kind for the model that was published from a bundle; it gets the model's name."""

    kind: SpaceKind
    bundle: Path
    model: Published

    @property
    def title(self) -> str:
        """What the Hub shows as its name."""
        return f"HandWriter: {read_config(self.bundle).name}"


def check_space(kind: SpaceKind) -> None:
    """Raises `UserError` when a Space of this kind cannot be made here: before a model is published for it."""
    if kind == "static":
        from handwriter_models.export.onnx_file import check_extras

        check_extras()
    elif missing := [name for name in ("app.py", "requirements.txt") if not (ROOT / name).is_file()]:
        raise UserError(
            f"there is no {missing[0]} in {ROOT}", "publish a Space from a copy of the project's repository"
        )


def publish_space(
    order: SpaceOrder, *, token: str | None, private: bool = False, force: bool = False, tell: Tell = say
) -> Published:
    """Builds the Space in a temporary folder and pushes what differs; raises `UserError` as `push` does."""
    with tempfile.TemporaryDirectory(prefix="space") as work:
        folder = Path(work) / "space"
        write_space(order, folder)
        hardware = _ZERO_HARDWARE if order.kind == "zerogpu" else ""
        sdk = "static" if order.kind == "static" else "gradio"
        target = Target(order.model.repo, "space", private, sdk, hardware, belongs_to_space, _no_space_of_ours)
        return publish_folder(folder, target, token=token, force=force, tell=tell)


def write_space(order: SpaceOrder, folder: Path) -> None:
    """Writes the files of the Space into a new folder."""
    if order.kind == "static":
        from handwriter_models.static_site.build import write_static_site

        name = read_config(order.bundle).name
        write_static_site({name: order.bundle}, folder, order.title)  # its README is replaced by ours below
    else:
        _write_gradio(order, folder)
    (folder / "README.md").write_text(_card(order), "utf-8")


def belongs_to_space(path: str) -> bool:
    """Whether a Space of ours may hold such a file."""
    first, _, rest = path.partition("/")
    whole = path in {"app.py", "space.json", "requirements.txt"}
    return whole or (bool(rest) and first in PACKAGES) or bool(_STATIC.fullmatch(path))


def _no_space_of_ours(there: Mapping[str, Listed], read: Callable[[str], bytes]) -> str:
    """Why the Space is somebody's other work; "" for one of ours, and for one as the Hub makes it."""
    if "README.md" not in there:
        return "" if there.keys() <= {".gitattributes"} else "it has no README.md of ours"
    card = read("README.md").decode("utf-8", "replace")
    if _SIGN in card or (_TEMPLATE in card and there.keys() <= _IN_TEMPLATES):
        return ""
    return "its README.md is not ours"


def _write_gradio(order: SpaceOrder, folder: Path) -> None:
    check_space(order.kind)
    folder.mkdir(parents=True)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=_left_out)
    zero = order.kind == "zerogpu"
    app = _ZERO_APP if zero else (ROOT / "app.py").read_text("utf-8")
    (folder / "app.py").write_text(app, "utf-8")
    models = {"models": [f"{order.model.repo}@{order.model.commit}"]}
    (folder / "space.json").write_text(json.dumps(models) + "\n", "utf-8")
    (folder / "requirements.txt").write_text(requirements(folder, zero), "utf-8")


def _left_out(folder: str, names: list[str]) -> set[str]:
    """Caches, hidden files, and our bundled models but the one whose eyes the Teach page borrows."""
    odd = {name for name in names if name.startswith(".") or name == "__pycache__" or name.endswith((".pyc", ".tmp"))}
    return odd | (set(names) - {_TEACHES} if Path(folder) == BUNDLED else set())


def requirements(folder: Path, zero: bool) -> str:
    """The lines of our requirements.txt that the program in `folder` needs beside Gradio, in our order."""
    needed, given = imported_packages(folder), _brought_by_gradio()
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    wanted = [line.split("#")[0].strip() for line in lines if not line.startswith("-")]  # options, such as an index
    pins = {_plain(line.split("==")[0]): line for line in wanted if line}
    kept = [pin for name, pin in pins.items() if name in needed and name not in given]
    if zero:
        return "\n".join(pin.split("==")[0] if pin.split("==")[0] in _TORCH else pin for pin in kept) + "\n"
    index = os.environ.get(_INDEX, "")
    return "\n".join([*([f"--extra-index-url {index}"] if index else []), *kept]) + "\n"


def _brought_by_gradio() -> set[str]:
    needs = [*(metadata.requires("gradio") or []), *(metadata.requires("huggingface_hub") or [])]
    always = [need for need in needs if "extra ==" not in need]
    return {"gradio", *(_plain(re.split(r"[^\w.-]", need, maxsplit=1)[0]) for need in always)}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def _card(order: SpaceOrder) -> str:
    """The Space's settings as front matter, and what it is."""
    settings: dict[str, object] = {
        "title": order.title,
        "emoji": "✍️",
        "colorFrom": "yellow",
        "colorTo": "blue",
        "license": "mit",
        "models": [order.model.repo],
        "tags": ["handwriter"],
    }
    if order.kind == "static":
        settings |= {"sdk": "static", "app_file": "index.html"}
    else:
        settings |= {"sdk": "gradio", "sdk_version": metadata.version("gradio"), "python_version": _PYTHON}
        settings |= {"app_file": "app.py", "hf_oauth": True, "hf_oauth_scopes": ["contribute-repos"]}
    if order.kind == "zerogpu":
        settings["suggested_hardware"] = _ZERO_HARDWARE
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in settings.items()]
    where = "in your own browser; no picture leaves it" if order.kind == "static" else "on this Space"
    text = f"# {order.title}\n\nServes the model `{order.model.repo}` {where}. {_SIGN}"
    return "\n".join(["---", *lines, "---", "", text, ""])
