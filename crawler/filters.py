"""The filters of a search, in words that mean the same for every engine; what an engine lacks is a warning."""

from __future__ import annotations

from collections.abc import Sequence

from handwriter_models.errors import UserError

CHOICES: dict[str, tuple[str, ...]] = {
    "size": ("large", "medium", "small"),
    "type": ("photo", "face", "clipart", "lineart"),
    "colour": ("color", "gray", "transparent"),
    "age": ("day", "week", "month", "year"),
    "licence": ("any-cc", "commercial", "modify", "modify-commercial", "public-domain"),
}
SPELLINGS = {"color": "colour", "license": "licence"}


def read(wishes: Sequence[str]) -> dict[str, str]:
    """The filters of `key=value` texts; raises `UserError` for an unknown key or value, or a key with two values."""
    wanted: dict[str, str] = {}
    for wish in wishes:
        key, equals, value = (part.strip().lower() for part in wish.partition("="))
        key = SPELLINGS.get(key, key)
        if not equals or key not in CHOICES:
            raise UserError(f"--filter {wish!r} is no filter", f"write KEY=VALUE with one of: {', '.join(CHOICES)}")
        if value not in CHOICES[key]:
            raise UserError(f"--filter {key} has no value {value!r}", f"choose from: {', '.join(CHOICES[key])}")
        if wanted.setdefault(key, value) != value:
            raise UserError(f"--filter {key} is given twice: {wanted[key]} and {value}", "give one of them")
    return wanted
