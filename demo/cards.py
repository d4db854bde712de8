"""`GET /models/NAME`: a model's card as a page, with its figures.

A bundle may come from a stranger: the card is Markdown with raw HTML switched off, and figures are only served by
their plain name out of the bundle's `figures` folder.
"""

from __future__ import annotations

import html
import re

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from demo.shelf import Shelf
from handwriter_models.bundle import CARD_FILE, CARD_HEAD, FIGURES_FOLDER, file_bytes
from handwriter_models.errors import UserError

_INTERVAL = re.compile(r"(?<=[\d%]) \[([\d.]+%?), ([\d.]+%?)\]")  # stays in one line: tables scroll instead
_FIGURE = re.compile(r"[\w][\w.-]{0,100}\.png")
# What Markdown cannot say: pictures are fetched when they come into sight (a card may have twenty), and what is wider
# than the page is scrolled by itself, also with the keyboard. Text is escaped, so these are only ever tags.
_BETTER = (
    ("<img ", '<img loading="lazy" '),
    ("<table>", '<div class="wide" tabindex="0"><table>'),
    ("</table>", "</table></div>"),
    ("<pre>", '<pre tabindex="0">'),
)
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name}</title><link rel="icon" href="../page/favicon.png"><link rel="stylesheet" href="../page/card.css"></head>
<body><main><p><a href="../">HandWriter</a></p>{card}</main></body></html>"""


def card_routes(shelf: Shelf) -> APIRouter:
    """The card of each model on the shelf, and the pictures in it."""
    router = APIRouter(include_in_schema=False)

    @router.get("/models/{name}")
    def card(name: str) -> Response:
        text = _file(shelf, name, CARD_FILE, "no card").decode("utf-8", "replace")
        # The card names its figures as "figures/x.png", relative to its own folder: here that folder is the model's.
        body = card_as_html(text).replace('src="figures/', f'src="{html.escape(name)}/figures/')
        return HTMLResponse(_PAGE.format(name=html.escape(name), card=body))

    @router.get("/models/{name}/figures/{figure}")
    def figure(name: str, figure: str) -> Response:
        missing = f"no figure {figure!r}"
        if not _FIGURE.fullmatch(figure):
            raise UserError(f"model {name!r} has {missing}", "see its card", status=404)
        data = _file(shelf, name, f"{FIGURES_FOLDER}/{figure}", missing)
        return Response(data, media_type="image/png", headers={"Cache-Control": "max-age=300"})

    return router


def _file(shelf: Shelf, model: str, path: str, missing: str) -> bytes:
    """A file of a model's bundle; raises `UserError` (404), also where it is a link out of the bundle."""
    try:
        folder = shelf.get(model).folder
    except UserError as error:
        raise UserError(error.what, error.hint, status=404) from error
    try:
        return file_bytes(folder, path)
    except UserError as error:
        hint = "see its card" if path != CARD_FILE else "what is known about it: GET /models"
        raise UserError(f"model {model!r} has {missing}", hint, status=404) from error


def card_as_html(text: str) -> str:
    """The Markdown of a card without its front matter; raw HTML in it is shown as text."""
    from markdown_it import MarkdownIt

    told = _INTERVAL.sub("\u00a0[\\1,\u00a0\\2]", CARD_HEAD.sub("", text, 1))
    rendered: str = MarkdownIt("commonmark", {"html": False}).enable("table").render(told)
    for plain, better in _BETTER:
        rendered = rendered.replace(plain, better)
    return rendered
