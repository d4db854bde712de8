"""One keyword at one engine in a browser: open the page, answer what it asks, read it, scroll on, until it is enough.

What a page holds is decided by the engine's `read`; here is only what a person would do: wait, scroll, press "more",
turn the page, move the pointer over tiles whose address is hidden (`page_hands`). The search ends when nothing new
comes any more, never after a fixed number of steps, and no pictures are never "done": the page is classified and kept
for the report. A browser that dies is replaced and the keyword is resumed.
"""

from __future__ import annotations

import time
from dataclasses import fields, replace
from typing import Any

from crawler.browser import Session, SessionClosed
from crawler.engines.base import BrowserEngine, Kind, Reading
from crawler.order import Order, Outcome, Take
from crawler.page_gate import Gate, Pace, verdict
from crawler.page_hands import Hands
from crawler.page_view import Died, Unreachable, View
from crawler.reports import save_page
from curation.records import Found, SearchState
from handwriter_models.errors import UserError

PACE = Pace()
LEAST_TILES = 20  # worth taking the pointer in hand
VAIN_ROUNDS = 2  # of scrolling and working by hand
PRESSES = 3  # of "more" buttons that bring nothing
MOST_PATIENCE = 10.0  # seconds, for an engine that is slow
PATIENCE_ON_THE_WAY = 2  # while there is still page to scroll


def search(session: Session, engine: BrowserEngine, order: Order, take: Take, pace: Pace = PACE) -> Outcome:
    """What the engine gave for the order; the findings have gone to `take`, each once, thumbnails last.

    Raises `SessionClosed` when the session is closed meanwhile, and `UserError` when no browser can be started at all.
    """
    asked = _Search(session, engine, order, take, pace)
    try:
        return _with_several_lives(session, asked, pace.lives)
    finally:
        session.judge_pictures(helped=len(asked.full) > asked.without_pictures)


def _with_several_lives(session: Session, asked: _Search, lives: int) -> Outcome:
    detail = ""
    for _ in range(lives):
        try:
            return asked.run()
        except Unreachable as error:
            if session.closed:
                raise SessionClosed from error
            return asked.outcome(SearchState.UNREACHABLE, str(error))
        except Died as error:
            detail = str(error)
        except UserError as error:
            if not session.starts:
                raise
            detail = error.what
        if session.closed:
            raise SessionClosed
        session.restart()
    return asked.outcome(SearchState.UNREACHABLE, f"{lives} browsers came to nothing, the last: {detail}")


