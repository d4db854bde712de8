"""Asks the imitated engines as the crawler does, and keeps what was found: the ground of `test_crawl_engines*`."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from queue import LifoQueue
from typing import Any

import pytest

from crawler import api_search, page_search
from crawler.addresses import Rule
from crawler.browser import Session, Settings
from crawler.engines import engine as engine_named
from crawler.fence import fenced
from crawler.fetch import Client, FetchSettings
from crawler.order import Order, Outcome
from crawler.page_gate import Pace
from curation.records import Found, Job
from tests.browser import BROWSERS, program
from tests.engine_site import EngineSite, Manner
from tests.picture_host import PictureHost

QUICK = Pace(settle=1.5, patience=2.2, consent=5)  # less, and a busy machine looks like the end of a page
AT_ONCE = replace(QUICK, settle=0.3)  # for pages to which nothing comes later
HERMETIC = Settings(host_rules="MAP * ~NOTFOUND , EXCLUDE 127.0.0.1")


@dataclass
class Search:
    """What came of one question."""

    outcome: Outcome
    batches: Sequence[Sequence[Found]]

    @property
    def found(self) -> list[Found]:
        return [found for batch in self.batches for found in batch]

    @property
    def addresses(self) -> list[str]:
        return [found.address for found in self.found]


@dataclass
class World:
    """The imitated engines, a host of pictures, and browsers: as many searches go on side by side."""

    site: EngineSite
    pictures: PictureHost
    sessions: Sequence[Session]

    def __post_init__(self) -> None:
        self._free: LifoQueue[Session] = LifoQueue()  # the second browser is started when two are needed
        for session in reversed(self.sessions):
            self._free.put(session)

    def ask_each(self, questions: Mapping[str, str], **order: Any) -> dict[str, Search]:
        """A question for each engine, side by side; most of their time is spent waiting whether more comes."""
        with ThreadPoolExecutor(len(self.sessions)) as threads:
            searches = threads.map(lambda asked: self.ask(*asked, **order), questions.items())
            return dict(zip(questions, searches, strict=True))

    def ask(self, engine: str, query: str, want: int = 1000, pace: Pace = QUICK, **order: Any) -> Search:
        """One keyword at one engine, until `want` addresses were found."""
        batches: list[Sequence[Found]] = []

        def take(found: Sequence[Found]) -> bool:
            batches.append(list(found))
            return sum(map(len, batches)) < want

        told = Order(Job(query, query, engine), order.pop("home", self.site.home), want=want, **order)
        if not engine_named(engine).needs_browser:
            return Search(asyncio.run(api_asked(engine, told, take)), batches)
        session = self._free.get()
        try:
            outcome = page_search.search(session, engine_named(engine), told, take, pace)  # type: ignore[arg-type]
        finally:
            self._free.put(session)
        return Search(outcome, batches)

    def expected(self, engine: str, query: str) -> list[str]:
        return self.site.expected(engine, query)

    def last(self, path: str) -> Mapping[str, str]:
        """The parameters with which a path was asked for last."""
        return self.site.asked(path)[-1].query

    def fresh(self) -> None:
        """No cookies, no captcha solved, and nothing counted yet."""
        self.site.forget()
        self.pictures.forget()
        for session in self.sessions:
            if session.starts:
                session.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})  # type: ignore[attr-defined]


async def api_asked(engine: str, order: Order, take: Any) -> Outcome:
    settings = FetchSettings(rule=Rule(allow_private=True), retries=1, back_off=0.01, longest_wait=0.05)
    async with Client(settings) as client:
        return await api_search.search(client, engine_named(engine), order, take)  # type: ignore[arg-type]


@contextmanager
def world(settings: Settings = HERMETIC, browsers: int = 1) -> Iterator[World]:
    """All of it, for as long as the block lasts."""
    program(BROWSERS)
    with ExitStack() as stack:
        pictures = stack.enter_context(PictureHost())
        site = stack.enter_context(EngineSite(pictures, Manner(slow=1.5)))
        yield World(site, pictures, [stack.enter_context(Session(settings)) for _ in range(browsers)])


@contextmanager
def world_at_real_names(names: Sequence[str], folder: Path) -> Iterator[World]:
    """The engines at their real addresses: the fence leads these names to the local site, with TLS."""
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate(folder))
    with PictureHost() as pictures, EngineSite(pictures, tls=context) as site:
        hosts = {f"{name}:443": f"127.0.0.1:{site.port}" for name in names}
        settings = Settings(flags=("--ignore-certificate-errors",))
        with fenced(settings, Rule(), hosts) as inside, Session(inside) as session:
            yield World(site, pictures, [session])


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate and its key."""
    chain, key = folder / "chain.pem", folder / "key.pem"
    subject = ["-subj", "/CN=engines.test", "-days", "2"]
    command = [program(["openssl"]), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key)]
    made = subprocess.run([*command, "-out", str(chain), *subject], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("openssl makes no certificate")
    return chain, key
