"""Pointer and keys on a page whose parts have no known names: the pictures of its grid are hovered and clicked, and
the largest picture that appears is taken.

Cells are those that the generic script has kept (`engines/generic.py`); what the pointer brings out is noted there by
thumbnail. A way that brings nothing several times in a row is given up.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from crawler.engines.base import Reading
from crawler.engines.generic import Generic, enlarged
from crawler.page_gate import Pace
from crawler.page_view import Place, View

VAIN = 3  # tries in a row that bring nothing
SECONDS_FOR_LINKS, SECONDS_TO_SHOW, PAUSE = 0.6, 0.8, 0.1
MOST_AT_ONCE = 100  # cells passed over in one go
MANY = 4  # pictures of one kind that appear together are related ones
STEADY = 250  # milliseconds for which a viewer shows the same picture before it is taken

# (first cell, cells at most) → {tried, places: [[x, y], …]}: brings the next cells into sight and tells where the
# pointer reaches them, as many as fit.
PLACES = """
const [first, most] = arguments, cells = (window.handwriterCells ?? []).slice(first, first + most), places = [];
let tried = first;
cells[0]?.scrollIntoView({block: 'center', behavior: 'instant'});
for (const cell of cells) {
  const box = cell.getBoundingClientRect(), x = box.left + box.width / 2, y = box.top + Math.max(box.height, 2) / 2;
  if (tried > first && (y < 0 || y >= innerHeight || x < 0 || x >= innerWidth)) break;
  tried += 1;
  const over = document.elementFromPoint(x, y);
  if (over && (over.contains(cell) || cell.parentElement.contains(over))) places.push([Math.round(x), Math.round(y)]);
}
return {tried, places};
"""

IMAGES = """
const chosen = image => image.srcset || image.closest('picture') ? image.currentSrc || image.src : image.src;
const address = image => image ? chosen(image) : '';
const images = () => [...document.querySelectorAll('iframe')].reduce((all, frame) => {
  try { return [...all, ...frame.contentDocument.images]; } catch { return all; }
}, [...document.images]);
"""

# (cell) → its thumbnail, "" where there are no more; notes all pictures that are there before the pointer acts
BEFORE = f"""{IMAGES}
const known = window.handwriterPictures = new Set(), cell = (window.handwriterCells ?? [])[arguments[0]];
for (const image of images()) known.add(address(image));
if (!cell) return '';
const painted = () => (/^url\\("(.*)"\\)$/.exec(getComputedStyle(cell).backgroundImage) ?? [])[1] ?? '';
return cell.tagName === 'IMG' ? cell.currentSrc || cell.src : painted();
"""

# (milliseconds at most, milliseconds of quiet, done) → [address, link around it] of the largest picture that was not
# there before; those that are many of a kind are related ones. Where nothing can be measured the newest counts.
APPEARED = f"""{IMAGES}
const [most, quiet, done] = arguments, start = performance.now(), known = window.handwriterPictures ?? new Set();
const cells = window.handwriterCells ?? [];
const path = element => {{
  const tags = [];
  for (let up = element; up && tags.length < 5 && up.tagName !== 'BODY'; up = up.parentElement) tags.push(up.tagName);
  return tags.join();
}};
const size = image => {{
  const box = image.getBoundingClientRect();
  return Math.max(box.width * box.height, image.naturalWidth * image.naturalHeight);
}};
const isNew = image =>
  /^http/.test(image.src) && !known.has(address(image)) && image.getClientRects().length && !cells.includes(image);