class _Search:
    """The search as far as it has come; `run` goes on with a new browser where the last one died."""

    def __init__(self, session: Session, engine: BrowserEngine, order: Order, take: Take, pace: Pace) -> None:
        self.engine, self.order, self.take, self.pace = engine, order, take, pace
        self.view = View(session, engine)
        self.gate = Gate(self.view, engine, pace)
        self.full: set[str] = set()  # full-size addresses, handed on
        self.given: set[str] = set()  # all that were handed on
        self.small: dict[int, list[Found]] = {}  # thumbnails by page, kept for the end
        self.without_pictures = 0  # full-size addresses known when the browser was asked to load pictures
        self.replaced = 0  # thumbnails whose picture was found in the viewer
        self.handed_on = 0
        self.page = 0
        self.wanted = True
        self.end = time.monotonic() + pace.longest

    def run(self) -> Outcome:
        """Page by page, until it is enough or there is no more."""
        known: set[str] = set()  # on the pages of this run
        while True:
            query, filters = self.order.job.keyword, self.order.filters
            reading = self.gate.enter(self.order.home + self.engine.address(query, filters, self.page))
            if reading.kind is not Kind.OK and not (self.page and reading.kind in (Kind.EMPTY, Kind.CHANGED)):
                return self._closed_out(reading)
            addresses = {found.address for found in reading.found}
            more = bool(addresses - known) and not reading.ended
            known |= addresses
            if self.hand_on(reading):
                more = self._scrolled() if self.engine.scrolls else more
            if not self.wanted or not more or self._enough_small() or time.monotonic() > self.end:
                return self._last(exhausted=not more)
            if self.engine.scrolls:
                return self._last(exhausted=False)
            self.page += 1

    def hand_on(self, reading: Reading) -> bool:
        """Gives what is new to `take`, keeps the thumbnails back; False when it is enough."""
        new = [found for found in reading.found if not found.thumbnail and found.address not in self.given]
        if reading.kind is Kind.OK:
            self.small[self.page] = [found for found in reading.found if found.thumbnail]
        return self._give(new)

    def _give(self, new: list[Found]) -> bool:
        batch = list({found.address: found for found in map(_whole_characters, new)}.values())
        self.given.update(found.address for found in new)
        self.full.update(found.address for found in new if not found.thumbnail)
        if batch:
            self.handed_on += len(batch)
            self.wanted = self.take(batch)
        return self.wanted

    def _small(self) -> list[Found]:
        every = [found for page in self.small.values() for found in page][self.replaced :]
        return [found for found in every if found.address not in self.given]

    def _enough_small(self) -> bool:
        """Whether there are thumbnails enough, where this engine gives nothing else."""
        return not self.full and len(self._small()) >= self.order.want

    def _scrolled(self) -> bool:
        """Scrolls, and works by hand on tiles without an address; False when the page has no more."""
        viewer = self.engine.viewer
        hands = Hands(self.view, viewer, self.hand_on, self.full, self.pace) if viewer else None
        done = vain = 0  # tiles that hands were laid on; rounds that brought nothing
        while vain < VAIN_ROUNDS:
            known = len(self.full)
            more = self._scrolled_to(done + max(self.order.want, LEAST_TILES))
            if hands and self.wanted and len(self._small()) > done:
                done = self._by_hand(hands)
            elif more:
                return True
            if not self.wanted or not more:
                return more
            vain = 0 if len(self.full) > known else vain + 1
        return False

    def _by_hand(self, hands: Hands) -> int:
        """Lets hands find what the page hides; how many tiles are left with their thumbnail."""
        if hands.hover() and self._small():
            before, known = len(self._small()), len(self.full)
            hands.leaf()
            if len(self.full) == known and self.view.session.load_pictures():
                self.without_pictures = known
                raise Died("its viewer may want to load its pictures first")
            # An engine cannot always tell which tile a large picture belongs to: the viewer begins at the first.
            unpaired = len(self.full) - known - (before - len(self._small()))
            self.replaced += max(0, unpaired)
        return len(self._small())

    def _scrolled_to(self, tiles: int) -> bool:
        """Scrolls until so many tiles lack their address, it is enough, or nothing new comes; then False."""
        since, progress, slowest, presses = time.monotonic(), self._progress(), 0.0, 0
        glance = self.pace.glance
        while time.monotonic() < self.end:
            bottom, still = self.view.scroll(glance, self.pace.quiet)
            glance = min(glance * 1.5, self.pace.longest_glance)
            reading = self.view.look()
            if not self.hand_on(reading) or len(self._small()) >= tiles:
                return True
            now = time.monotonic()
            if self._progress() > progress:
                slowest = max(slowest, now - still - since)
                since, progress, presses = now - still, self._progress(), 0
            elif bottom and reading.ended:
                return False
            elif bottom and presses < PRESSES and self.view.press(self.engine.more_buttons):
                since, presses = now, presses + 1
            elif now - since > self._patience(slowest) * (1 if bottom else PATIENCE_ON_THE_WAY):
                return False
        return True

    def _progress(self) -> int:
        return len(self.full) + len(self._small())

    def _patience(self, slowest: float) -> float:
        """Longer for an engine that was seen to take its time."""
        return min(max(self.pace.patience, 3 * self.view.slow, 2 * slowest), MOST_PATIENCE)

    def _last(self, exhausted: bool) -> Outcome:
        """Thumbnails, where nothing better was to be had."""
        small = self._small()
        any_full = bool(self.full)
        if small and self.wanted and self.order.thumbnails:
            self._give(small)
        if self.handed_on:
            return self.outcome(SearchState.OK, "" if any_full else "thumbnails only", exhausted)
        reading = Reading(Kind.CHANGED, marker=f"{len(small)} thumbnails, no full-size address" if small else "")
        return self._closed_out(reading)

    def _closed_out(self, reading: Reading) -> Outcome:
        """The engine does not give pictures, or no longer: the page is kept for the report."""
        state, detail = verdict(reading, self.view.page, self.view.stalled)
        if self.order.report and state is not SearchState.EMPTY:
            note = f"{self.engine.name} {state} {detail} · {self.view.page.address}"
            saved = save_page(self.order.report, self.view.page.text, note)
            detail = f"{detail}; {saved}" if detail else saved
        return self.outcome(state, detail, exhausted=state is SearchState.EMPTY)

    def outcome(self, state: SearchState, detail: str = "", exhausted: bool = False) -> Outcome:
        """How it stands."""
        return Outcome(state, detail, exhausted, self.handed_on)


def _whole_characters(found: Found) -> Found:
    """Without halves of characters, which no database takes; engines' scripts hold some."""
    halved: dict[str, Any] = {}
    for field in fields(found):
        text = getattr(found, field.name)
        if isinstance(text, str) and not _is_whole(text):
            halved[field.name] = text.encode("utf-8", "replace").decode()
    return replace(found, **halved) if halved else found


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
