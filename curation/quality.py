"""What is wrong with a picture itself, whatever its label: blurred, dark, overexposed, flat, narrow, very small.

A pure function of what a scan measured. A property that more than a third of a class has belongs to the class, and is
no fault of its pictures: scans of digits are all tiny, photographs of the night sky all dark. The limits were chosen on
167 photographs and versions of them; `benchmarks/suspicion.py` prints how many are found and how many false alarms.
It does not read pictures, so what the small grey decode of a scan does not show is not found: slight blur, noise,
compression, wrong colours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from curation.listing import PictureRow

KINDS = ("blurry", "dark", "bright", "low-contrast", "uniform", "odd-aspect", "tiny")
SOFT = 5  # times less sharp than the middle of its class
SOFTEST = 0.2  # relative sharpness that counts as blurred at most, in a class of drawings too
DARK, BRIGHT = 0.13, 0.9  # mean brightness
SHADED = 0.16  # contrast from which a dark or bright picture shows something: a lit subject, ink on paper
FLAT, BLANK = 0.05, 0.01  # contrast
NARROW = 3.0  # longer by shorter side
SMALL = 64  # pixels of the shorter side
USUAL = 1 / 3  # of a class
FEW = 5  # pictures of a class that are too few to say what is usual in it


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of one file; the score rises from 0, just beyond the limit, to 1."""

    file: int
    kind: str
    score: float
    detail: str  # the measured value, for people


def faults(rows: Sequence[PictureRow]) -> list[Fault]:
    """The faults of these pictures, by file in the order of the rows."""
    sharp = _usual_sharpness(rows)
    found = [(row, fault) for row in rows for fault in _faults(row, sharp(row.label))]
    usual = _usual(rows, ((row.label, fault.kind) for row, fault in found))
    return [fault for row, fault in found if (row.label, fault.kind) not in usual]


def sharpness(row: PictureRow) -> float:
    """Variance of the Laplacian by variance of the brightness: it does not change with light or contrast."""
    return row.blur / max((255 * row.contrast) ** 2, 1e-6)


def _faults(row: PictureRow, usual_sharpness: float) -> Iterable[Fault]:
    light = _light(row)
    if light:
        yield light
    if not (light and light.kind == "uniform"):  # nothing in it can be sharp
        limit = min(usual_sharpness / SOFT, SOFTEST)
        if sharpness(row) < limit:
            yield Fault(row.id, "blurry", _score(1 - sharpness(row) / limit), f"{sharpness(row):.3f}")
    long, short = max(row.width, row.height), max(1, min(row.width, row.height))
    if long / short > NARROW:
        yield Fault(row.id, "odd-aspect", _score(1 - NARROW * short / long), f"{row.width}x{row.height}")
    if short < SMALL:
        yield Fault(row.id, "tiny", _score(1 - short / SMALL), f"{row.width}x{row.height}")


def _light(row: PictureRow) -> Fault | None:
    """At most one of uniform, dark, bright and low-contrast: what explains the others."""
    shows_little = row.contrast < SHADED
    if row.contrast < BLANK:
        return Fault(row.id, "uniform", _score(1 - row.contrast / BLANK / 2), f"{row.contrast:.3f}")
    if row.brightness < DARK and shows_little:
        return Fault(row.id, "dark", _score(1 - row.brightness / DARK), f"{row.brightness:.2f}")
    if row.brightness > BRIGHT and shows_little:
        return Fault(row.id, "bright", _score((row.brightness - BRIGHT) / (1 - BRIGHT)), f"{row.brightness:.2f}")
    if row.contrast < FLAT:
        return Fault(row.id, "low-contrast", _score(1 - row.contrast / FLAT), f"{row.contrast:.3f}")
    return None


def _score(value: float) -> float:
    return round(min(1.0, max(0.0, value)), 3)


def _usual_sharpness(rows: Sequence[PictureRow]) -> Callable[[str], float]:
    """The median of a class, or of all pictures where the class has few."""
    of: dict[str, list[float]] = {}
    for row in rows:
        of.setdefault(row.label, []).append(sharpness(row))
    everywhere = median(value for values in of.values() for value in values) if rows else 0.0
    medians = {label: median(values) if len(values) >= FEW else everywhere for label, values in of.items()}
    return medians.__getitem__


def _usual(rows: Sequence[PictureRow], found: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Label and kind of what is no fault, because more than a third of the class (of all, in a small class) has it."""
    sizes, counts = Counter(row.label for row in rows), Counter(found)
    everywhere: Counter[str] = Counter()
    for (_, kind), count in counts.items():
        everywhere[kind] += count
    usual = set()
    for (label, kind), count in counts.items():
        has, of = (count, sizes[label]) if sizes[label] >= FEW else (everywhere[kind], len(rows))
        if of >= FEW and has > USUAL * of:
            usual.add((label, kind))
    return usual
