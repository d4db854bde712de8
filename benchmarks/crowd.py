"""Thirty-two people draw at once: how soon after pen-up their bars stand, and whether memory stays flat.

`python benchmarks/crowd.py [--minutes 30]`. Each person draws a digit as the page sends it (demo/static/ask.js): a
280x280 PNG of the ink so far every 120 ms while the pen is down, never two on their way, and not before twice the time
that the last answer took; the finished picture at once when the pen is lifted; then a short look at the bars, clear,
and the next one. Strokes take 0.6 to 1.4 seconds. The clients share the machine with the server, so a figure here is
worse than that of a server alone.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import math
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from PIL import Image, ImageDraw

from benchmarks.load import BOUNDARY, read_answer
from benchmarks.servers import HOST, resident_megabytes, server
from benchmarks.table import Figure, print_table

PEOPLE, PACE, LONGEST, MILLISECONDS, GROWTH = 32, 0.120, 1.0, 400.0, 1.03
LOOK = (0.3, 0.8)  # seconds between two drawings
WARM_SECONDS = 5.0
Point = tuple[float, float]
Stroke = list[Point]


@dataclass
class Told:
    """What the people saw: seconds from pen-up to the answer, of all answers, and what went wrong."""

    pen_up: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def digits() -> list[Stroke]:
    """Some digits as one stroke each, 280 points wide."""
    ring = [(140 + 60 * math.sin(a / 8), 140 - 90 * math.cos(a / 8)) for a in range(52)]
    eight = [(140 + 55 * math.sin(2 * a / 10), 140 - 90 * math.cos(a / 10)) for a in range(64)]
    three = [(110 + 60 * math.sin(a / 9), 95 - 45 * math.cos(a / 9)) for a in range(28)]
    three += [(110 + 65 * math.sin(a / 9), 190 - 50 * math.cos(a / 9)) for a in range(4, 30)]
    corners = {
        "1": [(110, 90), (145, 55), (145, 225)],
        "2": [(90, 100), (110, 60), (170, 60), (185, 105), (90, 220), (200, 220)],
        "4": [(150, 220), (150, 60), (75, 170), (200, 170)],
        "7": [(70, 70), (205, 70), (120, 220)],
    }
    return [ring, eight, three, *(_walked(points) for points in corners.values())]


def _walked(corners: Sequence[Point], steps: int = 16) -> Stroke:
    pairs = pairwise(corners)
    return [(a + (c - a) * i / steps, b + (d - b) * i / steps) for (a, b), (c, d) in pairs for i in range(steps + 1)]


def frames(stroke: Stroke, seconds: float) -> list[bytes]:
    """The requests of one drawing: the ink so far, every PACE, and the whole of it at the end."""
    times = [PACE * number / seconds for number in range(1, int(seconds / PACE) + 1)]
    return [_request(stroke[: max(2, int(len(stroke) * min(1.0, share)))]) for share in [*times, 1.0]]


def _request(stroke: Stroke) -> bytes:
    sheet = Image.new("RGB", (280, 280), "white")
    ImageDraw.Draw(sheet).line(stroke, fill="black", width=16, joint="curve")
    file = io.BytesIO()
    sheet.save(file, "PNG")
    parts = [
        b'Content-Disposition: form-data; name="file"; filename="picture"\r\nContent-Type: image/png\r\n\r\n'
        + file.getvalue(),
        b'Content-Disposition: form-data; name="seen"\r\n\r\n1',
    ]
    edge = f"--{BOUNDARY}".encode()
    body = b"".join(edge + b"\r\n" + part + b"\r\n" for part in parts) + edge + b"--\r\n"
    head = f"POST /predict/ HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
    return head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


class Person:
    """One visitor with two connections, as a browser has: the last picture need not wait for the one before."""

    def __init__(self, port: int, told: Told) -> None:
        self._port, self._told = port, told
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._open: set[asyncio.Task[float]] = set()
        self._next = 0.0  # when the server may be asked again

    async def draw(self, requests: Sequence[bytes]) -> None:
        """One drawing at the page's pace."""
        begun = time.perf_counter()
        for number, request in enumerate(requests[:-1], 1):
            await asyncio.sleep(max(0.0, begun + number * PACE - time.perf_counter()))
            if not self._open and time.perf_counter() >= self._next:
                task = asyncio.create_task(self._ask(request))
                self._open.add(task)
                task.add_done_callback(self._open.discard)
        self._told.pen_up.append(await self._ask(requests[-1]))

    async def leave(self) -> None:
        """Waits for what is on its way, and closes."""
        await asyncio.gather(*self._open)
        for _, writer in self._free:
            writer.close()

    async def _ask(self, request: bytes) -> float:
        sent = time.perf_counter()
        try:
            await self._asked(request)
        except (OSError, EOFError, RuntimeError) as error:
            self._told.errors.append(f"{type(error).__name__}: {error}"[:200])
        seconds = time.perf_counter() - sent
        self._next = sent + min(LONGEST, 2 * seconds)
        self._told.answers.append(seconds)
        return seconds

    async def _asked(self, request: bytes) -> None:
        """Over a kept connection; one that the server has closed meanwhile is replaced, as a browser does."""
        while True:
            kept = bool(self._free)
            reader, writer = self._free.pop() if kept else await asyncio.open_connection(HOST, self._port)
            try:
                writer.write(request)
                await read_answer(reader)
            except (ConnectionError, asyncio.IncompleteReadError) as error:
                writer.close()
                if kept and not getattr(error, "partial", b""):
                    continue
                raise
            self._free.append((reader, writer))
            return


