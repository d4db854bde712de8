"""Figures: drawn for every script, kind of picture and shape of result, small, and never a reason to fail."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font
from PIL import Image

from handwriter_models.learning.options import Epoch
from tests.small_photos import photo
from tests.training_cases import stripes
from training.answers import Answers
from training.figures import draw_figures
from training.figures_confusion import draw_confusion, draw_pairs
from training.figures_curves import draw_precision_recall, draw_rejection, draw_reliability, draw_roc
from training.figures_pictures import draw_examples, draw_mistakes
from training.figures_style import LONGEST, Labels, drawable, png
from training.fonts import font_for, packages_for

HISTORY = [Epoch(n, 1 / n, 0.5, 1.2 / n, 0.6, 1e-3, 2.0) for n in (1, 2, 3)]
ALWAYS = {"confusion.png", "examples.png", "top_losses.png", "reliability.png", "rejection.png", "roc.png"}
ALWAYS |= {"precision_recall.png"}
OF_MISTAKES = {"mistakes.png", "confused_pairs.png"}


def answers(names: list[str], right: float = 0.7, count: int = 60, temperature: float = 1.5) -> Answers:
    random = np.random.default_rng(0)
    labels = np.arange(count) % len(names)
    guesses = np.where(random.random(count) < right, labels, (labels + 1) % len(names))
    probabilities = random.dirichlet(np.ones(len(names)), count) * 0.4
    probabilities[np.arange(count), guesses] += 0.6
    samples = replace(stripes(count), labels=labels, names=names)
    rejected = probabilities.max(axis=1) < 0.65
    return Answers(samples, probabilities.astype(np.float32), rejected, temperature)


def colours(content: bytes) -> set[tuple[int, int, int]]:
    picture = Image.open(BytesIO(content)).convert("RGB")
    return {colour for _, colour in picture.getcolors(picture.width * picture.height) or []}  # type: ignore[misc]


RIGHT, WRONG = (0x1A, 0x7F, 0x37), (0xC6, 0x28, 0x28)


def test_all_figures_are_small_pictures() -> None:
    figures = draw_figures(answers(list("0123456789"), count=200), HISTORY)
    assert set(figures) == {"curves.png", *ALWAYS, *OF_MISTAKES}
    for drawn in figures.values():
        assert len(drawn) < 150_000
        assert min(Image.open(BytesIO(drawn)).size) > 150


def test_right_answers_are_titled_green_and_wrong_ones_red() -> None:
    some_wrong, all_right, labels = answers(list("01")), answers(list("01"), right=1.0), drawable(list("01"))
    assert {RIGHT, WRONG} <= colours(png(draw_examples(some_wrong, labels)))
    mistakes = draw_mistakes(some_wrong, labels)
    assert mistakes is not None
    assert RIGHT not in colours(png(mistakes))
    assert WRONG not in colours(png(draw_examples(all_right, labels)))
    assert draw_mistakes(all_right, labels) is None
    assert draw_pairs(all_right, labels) is None


@pytest.mark.parametrize(
    "names",
    [
        ["강아지", "고양이와 아주 긴 이름의 동물", "$x_1", "a$b$", "\\frac", "100%"],
        [chr(0xAC00 + 37 * n) for n in range(100)],
    ],
    ids=["long and mathematical", "a hundred"],
)
def test_any_labels_are_drawn(names: list[str]) -> None:
    given, labels = answers(names, count=240), drawable(names)
    for draw in (draw_confusion, draw_examples, draw_roc):
        figure = draw(given, labels)
        assert figure is not None
        assert len(png(figure)) < 150_000


def test_photographs_are_drawn_in_their_colours_and_stay_small() -> None:
    given, labels = answers(["강아지", "새"], right=0.0, count=12), drawable(["강아지", "새"])
    pictures = [np.asarray(photo(number, (112, 112))) for number in range(12)]
    pictures[0] = np.full((112, 112, 3), (200, 30, 220), np.uint8)
    shown = replace(given, samples=replace(given.samples, images=np.stack(pictures)))
    mistakes = draw_mistakes(shown, labels)
    assert mistakes is not None
    assert len(png(mistakes)) < 150_000
    seen = np.array(list(colours(png(draw_examples(shown.take(np.zeros(3, int)), labels)))))
    assert (np.abs(seen - [200, 30, 220]).sum(axis=1) < 12).any()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_hardly_any_pictures_are_no_reason_to_fail(count: int) -> None:
    few = answers(list("ab"), count=count)
    labels = drawable(few.samples.names)
    assert draw_reliability(few).axes
    assert draw_rejection(few).axes
    for draw in (draw_roc, draw_precision_recall):
        assert (draw(few, labels) is None) == (count == 1), "one picture has no other label to be told from"


def test_reliability_has_one_curve_where_no_temperature_was_found() -> None:
    for temperature, curves in ((1.0, 1), (1.5, 2)):
        drawn = draw_reliability(answers(list("01"), count=200, temperature=temperature))
        assert len(drawn.axes[0].get_legend_handles_labels()[0]) == curves


def test_labels_that_no_font_can_draw_are_numbered_with_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    assert drawable(["\U0001f9ff\U000e0041", "b"]).names == ["label 1", "label 2"]
    assert "apt-get install fonts-" in capsys.readouterr().err


def test_long_labels_are_cut_by_the_room_they_take() -> None:
    latin, hangul = drawable(["x" * 40, "가" * 40]).names
    assert latin == "x" * (LONGEST - 1) + "…"
    assert hangul == "가" * ((LONGEST - 1) // 2) + "…"


def test_font_has_the_glyphs_or_there_is_none() -> None:
    assert font_for(["a", "é", "Ω"]) is not None
    assert font_for(["가"], fonts=[]) is None
    assert font_for(["가"], fonts=["/nowhere/font.ttf", __file__]) is None


@pytest.mark.parametrize(
    ("label", "packages"),
    [
        ("a한글", ["fonts-nanum"]),
        ("ㄱ\u1100", ["fonts-nanum"]),
        ("漢", ["fonts-noto-cjk"]),
        ("ねこ", ["fonts-noto-cjk"]),
        ("ネコ", ["fonts-noto-cjk"]),
        ("ㄅ", ["fonts-noto-cjk"]),
        ("𠀀", ["fonts-noto-cjk"]),
        ("हिन्दी", ["fonts-noto-core"]),
        ("ไทย", ["fonts-noto-core"]),
        ("አማርኛ", ["fonts-noto-core"]),
        ("ܐܒ", ["fonts-noto-core"]),
        ("ꀀ", ["fonts-noto-core"]),  # Yi, between the blocks of Han and of Hangul
        ("🦊", ["fonts-symbola"]),
        ("👨\u200d👩\u200d👧", ["fonts-symbola"]),
        ("🇰🇷", ["fonts-symbola"]),
        ("1\ufe0f\u20e3", ["fonts-symbola"]),
        ("𝄞", ["fonts-symbola"]),
        ("고양이 🐈 แมว", ["fonts-nanum", "fonts-noto-core", "fonts-symbola"]),
        ("كلب", []),  # matplotlib's own font has them, and the next ones
        ("a é Ω ж ☃", []),
        ("\ue000\U000f0000\U0001fbff\u200c", []),  # private, unassigned, invisible: in no font
    ],
)
def test_packages_are_named_for_what_no_font_has(label: str, packages: list[str]) -> None:
    assert packages_for(["b", label], fonts=[]) == packages


def write_font(path: Path, letters: str) -> str:
    """A font of its own family in which each of the letters is a square."""
    builder = FontBuilder(1000, isTTF=True)
    names = {ord(letter): f"u{ord(letter):x}" for letter in letters}
    builder.setupGlyphOrder([".notdef", *names.values()])
    builder.setupCharacterMap(names)
    pen = TTGlyphPen(None)
    for line, points in ((pen.moveTo, [(100, 0)]), (pen.lineTo, [(100, 700), (800, 700), (800, 0)])):
        for point in points:
            line(point)
    pen.closePath()
    square = pen.glyph()
    builder.setupGlyf(dict.fromkeys([".notdef", *names.values()], square))
    builder.setupHorizontalMetrics(dict.fromkeys([".notdef", *names.values()], (900, 100)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": path.stem, "styleName": "Regular", "fullName": path.stem})
    builder.setupOS2(sTypoAscender=800, usWinAscent=800, usWinDescent=200, usWeightClass=400)
    builder.setupPost()
    builder.save(path)
    return str(path)


def test_labels_of_several_scripts_are_drawn_with_several_fonts(tmp_path: Path) -> None:
    fonts = [write_font(tmp_path / "handwriter foxes.ttf", "🦊"), write_font(tmp_path / "handwriter abc.ttf", "አ")]
    font = font_for(["🦊", "አ", "a"], fonts)
    assert font is not None
    figure = Figure((2, 1))
    figure.text(0.1, 0.1, "a🦊አ", font=font)
    png(figure)  # a missing glyph would be a warning, and so an error
    assert font_for(["🦊", "አ", "a", "ꀀ"], fonts) is None
    assert packages_for(["🦊", "አ", "ꀀ"], fonts) == ["fonts-noto-core"]


def test_fonts_of_fixed_bitmaps_are_not_taken(tmp_path: Path) -> None:
    """Coloured emoji are such: matplotlib fails on them when a figure is written."""
    path = tmp_path / "emoji.bdf"
    glyph = "STARTCHAR fox\nENCODING 129418\nSWIDTH 500 0\nDWIDTH 8 0\nBBX 8 8 0 0\nBITMAP\n" + "FF\n" * 8 + "ENDCHAR\n"
    path.write_text(
        "STARTFONT 2.1\nFONT -a-b-medium-r-normal--8-80-75-75-c-80-iso10646-1\nSIZE 8 75 75\nFONTBOUNDINGBOX 8 8 0 0\n"
        'STARTPROPERTIES 2\nCHARSET_REGISTRY "ISO10646"\nCHARSET_ENCODING "1"\nENDPROPERTIES\n'
        f"CHARS 1\n{glyph}ENDFONT\n"
    )
    assert 0x1F98A in FT2Font(str(path)).get_charmap()
    assert font_for(["🦊"], [str(path)]) is None


def test_joiners_without_a_glyph_do_not_number_the_labels(capsys: pytest.CaptureFixture[str]) -> None:
    assert drawable(["❤\ufe0f", "a\u2060b"]).names in (["❤", "ab"], ["❤\ufe0f", "a\u2060b"])
    png(draw_labels(drawable(["❤\U000e0100", "b"])))
    assert "numbered" not in capsys.readouterr().err


def draw_labels(labels: Labels) -> Figure:
    figure = Figure((2, 1))
    for number, name in enumerate(labels.names):
        figure.text(0.1, 0.4 * number, name, font=labels.sized(10))
    return figure
