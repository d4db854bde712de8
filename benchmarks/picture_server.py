"""A quick server of JPEGs for `downloads.py`, in a process of its own: `python benchmarks/picture_server.py`.

It serves the same bytes from memory for ever: 2000 different files of about 182 kB, `/0.jpg` …, with keep-alive. A
path that begins with `/slow/` waits 50 to 350 ms first, the same for the same number. It prints its port.
"""

from __future__ import annotations

import asyncio
import random
import struct
from io import BytesIO
from typing import cast

import numpy as np
from PIL import Image

DIFFERENT, PICTURES = 2000, 50
SIZE, QUALITY = (1024, 768), 89  # with the noise below: 182 kB on average, as photographs of this size have
LATENCY = (0.05, 0.35)  # seconds


def photograph(seed: int) -> bytes:
    """A JPEG that is about as hard to decode as a photograph: smooth shapes with fine grain."""
    random_ = np.random.default_rng(seed)
    coarse = Image.fromarray(random_.integers(0, 256, (12, 16, 3), np.uint8)).resize(SIZE, Image.Resampling.BICUBIC)
    middle = Image.fromarray(random_.integers(0, 256, (192, 256, 3), np.uint8)).resize(SIZE, Image.Resampling.BICUBIC)
    out = BytesIO()
    Image.blend(coarse, middle, 0.22).save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def numbered(picture: bytes, number: int) -> bytes:
    """The picture with a comment that makes its bytes different from all others."""
    comment = f"number {number}".encode()
    return picture[:2] + b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment + picture[2:]


class Pictures(asyncio.Protocol):
    """One connection."""

    files: tuple[bytes, ...] = ()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remembers where answers go."""
        self.transport = cast(asyncio.Transport, transport)
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        """Answers every request that is whole."""
        self.buffer += data
        while b"\r\n\r\n" in self.buffer:
            head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode()
            if not path.endswith(".jpg"):
                self.transport.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                continue
            number = int(path.rpartition("/")[2].removesuffix(".jpg"))
            if path.startswith("/slow/"):
                wait = random.Random(number).uniform(*LATENCY)
                asyncio.get_running_loop().call_later(wait, self.answer, number)
            else:
                self.answer(number)

    def answer(self, number: int) -> None:
        """Sends a picture."""
        body = self.files[number % DIFFERENT]
        if number >= DIFFERENT:  # another picture again, so that none is a duplicate
            body = numbered(body, number)
        head = f"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        self.transport.write(head)
        self.transport.write(body)


async def main() -> None:
    """Serves until it is killed."""
    pictures = [photograph(seed) for seed in range(PICTURES)]
    Pictures.files = tuple(numbered(pictures[number % PICTURES], number) for number in range(DIFFERENT))
    server = await asyncio.get_running_loop().create_server(Pictures, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], sum(map(len, Pictures.files)) // DIFFERENT, flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
