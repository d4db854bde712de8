"""`explain` for files: two pictures for each, written into a folder, and what is said about it as JSON.

`NAME-heat.png` is the heat over the prepared picture, `NAME-strokes.png` shows the strokes of handwriting by their
support. A file that cannot be read is told, not fatal. It does not print (`commands` does).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handwriter_models.errors import UserError, item_error
from handwriter_models.explain import METHODS, Explanation, Method, explain
from handwriter_models.ink_strokes import Line
from handwriter_models.overlays import overlay, stroke_overlay
from handwriter_models.picture_files import PictureFiles
from handwriter_models.pixels import PictureError
from handwriter_models.whole_files import write_whole

if TYPE_CHECKING:
    from PIL import Image

    from handwriter_models.classifier import Classifier

Json = dict[str, Any]
_STEM = 60  # letters of a file's name: with the ending they fit every file system


@dataclass(frozen=True)
class Wish:
    """What is to be explained and where it goes; `label` and `method` as `explain` takes them."""

    out: Path
    label: str | None = None
    method: Method | None = None


def method_named(name: str | None) -> Method | None:
    """The method of that name; raises `UserError` on another."""
    found = [method for method in METHODS if method == name]
    if name is not None and not found:
        raise UserError(f"unknown method {name!r}", f"methods: {', '.join(METHODS)}")
    return found[0] if found else None


def explain_files(classifier: Classifier, files: PictureFiles, wish: Wish) -> Iterator[Json]:
    """One answer a file, in order, its pictures written; raises `UserError` when the wish cannot be met at all."""
    try:
        wish.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make the folder {wish.out}: {error.strerror}", "give another --out") from error
    for path, why in files.obstacles:
        yield {**_line(Path(path), classifier.name, None, {}), "error": why}
    taken = {file.resolve() for file in files.pictures}  # a picture that is asked about is never written over
    for file in files.pictures:
        try:
            found = explain(classifier, file, wish.label, wish.method)
        except Exception as error:
            if isinstance(error, UserError) and not isinstance(error, PictureError):
                raise  # what is asked for cannot be had of any picture
            yield {**_line(file, classifier.name, None, {}), "error": item_error(error, file).what}
            continue
        pictures = _pictures(found)
        names = _free_names(wish.out, file.stem[:_STEM], pictures, taken)
        for kind, picture in pictures.items():
            _save(picture, names[kind])
        yield _line(file, classifier.name, found, names)


def _pictures(found: Explanation) -> dict[str, Image.Image]:
    seen = found.prediction.seen
    strokes = {"strokes": stroke_overlay(seen, found.strokes)} if seen.ndim == 2 else {}
    return {"heat": overlay(seen, found.heat), **strokes}


def _free_names(out: Path, stem: str, kinds: dict[str, Image.Image], taken: set[Path]) -> dict[str, Path]:
    """A name for each kind of picture, with a number where files of several folders have one name."""
    number = 1
    while True:
        numbered = stem if number == 1 else f"{stem}-{number}"
        names = {kind: out / f"{numbered}-{kind}.png" for kind in kinds}
        if not any(name.resolve() in taken for name in names.values()):
            taken.update(name.resolve() for name in names.values())
            return names
        number += 1


def _save(picture: Image.Image, path: Path) -> None:
    out = BytesIO()
    picture.save(out, "PNG")
    write_whole(path, out.getvalue(), "--out")


def _line(file: Path, model: str, found: Explanation | None, names: dict[str, Path]) -> Json:
    strokes = () if found is None else found.strokes
    return {
        "path": str(file),
        "model": model,
        "label": found and found.label,
        "confidence": found and found.confidence,
        "method": found and found.method,
        "heat": str(names["heat"]) if "heat" in names else None,
        "strokes": str(names["strokes"]) if "strokes" in names else None,
        "support": [{"support": round(one.support, 4), "line": _rounded(one.stroke.line)} for one in strokes],
        "error": None,
    }


def _rounded(line: Line) -> list[list[float]]:
    return [[round(number, 2) for number in point] for point in line.tolist()]
