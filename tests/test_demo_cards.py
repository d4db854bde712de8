"""A model card as a page: a bundle may come from a stranger, and a card may be long."""

from __future__ import annotations

from demo.cards import card_as_html


def test_front_matter_is_left_out_and_tables_are_drawn() -> None:
    page = card_as_html("---\nlicense: mit\ntags: [x]\n---\n# digits\n\n| a | b |\n|---|---|\n| 1 | 2 |\n")
    assert page.startswith("<h1>digits</h1>")
    assert "<td>2</td>" in page
    assert "license" not in page


def test_html_and_script_links_in_a_card_stay_text() -> None:
    page = card_as_html("<script>alert(1)</script>\n\n[x](javascript:alert(1)) <img src=x onerror=alert(1)>\n")
    assert "<script" not in page
    assert "<img" not in page
    assert 'href="javascript' not in page


def test_wide_tables_and_code_can_be_scrolled_with_the_keyboard() -> None:
    page = card_as_html("| a |\n|---|\n| 1 |\n\n```\nx = 1\n```\n\n`<table><pre>`\n")
    assert page.count('<div class="wide" tabindex="0"><table>') == page.count("</table></div>") == 1
    assert page.count('<pre tabindex="0"><code>') == 1
    assert "<code>&lt;table&gt;&lt;pre&gt;</code>" in page, "what is written about tags stays as it is"


def test_figures_are_fetched_when_they_come_into_sight() -> None:
    page = card_as_html("![Confusion](figures/confusion.png)\n")
    assert '<img loading="lazy" src="figures/confusion.png" alt="Confusion" />' in page


def test_a_figure_and_its_interval_stay_in_one_line() -> None:
    page = card_as_html("| accuracy | 97.77% [97.09%, 98.30%] |\n|---|---|\n| recall | 0.8 [0.5, 0.9] [note, two] |\n")
    assert "97.77%" + "\N{NO-BREAK SPACE}[97.09%,\N{NO-BREAK SPACE}98.30%]" in page
    assert "0.8\N{NO-BREAK SPACE}[0.5,\N{NO-BREAK SPACE}0.9] [note, two]" in page
