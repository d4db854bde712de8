"""A local site that behaves like the image searches, at their real paths: for `--engine-url NAME=http://…`.

It imitates what the engines do, not what our readers expect: after captures told by public programs and the traps that
their users report. Words in the query choose the behaviour (`engine_scene.WORDS`): "cat 200 pictures hover", "cat
consent", "cat sorry"; `Manner.always` adds words to every query. What people do in a browser counts only when
`event.isTrusted`. Every request is recorded (see `LoopbackSite`).
"""

from __future__ import annotations

import ssl
import threading
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from tests import engine_apis as apis
from tests import engine_pages_bing as bing
from tests import engine_pages_duckduckgo as duckduckgo
from tests import engine_pages_google as google
from tests import engine_pages_naver as naver
from tests.engine_scene import Scene, number_in, picture_path, pictures_for, words_of
from tests.loopback_site import LoopbackSite, Request, Wire
from tests.picture_host import PictureHost

HTML = {"Content-Type": "text/html; charset=UTF-8"}
ENGINES = ("google", "naver", "bing", "duckduckgo", "openverse", "commons")


@dataclass(frozen=True)
class Manner:
    """How the site behaves towards everybody."""

    count: int = 60  # pictures a query, unless it says "… N pictures"
    first: int = 100  # of them in Google's page itself; the others come by scrolling
    wait: float = 0  # seconds before every answer
    slow: float = 3  # seconds when the query says "slow"
    always: str = ""  # words added to every query
    hostile: Sequence[str] = ("half", "html", "empty", "status/404", "pixel")  # for queries that say "hostile"
    shared: int = 0  # every so-manieth picture is the same at all engines, as it is in life


