"""A real HTTP server on loopback for the tests, that may misbehave as it likes and tells what it was asked.

A subclass says what to answer. Everything is a thread a connection, so an answer may wait, break off or never come; the
end of the block wakes and joins all of them, so that no test leaves a socket or a thread behind.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

Headers = Mapping[str, str] | Iterable[tuple[str, str]]


@dataclass
class Request:
    """What was asked. `target` is as sent; `path` and `query` are decoded; `time` is of the server's own clock."""

    method: str
    target: str
    headers: Message
    nth: int  # 1: the first time that this target is asked for
    body: bytes = b""
    done: bool = False  # answered without a break
    time: float = field(default_factory=time.monotonic)

    @property
    def path(self) -> str:
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> dict[str, str]:
        """The first value of every parameter."""
        values = parse_qs(urlsplit(self.target).query, keep_blank_values=True)
        return {name: given[0] for name, given in values.items()}

    @property
    def cookies(self) -> str:
        return self.headers.get("Cookie", "")


class Wire:
    """The connection under an answer: orderly answers by `send`, the others byte by byte."""

    def __init__(self, handler: BaseHTTPRequestHandler, stopping: threading.Event) -> None:
        self._handler = handler
        self._stopping = stopping

    def head(self, status: int = 200, headers: Headers = ()) -> None:
        """The status line and the headers."""
        lines = [f"HTTP/1.1 {status} {_phrase(status)}"]
        lines += [f"{name}: {value}" for name, value in _pairs(headers)]
        self.raw(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    def send(self, status: int, headers: Headers, body: bytes) -> None:
        """A whole answer in one piece; the connection stays open."""
        lines = [f"HTTP/1.1 {status} {_phrase(status)}"]
        lines += [f"{name}: {value}" for name, value in _pairs(headers)]
        lines.append(f"Content-Length: {len(body)}")
        start = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        self.raw(start if self._handler.command == "HEAD" else start + body)

    def raw(self, data: bytes) -> None:
        """These bytes, whatever they are."""
        self._handler.wfile.write(data)

    def wait(self, seconds: float) -> bool:
        """Sleeps; False when the server is being stopped."""
        return not self._stopping.wait(seconds)

    def gone(self) -> bool:
        """The client has closed its end (a client that sends more instead is taken as gone too)."""
        connection = self._handler.connection
        connection.setblocking(False)
        try:
            return connection.recv(1, 0 if isinstance(connection, ssl.SSLSocket) else socket.MSG_PEEK) == b""
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            return True
        finally:
            connection.setblocking(True)

    def close(self) -> None:
        """No further answer on this connection."""
        self._handler.close_connection = True

    def reset(self) -> None:
        """Breaks the connection off with an RST."""
        self._handler.wfile.flush()
        self._handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._handler.connection.close()
        self.close()


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unheard Of"


def _pairs(headers: Headers) -> Iterable[tuple[str, str]]:
    return headers.items() if isinstance(headers, Mapping) else headers


class LoopbackSite:
    """A server on a free port of `address`. Use as a context manager; subclasses give `respond`."""

    def __init__(self, address: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self.most_at_once = 0
        self.faults: list[BaseException] = []  # of the imitation itself
        self._at_once = 0
        self._asked: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._server = _Server((address, 0), _handler_of(self))
        self._tls = tls is not None
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def respond(self, request: Request, wire: Wire) -> None:
        """Answers one request."""
        raise NotImplementedError

    @property
    def address(self) -> str:
        return str(self._server.server_address[0])

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def home(self) -> str:
        """scheme://host:port, no slash."""
        return f"{'https' if self._tls else 'http'}://{self.address}:{self.port}"

    def count(self, target: str) -> int:
        """How often this address, or this path with its query, was asked for."""
        return self._asked[target.removeprefix(self.home)]

    def asked(self, prefix: str = "/") -> list[Request]:
        """The requests whose decoded path starts like this, in order."""
        with self._lock:
            return [request for request in self.requests if request.path.startswith(prefix)]

    def counts(self) -> dict[str, int]:
        """How often each target was asked for."""
        with self._lock:
            return dict(self._asked)

    def forget(self) -> None:
        """Starts counting anew."""
        with self._lock:
            self.requests.clear()
            self._asked.clear()
            self.most_at_once = 0

    def start(self) -> Self:
        """Starts to serve; `stop` ends it."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Breaks all connections, waits for their threads."""
        self._stopping.set()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.break_off()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.stop()
        if self.faults and kind is None:
            raise self.faults[0]

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        """Records the request and has it answered; a client that goes away is no error."""
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        with self._lock:
            self._asked[handler.path] += 1
            request = Request(handler.command, handler.path, handler.headers, self._asked[handler.path], body)
            self.requests.append(request)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            self.respond(request, Wire(handler, self._stopping))
            request.done = True
        except OSError:  # the client is gone
            handler.close_connection = True
        except Exception as fault:
            self.faults.append(fault)
            handler.close_connection = True
        finally:
            with self._lock:
                self._at_once -= 1


class _Server(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = False  # with block_on_close: server_close joins them

    def __init__(self, *args: Any) -> None:
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    def break_off(self) -> None:
        with self._guard:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients break off all the time here."""


def _handler_of(site: LoopbackSite) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _any(self) -> None:
            site.handle(self)

        do_GET = do_HEAD = do_POST = do_PUT = do_CONNECT = do_OPTIONS = _any  # noqa: N815 - the base class's names

        def log_message(self, *args: Any) -> None:
            pass

    return Handler
