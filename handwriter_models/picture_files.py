"""Which files below a folder are pictures: the one answer for every command that is given a folder.

A file is taken for a picture by the ending of its name, and where that says nothing, by its first bytes; whether it can
be read is for whoever opens it. Names that begin with a dot are passed over, and so are the folders and files that a
dataset keeps for itself (`layout`) and what training writes; anything else is counted, so that nothing vanishes unseen.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from handwriter_models.errors import UserError
from handwriter_models.formats import HEAD_BYTES, ending_of, format_of
from handwriter_models.layout import PICTURES, is_own_file, own_folders

_BUNDLE = ("config.json", "model.safetensors")


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What could not be looked at, and why."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class Other:
    """A file that is no picture, neither by its name nor by its first bytes."""

    path: str


@dataclass
class PictureFiles:
    """The files of a command's arguments.

    Attributes:
        pictures: what is to be read, in order.
        obstacles: path and reason of what could not be looked at.
        others: how many files are no pictures.
    """

    pictures: list[Path] = field(default_factory=list)
    obstacles: list[tuple[str, str]] = field(default_factory=list)
    others: int = 0


def picture_files(paths: Sequence[Path]) -> PictureFiles:
    """The files that are named, whatever they are, and the pictures anywhere below the folders.

    A named link is followed; of those in a folder, the ones that `files_below` follows.

    Raises:
        UserError: a folder that holds no picture.
    """
    found = PictureFiles()
    for path in paths:
        if path.is_dir():
            _add_folder(found, path)
        else:
            found.pictures.append(path)
    return found


def _add_folder(found: PictureFiles, folder: Path) -> None:
    before, others, obstacles = len(found.pictures), found.others, len(found.obstacles)
    for one in files_below(folder):
        if isinstance(one, Obstacle):
            found.obstacles.append((one.path, one.why))
        elif isinstance(one, Other):
            found.others += 1
        else:
            found.pictures.append(Path(one.path))
    if len(found.pictures) == before:
        beside = found.others - others
        hint = f"its {beside} files are none, by name and content" if beside else "there is no file in it to read"
        for path, why in found.obstacles[obstacles : obstacles + 1]:
            hint += f"; {len(found.obstacles) - obstacles} cannot be looked at, such as {path}: {why}"
        raise UserError(f"no pictures in the folder {str(folder)!r}", hint)


def files_below(folder: Path | str, inside: str = "") -> Iterator[os.DirEntry[str] | Obstacle | Other]:
    """Every picture below the folder as the system lists it, in the order of paths, what was in the way, and the rest.

    A link counts where it leads to a file inside; none to a folder is followed, so that no picture is met twice by
    way of a folder above it, under another class.

    Args:
        folder: where to begin.
        inside: the real path of a folder that links may not lead out of; "": that of `folder`.
    """
    yield from _below(str(folder), inside or os.path.realpath(folder))


def _below(folder: str, inside: str) -> Iterator[os.DirEntry[str] | Obstacle | Other]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        yield Obstacle(folder, error.strerror or str(error))
        return
    hidden = own_folders({entry.name for entry in entries})
    for entry in entries:
        if entry.name.startswith(".") or entry.name in hidden or is_own_file(entry.name):
            continue
        if entry.is_symlink() and not _leads_to_file(entry.path, inside):
            yield Obstacle(entry.path, "it is a link out of the folder, to nowhere or to a folder: it is not followed")
        elif _is_folder(entry, follow=False):
            if not is_bundle(entry.path):
                yield from _below(entry.path, inside)
        elif _is_file(entry):
            yield entry if is_picture(entry) else Other(entry.path)
        elif ending_of(entry.name):
            yield Obstacle(entry.path, "it is no ordinary file, but a pipe or the like")
        else:
            yield Other(entry.path)


def is_picture(entry: os.DirEntry[str] | Path) -> bool:
    """Whether a file is one by its ending or its first bytes; only what the ending does not tell is opened."""
    if ending_of(entry.name):
        return True
    try:
        with open(entry, "rb", buffering=0) as file:  # noqa: PTH123 - a DirEntry has no open
            return bool(format_of(file.read(HEAD_BYTES)))
    except OSError:
        return False


def pictures_folder(root: Path) -> Path:
    """Where the folders of the classes are: `images/` of a dataset, or the folder itself.

    `images` may be a class: where pictures lie in it, no folders do, and other classes stand beside it.
    """
    images = root / PICTURES
    if not images.is_dir():
        return root
    around = _entries(root)
    folders = {entry.name for entry in around if _is_folder(entry) and not entry.name.startswith(".")}
    if folders == {PICTURES, *own_folders({entry.name for entry in around})} & folders:
        return images
    inside = [entry for entry in _entries(images) if not entry.name.startswith(".")]
    if any(_is_folder(entry) for entry in inside):
        return images
    return root if any(_is_file(entry) and is_picture(entry) for entry in inside) else images


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        return list(os.scandir(folder))
    except OSError:
        return []  # reading the folder itself will tell why


def _is_folder(entry: os.DirEntry[str], follow: bool = True) -> bool:
    try:
        return entry.is_dir(follow_symlinks=follow)
    except OSError:  # links in a circle
        return False


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False


def is_bundle(folder: str) -> bool:
    """Whether the folder is a trained model, whose figures are nobody's samples."""
    return all(os.path.isfile(os.path.join(folder, name)) for name in _BUNDLE)  # noqa: PTH113, PTH118 - costs less


def _leads_to_file(path: str, root: str) -> bool:
    """Whether the link leads to a file of the folder itself."""
    target = os.path.realpath(path)
    return os.path.isfile(target) and os.path.commonpath([root, target]) == root  # noqa: PTH113
