"""A reverse proxy on loopback: shows a server below `/PREFIX`, and is as plain as nginx with five lines.

It takes the prefix away, names the visitor in X-Forwarded-For, adds headers of its own, and passes streams on as they
come. Everything else is left alone, so a page that names itself by its root breaks here.
"""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOP = {"connection", "keep-alive", "transfer-encoding", "host"}


class Proxy(ThreadingHTTPServer):
    """`prefix` begins with a slash; `headers` are added to each request that is passed on."""

    daemon_threads = True

    def __init__(self, port: int, prefix: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behind, self.prefix = port, prefix
        self.headers: dict[str, str] = {}

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}{self.prefix}"


class Handler(BaseHTTPRequestHandler):
    server: Proxy

    def pass_on(self) -> None:
        if not self.path.startswith(self.server.prefix + "/"):
            self.send_error(404)
            return
        length = int(self.headers.get("Content-Length", "0"))
        sent = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
        sent |= {"X-Forwarded-For": self.headers.get("X-Forwarded-For", "203.0.113.1"), **self.server.headers}
        behind = http.client.HTTPConnection("127.0.0.1", self.server.behind, timeout=30)
        with closing(behind), suppress(ConnectionError):
            behind.request(self.command, self.path.removeprefix(self.server.prefix), self.rfile.read(length), sent)
            with behind.getresponse() as answer:
                self.answer(answer)

    def answer(self, answer: http.client.HTTPResponse) -> None:
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in HOP:
                self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        while piece := answer.read1(2**16):
            self.wfile.write(piece)
            self.wfile.flush()

    do_GET = do_POST = do_HEAD = pass_on  # noqa: N815 - the names that http.server looks for

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def prefix_proxy(port: int, prefix: str) -> Iterator[Proxy]:
    proxy = Proxy(port, prefix)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        proxy.server_close()
