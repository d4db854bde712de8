"""Runs `python crawler` against a local engine site and picture host: inside the tests' process, or as its users do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.called import ROOT, called
from tests.engine_site import EngineSite, Manner
from tests.picture_host import PictureHost, Robots

ALLOWED = ("--allow-private",)
PLAIN = {"NO_COLOR": "1", "COLUMNS": "120", "TERM": "dumb"}


@dataclass(frozen=True)
class World:
    """A site with all engines and the host of its pictures."""

    site: EngineSite
    host: PictureHost

    def engine_urls(self) -> list[str]:
        """The options that lead every engine here."""
        return [word for name, url in self.site.urls().items() for word in ("--engine-url", f"{name}={url}")]

    def expected(self, engine: str, *queries: str) -> set[str]:
        """The picture addresses that a perfect reader finds, as they are asked for."""
        return {address for query in queries for address in self.site.expected(engine, query)}


@contextmanager
def world(manner: Manner | None = None, robots: Robots | None = None, latency: float = 0) -> Iterator[World]:
    """Both servers, for as long as the block lasts."""
    with ExitStack() as stack:
        host = stack.enter_context(PictureHost(robots or Robots(), latency=latency))
        yield World(stack.enter_context(EngineSite(host, manner or Manner())), host)


@dataclass(frozen=True)
class Done:
    """What a run came to."""

    code: int
    out: str
    said: str

    @property
    def summary(self) -> dict[str, Any]:
        """The JSON on standard output."""
        document: dict[str, Any] = json.loads(self.out)
        return document


def command(words: Sequence[str | Path]) -> list[str]:
    return [sys.executable, str(ROOT / "crawler"), *map(str, words)]


def environment() -> dict[str, str]:
    return {**os.environ, **PLAIN}


def crawl(words: Sequence[str | Path], folder: Path = ROOT) -> Done:
    """Runs the command to its end, without the start of a program."""
    done = called("crawler", *words, environment=PLAIN, folder=folder)
    return Done(done.returncode, done.stdout, done.stderr)


def program(words: Sequence[str | Path], seconds: float = 120) -> Done:
    """Runs the command to its end in a process of its own."""
    done = subprocess.run(
        command(words), capture_output=True, text=True, timeout=seconds, env=environment(), check=False
    )
    return Done(done.returncode, done.stdout, done.stderr)


def started(words: Sequence[str | Path], log: Path) -> subprocess.Popen[bytes]:
    """The command at work in a process of its own, with what it says in a file."""
    with log.open("ab") as output:
        return subprocess.Popen(command(words), stdout=output, stderr=output, env=environment(), start_new_session=True)
