"""A small HTTP client that costs little beside the server it measures: requests made beforehand, kept-open sockets.

A general client (httpx, requests) needs more time for one call than the route it would measure.
"""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from benchmarks.servers import HOST

BOUNDARY = "picture"


@dataclass(frozen=True)
class Load:
    """`clients` connections ask one after the other until `count` answers are in or `seconds` are over."""

    port: int
    path: str
    clients: int
    count: int
    seconds: float


def canvas_pictures(number: int = 16) -> list[bytes]:
    """280x280 PNGs as the demo's canvas makes them: dark ink on white, real handwriting (scikit-learn's digits)."""
    from sklearn.datasets import load_digits

    pictures = []
    for digit in load_digits().images[:number]:
        ink = Image.fromarray((255 - digit * (255 / 16)).astype(np.uint8)).resize((200, 200), Image.Resampling.BICUBIC)
        canvas = Image.new("RGB", (280, 280), "white")
        canvas.paste(ink, (40, 40))
        file = io.BytesIO()
        canvas.save(file, "PNG")
        pictures.append(file.getvalue())
    return pictures


def upload(path: str, picture: bytes) -> bytes:
    """The whole request: one multipart field `file`."""
    disposition = 'form-data; name="file"; filename="canvas.png"'
    head = f"--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\nContent-Type: image/png\r\n\r\n"
    body = head.encode() + picture + f"\r\n--{BOUNDARY}--\r\n".encode()
    lines = (
        f"POST {path} HTTP/1.1",
        f"Host: {HOST}",
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join((*lines, "", "")).encode() + body


def run_load(load: Load, pictures: Sequence[bytes]) -> tuple[list[float], float]:
    """Seconds of each answer, and of the whole; raises when an answer is not a 200."""
    return asyncio.run(_run(load, [upload(load.path, picture) for picture in pictures]))


async def _run(load: Load, requests: Sequence[bytes]) -> tuple[list[float], float]:
    times: list[float] = []
    start = time.perf_counter()

    async def client(first: int) -> None:
        reader, writer = await asyncio.open_connection(HOST, load.port)
        turn = first
        # An answer that is on its way counts, so `clients - 1` more than `count` may come in.
        while len(times) < load.count and time.perf_counter() - start < load.seconds:
            sent = time.perf_counter()
            writer.write(requests[turn % len(requests)])
            await read_answer(reader)
            times.append(time.perf_counter() - sent)
            turn += 1
        writer.close()

    await asyncio.gather(*(client(number) for number in range(load.clients)))
    return times, time.perf_counter() - start


async def read_answer(reader: asyncio.StreamReader) -> bytes:
    """The body of one answer; raises `RuntimeError` when it is not a 200."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = int(head.split("content-length:")[1].split("\r\n")[0])
    body = await reader.readexactly(length)
    if " 200 " not in head.split("\r\n")[0]:
        raise RuntimeError(f"{head.splitlines()[0]}: {body[:200]!r}")
    return body