async def crowd(port: int, drawings: Sequence[Sequence[bytes]], seconds: float, people: int) -> Told:
    """People who draw until the time is over; they start one after the other within a second."""
    told = Told()
    end = time.perf_counter() + seconds

    async def live(number: int) -> None:
        chance = random.Random(number)
        person = Person(port, told)
        await asyncio.sleep(chance.random())
        while time.perf_counter() < end:
            await person.draw(chance.choice(drawings))
            await asyncio.sleep(chance.uniform(*LOOK))
        await person.leave()

    await asyncio.gather(*(live(number) for number in range(people)))
    return told


def measure(arguments: list[str], minutes: float, people: int) -> list[Figure]:
    """The figures; memory is taken after a warm start and after each minute."""
    chance = random.Random(0)
    drawings = [frames(stroke, chance.uniform(0.6, 1.4)) for stroke in digits() for _ in range(3)]
    whole, sizes = Told(), []
    with server(["app.py", *arguments]) as (port, process):
        asyncio.run(crowd(port, drawings, WARM_SECONDS, people))
        sizes.append(resident_megabytes(process))
        left = minutes * 60
        while left > 0:
            part = asyncio.run(crowd(port, drawings, min(60.0, left), people))
            left -= 60
            sizes.append(resident_megabytes(process))
            for name in ("pen_up", "answers", "errors"):
                getattr(whole, name).extend(getattr(part, name))
            print(f"{len(whole.answers)} answers, {sizes[-1]:.0f} MB", file=sys.stderr, flush=True)
    return figures(whole, sizes, minutes, people)


def figures(told: Told, sizes: Sequence[float], minutes: float, people: int) -> list[Figure]:
    """The table's rows."""
    middle, late = 1000 * median(told.pen_up), 1000 * quantiles(told.pen_up, n=20)[-1]
    rows = [
        Figure(
            f"{people} people, pen-up to answer: median (95 %)",
            f"{middle:.0f} ms ({late:.0f} ms)",
            f"95 % ≤ {MILLISECONDS:.0f} ms",
            late <= MILLISECONDS,
        ),
        Figure("errors", f"{len(told.errors)} of {len(told.answers)}", "none", not told.errors),
        Figure("answers a second", f"{len(told.answers) / minutes / 60:.0f}"),
    ]
    if told.errors:
        print("\n".join(sorted(set(told.errors))[:10]), file=sys.stderr)
    if len(sizes) < 3:
        return rows
    flat = sizes[-1] <= GROWTH * sizes[1]
    grown = f"{sizes[0]:.0f}, {sizes[1]:.0f} → {sizes[-1]:.0f} MB (most {max(sizes):.0f})"
    return [*rows, Figure(f"memory: start, minute 1 → {len(sizes) - 1}", grown, "+ 3 % at most", flat)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="name or folder of a bundle (all bundled ones otherwise)")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--people", type=int, default=PEOPLE)
    options = parser.parse_args()
    arguments = ["--model", options.model] if options.model else []
    sys.exit(not print_table("A crowd draws", measure(arguments, options.minutes, options.people)))
