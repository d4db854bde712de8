"""A model card as a page: a bundle may come from a stranger."""

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
