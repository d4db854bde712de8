"""Figures: drawn for every script, kind of picture and shape of result, small, and never a reason to fail."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from handwriter_models.learning.options import Epoch
from tests.small_photos import photo
from tests.training_cases import stripes
from training.answers import Answers
from training.figures import draw_figures
from training.figures_confusion import draw_confusion, draw_pairs
from training.figures_curves import draw_precision_recall, draw_rejection, draw_reliability, draw_roc
from training.figures_pictures import draw_examples, draw_mistakes
from training.figures_style import LONGEST, drawable, png
from training.fonts import font_for, package_for

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


def test_missing_hangul_font_is_named() -> None:
    assert package_for(["a", "한글"]) == "fonts-nanum"
    assert package_for(["漢"]) == "fonts-noto-cjk"
    assert package_for(["☃"]) == "fonts-noto-core"
