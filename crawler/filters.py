"""The words of `--filter key=value`, the same for every engine, and the dates of `--since` and `--until`.

What an engine lacks of the words, its `filters` tells; whether it can be asked for dates, `dated`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date

from handwriter_models.errors import UserError

WORDS: Mapping[str, tuple[str, ...]] = {
    "size": ("large", "medium", "small"),
    "type": ("photo", "face", "clipart", "lineart"),
    "colour": ("color", "gray", "transparent"),
    "age": ("day", "week", "month", "year"),
    "licence": ("any-cc", "commercial", "modify", "public-domain"),
}
SINCE, UNTIL = "since", "until"
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
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


def dates(since: str, until: str, today: date | None = None) -> dict[str, str]:
    """The given dates as YYYY-MM-DD by `since` and `until`; raises `UserError` for what cannot be meant."""
    today = today or date.today()
    given = {name: _day(name, text.strip()) for name, text in ((SINCE, since), (UNTIL, until)) if text.strip()}
    for name, day in given.items():
        if day > today:
            raise UserError(f"--{name} {day} is in the future", f"today is {today}")
    if len(given) == 2 and given[SINCE] > given[UNTIL]:
        raise UserError(f"--since {given[SINCE]} is later than --until {given[UNTIL]}", "exchange the two")
    return {name: day.isoformat() for name, day in given.items()}


def _day(name: str, text: str) -> date:
    try:
        if DAY.fullmatch(text):
            return date.fromisoformat(text)
        why = "no date"
    except ValueError as error:
        why = str(error)
    raise UserError(f"--{name} {text!r} is {why}", "write it as YYYY-MM-DD: 2024-05-31")
