"""Getting to an engine's results: waiting for a page that is still empty, answering a consent page with "reject",
giving a person time for a captcha, and saying what a page without pictures is.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from crawler import page_banner
from crawler.engines.base import BrowserEngine, Kind, Page, Reading
from crawler.page_view import MOST_RELOADS, View
from curation.records import SearchState

CONSENTS = 3  # consent pages and banners answered, one after the other
AGAIN = "the page reloads itself again and again"
HELP = "--show-browser, fewer questions or another engine may help"
GLANCE, LONGEST_GLANCE, SLOWER = 0.05, 0.25, 1.2  # seconds between two looks, more each time: a look costs 20 ms
GLANCE_OF_A_PERSON = 1.0
SECONDS_TO_PASS = 3.0  # for a page that may give way to the results by itself
SECONDS_TO_REST = 2.5  # for a page that has reloaded itself: it goes on with that, or holds something
SECONDS_TO_GO = 0.3  # for a banner that was answered
STATES = {
    Kind.EMPTY: SearchState.EMPTY,
    Kind.BLOCKED: SearchState.BLOCKED,
    Kind.CHANGED: SearchState.CHANGED,
    Kind.CONSENT: SearchState.BLOCKED,
    Kind.UNREACHABLE: SearchState.UNREACHABLE,
    Kind.OK: SearchState.CHANGED,  # it looks well, and no picture is in it
}
TOO_MANY, SLOW, SERVER_ERROR = 429, (408, 425), 500


@dataclass(frozen=True)
class Pace:
    """How long is waited, in seconds. A page that was slow to come is given more."""

    glance: float = 0.4  # scrolling before the first reading; later readings come at longer intervals
    longest_glance: float = 1.5
    quiet: float = 0.25  # at the end of the page, nothing changing
    settle: float = 4.0  # for a page that is still empty
    patience: float = 1.0  # at the end of the page, nothing new
    picture: float = 3.0  # for the large picture in a viewer
    consent: float = 10.0  # for the page behind a consent page
    person: float = 300.0  # for somebody who solves a captcha
    longest: float = 300.0  # for one search
    lives: int = 3  # browsers used up by one search


class Gate:
    """The way to the results of one engine."""

    def __init__(self, view: View, engine: BrowserEngine, pace: Pace) -> None:
        self._view, self._engine, self._pace = view, engine, pace
        self._answers = 0  # to what asked for consent, since the page was opened
        self.covered = False  # something lies over the page that could not be taken away

    def enter(self, address: str) -> Reading:
        """What the results page holds once it holds something, or what stands in its place."""
        self._answers, self.covered = 0, False
        self._view.open(address)
        reading = self._settled()
        while reading.kind is Kind.CONSENT and self._rejected():
            reading = self._settled()
        if reading.kind in (Kind.CONSENT, Kind.CHANGED) and self.uncovered(whole=True):
            reading = self._settled()
        if self._answers and reading.kind is Kind.CHANGED:  # consent led to the front page
            self._view.open(address)
            reading = self._settled()
        if reading.kind is Kind.BLOCKED and self._view.session.settings.show:
            reading = self._when_solved(reading)
        return self._beneath(reading)

    def look(self, whole: bool = True) -> Reading:
        """What the page holds now; a consent banner that has come meanwhile is answered, or read under."""
        reading = self._view.look(whole)
        if reading.kind is Kind.CONSENT and self._rejected():
            reading = self._settled()
        return self._beneath(reading)

    def _beneath(self, reading: Reading) -> Reading:
        """Pictures beneath a banner that cannot be answered count."""
        if reading.kind is Kind.CONSENT and reading.beneath:
            self.covered = True
            return replace(reading, kind=Kind.OK, found=reading.beneath)
        return reading

    def uncovered(self, whole: bool = False) -> bool:
        """Takes away what lies over the page, whatever it is called; whether something was answered just now.

        `covered` tells afterwards whether something still lies there.
        """
        banner = page_banner.answer(self._view, whole) if self._answers < CONSENTS else None
        if banner is None:
            return False
        if not banner.pressed:
            self.covered = banner.covers
            return False
        self._answers += 1
        time.sleep(SECONDS_TO_GO)
        self.covered = True  # until the next look finds it gone
        return True

    def _settled(self) -> Reading:
        """The page when it holds pictures or is clearly something else; a page still being built is given time."""
        start, glance = time.monotonic(), GLANCE
        while True:
            reading = self._view.look()
            bare = reading.kind is Kind.OK and not reading.found
            undecided = bare or reading.kind in (Kind.CHANGED, Kind.UNREACHABLE)
            longest = self._pace.settle + self._view.slow
            if reading.passing:
                longest = min(longest, SECONDS_TO_PASS)
            elif self._view.reloads and self._view.stood < SECONDS_TO_REST:
                longest += SECONDS_TO_REST
            late = time.monotonic() > start + longest
            if (undecided or reading.passing) and self._view.reloads >= MOST_RELOADS:
                again = Reading(Kind.BLOCKED, marker=f"{AGAIN} ({reading.marker})")
                return reading if reading.passing else again
            if not (undecided or reading.passing) or late:
                return self._in_order(Reading(Kind.CHANGED, marker=reading.marker) if bare else reading)
            time.sleep(glance)
            glance = min(glance * SLOWER, LONGEST_GLANCE)

    def _in_order(self, reading: Reading) -> Reading:
        """The reading; of a server that is out of order it tells nothing about the page, the second page either."""
        state, _ = verdict(reading, self._view.page, self._view.stalled)
        return replace(reading, kind=Kind.UNREACHABLE) if state is SearchState.UNREACHABLE else reading

    def _rejected(self) -> bool:
        """Presses "reject" and waits until the consent page is gone; False when there is no such button."""
        age = self._view.age()
        if self._answers >= CONSENTS or not self._view.press(self._engine.consent.reject):
            return False
        self._answers += 1
        end = time.monotonic() + self._pace.consent
        while time.monotonic() < end:
            if self._view.age() != age or self._view.look().kind is not Kind.CONSENT:
                return True
            time.sleep(GLANCE)
        self._answers = CONSENTS
        return True

    def _when_solved(self, reading: Reading) -> Reading:
        """Leaves the page to the person in front of the screen."""
        tell, end = self._view.session.settings.tell, time.monotonic() + self._pace.person
        if tell:
            minutes = self._pace.person / 60
            tell(f"{self._engine.title} asks whether you are a person: answer in the browser ({minutes:g} minutes)")
        while reading.kind is Kind.BLOCKED and time.monotonic() < end:
            time.sleep(GLANCE_OF_A_PERSON)
            reading = self._view.look()
        return self._settled() if reading.kind is not Kind.BLOCKED else reading


def verdict(reading: Reading, page: Page, stalled: str = "") -> tuple[SearchState, str]:
    """What a page without pictures means, and the marker that tells; `stalled` says that it never came to its end."""
    state, detail = STATES[reading.kind], reading.marker
    if reading.kind is Kind.CONSENT:
        detail = f"its consent page could not be answered with reject: {detail}"
    if reading.passing or reading.marker.startswith(AGAIN):
        detail = f"{detail}: {HELP}"
    if state is SearchState.CHANGED and page.status == TOO_MANY:
        state = SearchState.BLOCKED
    if state is SearchState.CHANGED and (page.status >= SERVER_ERROR or page.status in SLOW):
        state = SearchState.UNREACHABLE
    if stalled and state in (SearchState.CHANGED, SearchState.UNREACHABLE):
        state, detail = SearchState.UNREACHABLE, stalled
    if page.status >= 400 and str(page.status) not in detail:
        detail = f"HTTP {page.status} {detail}".strip()
    return state, detail
