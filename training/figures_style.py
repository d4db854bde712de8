"""What all figures share: colours, quiet axes, labels in a font that has their glyphs, and PNG files that stay small.

`Figure` objects only, never pyplot: its global state would leak from one training into the next and is not for
threads. Labels are drawn as they are, `$` included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from unicodedata import east_asian_width

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from PIL import Image

from training.fonts import font_for, is_invisible, packages_for
from training.progress import messages

RIGHT, WRONG, INK, PALE = "#1a7f37", "#c62828", "#24292f", "#d0d7de"
BLUE, ORANGE, GREY = "#2563eb", "#d97706", "#8c959f"
LONGEST = 18  # columns of a label, of which a letter of 한글 or 漢字 takes two; cut beyond
_DPI = 110
_MOST_BYTES = 145_000  # of a PNG: a card is read over the network
_FEWER_COLOURS = (256, 128, 64, 32)


@dataclass(frozen=True)
class Labels:
    """The label names as they are drawn, and the font for them; `plain` is matplotlib's own, at the same sizes."""

    names: list[str]
    font: FontProperties

    @property
    def long(self) -> bool:
        """Whether they need room of their own."""
        return max(map(columns, self.names)) > 4

    def sized(self, size: float) -> FontProperties:
        """The font in points."""
        font = self.font.copy()
        font.set_size(size)
        return font


def drawable(names: Sequence[str]) -> Labels:
    """The labels and a font for them; numbered labels and a message where no font has their glyphs."""
    visible = ["".join(letter for letter in name if not is_invisible(letter)) for name in names]
    for shown in (names, visible):
        font = font_for([*shown, "…"])
        if font is not None:
            return Labels([_cut(name) for name in shown], font)
    packages = " ".join(packages_for(names))
    install = f"; install what is missing: apt-get install {packages}" if packages else ""
    messages.print(f"labels are numbered in the figures: no font here can draw all of them{install}")
    return Labels([f"label {number}" for number in range(1, len(names) + 1)], FontProperties())


def columns(text: str) -> int:
    """The room that a text takes, in letters of Latin: one of 한글 or 漢字 takes two."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def _cut(name: str) -> str:
    if columns(name) <= LONGEST:
        return name
    kept = name
    while columns(kept) >= LONGEST:
        kept = kept[:-1]
    return f"{kept}…"


def png(figure: Figure) -> bytes:
    """The figure as a file below 150 kB: photographs lose colours, and size at last, until it is."""
    drawn = BytesIO()
    figure.savefig(drawn, format="png", dpi=_DPI, facecolor="white")
    content = drawn.getvalue()
    if len(content) <= _MOST_BYTES:
        return content
    picture = Image.open(BytesIO(content)).convert("RGB")
    while True:
        for colours in _FEWER_COLOURS:
            drawn = BytesIO()
            fewer = picture.quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
            fewer.save(drawn, "PNG", optimize=True)
            if len(drawn.getvalue()) <= _MOST_BYTES:
                return drawn.getvalue()
        picture = picture.resize((picture.width * 4 // 5, picture.height * 4 // 5), Image.Resampling.LANCZOS)


def tidy(axes: Axes, title: str) -> None:
    """A title at the left, no frame, lines across."""
    axes.set_title(title, loc="left", fontsize=11, color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(PALE)
    axes.tick_params(colors=INK, labelsize=9)
    axes.grid(axis="y", color=PALE, linewidth=0.6)
    axes.set_axisbelow(True)
