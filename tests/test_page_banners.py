"""What comes over a page while it is read is answered with reject, or read under; such a page is never at its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from crawler.browser import Session
from crawler.engines import engine as engine_named
from crawler.order import Order, Outcome
from crawler.page_search import search
from curation.records import Found, Job, SearchState
from tests.banner_site import LANGUAGES, BannerSite, full
from tests.browser import BROWSERS, program
from tests.engine_searches import HERMETIC, QUICK


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    program(BROWSERS)
    with Session(HERMETIC) as session:
        yield session


@pytest.fixture(scope="module")
def site() -> Iterator[BannerSite]:
    with BannerSite() as site:
        yield site


def asked(session: Session, site: BannerSite, engine: str, words: str) -> tuple[Outcome, list[str]]:
    site.answers.clear()
    found: list[Found] = []

    def take(new: Sequence[Found]) -> bool:
        found.extend(new)
        return True

    order = Order(Job("cat", f"cat 120 {words}", engine), site.home, want=1000)
    return search(session, engine_named(engine), order, take, QUICK), [one.address for one in found]  # type: ignore[arg-type]


ALL = [full(n) for n in range(1, 121)]


@pytest.mark.parametrize(
    ("engine", "words"),
    [
        ("bing", "0 own en"),
        ("bing", "700 own ko"),
        ("google", "100 dialog de"),
        ("bing", "200 frame ko"),
        ("google", "400 layer ja"),
        ("bing", "300 shadow fr"),
        ("google", "1500 bottom pl"),
        ("google", "0 layer ko"),
    ],
)
def test_banner_is_rejected_whenever_and_wherever_it_comes(
    session: Session, site: BannerSite, engine: str, words: str
) -> None:
    outcome, addresses = asked(session, site, engine, words)
    assert sorted(addresses) == sorted(ALL)
    assert outcome.state is SearchState.OK
    assert outcome.exhausted
    _, _, reject = LANGUAGES[words.split()[2]]
    assert site.answers == [reject]


def test_layer_that_asks_for_nothing_is_closed(session: Session, site: BannerSite) -> None:
    outcome, addresses = asked(session, site, "bing", "100 promo en")
    assert sorted(addresses) == sorted(ALL)
    assert outcome.exhausted
    assert site.answers == ["✕"]


@pytest.mark.parametrize(("engine", "kind"), [("bing", "layer"), ("google", "bottom")])
def test_page_under_a_banner_that_cannot_be_answered_is_never_at_its_end(
    session: Session, site: BannerSite, engine: str, kind: str
) -> None:
    outcome, addresses = asked(session, site, engine, f"0 {kind} eo")
    assert addresses[:40] == ALL[:40]
    assert outcome.state is SearchState.OK
    assert not outcome.exhausted
    assert site.answers == []


def test_page_without_a_banner_is_at_its_end(session: Session, site: BannerSite) -> None:
    outcome, addresses = asked(session, site, "google", "0 none en")
    assert sorted(addresses) == sorted(ALL)
    assert outcome.exhausted
