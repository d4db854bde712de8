"""Pages of the browser engines as they were saved, in `pages/<engine>/<case>.html`, with what stands beside them.

The first line of a page tells status and address. `<case>.json` is the value that the engine's script took from the
page in a real browser; `python -m tests.saved_pages` writes those files anew, `test_saved_pages` checks them. A request
for a list inside a page (`…&saved=<case>`) is answered with `<case>.list.json`, or with 403 where there is none.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from crawler import page_scripts
from crawler.browser import Session, Settings
from crawler.engines import engine as engine_named
from crawler.engines.base import Page

FOLDER = Path(__file__).parent / "pages"
FIRST_LINE = re.compile(r"<!-- (\d+) (\S+) -->\n")
BROWSER_ENGINES = ("google", "naver", "bing", "duckduckgo")
HERE_ONLY = Settings(host_rules="MAP * ~NOTFOUND , EXCLUDE 127.0.0.1")


def cases(engine: str) -> list[str]:
    """The names of an engine's saved pages."""
    return sorted(file.stem for file in (FOLDER / engine).glob("*.html"))


def saved(engine: str, case: str) -> Page:
    """A page as it was saved, with the value that the engine's script takes from it."""
    text = (FOLDER / engine / f"{case}.html").read_text("utf-8")
    first = FIRST_LINE.match(text)
    assert first, f"the first line of {engine}/{case}.html tells no status and address"
    file = FOLDER / engine / f"{case}.json"
    return Page(first[2], text, json.loads(file.read_text("utf-8")) if file.exists() else None, int(first[1]))


class Shelf(ThreadingHTTPServer):
    """A server on loopback that answers with one saved page, whatever its path, and with the lists inside pages."""

    engine, case = "", ""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.home = f"http://127.0.0.1:{self.server_port}"


class Answer(BaseHTTPRequestHandler):
    """Answers one request."""

    server: Shelf

    def do_GET(self) -> None:
        shelf, parts = self.server, urlsplit(self.path)
        page = saved(shelf.engine, shelf.case)
        listed = parse_qs(parts.query).get("saved")
        if listed:
            file = FOLDER / shelf.engine / f"{listed[0]}.list.json"
            self._give(200 if file.exists() else 403, file.read_bytes() if file.exists() else b"refused", "json")
        elif parts.path == urlsplit(page.address).path:
            self._give(page.status, page.text.encode(), "html; charset=utf-8")
        else:
            self._give(404, b"", "plain")

    def _give(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{'application' if kind == 'json' else 'text'}/{kind}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@contextmanager
def shelf() -> Iterator[Shelf]:
    """The server, for as long as the block lasts."""
    with Shelf() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def shown(session: Session, server: Shelf, engine: str, case: str) -> Page:
    """The saved page as a real browser shows it; addresses of the server read as the page's own."""
    server.engine, server.case = engine, case
    parts = urlsplit(saved(engine, case).address)
    session.driver.get(f"{server.home}{parts.path}?{parts.query}")
    script = page_scripts.READ % engine_named(engine).script  # type: ignore[attr-defined]
    text = session.driver.execute_script(script, True, 10_000_000)
    answer = json.loads(text.replace(server.home, f"{parts.scheme}://{parts.netloc}"))
    assert not answer.get("fault"), answer["fault"]
    return Page(answer["address"], answer["text"], answer["value"], answer["status"])


def save_values() -> None:
    """Writes what the engines' scripts take from the saved pages."""
    with shelf() as server, Session(HERE_ONLY) as session:
        for engine in BROWSER_ENGINES:
            for case in cases(engine):
                value = shown(session, server, engine, case).value
                text = json.dumps(value, ensure_ascii=False, indent=1) + "\n"
                (FOLDER / engine / f"{case}.json").write_text(text, "utf-8")


if __name__ == "__main__":
    save_values()
