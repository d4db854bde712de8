"""Fonts that can draw the labels, whatever scripts they are in.

matplotlib's own font has Latin, Greek, Cyrillic and many signs. For other labels the fonts of this machine are asked
for their glyphs: one with all of them, else several that stand in for each other. When some character is in none,
labels are numbered instead, and one message says which packages to install. Fonts of fixed bitmaps, as those of
coloured emoji are, cannot be drawn in any size but their own, and do not count.
"""

from __future__ import annotations

import unicodedata
import warnings
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from matplotlib.font_manager import FontProperties, findfont, findSystemFonts, fontManager
from matplotlib.ft2font import FT2Font

_PREFERRED = ("nanumgothic.", "nanumbarungothic.", "notosanscjk", "notosanskr", "malgun", "applesdgothic", "unifont")
_HANGUL, _CJK, _SIGNS, _OTHERS = "fonts-nanum", "fonts-noto-cjk", "fonts-symbola", "fonts-noto-core"
# Debian's packages, by blocks of Unicode and what is in their files; all that stands in none is in _OTHERS (Arabic,
# Devanagari, Thai, Hebrew, Ethiopic …). fonts-noto-color-emoji has bitmaps only.
_PACKAGES = (
    (0x1100, 0x11FF, _HANGUL),
    (0x20D0, 0x2BFF, _SIGNS),  # marks around signs, letter-like ones, arrows, mathematics, dingbats
    (0x2E80, 0x312F, _CJK),
    (0x3130, 0x318F, _HANGUL),
    (0x3190, 0x9FFF, _CJK),
    (0xA960, 0xA97F, _HANGUL),
    (0xAC00, 0xD7FF, _HANGUL),
    (0xF900, 0xFAFF, _CJK),
    (0xFE30, 0xFE4F, _CJK),
    (0xFF00, 0xFF9F, _CJK),
    (0xFFA0, 0xFFDC, _HANGUL),
    (0xFFE0, 0xFFEE, _CJK),
    (0x1B000, 0x1B16F, _CJK),
    (0x1D000, 0x1D7FF, _SIGNS),  # music, mathematics
    (0x1F000, 0x1FBFF, _SIGNS),  # emoji, games, arrows
    (0x20000, 0x3FFFF, _CJK),
)
_IN_NO_FONT = ("Cn", "Co", "Cs")  # unassigned, private use, surrogates


def font_for(texts: Iterable[str], fonts: Iterable[str] | None = None) -> FontProperties | None:
    """A font, or several in a row, with a glyph for every character of `texts`; None when one is in none.

    `fonts`: files to choose from.
    """
    needed = frozenset(ord(letter) for text in texts for letter in text if not letter.isspace())
    own = findfont(FontProperties())
    if needed <= _glyphs(own):
        return FontProperties(fname=own)
    candidates = _candidates(fonts)
    found = next((path for path in candidates if needed <= _glyphs(path)), None)
    return FontProperties(fname=found) if found else _row_of_fonts(needed, [own, *candidates])


def packages_for(texts: Iterable[str], fonts: Iterable[str] | None = None) -> list[str]:
    """The Debian packages with what no font here has of `texts`; none for characters that no font can have."""
    letters = {letter for text in texts for letter in text if not letter.isspace()}
    letters -= {letter for letter in letters if is_invisible(letter) or unicodedata.category(letter) in _IN_NO_FONT}
    here = frozenset[int]().union(*map(_glyphs, [findfont(FontProperties()), *_candidates(fonts)]))
    return sorted({_package(ord(letter)) for letter in letters if ord(letter) not in here})


def is_invisible(letter: str) -> bool:
    """Whether it only says how its neighbours are drawn: joiners, variation selectors, directions."""
    return unicodedata.category(letter) == "Cf" or 0xFE00 <= ord(letter) <= 0xFE0F or 0xE0100 <= ord(letter) <= 0xE01EF


def _package(number: int) -> str:
    return next((name for low, high, name in _PACKAGES if low <= number <= high), _OTHERS)


def _candidates(fonts: Iterable[str] | None) -> list[str]:
    return sorted(findSystemFonts() if fonts is None else fonts, key=_liking)


def _row_of_fonts(needed: frozenset[int], candidates: Sequence[str]) -> FontProperties | None:
    """Families that have all the glyphs together: matplotlib takes each letter from the first that has it."""
    families: list[str] = []
    while needed:
        best = max(candidates, key=lambda path: len(needed & _glyphs(path)))
        fontManager.addfont(best)
        family = FT2Font(best).family_name
        chosen = _glyphs(findfont(FontProperties(family=[family])))  # of a family, the upright one of middle weight
        if not needed & chosen:
            return None
        needed -= chosen
        families.append(family)
    return FontProperties(family=families)


def _liking(path: str) -> tuple[int, str]:
    name = Path(path).name.lower()
    return next((place for place, start in enumerate(_PREFERRED) if name.startswith(start)), len(_PREFERRED)), name


@cache
def _glyphs(path: str) -> frozenset[int]:
    """Code points the font file has glyphs for; none for one that FreeType cannot read, or not scale."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fonts with several character maps: the first is as good
        try:
            font = FT2Font(path)
            return frozenset(font.get_charmap()) if font.scalable else frozenset()
        except (RuntimeError, OSError, ValueError):
            return frozenset()
