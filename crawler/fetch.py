"""The one client: pictures, robots.txt and the answers of APIs, asynchronously, from checked addresses only.

Every hop of a redirect is an address like any other: its scheme, host, robots.txt and place in the queue of its host
are looked at again. No server can hold a download for ever, fill the memory, or lead it inside our network.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import TracebackType
from urllib.parse import unquote_to_bytes, urlsplit

import aiohttp
from yarl import URL

from crawler.addresses import PORTS, Refusal, Resolver, Rule, joined, normal, system_resolver
from crawler.answers import Body, Limits, decoded, refusal_of, wait_asked
from crawler.connections import Gates, check_literal, connector
from crawler.robots import LARGEST, TDM, Remembered, Reservations, Robots, check_headers, check_page
from curation.records import Reason

HOPS = 8  # redirects of one address
REDIRECTS = frozenset({301, 302, 303, 307, 308})
LARGEST_JSON = 8 * 2**20
TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
USER_AGENT = "HandWriter/0.1 (image dataset crawler{contact})"


@dataclass(frozen=True)
class FetchSettings:
    """How pictures are fetched. Times in seconds, sizes in bytes, `min_rate` in bytes a second after `grace`."""

    concurrency: int = 64
    per_host: int = 4
    connect: float = 10
    idle: float = 15  # without a byte
    deadline: float = 60  # of one attempt
    min_rate: float = 2000
    grace: float = 5
    max_bytes: int = 20 * 2**20
    retries: int = 3
    back_off: float = 0.5  # before the first retry; doubled for each further one
    longest_wait: float = 30  # that a Retry-After may ask for
    rule: Rule = field(default_factory=Rule)
    obey_robots: bool = True
    obey_opt_out: bool = True
    check_pages: bool = False  # ask for the page of each picture, too, and obey its meta tags
    contact: str = ""  # an address or page, so that sites can reach whoever crawls

    def limits(self, largest: int, cut: bool = False) -> Limits:
        """What one answer may be."""
        return Limits(largest, self.min_rate, self.grace, cut)


@dataclass(frozen=True)
class Fetched:
    """A picture's bytes as they came, and the address they came from in the end."""

    data: bytes
    address: str


@dataclass(frozen=True)
class _Wish:
    """What is asked of a server; `picture` and `page` bring the rules of robots and opting out with them."""

    headers: Mapping[str, str]
    largest: int
    picture: bool = False
    page: bool = False
    cut: bool = False  # the beginning is enough


class _Again(Exception):  # noqa: N818 - not the end yet
    """Worth another try, after so many seconds; `refusal` is what it means when there is none."""

    def __init__(self, refusal: Refusal, wait: float | None = None, body: Body | None = None) -> None:
        super().__init__(str(refusal))
        self.refusal, self.wait, self.body = refusal, wait, body

    @property
    def means_the_host(self) -> bool:
        """Too much was asked of the host as a whole, so nobody should ask it for a while."""
        status = self.body.status if self.body else 0
        return status == 429 or (status == 503 and self.wait is not None)

    @property
    def host(self) -> str:
        """That of the answer, after redirects."""
        return urlsplit(self.body.address).netloc if self.body else ""


