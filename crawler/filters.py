"""The words of `--filter key=value`, the same for every engine. What an engine lacks of them, its `filters` tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from handwriter_models.errors import UserError

WORDS: Mapping[str, tuple[str, ...]] = {
    "size": ("large", "medium", "small"),
    "type": ("photo", "face", "clipart", "lineart"),
    "colour": ("color", "gray", "transparent"),
    "age": ("day", "week", "month", "year"),
    "licence": ("any-cc", "commercial", "modify", "public-domain"),
}
OTHER_KEYS = {"color": "colour", "license": "licence"}
OTHER_VALUES = {"colour": "color", "grey": "gray", "line-art": "lineart", "clip-art": "clipart"}


def read(pairs: Sequence[str]) -> dict[str, str]:
    """The filters that `key=value` pairs ask for; raises `UserError` for the first that is not known."""
    wanted: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = (part.strip().casefold() for part in pair.partition("="))
        key, value = OTHER_KEYS.get(key, key), OTHER_VALUES.get(value, value)
        if not equals or key not in WORDS:
            raise UserError(f"there is no filter {pair!r}", f"write KEY=VALUE; the keys are {', '.join(WORDS)}")
        if value not in WORDS[key]:
            raise UserError(f"the filter {key} has no value {value!r}", f"choose from: {', '.join(WORDS[key])}")
        if wanted.get(key, value) != value:
            raise UserError(f"the filter {key} is given twice", "one engine takes one value for it: leave one out")
        wanted[key] = value
    return wanted
