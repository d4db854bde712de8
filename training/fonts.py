"""A font that can draw the labels, whatever script they are in.

matplotlib's own font has Latin, Greek and Cyrillic only. For other labels the fonts of this machine are asked for
their glyphs; when none has them, labels are numbered instead, and one message says which package to install.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from matplotlib.font_manager import FontProperties, findfont, findSystemFonts
from matplotlib.ft2font import FT2Font

_PREFERRED = ("nanumgothic.", "nanumbarungothic.", "notosanscjk", "notosanskr", "malgun", "applesdgothic", "unifont")
_PACKAGES = ((0xAC00, 0xD7A3, "fonts-nanum"), (0x1100, 0x11FF, "fonts-nanum"), (0x3040, 0x9FFF, "fonts-noto-cjk"))


def font_for(texts: Iterable[str], fonts: Iterable[str] | None = None) -> FontProperties | None:
    """A font with a glyph for every character of `texts`; None when none has. `fonts`: files to choose from."""
    needed = frozenset(ord(letter) for text in texts for letter in text if not letter.isspace())
    own = findfont(FontProperties())
    if needed <= _glyphs(own):
        return FontProperties(fname=own)
    candidates = sorted(findSystemFonts() if fonts is None else fonts, key=_liking)
    found = next((path for path in candidates if needed <= _glyphs(path)), None)
    return FontProperties(fname=found) if found else None


def package_for(texts: Iterable[str]) -> str:
    """The Debian package with a font for `texts`."""
    letters = [ord(letter) for text in texts for letter in text]
    return next((name for low, high, name in _PACKAGES if any(low <= n <= high for n in letters)), "fonts-noto-core")


def _liking(path: str) -> tuple[int, str]:
    name = Path(path).name.lower()
    return next((place for place, start in enumerate(_PREFERRED) if name.startswith(start)), len(_PREFERRED)), name


@cache
def _glyphs(path: str) -> frozenset[int]:
    """Code points the font file has glyphs for; none for a file that FreeType cannot read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fonts with several character maps: the first is as good
        try:
            return frozenset(FT2Font(path).get_charmap())
        except (RuntimeError, OSError, ValueError):
            return frozenset()
