"""Pages in which every name is random give their pictures all the same; pages that reload for ever end."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from crawler.browser import Session
from crawler.engines import engine as engine_named
from crawler.order import GENERIC, Order, Outcome
from crawler.page_search import search
from curation.records import Found, Job, SearchState
from tests.browser import BROWSERS, program
from tests.engine_searches import HERMETIC, QUICK
from tests.loopback_site import LoopbackSite, Request, Wire
from tests.renamed_site import HTML, PATHS, RenamedSite
from tests.shared_data import shared_folder


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    program(BROWSERS)
    with Session(HERMETIC) as session:
        yield session


@pytest.fixture(scope="module")
def renamed() -> Iterator[RenamedSite]:
    with RenamedSite() as site:
        yield site


class OnePage(LoopbackSite):
    """The same page for every question of an engine; `asked` counts how often it was served."""

    def __init__(self, text: bytes, then: bytes = b"", after: int = 10**9) -> None:
        super().__init__()
        self.text, self.then, self.after, self.served = text, then, after, 0

    def respond(self, request: Request, wire: Wire) -> None:
        if request.path in PATHS.values():
            self.served += 1
            wire.send(200, HTML, self.then if self.served > self.after else self.text)
        else:
            wire.send(404, HTML, b"")


def asked(
    session: Session, engine: str, home: str, query: str = "cat", report: Path | None = None
) -> tuple[Outcome, list[Found]]:
    found: list[Found] = []

    def take(new: Sequence[Found]) -> bool:
        found.extend(new)
        return True

    order = Order(Job("cat", query, engine), home, want=1000, report=report)
    return search(session, engine_named(engine), order, take, QUICK), found  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("engine", "query"),
    [
        ("bing", "cat 24 links"),
        ("duckduckgo", "cat 20 links"),
        ("naver", "cat 24 thumbs"),
        ("google", "cat 24 pairs"),
        ("google", "cat 25 pairs nested"),
        ("google", "cat 16 hover"),
        ("naver", "cat 12 hover"),
        ("bing", "cat 10 peek"),
        ("google", "cat 10 viewer"),
        ("duckduckgo", "cat 9 viewer modal"),
    ],
)
def test_page_without_any_known_name_gives_its_pictures_in_order(
    session: Session, renamed: RenamedSite, engine: str, query: str, tmp_path: Path
) -> None:
    outcome, found = asked(session, engine, renamed.home, query, tmp_path / "page.html")
    assert [one.address for one in found] == renamed.expected(query)
    assert not any(one.thumbnail for one in found)
    assert outcome.state is SearchState.OK
    assert outcome.detail.startswith(GENERIC)
    assert "see page.html" in outcome.detail
    assert "cat" in (tmp_path / "page.html").read_text("utf-8")


def test_grid_that_gives_nothing_remains_changed(session: Session, renamed: RenamedSite) -> None:
    outcome, found = asked(session, "bing", renamed.home, "cat 12 nothing")
    assert (outcome.state, found) == (SearchState.CHANGED, [])


PAINTED = """<main>TILES</main><style>main { display: flex; flex-wrap: wrap }</style><script>
addEventListener('click', event => {
  const tile = event.target.closest('i');
  document.querySelector('dialog')?.remove();
  if (!event.isTrusted || !tile) return;
  const viewer = document.body.appendChild(document.createElement('dialog'));
  viewer.innerHTML = `<img width=600 height=500 src='http://p.example/${tile.title}.jpg'>`;
  viewer.showModal();
})</script>"""
MARKED = """<main>TILES</main><script>addEventListener('mouseover', event => {
  const {isTrusted, target} = event;
  const write = () => target.setAttribute("zq", `http://p.example/${target.title}.jpg`);
  if (isTrusted && target.title) setTimeout(write, 50);
})</script>"""


@pytest.mark.parametrize(
    ("page", "tile"),
    [
        (PAINTED, "<i title=N style=\"display:block;width:180px;height:140px;background-image:url('/t/N')\"></i>"),
        (MARKED, "<img width=180 height=140 src='http://p.example/small/N' title=N>"),
    ],
    ids=["painted tiles, a dialog", "an attribute of the picture"],
)
def test_tiles_and_viewers_of_any_make_are_worked(session: Session, page: str, tile: str) -> None:
    tiles = "".join(tile.replace("N", str(n)) for n in range(1, 10))
    with OnePage(f"<!doctype html>{page.replace('TILES', tiles)}".encode()) as site:
        _, found = asked(session, "bing", site.home)
    assert [one.address for one in found] == [f"http://p.example/{n}.jpg" for n in range(1, 10)]


LOOPS = {
    "at once": "<script>location.reload()</script>",
    "refresh": "<meta http-equiv=refresh content=0>",
    "soon": "<script>setTimeout(() => location.reload(), 200)</script>",
    "elsewhere": "<script>location.replace(location.href.replace(/&r=.*/, '') + '&r=' + Math.random())</script>",
}


@pytest.mark.parametrize(
    ("engine", "loop"), [("google", "at once"), ("naver", "refresh"), ("bing", "soon"), ("duckduckgo", "elsewhere")]
)
def test_page_that_reloads_itself_for_ever_is_blocked_after_three_times(
    session: Session, engine: str, loop: str, tmp_path: Path
) -> None:
    with OnePage(f"<title>x</title><p>Wait{LOOPS[loop]}".encode()) as site:
        outcome, found = asked(session, engine, site.home, report=tmp_path / "page.html")
        assert (outcome.state, found) == (SearchState.BLOCKED, [])
        assert "reloads itself" in outcome.detail
        assert site.served <= 4
        session.driver.execute_async_script("setTimeout(arguments[0], 500)")
        assert site.served <= 4  # nor afterwards
    assert "Wait" in (tmp_path / "page.html").read_text("utf-8")


def test_page_that_reloads_itself_once_is_waited_for(session: Session, renamed: RenamedSite) -> None:
    then = renamed.page(["cat", "12", "links"]).encode()
    with OnePage(LOOPS["soon"].encode(), then, after=2) as site:
        outcome, found = asked(session, "bing", site.home)
        assert (outcome.state, len(found)) == (SearchState.OK, 12)


GATE = """<!DOCTYPE html><title>Google Search</title><noscript><meta content="0;url=/httpservice/retry/enablejs?sei=x"
http-equiv="refresh"><div>여기를 누르세요</div></noscript><div id="yvlrue" style="display:none">문제가 있으면
<a href="/search?q=cat&amp;emsg=SG_REL">여기</a></div>RELOAD<script>
setTimeout(() => document.getElementById('yvlrue').setAttribute('style', ''), 2000)</script>"""


@pytest.mark.parametrize("reload", ["", "<script>setTimeout(() => location.reload(), 150)</script>"])
def test_javascript_gate_is_blocked_in_any_language_and_says_what_helps(session: Session, reload: str) -> None:
    with OnePage(GATE.replace("RELOAD", reload).encode()) as site:
        outcome, _ = asked(session, "google", site.home)
        assert outcome.state is SearchState.BLOCKED
        assert "--show-browser" in outcome.detail
        assert site.served <= 4


def google_tile(n: int) -> str:
    link = f"/imgres?imgurl=http%3A%2F%2Fp.example%2F{n}.jpg"
    image = f"<img width=180 height=135 src='https://encrypted-tbn0.gstatic.com/images?q=tbn:{n}'>"
    return f"<div jsname=dTDiAc data-docid=d{n} data-lpage='http://s.example/{n}'><a href='{link}'>{image}</a></div>"


RESULTS, RELATED = ("".join(map(google_tile, numbers)) for numbers in (range(1, 13), range(100, 120)))
LARGE = "<img jsname=kn3ccd src='http://p.example/1.jpg'>"


@pytest.mark.parametrize(
    "page",
    [
        f"<main>{RESULTS}</main><div role=dialog>{LARGE}<div>{RELATED}</div></div>",
        f"<main>{RESULTS}</main><div><div><p>{LARGE}</p></div><div>{RELATED}</div></div>",
        f"<section><div>{LARGE}</div>{RELATED}</section><main>{RESULTS}</main>",
        f"<main>{google_tile(1)}<div>{LARGE}{RELATED}</div>{RESULTS.removeprefix(google_tile(1))}</main>",
        f"<main>{RESULTS}</main><div role=dialog>{RELATED}</div>",
    ],
    ids=["dialog", "unnamed", "before", "among", "nothing large"],
)
def test_tiles_of_an_open_viewer_are_no_results(session: Session, page: str) -> None:
    with OnePage(f"<title>x</title><body>{page}".encode()) as site:
        _, found = asked(session, "google", site.home)
    assert [one.address for one in found] == [f"http://p.example/{n}.jpg" for n in range(1, 13)]


def shared_page(name: str) -> bytes:
    return gzip.decompress((shared_folder() / "data" / "pages" / f"{name}.html.gz").read_bytes())


@pytest.mark.parametrize("name", ["google-2024-09-cat", "google-2026-07-images-live"])
def test_real_page_gives_its_hundred_results_and_none_of_the_viewer(session: Session, name: str) -> None:
    with OnePage(shared_page(name)) as site:
        outcome, found = asked(session, "google", site.home)
    assert (outcome.state, outcome.detail, len(found)) == (SearchState.OK, "", 100)
    assert not any(one.thumbnail for one in found)


def test_real_gate_is_blocked(session: Session) -> None:
    with OnePage(shared_page("google-2026-03-enablejs")) as site:
        assert asked(session, "google", site.home)[0].state is SearchState.BLOCKED
        assert site.served <= 4


def test_real_page_of_bing_without_its_names_gives_its_pictures(session: Session) -> None:
    known = engine_named("bing")
    text = shared_page("bing-2026-04-gopher").decode()
    with OnePage(text.encode()) as site:
        _, expected = asked(session, known.name, site.home)
    text = re.sub(r' m="\{[^"]*"', "", text).replace("iusc", "qxzv")
    with OnePage(text.encode()) as site:
        outcome, found = asked(session, known.name, site.home)
    assert outcome.detail.startswith(GENERIC)
    assert len(expected) == 35  # without the clusters of other words
    assert len({one.address for one in expected} & {one.address for one in found}) >= 34
