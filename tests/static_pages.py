"""A folder served as a host of plain files does it, and the page's own modules called from a test."""

from __future__ import annotations

import base64
import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.browser import Browser

_CALL = """
const done = arguments[arguments.length - 1];
(async (given) => { const at = (path) => import(new URL(path, location.origin)); %s })(arguments[0])
  .then((value) => done({value}), (error) => done({error: String(error?.stack ?? error)}));
"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *values: Any) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of the folder, on loopback."""
    host = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=folder))
    host.daemon_threads = True
    thread = threading.Thread(target=host.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{host.server_address[1]}/"
    finally:
        host.shutdown()
        thread.join()
        host.server_close()


def called(page: Browser, body: str, given: Any = None) -> Any:
    """What the body of an async function of `given` returns; in it, `at(path)` imports a module of the page."""
    answer = page.driver.execute_async_script(_CALL % body, given)
    assert "error" not in answer, answer["error"]
    return answer["value"]


def text_of(data: bytes) -> str:
    """Bytes as a page can be given them."""
    return base64.b64encode(data).decode("ascii")


BLOB = "const blob = (text) => new Blob([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))]);"
