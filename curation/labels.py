"""From a label, which may be any text, to the name of its folder, which every file system must be able to hold.

A label that is a good name keeps it: `고양이` and `C++ & R#` stay. Any other is made safe and gets a mark made
of its own text, so that two labels never meet in one folder: `a/b` becomes `a_b~yfgn3qbt`. A `Dataset` also keeps
apart labels that differ only in case, which this function cannot know of.
"""

from __future__ import annotations

import re
import unicodedata
from base64 import b32encode
from hashlib import sha256

LONGEST = 80  # bytes of UTF-8; 255 is the limit of most file systems, but whole paths are limited too
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)\s*(\.|$)")
_MARKED = re.compile(r"~[a-z2-7]{8}$")
_FORBIDDEN = frozenset('/\\<>:"|?*')  # the first two separate folders, the others are refused by Windows
_JOINERS = frozenset("\u200c\u200d")  # inside words of many scripts and inside emoji
_NOT_SHOWN = frozenset(
    {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"}
)  # control, direction, halves of signs, unassigned, line ends


def folder_name(label: str, marked: bool = False) -> str:
    """The folder of a label: safe, at most 80 bytes, never empty; with `marked`, with its mark in any case."""
    safe = _safe(label)
    if safe == label and not marked and not _MARKED.search(label):
        return label
    mark = "~" + b32encode(sha256(label.encode("utf-8", "surrogatepass")).digest())[:8].decode().lower()
    return (_shortened(safe, LONGEST - len(mark)) or "_") + mark


def folded(folder: str) -> str:
    """What two folders must differ in, so that file systems blind to case hold both."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", folder).casefold())


def _safe(label: str) -> str:
    signs = (sign if _is_fine(sign) else "_" for sign in unicodedata.normalize("NFC", label))
    name = unicodedata.normalize("NFC", "".join(signs))
    if name.startswith("."):  # hidden: many tools pass over such a folder without a word
        name = "_" + name[1:]
    name = _shortened(name.strip(), LONGEST)
    return "_" + name if _RESERVED.match(name) else name or "_"


def _is_fine(sign: str) -> bool:
    return sign not in _FORBIDDEN and (sign in _JOINERS or unicodedata.category(sign) not in _NOT_SHOWN)


def _shortened(name: str, most: int) -> str:
    """Cut between two signs; Windows drops dots and spaces at the end, so they go too."""
    cut = name.encode("utf-8")[:most].decode("utf-8", "ignore")
    return unicodedata.normalize("NFC", cut).rstrip(". ")
