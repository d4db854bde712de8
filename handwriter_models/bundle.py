"""A bundle: one trained model as a folder, written and read so that it is either whole or refused.

`config.json`, `model.safetensors`, `README.md` (the card) and `figures/*.png`. Reading runs no code from the folder and
never unpickles: names, shapes and number types of the weights are compared with the network that the config describes
before any weight is looked at. Writing goes to a temporary folder beside the target, which then takes its name.
It does not know what a picture is (`classifier` does).
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handwriter_models.bundle_config import (
    NAME,
    BundleConfig,
    NetworkConfig,
    Preprocessing,
    Rejection,
    json_text,
    parse_json,
)
from handwriter_models.errors import UserError
from handwriter_models.hub.refs import parse_reference
from handwriter_models.paths import name_or_path, user_path
from handwriter_models.weights import WEIGHTS_FILE, check_state, network_from_bytes, state_bytes

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = [
    "BUNDLED",
    "BundleConfig",
    "NetworkConfig",
    "Preprocessing",
    "Rejection",
    "bundled_names",
    "find_bundle",
    "pinned",
    "read_bundle",
    "read_config",
    "write_bundle",
]

BUNDLED = Path(__file__).parent / "bundled"
CARD_HEAD = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)  # the Hub's metadata at the top of a card
CONFIG_FILE, CARD_FILE, FIGURES_FOLDER = "config.json", "README.md", "figures"
LARGEST = {CONFIG_FILE: 16 * 2**20, WEIGHTS_FILE: 2 * 2**30, CARD_FILE: 2 * 2**20}  # bytes
LARGEST_FIGURE = 16 * 2**20
_FIGURE = re.compile(r"[\w][\w.-]{0,80}\.png")


def bundled_names(folder: Path = BUNDLED) -> list[str]:
    """The names of our own models, sorted."""
    return sorted(config.parent.name for config in folder.glob(f"*/{CONFIG_FILE}"))


def find_bundle(name: str | os.PathLike[str]) -> Path:
    """The folder of a bundled model, of a bundle anywhere, or of `user/repo[@revision]`, which is fetched from the Hub.

    Raises `UserError` that lists the known names, or says why the Hub did not give it.
    """
    name = name_or_path(name) if isinstance(name, str) else user_path(name)
    if isinstance(name, str) and name in bundled_names():
        return BUNDLED / name
    known = ", ".join(bundled_names()) or "none"
    try:
        if name and (Path(name) / CONFIG_FILE).is_file():
            return Path(name)
        is_folder = bool(name) and Path(name).is_dir()
    except (OSError, ValueError):  # a name no file system takes, such as one with a zero byte
        is_folder = False
    if is_folder:
        raise UserError(f"{str(name)!r} is not a bundle: it has no {CONFIG_FILE}", f"bundled models: {known}", 422)
    asked = parse_reference(name) if isinstance(name, str) else None
    if asked:
        from handwriter_models.hub.download import download

        try:
            return download(asked).folder
        except UserError as error:  # a mistyped path looks like a name on the Hub
            raise UserError(error.what, f"{error.hint}; there is no folder {name!r} either", error.status) from error
    raise UserError(
        f"unknown model {str(name)!r}", f"give a folder, user/repo of the Hub, or a bundled model: {known}", 422
    )


def find_bundles(names: Iterable[str]) -> dict[str, Path]:
    """The folders of several bundles by the names that they go by: their own, or NAME of `NAME=BUNDLE`.

    BUNDLE is anything that `find_bundle` takes. Raises `UserError` as it does, when a config is broken, and when two
    bundles would go by one name: neither is silently left out.
    """
    found: dict[str, Path] = {}
    for text in names:
        given, bundle = _named(text)
        folder = find_bundle(bundle)
        own = read_config(folder).name
        name = given or own
        if name in found:
            raise UserError(
                f"two models are called {name!r}: {found[name]} and {folder}",
                f"give one of them another name: {name}-2={bundle}" if folder != found[name] else "give each once",
                422,
            )
        found[name] = folder
    return found


def _named(text: str) -> tuple[str, str]:
    """The name and the bundle in `NAME=BUNDLE`; without a name "" and the text, which may be a folder with a `=`."""
    name, equals, bundle = text.partition("=")
    if not equals or (user_path(text) / CONFIG_FILE).is_file():
        return "", text
    if not NAME.fullmatch(name):
        hint = "NAME=BUNDLE: NAME has up to 64 letters, digits, '.', '-' or '_', and begins with a letter or digit"
        raise UserError(f"{name!r} in {text!r} is no name of a model", hint, 422)
    return name, name_or_path(bundle)


def pinned(name: str) -> str:
    """A model of the Hub as the folder of its commit in the cache, so that a long work never meets another one.

    Any other name stays as it is. Raises `UserError` as `find_bundle` does.
    """
    is_hub = parse_reference(name) and name not in bundled_names() and not Path(name).exists()
    return str(find_bundle(name)) if is_hub else name


def read_config(folder: str | os.PathLike[str]) -> BundleConfig:
    """The config of the bundle in `folder`, checked; does not load torch."""
    name = f"{Path(folder) / CONFIG_FILE}"
    return BundleConfig.from_json(parse_json(file_bytes(folder, CONFIG_FILE), name), name)


def read_bundle(folder: str | os.PathLike[str]) -> tuple[BundleConfig, nn.Module]:
    """The config and the network in evaluation mode; raises `UserError` on any fault of either file."""
    config = read_config(folder)
    data = file_bytes(folder, WEIGHTS_FILE)
    return config, network_from_bytes(config, data, str(Path(folder) / WEIGHTS_FILE))


def file_bytes(folder: str | os.PathLike[str], name: str) -> bytes:
    """A file of the bundle, bounded in size; a link that leads out of the folder is refused."""
    path, largest = Path(folder) / name, LARGEST.get(name, LARGEST_FIGURE)
    try:
        real = path.resolve(strict=True)
        if not any(real.is_relative_to(home) for home in _homes(Path(folder).resolve(strict=True))):
            raise UserError(f"{path} is a link out of the bundle", "put the file itself into the folder", 422)
        if not real.is_file():
            raise UserError(f"{path} is not a file", "copy the bundle again, whole", 422)
        if real.stat().st_size > largest:
            raise _too_large(path, largest)
        with real.open("rb") as file:
            data = file.read(largest + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"cannot read {path}: {reason}", "copy the bundle again, whole", 422) from error
    if len(data) > largest:  # it grew in between
        raise _too_large(path, largest)
    return data


def _homes(folder: Path) -> list[Path]:
    """Where a bundle's files may lie: in its folder; in the Hub's cache, also where the cache keeps contents.

    There `models--USER--REPO/snapshots/COMMIT/` has links to `models--USER--REPO/blobs/`, or to `blobs/` of all.
    """
    storage = folder.parent.parent
    is_cached = folder.parent.name == "snapshots" and storage.name.startswith("models--")
    return [folder, storage / "blobs", storage.parent / "blobs"] if is_cached else [folder]


def _too_large(path: Path, largest: int) -> UserError:
    return UserError(f"{path} is larger than {largest // 2**20} MB", "this is not one of our bundles", 413)


def write_bundle(
    folder: str | os.PathLike[str],
    config: BundleConfig,
    state: Mapping[str, Tensor],
    card: str,
    figures: Mapping[str, bytes] | None = None,
) -> Path:
    """Writes the bundle and returns its folder; an earlier bundle there is replaced, anything else is left alone.

    Raises `UserError` when config and weights do not fit each other or a weight is not a number.
    """
    target = Path(folder)
    document = config.to_json()
    BundleConfig.from_json(document, str(target / CONFIG_FILE))
    check_state(config, state, str(target / WEIGHTS_FILE))
    check_replaceable(target)
    files = {
        CONFIG_FILE: _config_bytes(document, target / CONFIG_FILE),
        WEIGHTS_FILE: state_bytes(state),
        CARD_FILE: card.encode(),
        **{f"{FIGURES_FOLDER}/{_figure_name(name)}": data for name, data in (figures or {}).items()},
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent) as work:
        fresh = Path(work) / "fresh"
        for name, data in files.items():
            _write_synced(fresh / name, data)
        take_place(fresh, target, Path(work) / "old")
        _sync_folder(target.parent)
    return target


def _config_bytes(document: dict[str, Any], path: Path) -> bytes:
    """The config as it is written; without the largest metrics where it would be larger than what is read.

    Raises `UserError` when that is not enough: 100 000 labels of 200 characters each are.
    """
    data = json_text(document).encode() + b"\n"
    left_out: list[str] = []
    for name in ("confusion", "per_label", "labels"):
        if len(data) <= LARGEST[CONFIG_FILE]:
            return data
        left_out.append(name)
        kept = {key: value for key, value in document["metrics"].items() if key not in left_out}
        data = json_text({**document, "metrics": {**kept, "left_out_for_size": left_out}}).encode() + b"\n"
    if len(data) > LARGEST[CONFIG_FILE]:
        raise UserError(
            f"{path} would have {len(data) / 2**20:.0f} MB, at most {LARGEST[CONFIG_FILE] // 2**20} are read",
            "use fewer or shorter labels",
            413,
        )
    return data


def take_place(fresh: Path, target: Path, aside: Path) -> None:
    """`fresh` becomes `target`; an earlier bundle goes `aside` first, and comes back when that fails."""
    if target.exists():
        target.rename(aside)
    try:
        fresh.rename(target)
    except OSError:
        if aside.exists():
            aside.rename(target)
        raise


def _figure_name(name: str) -> str:
    if not _FIGURE.fullmatch(name):
        raise UserError(f"figure name {name!r}", "letters, digits, '-', '_' and a name that ends in .png")
    return name


def check_replaceable(target: Path) -> None:
    """Only what a bundle is made of may be replaced: a folder with anything else in it is somebody's work."""
    if not target.exists():
        return
    if not target.is_dir():
        raise UserError(f"{target} is a file, a bundle is a folder", "give another place for the bundle")
    known = {CONFIG_FILE, WEIGHTS_FILE, CARD_FILE, FIGURES_FOLDER}
    foreign = sorted(path.name for path in target.iterdir() if path.name not in known)
    foreign += sorted(f"{FIGURES_FOLDER}/{path.name}" for path in target.glob(f"{FIGURES_FOLDER}/*") if path.is_dir())
    if foreign:
        raise UserError(f"{target} holds {foreign[0]!r}, which is no part of a bundle", "give an empty or new folder")


def _write_synced(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


def bundle_bytes(folder: Path) -> int:
    """The size of all files of the bundle."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
