"""Figures: drawn for every script and shape of result, small, and never a reason to fail."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from tests.training_cases import stripes
from training.evaluate import Answers
from training.figures import draw_figures
from training.fonts import font_for, package_for
from training.loop import Epoch

HISTORY = [Epoch(n, 1 / n, 0.5, 1.2 / n, 0.6, 1e-3, 2.0) for n in (1, 2, 3)]


def answers(names: list[str], right: float = 0.7, count: int = 60) -> Answers:
    random = np.random.default_rng(0)
    labels = np.arange(count) % len(names)
    guesses = np.where(random.random(count) < right, labels, (labels + 1) % len(names))
    probabilities = random.dirichlet(np.ones(len(names)), count) * 0.4
    probabilities[np.arange(count), guesses] += 0.6
    samples = replace(stripes(count), labels=labels, names=names)
    return Answers(samples, probabilities.astype(np.float32), np.zeros(count, bool))


def colours(png: bytes) -> set[tuple[int, int, int]]:
    picture = Image.open(BytesIO(png)).convert("RGB")
    return {colour for _, colour in picture.getcolors(picture.width * picture.height) or []}  # type: ignore[misc]


RIGHT, WRONG = (0x1A, 0x7F, 0x37), (0xC6, 0x28, 0x28)


def test_all_figures_are_small_pictures() -> None:
    figures = draw_figures(answers(list("0123456789"), count=200), HISTORY)
    assert set(figures) == {"curves.png", "confusion.png", "examples.png", "mistakes.png", "reliability.png"}
    for png in figures.values():
        assert len(png) < 300_000
        assert min(Image.open(BytesIO(png)).size) > 200


def test_right_answers_are_titled_green_and_wrong_ones_red() -> None:
    some_wrong = draw_figures(answers(list("01")))
    assert {RIGHT, WRONG} <= colours(some_wrong["examples.png"])
    assert RIGHT not in colours(some_wrong["mistakes.png"])
    all_right = draw_figures(answers(list("01"), right=1.0))
    assert WRONG not in colours(all_right["examples.png"])


def test_curves_need_a_history_and_mistakes_a_mistake() -> None:
    assert set(draw_figures(answers(list("01"), right=1.0))) == {"confusion.png", "examples.png", "reliability.png"}


@pytest.mark.parametrize(
    "names",
    [
        ["가", "나", "다"],
        ["강아지", "고양이와 아주 긴 이름의 동물", "새"],
        ["$x_1", "a$b$", "\\frac", "100%"],
        [f"label number {n}" for n in range(60)],
    ],
    ids=["hangul", "long hangul", "mathematical signs", "many labels"],
)
def test_any_labels_are_drawn(names: list[str]) -> None:
    assert len(draw_figures(answers(names, count=240), HISTORY[:1])) == 5


def test_labels_that_no_font_can_draw_are_numbered_with_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    assert draw_figures(answers(["\U0001f9ff\U000e0041", "b"]))
    assert "apt-get install fonts-" in capsys.readouterr().err


def test_font_has_the_glyphs_or_there_is_none() -> None:
    assert font_for(["a", "é", "Ω"]) is not None
    assert font_for(["가"], fonts=[]) is None
    assert font_for(["가"], fonts=["/nowhere/font.ttf", __file__]) is None


def test_missing_hangul_font_is_named() -> None:
    assert package_for(["a", "한글"]) == "fonts-nanum"
    assert package_for(["漢"]) == "fonts-noto-cjk"
    assert package_for(["☃"]) == "fonts-noto-core"
