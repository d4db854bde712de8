"""A real Chromium behind the fence: it searches as before, and gets nowhere else by any way that a page has."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from crawler.addresses import Rule
from crawler.browser import Session, Settings
from crawler.fence import PRIVATE_HOSTS, fenced
from crawler.order import Order
from crawler.page_gate import Pace
from crawler.page_search import search
from curation.records import Job, SearchState
from tests.browser import BROWSERS, program
from tests.test_fence import Mirror, only
from tests.tiny_engine import TinyEngine, TinySite, addresses


@pytest.fixture(scope="module")
def site() -> Iterator[TinySite]:
    program(BROWSERS)
    with TinySite() as site:
        yield site


def asked(session: Session, home: str) -> tuple[SearchState, str, list[str]]:
    found: list[str] = []

    def take(new: object) -> bool:
        found.extend(one.address for one in new)  # type: ignore[attr-defined]
        return True

    order = Order(Job("cat", "cat 60", "tiny"), home)
    outcome = search(session, TinyEngine(), order, take, Pace(patience=0.5))
    return outcome.state, outcome.detail, found


def test_chromium_searches_through_the_fence_by_names_that_only_the_fence_knows(site: TinySite) -> None:
    hosts = {"engine.example": f"127.0.0.1:{site.port}"}
    with fenced(Settings(), Rule(), hosts) as settings, Session(settings) as session:
        state, _, found = asked(session, "http://engine.example")
        assert (state, found) == (SearchState.OK, addresses("cat", 60))
        state, detail, _ = asked(session, site.home)
        assert state is SearchState.UNREACHABLE
        assert detail == "private-address: 127.0.0.1 is not a public address"


@pytest.mark.parametrize("fence", [True, False])
def test_chromium_gets_past_the_fence_by_no_way_that_is_open_without_it(site: TinySite, fence: bool) -> None:
    rule = only(site) if fence else Rule(allow_private=True)
    flags = () if fence else ("--webrtc-ip-handling-policy=default",)
    with Mirror() as secret, ear() as datagrams:
        with fenced(Settings(flags=flags), rule) as settings, Session(settings) as session:
            session.driver.get(f"{site.home}/search?q=cat")
            session.driver.execute_async_script(WAYS_OUT.replace("PLACE", f"127.0.0.1:{secret.port}"))
            session.driver.execute_async_script(DATAGRAM.replace("PORT", str(datagrams.getsockname()[1])))
            session.driver.get("about:blank")
        assert heard(datagrams) is not fence
        paths = {request.path for request in secret.requests}
    open_without = {"/fetch", "/beacon", "/iframe", "/script", "/prefetch", "/stylesheet", "/socket", "/events"}
    assert not paths if fence else open_without <= paths


@contextmanager
def ear() -> Iterator[socket.socket]:
    """A socket for the datagrams that a page may send."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.bind(("127.0.0.1", 0))
        datagrams.settimeout(1)
        yield datagrams


def heard(datagrams: socket.socket) -> bool:
    """Whether a datagram has come."""
    try:
        return bool(datagrams.recv(100))
    except TimeoutError:
        return False


DATAGRAM = """
const peer = new RTCPeerConnection({iceServers: [{urls: 'stun:127.0.0.1:PORT'}]});
peer.createDataChannel('x');
peer.createOffer().then(offer => peer.setLocalDescription(offer));
setTimeout(arguments[0], 1000);
"""
WAYS_OUT = """
const done = arguments[0], place = 'PLACE';
const element = (name, fields) => document.body.append(Object.assign(document.createElement(name), fields));
for (const host of [place, place.replace('127.0.0.1', 'localhost'), place.replace('127.0.0.1', '[::1]')]) {
  fetch(`http://${host}/fetch`, {mode: 'no-cors'}).catch(() => {});
  navigator.sendBeacon(`http://${host}/beacon`, 'x');
  element('iframe', {src: `http://${host}/iframe`});
  element('script', {src: `http://${host}/script`});
  element('img', {src: `http://${host}/image`});
  for (const rel of ['dns-prefetch', 'preconnect', 'prefetch', 'stylesheet', 'manifest'])
    element('link', {rel, href: `http://${host}/${rel}`});
  try { new WebSocket(`ws://${host}/socket`); } catch {}
  try { new EventSource(`http://${host}/events`); } catch {}
  const server = {urls: `turn:${host}?transport=tcp`, username: 'u', credential: 'p'};
  const peer = new RTCPeerConnection({iceServers: [server]});
  peer.createDataChannel('x');
  peer.createOffer().then(offer => peer.setLocalDescription(offer));
}
setTimeout(done, 1500);
"""


def test_grid_elsewhere_gets_host_rules_and_one_here_gets_the_proxy() -> None:
    with fenced(Settings(grid="http://grid.example:4444"), Rule()) as settings:
        assert settings.host_rules == PRIVATE_HOSTS
        assert not settings.proxy
    with fenced(Settings(grid="http://localhost:4444"), Rule()) as settings:
        assert settings.proxy
    with fenced(Settings(), Rule(allow_private=True)) as settings:
        assert settings == Settings()


def test_host_rules_keep_chromium_from_private_addresses(site: TinySite) -> None:
    with Session(Settings(host_rules=PRIVATE_HOSTS)) as session:
        for host in ("127.0.0.1", "localhost", "[::1]", "127.1"):
            state, detail, _ = asked(session, f"http://{host}:{site.port}")
            assert (state, detail) == (SearchState.UNREACHABLE, "ERR_NAME_NOT_RESOLVED"), host
