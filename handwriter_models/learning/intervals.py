"""How sure a share is: intervals at 95 % for what was counted on a test of limited size.

Wilson's score interval (Wilson 1927, JASA 22) stays within 0 and 1 and holds for small counts and for 100 % right,
where "plus or minus two standard errors" says plus or minus nothing. It takes pictures as independent. Those of one
hand are not: with few writers the interval by whole writers (a cluster bootstrap) is the honest one, and stands beside
it. Precision, recall and accuracy are shares; F1 is not, and has no interval here.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

METHOD = "Wilson score, 95 %, pictures taken as independent"
METHOD_BY_WRITER = "bootstrap of whole writers, 95 %"
_Z = 1.959963984540054  # of the normal distribution: 95 % lie within
_DRAWS = 2000
Interval = list[float]


def wilson(hits: float, count: int) -> Interval | None:
    """[low, high] of the share `hits` of `count`, which may be a sum of shares; None when there is nothing to count."""
    if not count:
        return None
    share, z = hits / count, _Z * _Z / count
    middle = (share + z / 2) / (1 + z)
    half = _Z * math.sqrt(share * (1 - share) / count + z / (4 * count)) / (1 + z)
    return [round(max(0.0, middle - half), 6), round(min(1.0, middle + half), 6)]


def by_writer(hits: NDArray[np.bool_], writers: NDArray[np.int64]) -> Interval | None:
    """[low, high] of the share of hits when whole writers are drawn anew; None when a writer is unknown or alone."""
    if not len(writers) or (writers < 0).any():
        return None
    _, place = np.unique(writers, return_inverse=True)
    right, counts = np.bincount(place, hits), np.bincount(place)
    if len(counts) < 2:
        return None
    drawn = np.random.default_rng(0).integers(0, len(counts), (_DRAWS, len(counts)))
    shares = right[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(shares, (0.025, 0.975))
    return [round(float(low), 6), round(float(high), 6)]