class EngineSite(LoopbackSite):
    """The engines. `consents` tells what was answered to consent pages; `solve()` stands for a person and a captcha."""

    def __init__(
        self,
        pictures: PictureHost,
        manner: Manner = Manner(),
        *,
        address: str = "127.0.0.1",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(address, tls)
        self.pictures = pictures
        self.manner = manner
        self.consents: list[str] = []
        self._solved = threading.Event()

    def solve(self) -> None:
        """A person has answered the captchas."""
        self._solved.set()

    def forget(self) -> None:
        """Counts anew; nobody has answered anything yet."""
        super().forget()
        self.consents.clear()
        self._solved.clear()

    def urls(self) -> dict[str, str]:
        """For `--engine-url`: every engine is here."""
        return dict.fromkeys(ENGINES, self.home)

    def expected(self, engine: str, query: str) -> list[str]:
        """The addresses, in order, that a perfect reader finds."""
        return [shown.address for shown in self.scene(engine, query).pictures]

    def scene(self, engine: str, query: str) -> Scene:
        """What an engine has for a query."""
        words = words_of(query, self.manner.always)
        count = 0 if "empty" in words else number_in(query, self.manner.count)

        def address(n: int) -> str:
            return self._address(engine, query, n, words)

        return Scene(engine, query, words, pictures_for(engine, query, count, address), self.pictures.home)

    def _address(self, engine: str, query: str, n: int, words: frozenset[str]) -> str:
        manner = self.manner
        if "hostile" in words:
            kind = manner.hostile[n % len(manner.hostile)]
            return self.pictures.url(f"/{kind}/{zlib.crc32(f'{engine} {query}'.encode())}{n}.jpg")
        if manner.shared and n % manner.shared == 0:
            engine = "everywhere"
        return self.pictures.home + picture_path(engine, query, n, "escaped" in words)

    def respond(self, request: Request, wire: Wire) -> None:
        """Answers by the path."""
        if self.manner.wait and not wire.wait(self.manner.wait):
            return
        route = ROUTES.get(request.path)
        if route:
            route(self, request, wire)
        else:
            wire.send(404, HTML, b"<title>Error 404 (Not Found)!!1</title>")

    def ask(self, engine: str, query: str, wire: Wire) -> Scene | None:
        """The scene for a search; None when that was already the whole answer."""
        scene = self.scene(engine, query)
        if scene.has("slow") and not wire.wait(self.manner.slow):
            return None
        if scene.has("endless") and not wire.wait(0.4):  # or a page that grows for ever would grow beyond all measure
            return None
        if scene.has("stuck"):
            wire.close()
            wire.head(200, HTML)
            wire.raw(b"<!doctype html><title>...</title><p>")
            while wire.wait(0.2) and not wire.gone():
                pass
            return None
        if scene.has("500"):
            wire.send(500, HTML, b"<title>Error 500 (Server Error)!!1</title><p>500. That's an error.")
            return None
        return scene

    # Google

    def google(self, request: Request, wire: Wire) -> None:
        scene = self.ask("google", request.query.get("q", ""), wire)
        if scene is None:
            return
        target = request.target
        if scene.has("429"):
            wire.send(429, HTML, google.TOO_MANY.encode())
        elif scene.has("sorry") or (scene.has("captcha") and not self._solved.is_set()):
            wire.send(302, {"Location": "/sorry/index?" + urlencode({"continue": home_of(request) + target})}, b"")
        elif scene.has("consent") and "SOCS=" not in request.cookies:
            asked = {"continue": home_of(request) + target, "gl": "DE", "m": "0", "pc": "srp", "hl": "en", "src": "1"}
            consent_host = "https://consent.google.com" if is_real(request) else ""
            wire.send(302, {"Location": f"{consent_host}/m?{urlencode(asked)}"}, b"")
        elif "async" in request.query:
            answer = google.more(scene, int(request.query.get("start", "0")))
            wire.send(200, {"Content-Type": "application/json; charset=UTF-8"}, answer.encode())
        else:
            wire.send(200, HTML, google.page(scene, self.manner.first, "SOCS=" in request.cookies).encode())

    def google_sorry(self, request: Request, wire: Wire) -> None:
        status = 200 if self._solved.is_set() else 429
        wire.send(status, HTML, google.sorry(request.query.get("continue", "/")).encode())

    def google_consent(self, request: Request, wire: Wire) -> None:
        wire.send(200, HTML, google.consent(request.query.get("continue", "/")).encode())

    def google_save(self, request: Request, wire: Wire) -> None:
        answers = Request("GET", "/?" + request.body.decode(), request.headers, 1).query
        self._note("reject" if answers.get("set_eom") == "true" else "accept")
        domain = "; Domain=.google.com; Secure; SameSite=None" if is_real(request) else ""
        cookie = f"SOCS=CAESHAgB; Path=/{domain}"
        wire.send(303, [("Set-Cookie", cookie), ("Location", answers.get("continue", "/"))], b"")

    def choice(self, request: Request, wire: Wire) -> None:
        """What was pressed in a consent dialog that lies over a page."""
        self._note(request.query.get("choice", ""))
        wire.send(204, {}, b"")

    def _note(self, answer: str) -> None:
        self.consents.append(answer)

    def status(self, request: Request, wire: Wire) -> None:
        """Whether the captcha is solved; the imitated page asks, in place of a person who types."""
        wire.send(200, {"Content-Type": "text/plain"}, b"yes" if self._solved.is_set() else b"no")

    # The others

    def naver(self, request: Request, wire: Wire) -> None:
        scene = self.ask("naver", request.query.get("query", ""), wire)
        if scene is None:
            return
        if scene.has("429"):
            wire.send(429, HTML, b"<title>429 Too Many Requests</title>")
        elif scene.has("sorry", "captcha") and not self._solved.is_set():
            wire.send(403, HTML, naver.BLOCKED.encode())
        else:
            wire.send(200, HTML, naver.page(scene, int(request.query.get("start") or 1)).encode())

    def bing(self, request: Request, wire: Wire) -> None:
        scene = self.ask("bing", request.query.get("q", ""), wire)
        if scene is None:
            return
        if scene.has("429"):
            wire.send(429, HTML, b"<h2>Our services aren't available right now</h2>")
        elif scene.has("sorry", "captcha") and not self._solved.is_set():
            wire.send(200, HTML, bing.challenge(scene).encode())
        elif request.path == "/images/async":
            wire.send(200, HTML, bing.more(scene, int(request.query.get("first") or 1)).encode())
        else:
            consented = "BCP=" in request.cookies
            wire.send(200, HTML, bing.page(scene, int(request.query.get("first") or 1), consented).encode())

    def duckduckgo(self, request: Request, wire: Wire) -> None:
        scene = self.ask("duckduckgo", request.query.get("q", ""), wire)
        if scene is None:
            return
        if scene.has("429"):
            wire.send(429, HTML, b"<title>429 Too Many Requests</title>")
        elif scene.has("sorry", "captcha") and not self._solved.is_set():
            wire.send(202, HTML, duckduckgo.anomaly(scene).encode())
        else:
            wire.send(200, HTML, duckduckgo.page(scene).encode())

    def duckduckgo_json(self, request: Request, wire: Wire) -> None:
        scene = self.ask("duckduckgo", request.query.get("q", ""), wire)
        if scene is None:
            return
        status, text = duckduckgo.results(scene, request.query)
        wire.send(status, {"Content-Type": "application/x-javascript"}, text.encode())

    def openverse(self, request: Request, wire: Wire) -> None:
        scene = self.ask("openverse", request.query.get("q", ""), wire)
        if scene:
            apis.openverse(scene, request, wire)

    def commons(self, request: Request, wire: Wire) -> None:
        search = request.query.get("gsrsearch", "")
        query = " ".join(word for word in search.split(" ") if not word.startswith("filetype:"))
        scene = self.ask("commons", query, wire)
        if scene:
            apis.commons(scene, request, wire)


def is_real(request: Request) -> bool:
    """Whether the browser believes to be at Google: names can be led here."""
    return request.headers.get("Host", "").endswith(".google.com")


def home_of(request: Request) -> str:
    """Where the browser believes to be."""
    return f"{'https' if is_real(request) else 'http'}://{request.headers.get('Host', '')}"


ROUTES: Mapping[str, Callable[[EngineSite, Request, Wire], None]] = {
    "/search": EngineSite.google,
    "/sorry/index": EngineSite.google_sorry,
    "/sorry/status": EngineSite.status,
    "/m": EngineSite.google_consent,
    "/save": EngineSite.google_save,
    "/consent-choice": EngineSite.choice,
    "/search.naver": EngineSite.naver,
    "/images/search": EngineSite.bing,
    "/images/async": EngineSite.bing,
    "/": EngineSite.duckduckgo,
    "/i.js": EngineSite.duckduckgo_json,
    "/v1/images/": EngineSite.openverse,
    "/w/api.php": EngineSite.commons,
}
