"""Whether a test shares pictures, near copies or writers with what a model has learned.

A model measured on what it has seen looks better than it is: the commonest reason for 90 % at home and 30 % outside. So
a bundle remembers what it learned from, training and validation pictures alike (`handwriter_models.learning.learned`).

- *same picture*: the sha256 of a file, or of the prepared 28x28 pixels of handwriting, agrees. Two different pictures
  agree in 6 bytes once in 280 million million comparisons.
- *copy in its group*: so does the sha256 of a file that curation has put into one group of copies with the picture.
- *near copy*: perceptual hashes (`curation.phash`) differ in at most 6 of 64 bits, or in 4 when one of the two is
  mirrored, turned or inverted. Of 13 861 pairs of unrelated photographs the nearest were 12 bits apart (16 without the
  variants). Where the learned picture lies in the same dataset, its pixels are at hand, and `curation groups` has
  compared them: what it found no copy is none. Elsewhere nothing confirms the hash, so the radius is below that of the
  groups, and it is not asked of drawings and handwriting: different ones hash alike.
- *writer*: the number of a writer, within the same source only.

Of more than 10 000 pictures a sample is kept. Then a single shared picture can be missed, but hardly a hundred of them;
the report says how many were kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handwriter_models.learning.learned import (
    BYTES,
    BYTES_OF_PHASH,
    BYTES_OF_WRITER,
    NO_HASHES,
    Hashes,
    Numbers,
    learned_from,
    name_of_pixels,
    numbers_of,
    unpacked,
)
from training.samples import Samples

NEAR, TURNED = 6, 4  # bits
SAME_PICTURE, COPY, NEAR_COPY, WRITER = "same picture", "copy in its group", "near copy", "writer"
_AT_ONCE = 2**22  # comparisons of hashes held in memory
_PARENTS = 20


@dataclass(frozen=True)
class Prints:
    """What the pictures of a set are recognised by, in their order; the first four are those of `learned_from`.

    `relatives`: of each picture the sha256 of all files in its group of copies, where curation has found groups;
    `compared`: the sha256 of all pictures that were compared for them. `drawn`: which pictures are drawings, (n,).
    """

    sha256s: Sequence[str]
    phashes: Hashes
    writers: Numbers
    source: str
    relatives: Sequence[Sequence[str]] = ()
    compared: Sequence[str] = ()
    drawn: NDArray[np.bool_] | None = None

    def take(self, index: NDArray[Any]) -> Prints:
        """Those at `index` (numbers or a mask)."""
        chosen = np.arange(len(self.sha256s))[index]
        phashes = self.phashes[chosen] if len(self.phashes) else self.phashes
        names = [self.sha256s[place] for place in chosen]
        relatives = [self.relatives[place] for place in chosen] if self.relatives else ()
        drawn = None if self.drawn is None else self.drawn[chosen]
        return Prints(names, phashes, self.writers[chosen], self.source, relatives, self.compared, drawn)

    def learned(self) -> dict[str, Any]:
        """As a bundle remembers them."""
        return learned_from(self.sha256s, self.phashes, self.writers, self.source)


@dataclass(frozen=True)
class Leak:
    """A picture of the test (its place), and what it shares with the training data."""

    picture: int
    why: str


def prints_of(*parts: Samples) -> Prints:
    """Of prepared handwriting: the sha256 of each picture's pixels, no perceptual hashes, the writers."""
    names = [name_of_pixels(image) for part in parts for image in part.images]
    source = Path(parts[0].source).name  # of a folder: where it lies is nobody's business who gets the bundle
    return Prints(names, NO_HASHES, np.concatenate([part.groups for part in parts]), source)


def leaks_between(learned: Mapping[str, Any], prints: Prints) -> list[Leak]:
    """Every picture of `prints` that shares something with what was learned, once, by its strongest reason."""
    found: dict[int, str] = {}
    for one in _generations(learned):
        for why, places in (
            (SAME_PICTURE, _same(one, prints)),
            (COPY, _grouped(one, prints)),
            (NEAR_COPY, _near(one, prints)),
            (WRITER, _written(one, prints)),
        ):
            for place in places.tolist():
                found.setdefault(place, why)
    return [Leak(place, why) for place, why in sorted(found.items())]


