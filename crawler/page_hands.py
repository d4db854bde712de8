"""What only a real pointer and real keys bring out: addresses that an engine writes into a tile when the pointer is
over it, and the large picture beside the tiles.

Engines look at `event.isTrusted`, so the events come from the driver, not from a script. Many tiles are passed over in
one call. A way that brings nothing several times in a row is given up.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from crawler import page_scripts
from crawler.engines.base import Reading, Viewer
from crawler.page_view import Place, View

VAIN = 3  # tries in a row that bring nothing
SECONDS_FOR_LINKS, SECONDS_FOR_PICTURE, POLL = 0.6, 3.0, 0.05
T = TypeVar("T")
HandOn = Callable[[Reading], bool]  # takes what was read; False when it is enough


class Hands:
    """Pointer and keys on one page. `hand_on` gets every reading; the methods return False when it was enough.

    `full` tells how many full-size addresses are known by now.
    """

    def __init__(self, view: View, viewer: Viewer, hand_on: HandOn, full: Callable[[], int]) -> None:
        self._view, self._viewer, self._hand_on, self._full = view, viewer, hand_on, full
        self._tried = 0  # tiles passed over so far
        self._read = ""  # the viewer's picture that was read last
        self._wanted = True

    def hover(self) -> bool:
        """Moves over the tiles whose link is not filled yet."""
        vain = 0
        while self._viewer.link and vain < VAIN and (places := self._next_places()):
            before = self._links()
            self._view.move_over(places)
            _wait(lambda wanted: self._links() >= wanted, before + len(places), SECONDS_FOR_LINKS)
            vain = 0 if self._links() > before else vain + 1
            if not vain and not self._hand_on(self._view.look()):
                return False
        return True

    def leaf(self) -> bool:
        """Opens the first tile that lacks its link, then leafs with the arrow key from picture to picture."""
        first = self._view.run(page_scripts.NEXT_TILES, self._viewer.tile, self._viewer.link, 0)["places"][:1]
        if not first:
            return True
        age, vain, self._read = self._view.age(), 0, self._shown()
        self._view.click(first[0])
        while self._wanted and vain < VAIN and self._view.age() == age:  # another age: the click has left the page
            vain = 0 if _wait(self._gains, self._full(), SECONDS_FOR_PICTURE) else vain + 1
            self._view.arrow_right()
        return self._wanted

    def _next_places(self) -> list[Place]:
        answer = self._view.run(page_scripts.NEXT_TILES, self._viewer.tile, self._viewer.link, self._tried)
        self._tried = int(answer["tried"])
        return [(int(x), int(y)) for x, y in answer["places"]]

    def _links(self) -> int:
        return int(self._view.run(page_scripts.LINKS, self._viewer.tile, self._viewer.link))

    def _shown(self) -> str:
        return str(self._view.run(page_scripts.SHOWN, self._viewer.picture))

    def _gains(self, before: int) -> bool:
        """Whether the viewer has brought a new address. A thumbnail stands in the place of a picture to come."""
        shown = self._shown()
        if shown == self._read or not shown.startswith("http"):
            return False
        self._read = shown
        self._wanted = self._hand_on(self._view.look())
        return self._full() > before


def _wait(ready: Callable[[T], bool], value: T, seconds: float) -> bool:
    """Whether `ready(value)` came true in time."""
    end = time.monotonic() + seconds
    while not ready(value):
        if time.monotonic() > end:
            return False
        time.sleep(POLL)
    return True
