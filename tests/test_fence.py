"""The fence as a proxy: what may pass it is checked by address, however the address is written."""

from __future__ import annotations

import asyncio
import http.client
import socket
import threading
from collections.abc import Iterator

import pytest

from crawler.addresses import Rule
from crawler.fence import MARK, Fence
from tests.loopback_site import LoopbackSite, Request, Wire


class Mirror(LoopbackSite):
    """Answers with what it was asked."""

    def respond(self, request: Request, wire: Wire) -> None:
        headers = "\n".join(f"{name}: {value}" for name, value in request.headers.items())
        wire.send(
            200,
            {"Content-Type": "text/plain"},
            f"{request.method} {request.target}\n{headers}\n".encode() + request.body,
        )


@pytest.fixture(scope="module")
def mirror() -> Iterator[Mirror]:
    with Mirror() as mirror:
        yield mirror


def only(site: LoopbackSite) -> Rule:
    """A rule that lets nothing private pass but this site."""
    return Rule(also=frozenset({("127.0.0.1", site.port)}))


def get(fence: Fence, address: str, method: str = "GET", body: bytes | None = None) -> tuple[int, str]:
    connection = http.client.HTTPConnection(*fence.address.split(":"), timeout=10)  # type: ignore[arg-type]
    try:
        connection.request(method, address, body=body, headers={"Proxy-Connection": "keep-alive", "X-Mine": "1"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def tunnel(fence: Fence, place: str) -> tuple[socket.socket, bytes]:
    host, _, port = fence.address.partition(":")
    connection = socket.create_connection((host, int(port)), timeout=10)
    connection.sendall(f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n\r\n".encode())
    return connection, connection.recv(65536)


def test_request_passes_as_it_was_without_the_headers_of_the_proxy(mirror: Mirror) -> None:
    with Fence(only(mirror)) as fence:
        status, text = get(fence, f"{mirror.home}/a%20b?q=1&r=%ED%95%9C", "POST", b"body" * 50_000)
    assert status == 200
    assert text.startswith("POST /a%20b?q=1&r=%ED%95%9C\n")
    assert "X-Mine: 1" in text
    assert "Proxy-Connection" not in text
    assert text.endswith("body" * 50_000)


def test_two_requests_on_one_connection_cannot_reach_one_host_for_another(mirror: Mirror) -> None:
    with Fence(only(mirror)) as fence:
        host, _, port = fence.address.partition(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            request = f"GET {mirror.home}/one HTTP/1.1\r\nHost: x\r\n\r\nGET http://10.0.0.1/two HTTP/1.1\r\n\r\n"
            connection.sendall(request.encode())
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
    assert b"Connection: close" in answer
    assert not mirror.asked("/two")


HOSTS = """127.0.0.1 127.1 0x7f000001 2130706433 localhost [::1] [::ffff:127.0.0.1] 0.0.0.0 10.0.0.8 192.168.1.1
169.254.169.254 100.64.0.1 [fe80::1] [fd00::1] 224.0.0.1 [64:ff9b::7f00:1]"""


@pytest.mark.parametrize("host", HOSTS.split())
def test_private_address_is_refused_however_it_is_written(host: str, mirror: Mirror) -> None:
    with Fence(Rule()) as fence:
        status, text = get(fence, f"http://{host}:{mirror.port}/secret")
        connection, answer = tunnel(fence, f"{host}:{mirror.port}")
        connection.close()
        assert fence.passed == 0
        assert len(fence.refused) == 2
    assert status == 403
    assert MARK in text
    assert answer.startswith(b"HTTP/1.1 403")
    assert not mirror.asked("/secret")


def test_name_that_leads_to_a_private_address_is_refused_with_its_reason(mirror: Mirror) -> None:
    async def resolver(host: str, port: int) -> list[str]:
        return ["93.184.215.14", "127.0.0.1"]

    with Fence(Rule(), resolver) as fence:
        assert get(fence, "http://rebinding.example/")[0] == 403
        assert "127.0.0.1 is not a public address" in fence.why("rebinding.example")
        assert fence.why("another.example") == ""


def test_connection_goes_to_the_address_that_was_checked(mirror: Mirror) -> None:
    asked = []

    async def resolver(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    with Fence(only(mirror), resolver) as fence:
        assert get(fence, f"http://flips.example:{mirror.port}/")[0] == 200
        assert get(fence, f"http://flips.example:{mirror.port}/")[0] == 403
    assert asked == ["flips.example"] * 2


def test_tunnel_carries_bytes_both_ways_and_ends_with_either_side() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def echo() -> None:
            connection = server.accept()[0]
            with connection:
                connection.sendall(connection.recv(100).upper())
                assert connection.recv(100) == b""

        thread = threading.Thread(target=echo)
        thread.start()
        with Fence(Rule(also=frozenset({("127.0.0.1", port)}))) as fence:
            connection, answer = tunnel(fence, f"127.0.0.1:{port}")
            with connection:
                assert answer.startswith(b"HTTP/1.1 200")
                connection.sendall(b"hello")
                assert connection.recv(100) == b"HELLO"
            thread.join(10)
        assert not thread.is_alive()


def test_closing_the_fence_breaks_what_passes_it(mirror: Mirror) -> None:
    fence = Fence(only(mirror))
    connection, answer = tunnel(fence, f"127.0.0.1:{mirror.port}")
    assert b"200" in answer
    fence.close()
    fence.close()
    with connection:
        assert connection.recv(10) == b""


def test_host_that_is_not_there_is_no_refusal() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with Fence(Rule(allow_private=True)) as fence:
        assert get(fence, f"http://127.0.0.1:{port}/")[0] == 502


HEADS = """GET / HTTP/1.1|GET https://x/ HTTP/1.1|GET ftp://x/ HTTP/1.1|CONNECT x HTTP/1.1|CONNECT x:99999 HTTP/1.1
||nonsense|GET http://[::bad/ HTTP/1.1|GET http://ÿ/ HTTP/1.1|GET http:///x HTTP/1.1
|POST http://x/ HTTP/1.1\r\nTransfer-Encoding: chunked|POST http://x/ HTTP/1.1\r\nContent-Length: -5x"""


@pytest.mark.parametrize("head", HEADS.replace("\n|", "|").split("|"))
def test_what_is_not_for_a_proxy_is_answered_with_400(head: str) -> None:
    with Fence(Rule(allow_private=True)) as fence:
        host, _, port = fence.address.partition(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(head.encode("latin-1") + b"\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 400")


def test_many_connections_at_once(mirror: Mirror) -> None:
    async def one(address: str, fence: str) -> bytes:
        host, _, port = fence.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"GET {address} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        return answer

    async def all_of_them(fence: str) -> list[bytes]:
        return await asyncio.gather(*(one(f"{mirror.home}/{n}", fence) for n in range(200)))

    with Fence(only(mirror)) as fence:
        answers = asyncio.run(all_of_them(fence.address))
    assert all(f"GET /{n}\n".encode() in answer for n, answer in enumerate(answers))
