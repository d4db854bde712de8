"""The keywords file: which classes there are, and which words to search for each.

One keyword a line, in any language, UTF-8. Blank lines and lines that begin with `#` are passed over. `label = words`
searches other words than the class is called; a label may stand on several lines with different words. What a label may
be is said in `handwriter_models.labels`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from handwriter_models.errors import UserError
from handwriter_models.labels import LONGEST as LONGEST_LABEL
from handwriter_models.labels import as_label

LONGEST = 1000  # characters of one line; engines cut their addresses off not far above
LARGEST = 2**20  # bytes of the file
_FORM = "write one keyword a line, in UTF-8, or `label = words to search`"
_EDGES = ("\ufeff", "\u200b", "\u200e", "\u200f")  # invisible signs that editors and web pages leave at the ends


@dataclass(frozen=True, slots=True)
class Keyword:
    """A class and the words that are searched for it."""

    label: str
    words: str


@dataclass(frozen=True)
class Keywords:
    """What a file asks for, in its order, each once; `repeated` are lines that said something a second time."""

    wanted: tuple[Keyword, ...]
    repeated: tuple[str, ...] = ()


def read_file(path: Path) -> Keywords:
    """The keywords of a file; raises `UserError` for one that is missing, a folder, not UTF-8 or without keywords."""
    return parsed(_text(path), str(path))


def parsed(text: str, name: str) -> Keywords:
    """The keywords of a text; `name` is what errors call it."""
    wanted: dict[Keyword, None] = {}
    repeated = []
    # Not splitlines(): that also splits at form feeds and other signs that may stand inside a line of a web page.
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), 1):
        stripped = _trimmed(line)
        if not stripped or stripped.startswith("#"):
            continue
        keyword = _keyword(stripped, f"line {number} of {name}")
        if keyword in wanted:
            repeated.append(stripped)
        wanted[keyword] = None
    if not wanted:
        raise UserError(f"{name} holds no keyword", _FORM)
    return Keywords(tuple(wanted), tuple(dict.fromkeys(repeated)))


def _text(path: Path) -> str:
    try:
        if path.is_dir():
            raise UserError(f"{path} is a folder, not a keywords file", "give a text file with one keyword a line")
        if path.stat().st_size > LARGEST:
            raise UserError(f"{path} is larger than {LARGEST // 2**20} MB", f"is it a keywords file? {_FORM}")
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise UserError(f"there is no file {path}", "make one: " + _FORM) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"cannot read {str(path)!r}: {reason}", "check its name and permissions") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"line {line} of {path} is not UTF-8 (byte 0x{data[error.start]:02x})",
            "save the file as UTF-8 in your editor, or convert it: iconv -f CP949 -t UTF-8 (한글), -f LATIN1 -t UTF-8",
        ) from error


def _trimmed(line: str) -> str:
    return unicodedata.normalize("NFC", line.strip().strip("".join(_EDGES)).strip())


def _keyword(line: str, where: str) -> Keyword:
    if len(line) > LONGEST:
        raise UserError(f"{where} has {len(line)} characters", f"{_FORM}; at most {LONGEST} characters")
    control = next((sign for sign in line if unicodedata.category(sign) == "Cc" and sign != "\t"), None)
    if control:
        raise UserError(f"{where} holds the control character {control!r}", _FORM)
    label, equals, words = line.partition(" = ") if " = " in line else line.partition("=")
    words = words.strip() if equals else line
    if not label.strip() or not words:
        raise UserError(f"{where} is {line!r}: nothing stands {'after' if label.strip() else 'before'} the '='", _FORM)
    if not equals and len(line) > LONGEST_LABEL:
        raise UserError(
            f"{where} has {len(line)} characters, and a label at most {LONGEST_LABEL}",
            "give the class a shorter name: `label = words to search`",
        )
    return Keyword(as_label(label, where), words)
