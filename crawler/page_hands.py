"""What only a real pointer and real keys bring out: addresses that an engine writes into a tile when the pointer is
over it, and the large picture beside the tiles.

Engines look at `event.isTrusted`, so the events come from the driver, not from a script. Many tiles are passed over in
one call. A way that brings nothing several times in a row is given up.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from crawler import page_scripts
from crawler.engines.base import Reading, Viewer
from crawler.page_gate import Pace
from crawler.page_view import Place, View

VAIN = 3  # tries in a row that bring nothing
SECONDS_FOR_LINKS, SECONDS_TO_MOVE = 0.6, 1.0
HandOn = Callable[[Reading], bool]  # takes what was read; False when it is enough


class Hands:
    """Pointer and keys on one page. `hand_on` gets every reading; the methods return False when it is enough or late.

    `full` holds the full-size addresses that are known by now.
    """

    def __init__(self, view: View, viewer: Viewer, hand_on: HandOn, full: Collection[str], pace: Pace) -> None:
        self._view, self._viewer, self._hand_on, self._full, self._pace = view, viewer, hand_on, full, pace
        self._end = time.monotonic() + pace.longest
        self._tried = 0  # tiles passed over so far
        self._seen = ""  # what the viewer showed last
        self._wanted = True

    def hover(self) -> bool:
        """Moves over the tiles that are there now and whose link is not filled yet."""
        vain, tiles = 0, self._tiles()
        while self._viewer.link and vain < VAIN and self._tried < tiles and (places := self._next_places()):
            before = self._links()
            self._view.move_over(places)
            vain = 0 if self._links(before + len(places), SECONDS_FOR_LINKS) > before else vain + 1
            if self._late() or (not vain and not self._hand_on(self._view.look())):
                return False
        return True

    def leaf(self) -> bool:
        """Opens the first tile that lacks its link, then leafs with the arrow key from picture to picture."""
        first = self._view.run(page_scripts.NEXT_TILES, self._viewer.tile, self._viewer.link, 0)["places"][:1]
        if not first:
            return True
        age, vain, self._seen = self._view.age(), 0, self._shown()
        self._view.click(first[0])
        for _ in range(self._tiles()):
            vain = 0 if self._brought() else vain + 1
            if not self._wanted or self._late():
                return False
            if vain == VAIN or self._view.age() != age:  # another age: the click has led away
                break
            self._view.key("ARROW_RIGHT")
        return True

    def _brought(self) -> bool:
        """Whether the viewer shows a full-size address. A thumbnail may stand in the place of a picture to come."""
        start, known, moved = time.monotonic(), len(self._full), False
        while (left := start + (self._pace.picture if moved else SECONDS_TO_MOVE) - time.monotonic()) > 0:
            shown = self._view.wait(page_scripts.SHOWN_ANEW, left, self._viewer.picture, self._seen)
            if shown is None or shown == self._seen:  # the page is gone, or the time is up
                return False
            self._seen, moved = str(shown), True
            self._wanted = self._hand_on(self._view.look())
            if shown in self._full or len(self._full) > known:
                return True
        return False

    def _next_places(self) -> list[Place]:
        answer = self._view.run(page_scripts.NEXT_TILES, self._viewer.tile, self._viewer.link, self._tried)
        self._tried = int(answer["tried"])
        return [(int(x), int(y)) for x, y in answer["places"]]

    def _late(self) -> bool:
        return time.monotonic() > self._end

    def _tiles(self) -> int:
        return int(self._view.run(page_scripts.COUNT, self._viewer.tile))

    def _links(self, wanted: int = 0, seconds: float = 0) -> int:
        """How many tiles have their link, as soon as so many have it."""
        return int(self._view.wait(page_scripts.LINKS, seconds, self._viewer.tile, self._viewer.link, wanted) or 0)

    def _shown(self) -> str:
        return str(self._view.run(page_scripts.SHOWN, self._viewer.picture))
