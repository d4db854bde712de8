"""The Gradio page: one `gr.HTML` with our own markup, style and script.

Gradio's own inputs were measured and left out: its sketchpad answers half a second after the pen is lifted and not at
all while drawing, `gr.Label` re-sorts its bars at every answer, and the Korean texts of its camera are missing. What
stays is a plain page that talks to `POST /predict/` like every other client. Three ways for a stroke to reach the model
were timed in headless Chromium (280x280 PNG, there and back): `fetch` 7 ms, `gr.HTML`'s server functions 7 ms, a
component event with `queue=False` 10 ms; `fetch` is the one that also gives status codes and one path for everybody.
"""

from __future__ import annotations

from pathlib import Path

import gradio

from demo.api import Service

STATIC = Path(__file__).parent / "static"
TITLE = "HandWriter"
HEAD = """
<link rel="stylesheet" href="page/page.css">
<link rel="stylesheet" href="page/answer.css">
<link rel="modulepreload" href="page/page.js">
<meta name="description" content="Draw or show a character or a picture, and watch a small network say what it is.">
<meta name="color-scheme" content="light dark">
"""
_START = "import(new URL('page/page.js', document.baseURI)).then((page) => page.start(element, props));"


def build_page(service: Service) -> gradio.Blocks:
    """The page; files that Gradio might keep for a session are deleted after an hour."""
    with gradio.Blocks(title=TITLE, analytics_enabled=False, fill_width=True, delete_cache=(3600, 3600)) as blocks:
        gradio.HTML(
            elem_id="handwriter",
            html_template=(STATIC / "page.html").read_text("utf-8"),
            js_on_load=_START,
            apply_default_css=False,
            limit=service.limits.bytes,
        )
    return blocks