let last = '', since = start;
(function look() {{
  const fresh = images().filter(isNew), kinds = Map.groupBy(fresh, path), now = performance.now();
  const single = fresh.filter(image => kinds.get(path(image)).length < {MANY});
  const best = single.reduce((one, other) => !one || size(other) >= size(one) ? other : one, null);
  if (address(best) !== last) [last, since] = [address(best), now];
  if ((!best || now - since <= quiet) && now - start <= most) return setTimeout(look, 40);
  if (best) {{
    let root = best;
    while (root.parentElement && !cells.some(cell => root.parentElement.contains(cell))) root = root.parentElement;
    (window.handwriterViewers ??= []).push(root);
  }}
  done([address(best), best?.closest('a')?.href ?? '']);
}})();
"""


class GridHands:
    """Pointer and keys on the grid of a page, as `Hands` on the tiles of an engine that is known."""

    def __init__(
        self, view: View, generic: Generic, hand_on: Callable[[Reading], bool], full: Collection[str], pace: Pace
    ) -> None:
        self._view, self._generic, self._hand_on, self._full, self._pace = view, generic, hand_on, full, pace
        self._end = time.monotonic() + pace.longest
        self._hovered = self._worked_on = 0  # cells tried so far
        self._vain = 0
        self._ways = [False, True]  # whether the button is pressed
        self._seen: Reading | None = None  # after the last act
        self._open: int | None = None  # the cell that was shown last

    def hover(self) -> bool:
        """Moves over the cells, many at once; a link that changes is seen in the next reading."""
        vain = 0
        while vain < VAIN and not self._late():
            known, places = len(self._full), self._places(self._hovered, MOST_AT_ONCE)
            if places is None:
                return True
            self._view.move_over(places)
            if not self._read_on(known):
                return False
            vain = 0 if len(self._full) > known else vain + 1
        return not self._late()

    def _read_on(self, known: int) -> bool:
        """Reads until the last cell had its time; False when it is enough."""
        end, count = time.monotonic() + SECONDS_FOR_LINKS, known
        while self._hand_on(self._view.look(whole=False)):
            if len(self._full) == count and (count > known or time.monotonic() > end):
                return True
            count = len(self._full)
            time.sleep(PAUSE)
        return False

    def leaf(self) -> bool:
        """Brings cell after cell that still lacks its picture to show it: by hovering alone, else by a click."""
        while self._ways and not self._late():
            if not self._worked(self._ways[0]):
                return False
            if self._vain < VAIN:  # all cells are done
                return True
            self._ways, self._vain = self._ways[1:], 0
        return not self._late()

    def _worked(self, press: bool) -> bool:
        """Cell after cell in one way, until there are no more or it is in vain; False when it is enough."""
        age, self._seen = self._view.age(), None
        while self._vain < VAIN and not self._late():
            number = self._worked_on
            small = str(self._view.run(BEFORE, number) or "")
            if not small:
                break
            if small not in self._lacking():
                self._worked_on += 1
                continue
            known = len(self._full)
            wanted = self._brought(number, small, press)
            if not wanted:
                return False
            if self._view.age() != age:  # the click has led away: back, and no more of it
                self._view.run("history.back()")
                self._vain = VAIN
                return True
            self._vain = 0 if len(self._full) > known else self._vain + 1
            self._worked_on += 1
            if self._vain == VAIN and not press:
                self._worked_on -= VAIN  # by a click they may show it
        return True

    def _lacking(self) -> set[str]:
        self._seen = self._seen or self._view.look(whole=False)
        return {found.address for found in self._seen.found if found.thumbnail}

    def _brought(self, number: int, small: str, press: bool) -> bool:
        """Hands on what the pointer brings out at this cell; False when it is enough."""
        self._point(number, press)
        seconds = self._pace.picture if press else SECONDS_TO_SHOW
        shown = self._view.wait(APPEARED, seconds, STEADY) or ["", ""]
        address = enlarged(*map(str, shown))
        if not address:  # a link elsewhere on the page may carry it now
            new = [
                one.address for one in self._view.look().found if not one.thumbnail and one.address not in self._full
            ]
            address = new[0] if len(new) == 1 else ""
        if address:
            self._generic.shown[small] = address
        self._seen = self._view.look(whole=False)
        return self._hand_on(self._seen)

    def _point(self, number: int, press: bool) -> None:
        """Hovers or clicks the cell; where the viewer lies over it, closes it or leafs with the arrow key."""
        places = self._places(number, 1)
        if not places and self._open is not None:
            self._view.key("ESCAPE")
            time.sleep(PAUSE)
            places = self._places(number, 1)
        if not places and self._open is not None:
            for _ in range(number - self._open):
                self._view.key("ARROW_RIGHT")
        elif places and press:
            self._view.click(places[0])
        elif places:
            self._view.move_over([(1, 1), *places])
        self._open = number

    def _places(self, first: int, most: int) -> list[Place] | None:
        """Where the pointer reaches these cells, as many as are in sight; None when there are no more."""
        answer = self._view.run(PLACES, first, most)
        self._hovered = max(self._hovered, int(answer["tried"]))
        return [(int(x), int(y)) for x, y in answer["places"]] if answer["tried"] > first else None

    def _late(self) -> bool:
        return time.monotonic() > self._end
