"""Publishes a bundle as a model repository, with a card whose three lines load it from there.

The bundle is read as strictly as for use before anything is sent: what nobody could load is not published. Of its
folder only what belongs to a bundle goes out, so notes or keys that lie beside it stay at home.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from handwriter_models.bundle import (
    CARD_FILE,
    CARD_HEAD,
    CONFIG_FILE,
    FIGURES_FOLDER,
    LARGEST,
    LARGEST_FIGURE,
    read_bundle,
    read_config,
)
from handwriter_models.bundle_config import BundleConfig, parse_json
from handwriter_models.errors import UserError
from handwriter_models.hub.connection import Tell, own_token, say
from handwriter_models.hub.contents import MOST_FIGURES, Listed, is_of_bundle
from handwriter_models.hub.push import Content, Published, Target, owned_name, push
from handwriter_models.weights import WEIGHTS_FILE


def publish_bundle(
    bundle: Path, repo: str, *, token: str | None, private: bool = False, force: bool = False, tell: Tell = say
) -> Published:
    """Makes the model repository `repo` hold the bundle; what is there already is not sent again.

    Args:
        bundle: its folder.
        repo: `user/name`, or `name` of the token's owner.
        token: of whoever may write there.
        private: when the repository is new; an existing public one is refused.
        force: also over a repository that is no bundle of ours.
        tell: takes one line for each step.

    Raises:
        UserError: the bundle is not whole, or as `owned_name` and `push` do.
    """
    config = read_config(bundle)
    repo = owned_name(repo, token)  # a wrong token is told before the seconds that torch takes to load
    read_bundle(bundle)
    target = Target(repo, private=private, belongs=is_of_bundle, objection=_no_bundle_of_ours)
    files = bundle_files(bundle, config, repo)
    return push(files, target, token=token, force=force, tell=tell)


def bundle_files(bundle: Path, config: BundleConfig, repo: str) -> dict[str, Content]:
    """What of a bundle's folder is published, by path in the repository."""
    names = [CONFIG_FILE, WEIGHTS_FILE]
    names += [f"{FIGURES_FOLDER}/{path.name}" for path in sorted(bundle.glob(f"{FIGURES_FOLDER}/*.png"))]
    files: dict[str, Content] = {name: bundle / name for name in names if is_of_bundle(name)}
    for name in files:
        path = bundle / name
        if path.stat().st_size > LARGEST.get(name, LARGEST_FIGURE):
            raise UserError(f"{path} is too large to be loaded again", "make it smaller", 413)
        if name not in LARGEST and path.is_symlink():
            raise UserError(f"{path} is a link", "put the file itself into the folder")
    if len(files) - 2 > MOST_FIGURES:
        raise UserError(f"{bundle} has more than {MOST_FIGURES} figures", "remove some", 413)
    card = bundle / CARD_FILE
    text = card.read_text("utf-8") if card.is_file() and not card.is_symlink() else f"# {config.name}\n"
    return {**files, CARD_FILE: published_card(text, config, repo).encode()}


def published_card(text: str, config: BundleConfig, repo: str) -> str:
    """The card with `load("NAME")` as `load("user/repo")`, and with the Hub's metadata when it has none.

    A card of ours has metadata; of another only what is certain is told: how it is loaded, and what for.
    """
    text = text.replace(f'load("{config.name}")', f'load("{repo}")').replace("  # or a bundle folder", "")
    if not CARD_HEAD.match(text):
        tags = json.dumps(["image-classification", config.kind, "handwriter", config.network.name], ensure_ascii=False)
        lines = f'library_name: "handwriter"\npipeline_tag: "image-classification"\ntags: {tags}\n'
        text = f"---\n{lines}---\n\n{text}"
    if f'load("{repo}")' not in text:
        lines = f'from handwriter_models import load\n\nprint(load("{repo}").predict("picture.png").label)\n'
        text = f"{text.rstrip()}\n\n## Use\n\n```python\n{lines}```\n"
    return text


def _no_bundle_of_ours(there: Mapping[str, Listed], read: Callable[[str], bytes]) -> str:
    """Why what lies there is no bundle; "" for one of ours, and for an empty repository."""
    if CONFIG_FILE not in there:
        return f"it has {WEIGHTS_FILE} without a {CONFIG_FILE}" if WEIGHTS_FILE in there else ""
    if there[CONFIG_FILE].size > LARGEST[CONFIG_FILE]:
        return f"its {CONFIG_FILE} is too large"
    try:
        BundleConfig.from_json(parse_json(read(CONFIG_FILE), CONFIG_FILE))
    except UserError as error:
        return error.what
    return ""


def publisher_token(file: Path | None) -> str | None:
    """The token in `file` when one is given, or of whoever runs this program; it is never printed."""
    if file is None:
        return own_token()
    try:
        token = file.read_text("ascii").strip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not plain text"
        raise UserError(
            f"cannot read the token file {file}: {reason}", "put the token alone on its first line"
        ) from error
    if not re.fullmatch(r"[\w.~+/=-]{8,1000}", token):
        raise UserError(f"{file} does not hold one token", "put the token alone on its first line")
    return token
