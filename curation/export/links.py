"""Texts and addresses from the web, made fit to stand in a page or in Markdown that somebody will open."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote, urlsplit

_SAFE = "!#$%&*+,/:;=?@[]~-._"  # what may stay in an address; not quotes, brackets, backslashes, backticks
_TURNING = dict.fromkeys((0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))
_MARKDOWN = re.compile(r"""([!#$&()*+\-.:<=>@\[\\\]^_`{|}~])""")


def plain(text: str, most: int = 300) -> str:
    """One line without control signs and without signs that turn the direction of what follows; at most so long."""
    signs = (
        " " if unicodedata.category(sign)[0] in "CZ" and sign not in "\u200c\u200d" else sign
        for sign in text.translate(_TURNING)
    )
    line = " ".join("".join(signs).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def web_address(address: str) -> str:
    """The address if a browser may be sent there (http and https only), with odd signs encoded; else ""."""
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return ""
    return quote(address.strip(), safe=_SAFE)


def web_source(page: str, address: str) -> str:
    """Where a picture comes from: the page it stands on if that can be linked to, else the picture itself."""
    return web_address(page) or web_address(address)


def markdown(text: str) -> str:
    """The text as Markdown shows it: no sign of it means anything."""
    return _MARKDOWN.sub(r"\\\1", plain(text))
