"""Omniglot's drawings out of its archives: which alphabet, which character, whose hand, and the picture.

Omniglot (Lake, Salakhutdinov & Tenenbaum 2015, Science 350) has 1623 characters of 50 alphabets, each drawn once by 20
people with a mouse on a web page, 105x105 pixels. The archives are read where they lie and never unpacked; any subset
does: `images_background_small1.zip` and `…small2.zip` (eight alphabets together), or the whole `images_background.zip`
and `images_evaluation.zip`. They come from anywhere, so names, sizes and numbers are bounded before anything is read.

People are numbered within an alphabet: drawer 3 of Korean and drawer 3 of Latin may be two people, and two numbers may
be one person; nothing in the archives tells. Preparing and labelling the pictures is not done here.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from handwriter_models.errors import UserError
from handwriter_models.images import PictureError, read_picture

SIDE = 105
# The last six drawers of every alphabet are for measuring only. They are the same in every source, in the foreign
# characters of `digits` and in the pre-training, so that no model meets a test hand's drawing of its own alphabet.
LAST_TRAINING_DRAWER = 14
_NAME = re.compile(r"(?:^|/)([^/]{1,80})/character(\d{1,3})/\d{1,6}_(\d{1,3})\.png$")
_MOST_MEMBERS = 100_000  # all of Omniglot has 32 460 pictures
_MOST_BYTES = 65_536  # of one picture; they have about 300


@dataclass(frozen=True)
class Drawing:
    """One character drawn by one person.

    Attributes:
        alphabet: as the archive spells it, for example "Korean" or "Japanese_(katakana)".
        character: its number in the alphabet, from 1.
        drawer: the person's number in the alphabet, from 1.
        picture: uint8 of shape (105, 105), ink 0 on paper 255.
    """

    alphabet: str
    character: int
    drawer: int
    picture: NDArray[np.uint8]


def archives(folder: Path) -> list[Path]:
    """Omniglot's archives in `folder` or in its subfolder `omniglot`, sorted; none is no fault here."""
    places = [path for path in (folder / "omniglot", folder) if path.is_dir()]
    found = ([*place.glob("images_background*.zip"), *place.glob("images_evaluation*.zip")] for place in places)
    return sorted(next((paths for paths in found if paths), []))


def read_alphabets(folder: Path, wanted: Collection[str] | None = None) -> Iterator[Drawing]:
    """Every drawing of the archives in `folder` once, or of the `wanted` alphabets only.

    Raises:
        UserError: there is no archive, one cannot be read, or a wanted alphabet is in none.
    """
    paths = archives(folder)
    if not paths:
        raise UserError(
            f"{folder} holds no archive of Omniglot",
            "download images_background_small1.zip and images_background_small2.zip from "
            "github.com/brendenlake/omniglot (folder python), and give their folder with --data",
        )
    seen: set[tuple[str, int, int]] = set()  # the two small archives share two alphabets
    for path in paths:
        yield from _drawings(path, wanted, seen)
    missing = sorted(set(wanted or ()) - {alphabet for alphabet, _, _ in seen})
    if missing:
        raise UserError(
            f"no archive of Omniglot in {folder} has the alphabet {missing[0]}",
            "it is in images_background.zip; Korean and Latin are in images_background_small2.zip and …small1.zip",
        )


def _drawings(path: Path, wanted: Collection[str] | None, seen: set[tuple[str, int, int]]) -> Iterator[Drawing]:
    try:
        with zipfile.ZipFile(path) as file:
            for name in sorted(_names(path, file)):
                match = _NAME.search(name)
                if match is None or name.startswith("__MACOSX/"):
                    continue
                key = (match[1], int(match[2]), int(match[3]))
                if key not in seen and (wanted is None or key[0] in wanted):
                    seen.add(key)
                    yield Drawing(*key, _picture(path, file, name))
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise UserError(f"{path} cannot be read: {error}", "download the archive again") from error


def _names(path: Path, file: zipfile.ZipFile) -> list[str]:
    members = file.infolist()
    if len(members) > _MOST_MEMBERS:
        raise UserError(f"{path} has {len(members)} members", "Omniglot's archives have at most 25 000")
    return [member.filename for member in members]


def _picture(path: Path, file: zipfile.ZipFile, name: str) -> NDArray[np.uint8]:
    """The member decoded; no more than the bound is ever unpacked, whatever the archive says of its size."""
    with file.open(name) as member:
        content = member.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise UserError(f"{path}: {name} is larger than {_MOST_BYTES} bytes", "download the archive again")
    try:
        picture = np.asarray(read_picture(content))[..., 0]
    except PictureError as error:
        raise UserError(f"{path}: {name}: {error.what}", "download the archive again") from error
    if picture.shape != (SIDE, SIDE):
        size = "x".join(map(str, picture.shape[::-1]))
        raise UserError(f"{path}: {name} is {size} pixels", f"pictures of Omniglot are {SIDE}x{SIDE}")
    return np.ascontiguousarray(picture)
