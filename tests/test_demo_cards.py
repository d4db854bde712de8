"""A model card as a page: a bundle may come from a stranger, and a card may be long."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
from fastapi import FastAPI

from demo.cards import card_as_html, card_routes
from demo.refusals import refusal
from demo.shelf import Shelf, Shelved
from handwriter_models import load
from handwriter_models.errors import UserError
from tests.api_client import check_error


def asked(bundle: Path, path: str) -> httpx.Response:
    """What the card's routes answer, one model on the shelf."""
    app = FastAPI()
    app.include_router(card_routes(Shelf([Shelved(load(bundle), bundle)])))

    @app.exception_handler(UserError)
    async def told(_: object, error: Exception) -> object:
        assert isinstance(error, UserError)
        return refusal(error)

    async def answer() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://demo") as client:
            return await client.get(f"/models/{path}")

    return asyncio.run(answer())


def test_card_and_figures_come_out_of_the_bundle_and_from_nowhere_else(small_bundle: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_text("of the owner")
    assert "<h1>small</h1>" in asked(small_bundle, "small").text
    assert asked(small_bundle, "small/figures/curve.png").content.startswith(b"\x89PNG")
    for path, address in (("README.md", "small"), ("figures/curve.png", "small/figures/curve.png")):
        (small_bundle / path).unlink()
        (small_bundle / path).symlink_to(secret)
        check_error(asked(small_bundle, address), 404)
        (small_bundle / path).unlink()
        check_error(asked(small_bundle, address), 404)
    (small_bundle / "README.md").write_bytes("# 손글씨".encode("cp949"))
    assert asked(small_bundle, "small").status_code == 200


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
