"""One keyword at one engine in a browser: open the page, answer what it asks, read it, scroll on, until it is enough.

What a page holds is decided by the engine's `read`; here is only what a person would do: wait, scroll, press "more",
turn the page, move the pointer over tiles whose address is hidden (`page_hands`). The search ends when nothing new
comes any more, never after a fixed number of steps, and no pictures are never "done": the page is classified and kept
for the report. Where the engine's own ways give nothing, the page is read in the generic way (`engines/generic.py`,
`page_grid`), which is told and whose page is kept as well. A browser that dies is replaced and the keyword is resumed.
"""

from __future__ import annotations

import time
from dataclasses import fields, replace
from typing import Any

from crawler import page_scripts
from crawler.browser import Session, SessionClosed
from crawler.engines.base import BrowserEngine, Kind, Reading
from crawler.engines.generic import Generic, written_pictures
from crawler.order import GENERIC, THUMBNAILS, Order, Outcome, Take
from crawler.page_gate import Gate, Pace, verdict
from crawler.page_grid import GridHands
from crawler.page_hands import Hands
from crawler.page_view import MOST_RELOADS, Died, Unreachable, View
from crawler.reports import save_page
from curation.records import Found, SearchState
from handwriter_models.errors import UserError

PACE = Pace()
LEAST_TILES = 20  # worth taking the pointer in hand
VAIN_ROUNDS = 2  # of scrolling and working by hand
PRESSES = 3  # of "more" buttons that bring nothing
MOST_PATIENCE = 10.0  # seconds, for an engine that is slow
ON_THE_WAY = 2  # times the patience, while there is still page to scroll


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
        self.generic: Generic | None = None  # once the engine's own ways have given nothing
        self.instead_of = Reading(Kind.CHANGED)  # what they gave
        self.wanted = True
        self.end = time.monotonic() + pace.longest

    def run(self) -> Outcome:
        """Page by page, until it is enough or there is no more."""
        known: set[str] = set()  # on the pages of this run
        while True:
            query, filters = self.order.job.keyword, self.order.filters
            reading = self.gate.enter(self.order.home + self.engine.address(query, filters, self.page))
            if (
                not self.full
                and reading.kind is Kind.CHANGED
                and verdict(reading, self.view.page)[0] is SearchState.CHANGED
            ):
                reading = self._read_otherwise(reading)
            if reading.kind is not Kind.OK and not (self.page and reading.kind in (Kind.EMPTY, Kind.CHANGED)):
                return self._closed_out(reading)
            addresses = {found.address for found in reading.found}
            more = bool(addresses - known) and not reading.ended
            known |= addresses
            if self.hand_on(reading):
                more = self._scrolled() if self.engine.scrolls else self._turned_over(more)
            if self.wanted and not self.full and self._small() and not self.generic:
                more = self._worked_otherwise(more)
            if not self.wanted or not more or self._enough_small() or time.monotonic() > self.end:
                return self._last(exhausted=not more)
            if self.engine.scrolls:
                return self._last(exhausted=False)
            self.page += 1

    def _read_otherwise(self, reading: Reading) -> Reading:
        """The page read in the generic way, from now on, if that finds pictures; else the reading as it is."""
        if self.generic:
            return reading
        generic = Generic(self.engine)
        self.view.use(generic)
        other = self.gate.look()
        if generic.helps:
            self.generic, self.instead_of = generic, reading
            return other
        self.view.use(self.engine)
        if self.view.run(page_scripts.COUNT, "img") >= page_scripts.LEAST_CELLS and self.view.session.load_pictures():
            self.without_pictures = len(self.full)
            raise Died("its pictures may have no size before they are loaded")
        return reading

    def _worked_otherwise(self, more: bool) -> bool:
        """Works in the generic way where the engine's own gave thumbnails alone; whether the page has more."""
        small = dict(self.small)
        own = Reading(Kind.CHANGED, tuple(self._small()), marker=f"{len(self._small())} thumbnails")
        reading = self._read_otherwise(own)
        if self.generic and self.hand_on(reading):
            more = self._scrolled() if self.engine.scrolls else self._turned_over(more)
        if not self.full:
            self.small = small
        return more

    def _is_written_otherwise(self) -> bool:
        """Whether the page's text holds in another form what the engine's own reading lacks."""
        written = {found.address for _, found in written_pictures(self.view.page.text)}
        return len(written) >= max(page_scripts.LEAST_CELLS, len(self._small()) // 2)

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
        hands = self._hands()
        done = vain = 0  # tiles that hands were laid on; rounds that brought nothing
        while vain < VAIN_ROUNDS:
            known = len(self.full)
            more = self._scrolled_to(done + max(self.order.want, LEAST_TILES))
            if self.wanted and not (self.full or self.generic) and self._small() and self._is_written_otherwise():
                return self._worked_otherwise(more)
            if hands and self.wanted and len(self._small()) > done:
                done = self._by_hand(hands)
            elif more:
                return True
            if not self.wanted or not more:
                return more
            vain = 0 if len(self.full) > known else vain + 1
        return False

    def _turned_over(self, more: bool) -> bool:
        """Works by hand on a page that does not scroll, where only that brings out addresses; `more` as it was."""
        if self.generic and self._small() and (hands := self._hands()):
            self._by_hand(hands)
        return more

    def _hands(self) -> Hands | GridHands | None:
        if self.generic:
            return GridHands(self.view, self.generic, self.hand_on, self.full, self.pace)
        viewer = self.engine.viewer
        return Hands(self.view, viewer, self.hand_on, self.full, self.pace) if viewer else None

    def _by_hand(self, hands: Hands | GridHands) -> int:
        """Lets hands find what the page hides; how many tiles are left with their thumbnail."""
        self.gate.uncovered()
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
            reading = self.gate.look()
            if not self.hand_on(reading) or len(self._small()) >= tiles:
                return True
            now = time.monotonic()
            if self._progress() > progress:
                slowest = max(slowest, now - still - since)
                since, progress, presses = now - still, self._progress(), 0
            elif bottom and not reading.ended and presses < PRESSES and self.view.press(self.engine.more_buttons):
                since, presses = now, presses + 1
            elif (bottom and reading.ended) or now - since > self._patience(slowest) * (1 if bottom else ON_THE_WAY):
                if not self.gate.uncovered():
                    return False
                since, presses = time.monotonic(), 0
        return True

    def _progress(self) -> int:
        return len(self.full) + len(self._small())

    def _patience(self, slowest: float) -> float:
        """Longer for an engine that was seen to take its time."""
        return min(max(self.pace.patience, 3 * self.view.slow, 2 * slowest), MOST_PATIENCE)

    def _last(self, exhausted: bool) -> Outcome:
        """Thumbnails, where nothing better was to be had."""
        if exhausted and not self.engine.scrolls:
            self.gate.uncovered()
        exhausted = exhausted and not self.gate.covered and self.view.reloads < MOST_RELOADS
        small = [] if self.generic and not self.full and not self.instead_of.found else self._small()
        any_full = bool(self.full)
        if small and self.wanted and self.order.thumbnails:
            self._give(small)
        if self.handed_on:
            return self.outcome(SearchState.OK, self._note() if any_full else THUMBNAILS, exhausted)
        marker = f"{len(small)} thumbnails, no full-size address" if small else self.instead_of.marker
        return self._closed_out(Reading(Kind.CHANGED, marker=marker))

    def _note(self) -> str:
        """What maintainers should hear of: the generic way was needed, and where the page is."""
        if not self.generic:
            return ""
        detail = f"{GENERIC}, for the page has changed ({self.instead_of.marker})"
        return f"{detail}; {self._saved('read in the generic way')}".removesuffix("; ")

    def _closed_out(self, reading: Reading) -> Outcome:
        """The engine does not give pictures, or no longer: the page is kept for the report."""
        state, detail = verdict(reading, self.view.page, self.view.stalled)
        if self.order.report and state is not SearchState.EMPTY:
            saved = self._saved(f"{state} {detail}")
            detail = f"{detail}; {saved}" if detail else saved
        if self.view.reloads:
            self.view.leave()
        return self.outcome(state, detail, exhausted=state is SearchState.EMPTY)

    def _saved(self, note: str) -> str:
        page = self.view.page
        return save_page(self.order.report, page.text, f"{self.engine.name} {note} · {page.address}")

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