def report(learned: Mapping[str, Any] | None, prints: Prints | None, hits: NDArray[np.bool_]) -> dict[str, Any]:
    """`leak_check`: what was compared; and `leaky`, only where there are leaks, with the accuracy on both sides."""
    if learned is None or prints is None:
        missing = "the bundle does not remember what it learned from" if learned is None else "the test has no prints"
        return {"leak_check": {"compared": [], "why_not": missing}}
    generations = _generations(learned)
    kept, pictures = (sum(int(one.get(key, 0)) for one in generations) for key in ("kept", "pictures"))
    check = {"leak_check": {"compared": _compared(generations, prints), "kept": kept, "pictures": pictures}}
    leaks = leaks_between(learned, prints)
    if not leaks:
        return check
    leaking = np.zeros(len(hits), bool)
    leaking[[leak.picture for leak in leaks]] = True
    return {**check, "leaky": {**counted(leaks), "of": len(hits), **_on_both_sides(leaking, hits)}}


def counted(leaks: Sequence[Leak]) -> dict[str, Any]:
    """How many pictures leak, by reason."""
    return {"pictures": len(leaks), "why": dict(Counter(leak.why for leak in leaks))}


def _on_both_sides(leaking: NDArray[np.bool_], hits: NDArray[np.bool_]) -> dict[str, float]:
    values = {"accuracy_of_leaking": hits[leaking], "accuracy_of_the_rest": hits[~leaking]}
    return {name: round(float(some.mean()), 6) for name, some in values.items() if len(some)}


def _generations(learned: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The bundle's own and those of the models before it; bounded, for a bundle comes from anywhere."""
    found = [learned]
    for one in found:
        before = one.get("before")
        found += [older for older in before if isinstance(older, Mapping)] if isinstance(before, list) else []
        if len(found) >= _PARENTS:
            break
    return found[:_PARENTS]


def _compared(generations: Sequence[Mapping[str, Any]], prints: Prints) -> list[str]:
    writers = any(one.get("writers") and one.get("source") == prints.source for one in generations)
    known = {
        SAME_PICTURE: any(one.get("sha256") for one in generations),
        COPY: any(one.get("sha256") for one in generations) and len(prints.relatives) > 0,
        NEAR_COPY: any(one.get("phash") for one in generations) and len(prints.phashes) > 0,
        WRITER: writers and bool((prints.writers >= 0).all()),
    }
    return [why for why, able in known.items() if able]


def _same(learned: Mapping[str, Any], prints: Prints) -> Numbers:
    return np.flatnonzero(are_learned(learned, prints.sha256s))


def _grouped(learned: Mapping[str, Any], prints: Prints) -> Numbers:
    counts = [len(names) for names in prints.relatives]
    owner = np.repeat(np.arange(len(counts)), counts)
    return np.unique(owner[are_learned(learned, [name for names in prints.relatives for name in names])])


def are_learned(learned: Mapping[str, Any], sha256s: Sequence[str]) -> NDArray[np.bool_]:
    """Which of these (n,) are among what was kept of the training pictures."""
    known: NDArray[np.bool_] = np.isin(numbers_of(sha256s), unpacked(learned.get("sha256"), BYTES))
    return known


def _near(learned: Mapping[str, Any], prints: Prints) -> Numbers:
    theirs, names = unpacked(learned.get("phash"), BYTES_OF_PHASH), unpacked(learned.get("sha256"), BYTES)
    if len(theirs) == len(names):  # a hash for each picture, in the same order
        theirs = theirs[~np.isin(names, numbers_of(prints.compared))]
    places = np.arange(len(prints.sha256s)) if prints.drawn is None else np.flatnonzero(~prints.drawn)
    if not len(theirs) or not len(prints.phashes) or not len(places):
        return np.empty(0, np.int64)
    ours = prints.phashes.reshape(len(prints.sha256s), -1)[places]
    radius = np.full(ours.shape[1], TURNED)
    radius[0] = NEAR
    step = max(1, _AT_ONCE // (len(theirs) * ours.shape[1]))
    near = [np.empty(0, np.int64)]
    for start in range(0, len(ours), step):
        some = ours[start : start + step, :, None]
        close = np.bitwise_count(some ^ theirs).min(axis=2) <= radius
        near.append(places[start + np.flatnonzero(close.any(axis=1))])
    return np.concatenate(near)


def _written(learned: Mapping[str, Any], prints: Prints) -> Numbers:
    """Numbers of writers mean the same within one source only."""
    if learned.get("source") != prints.source:
        return np.empty(0, np.int64)
    known = unpacked(learned.get("writers"), BYTES_OF_WRITER).astype(np.int64)
    return np.flatnonzero(np.isin(prints.writers, known))
