"""The one rule for labels: what may be one, the same for keywords, folders, reviewers, Teach and bundles.

What Unicode calls text may stand in a label: every script and direction, spaces of any width, joiners (Persian, Hindi,
family emoji), combining marks, letters newer than this Python's tables. Refused is what is no text: control characters
and line ends, halves of surrogate pairs, noncharacters, and the signs that turn the direction of what follows or
annotate it, which make a label look like another. Labels are compared and kept in NFC, with the keyboard's space for
spaces of any kind and none at the ends, as the Teach page does: what macOS unzips decomposed is one label with what
others write, and so is a name with the space of a Korean or Japanese keyboard. Folder names: `curation.labels`.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable

from handwriter_models.errors import UserError

LONGEST = 200  # characters (code points) of a label
SHOWN = 60  # of them in a message
_EDGES = "\ufeff\u200b\u200e\u200f\u2060"  # invisible signs that editors and web pages leave at the ends
_TURNING = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x2070))))
_ANNOTATING = frozenset("\ufff9\ufffa\ufffb\U000e0001\ufeff")
_UNSEEN = frozenset("\u115f\u1160\u3164\uffa0\u2800")  # fillers: letters and a symbol that show nothing
_KINDS = {"Cc": "a control character", "Cs": "half of a surrogate pair", "Zl": "a line end", "Zp": "a line end"}


def as_label(text: str, where: str = "") -> str:
    """The label that the text is, `normalized`.

    Raises:
        UserError: it is empty, too long, shows nothing, or holds a character that is no text; `where` says in the
            message what has the label, such as "line 3 of keywords.txt".
    """
    label = normalized(text)
    fault, hint = _fault(label)
    if fault:
        shown = text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
        raise UserError(f"{where}{': ' if where else ''}the label {shown!r} {fault}", hint, 422)
    return label


def normalized(text: str) -> str:
    """The text as labels are kept and compared: in NFC, one kind of space, none and nothing invisible at its ends."""
    composed = unicodedata.normalize("NFC", text)
    label = "".join(" " if unicodedata.category(character) == "Zs" else character for character in composed)
    while (trimmed := label.strip().strip(_EDGES)) != label:
        label = trimmed
    return label


def is_text(label: str) -> bool:
    """Whether no character of it is refused: what is asked of labels in bundles, older ones, too."""
    return not any(_refused(character) for character in label)


def alike(labels: Iterable[str]) -> list[tuple[str, ...]]:
    """Groups of labels that differ in case, width or invisible signs only: different classes, perhaps by mistake."""
    groups: dict[str, list[str]] = defaultdict(list)
    for label in sorted(set(labels)):
        groups[_skeleton(label)].append(label)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def told_alike(labels: Iterable[str]) -> list[str]:
    """A sentence for people on each group of `alike`; what cannot be seen is shown as escapes."""
    return [
        f"{' and '.join(map(repr, group))} look alike and are {len(group)} classes: give them one name if they are one"
        for group in alike(labels)
    ]


def _fault(label: str) -> tuple[str, str]:
    """What is wrong and what to do, both empty for a good label."""
    if not label:
        return "is empty", "give it a name"
    if len(label) > LONGEST:
        return f"has {len(label)} characters", f"a label has at most {LONGEST}: shorten it"
    for place, character in enumerate(label, 1):
        if _refused(character):
            fault = f"holds {_named(character)} as character {place}"
            return fault, "take that character out: labels are text of any script on one line"
    if not any(_shows(character) for character in label):
        return "shows nothing", "give it at least one character that can be seen"
    return "", ""


def _refused(character: str) -> bool:
    if character in _TURNING or character in _ANNOTATING or unicodedata.category(character) in _KINDS:
        return True
    return ord(character) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(character) <= 0xFDEF  # noncharacters


def _shows(character: str) -> bool:
    return unicodedata.category(character) not in ("Zs", "Cf", "Mn", "Me") and character not in _UNSEEN


def _named(character: str) -> str:
    code = f"U+{ord(character):04X}"
    known = _KINDS.get(unicodedata.category(character)) or unicodedata.name(character, "a noncharacter")
    return f"{code} ({known})"


def _skeleton(label: str) -> str:
    plain = "".join(sign for sign in unicodedata.normalize("NFKC", label) if unicodedata.category(sign) != "Cf")
    return unicodedata.normalize("NFKC", " ".join(plain.casefold().split()))