class Client:
    """An async context manager; one for a whole crawl."""

    def __init__(self, settings: FetchSettings = FetchSettings(), resolver: Resolver = system_resolver) -> None:
        self.settings = settings
        contact = f"; {settings.contact}" if settings.contact else ""
        self.user_agent = USER_AGENT.format(contact=contact)
        self._resolver = resolver
        self._gates = Gates(settings.concurrency, settings.per_host, settings.longest_wait)
        self._robots = Robots(self._robots_txt)
        self._reservations = Reservations(self._reserved)
        self._pages = Remembered(self._page)

    async def __aenter__(self) -> Client:
        settings = self.settings
        times = aiohttp.ClientTimeout(total=None, sock_connect=settings.connect, sock_read=settings.idle)
        self._http = aiohttp.ClientSession(
            connector=connector(settings.rule, self._resolver),
            timeout=times,
            headers={"User-Agent": self.user_agent, "Accept-Encoding": "identity"},
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for asked in (self._robots, self._reservations, self._pages):
            await asked.close()
        await self._http.close()

    async def picture(self, address: str, referer: str = "") -> Fetched:
        """The bytes behind an address; raises `Refusal` with the reason when they cannot or may not be had."""
        address = normal(address)
        if address.startswith("data:"):
            return Fetched(_inline(address, self.settings.max_bytes), address)
        headers = {"Accept": "image/*,*/*;q=0.5"} | _referer(referer)
        if self.settings.obey_opt_out and self.settings.check_pages and (page := headers.get("Referer")):
            check_page(await self._pages.get(page))
        body = await self._persistent(address, _Wish(headers, self.settings.max_bytes, picture=True))
        return Fetched(body.data, body.address)

    async def json(self, address: str, headers: Mapping[str, str]) -> tuple[int, str]:
        """The status and text of an API's answer, whatever the status; raises `Refusal` when there is none."""
        once_more = replace(self.settings, retries=1)  # an API that is asked again and again blocks for longer
        body = await self._persistent(normal(address), _Wish(headers, LARGEST_JSON), once_more)
        return body.status, body.data.decode("utf-8", "replace")

    async def _robots_txt(self, address: str) -> tuple[int, str]:
        wish = _Wish({"Accept": "text/plain"}, LARGEST, cut=True)
        try:
            body = await self._persistent(address, wish, replace(self.settings, retries=1, deadline=self.settings.idle))
        except Refusal as refusal:
            # One that only points to itself, say, is there, but says nothing to us.
            return (0 if refusal.reason in (Reason.UNREACHABLE, Reason.TIMEOUT, Reason.TOO_SLOW) else 404), ""
        return body.status, body.data.decode("utf-8", "replace")

    async def _reserved(self, address: str) -> tuple[int, str]:
        """The host's file of reservations; nobody waits for it long, for most hosts have none."""
        wish = _Wish({"Accept": "application/json"}, LARGEST)
        try:
            body = await self._persistent(address, wish, replace(self.settings, retries=0, deadline=self.settings.idle))
        except Refusal:
            return 0, ""
        return body.status, body.data.decode("utf-8-sig", "replace")

    async def _page(self, address: str) -> str:
        """The beginning of a page, where its meta tags are; empty when it cannot or may not be had."""
        wish = _Wish({"Accept": "text/html,*/*;q=0.1"}, LARGEST, page=True, cut=True)
        try:
            body = await self._persistent(address, wish, replace(self.settings, retries=0, deadline=self.settings.idle))
        except Refusal:
            return ""
        return body.data.decode("utf-8", "replace") if body.status == 200 else ""

    async def _persistent(self, address: str, wish: _Wish, settings: FetchSettings | None = None) -> Body:
        """The answer, tried again with growing patience while a server is only busy."""
        settings = settings or self.settings
        for attempt in range(settings.retries + 1):
            try:
                return await self._followed(address, wish, settings)
            except _Again as again:
                wait = settings.back_off * 2**attempt if again.wait is None else again.wait
                if wish.picture and again.means_the_host:
                    self._gates.leave_alone(again.host, wait)
                if attempt == settings.retries or wait > settings.longest_wait:
                    if again.body and not wish.picture:
                        return again.body  # to an API, "too many requests" is an answer
                    raise again.refusal from again
                await asyncio.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    async def _followed(self, address: str, wish: _Wish, settings: FetchSettings) -> Body:
        """The answer at the end of the redirects."""
        seen = {address}
        for _ in range(HOPS + 1):
            body = await self._asked(address, wish, settings)
            if body.status not in REDIRECTS or not body.location:
                return body
            address = joined(address, body.location)
            if address.startswith("data:"):
                raise Refusal(Reason.UNSUPPORTED_SCHEME, "redirected to data:")
            if address in seen:
                raise Refusal(Reason.REDIRECT_LOOP, f"comes back to {address[:200]}")
            seen.add(address)
        raise Refusal(Reason.REDIRECT_LOOP, f"more than {HOPS} redirects")

    async def _asked(self, address: str, wish: _Wish, settings: FetchSettings) -> Body:
        """One hop: the rules first, then one request when host and client have a place free."""
        parts = urlsplit(address)
        check_literal(parts.hostname or "", parts.port or PORTS[parts.scheme], settings.rule)
        if wish.picture:
            self._check_quiet(parts.netloc)
        if (wish.picture or wish.page) and settings.obey_robots:
            await self._robots.check(address)
        reserved = wish.picture and settings.obey_opt_out and await self._reservations.reserved(address)
        async with self._gates.passed(parts.netloc):
            try:
                async with asyncio.timeout(settings.deadline):
                    return await self._request(address, wish, settings, reserved)
            except aiohttp.ClientPayloadError as error:
                raise _Again(Refusal(Reason.TRUNCATED, "the connection ended early")) from error
            except TimeoutError as error:
                raise Refusal(Reason.TIMEOUT, "no answer in time") from error
            except (aiohttp.ClientError, OSError, ValueError) as error:
                raise refusal_of(error, _Again) from error

    def _check_quiet(self, host: str) -> None:
        """A host that asked for more patience than we have is not asked for each of its pictures."""
        seconds = self._gates.quiet(host)
        if seconds > self.settings.longest_wait:
            raise Refusal(Reason.HTTP_ERROR, f"the host asked to be left alone for {seconds:.0f} s more")

    async def _request(self, address: str, wish: _Wish, settings: FetchSettings, reserved: bool) -> Body:
        started = time.monotonic()
        # yarl must not encode again what `normal` has encoded.
        target = URL(address, encoded=True)
        async with self._http.get(target, headers=wish.headers, allow_redirects=False) as answer:
            if answer.status in REDIRECTS:
                return Body(answer.status, b"", address, answer.headers.get("Location", ""))
            if answer.status in TRY_AGAIN:
                detail = f"the server answers {answer.status}"
                wait = wait_asked(answer.headers.get("Retry-After"))
                raise _Again(Refusal(Reason.HTTP_ERROR, detail), wait, Body(answer.status, b"", address))
            if wish.picture:
                self._check_answer(answer, settings, reserved)
            limits = settings.limits(wish.largest, wish.cut)
            data = await decoded(answer, limits, started)
            if wish.picture and settings.obey_opt_out and answer.content_type == "text/html":
                check_page(data[:LARGEST].decode("utf-8", "replace"))  # a page in a picture's place
            return Body(answer.status, data, address)

    @staticmethod
    def _check_answer(answer: aiohttp.ClientResponse, settings: FetchSettings, reserved: bool) -> None:
        if answer.status in (404, 410):
            raise Refusal(Reason.NOT_FOUND, f"the server answers {answer.status}")
        if answer.status != 200:
            raise Refusal(Reason.HTTP_ERROR, f"the server answers {answer.status}")
        if settings.obey_opt_out:
            tags, reservations = (answer.headers.getall(name, ()) for name in ("X-Robots-Tag", TDM))
            check_headers(tags, reservations, reserved)


def _referer(page: str) -> dict[str, str]:
    """As a header, without what no other host needs to know: fragment, name and password."""
    try:
        return {"Referer": normal(page)} if page[:4].lower() == "http" else {}
    except Refusal:
        return {}


def _inline(address: str, largest: int) -> bytes:
    """The bytes of a `data:` address."""
    head, comma, text = address.partition(",")
    if not comma or not head.lower().startswith("data:image/"):
        raise Refusal(Reason.NOT_AN_IMAGE, f"{head[:60]} holds no picture")
    if len(text) > largest * 4 // 3 + 4:
        raise Refusal(Reason.TOO_LARGE, f"{len(text)} characters")
    raw = unquote_to_bytes(text)
    if not head.lower().endswith(";base64"):
        return raw
    try:
        return base64.b64decode(b"".join(raw.split()) + b"=" * (-len(raw) % 4))
    except binascii.Error as error:
        raise Refusal(Reason.NOT_AN_IMAGE, f"no valid base64: {error}") from error
