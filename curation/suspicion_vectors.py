"""What vectors tell about labels: which pictures look like another class, and which are unlike their own.

Wrong labels: a linear head predicts every picture from folds that hold neither the picture nor a copy of it; the vote
of its nearest neighbours in each class is averaged with that, and cleanlab's confident learning says which labels to
doubt. With 10 wrong labels planted among 151 photographs (ten times), the mean precision was 0.79 with the head alone,
0.84 with neighbours alone, 0.88 with both. cleanlab names about as many labels as it estimates to be wrong; other
pictures that look more like another class count half, which brings 14.6 of 15 planted faults among the first 20, not
13.0. Outliers: the distance to the nearest pictures of the same class, in units of what is usual in the class, on
whitened components; on plain vectors foreign pictures (a text, a digit) stand out less, 0.74 against 0.88. Nothing
here reads pictures or the dataset.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FEWEST = 5  # pictures of a class, copies aside, from which anything can be said about it
_FOLDS = 5
_NEAR = 5  # neighbours that vote
_MOST = 20_000  # pictures that a head learns from, and that neighbours are sought among: bounds time and memory
_COMPONENTS = 50
_SHARPNESS = 0.05  # of neighbours' votes, as a share of the usual distance
_STRANGE, _VERY_STRANGE = 2.0, 2.5  # robust standard deviations: reported from the first, score 0.5 at the second
_UNCONFIRMED = 0.5  # weight of a doubt that confident learning does not share
Floats = NDArray[np.float32]
Numbers = NDArray[np.intp]


@dataclass(frozen=True)
class Doubts:
    """By picture, (n,): how doubtful its label is (0: not at all, up to 1), and the class it looks like instead."""

    score: NDArray[np.float64]
    looks_like: Numbers


@dataclass(frozen=True)
class Strangeness:
    """By picture, (n,): how unlike its class it is (0: not at all, up to 1), and whether it is unlike all classes."""

    score: NDArray[np.float64]
    everywhere: NDArray[np.bool_]


def doubtful_labels(vectors: Floats, labels: Numbers, families: Numbers) -> Doubts:
    """Labels to doubt.

    Args:
        vectors: (n, dimension).
        labels: (n,), class numbers 0, 1, … of which each has at least `FEWEST` families; at least two classes.
        families: (n,), equal for copies of each other.
    """
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    centred = _centred(vectors)
    probabilities = (_head_votes(centred, labels, families) + _neighbour_votes(centred, labels, families)) / 2
    wrong = find_label_issues(labels, probabilities, n_jobs=1)
    quality = get_label_quality_scores(labels, probabilities, method="normalized_margin")
    others = probabilities.copy()
    others[np.arange(len(labels)), labels] = -1
    looks_like = others.argmax(axis=1)
    stronger = others.max(axis=1) > probabilities[np.arange(len(labels)), labels]
    weight = np.where(wrong, 1, _UNCONFIRMED) * stronger
    return Doubts(weight * (1 - quality), looks_like)


def strange_pictures(vectors: Floats, labels: Numbers, families: Numbers) -> Strangeness:
    """Pictures unlike their class; arguments as those of `doubtful_labels`, one class is enough."""
    distances = nearness(_whitened(vectors), labels, families)
    own = distances[np.arange(len(labels)), labels]
    anywhere = distances.min(axis=1)
    score, everywhere = np.zeros(len(labels)), np.zeros(len(labels), bool)
    for number in range(distances.shape[1]):
        of = labels == number
        middle = np.median(own[of])
        unit = max(1.4826 * float(np.median(np.abs(own[of] - middle))), 0.02 * float(middle), 1e-6)
        deviation = (own[of] - middle) / unit
        score[of] = np.where(deviation >= _STRANGE, 1 / (1 + np.exp(-1.5 * (deviation - _VERY_STRANGE))), 0)
        everywhere[of] = (anywhere[of] - middle) / unit >= _STRANGE
    return Strangeness(score, everywhere)


def nearness(vectors: Floats, labels: Numbers, families: Numbers) -> NDArray[np.float64]:
    """Mean cosine distance to the nearest pictures of each class, (n, classes); copies of a picture do not count."""
    classes = int(labels.max()) + 1
    found = np.full((len(vectors), classes), 2.0)
    chance = np.random.default_rng(0)
    for number in range(classes):
        of = np.flatnonzero(labels == number)
        most = max(50, _MOST // classes)
        of = of if len(of) <= most else np.sort(chance.choice(of, most, replace=False))
        for start in range(0, len(vectors), 1024):
            part = slice(start, start + 1024)
            distances = 1 - vectors[part] @ vectors[of].T
            distances[families[part, None] == families[of]] = np.inf
            count = min(_NEAR, len(of))
            nearest = np.partition(distances, count - 1, axis=1)[:, :count]
            usable = np.isfinite(nearest)
            total = np.where(usable, nearest, 0).sum(axis=1)
            counts = usable.sum(axis=1)
            found[part, number] = np.where(counts > 0, total / np.maximum(counts, 1), 2.0)
    return found


def _neighbour_votes(vectors: Floats, labels: Numbers, families: Numbers) -> NDArray[np.float64]:
    """Probabilities (n, classes) from distances to the nearest of each class."""
    distances = nearness(vectors, labels, families)
    votes = np.exp(-(distances - distances.min(axis=1, keepdims=True)) / (_SHARPNESS * np.median(distances) + 1e-9))
    result: NDArray[np.float64] = votes / votes.sum(axis=1, keepdims=True)
    return result


def _head_votes(vectors: Floats, labels: Numbers, families: Numbers) -> NDArray[np.float64]:
    """Probabilities (n, classes) of a linear head that has not seen the picture or a copy of it."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold

    votes = np.zeros((len(labels), int(labels.max()) + 1))
    folds = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=0)
    chance = np.random.default_rng(0)
    for learned, asked in folds.split(vectors, labels, families):
        some = learned if len(learned) <= _MOST else chance.choice(learned, _MOST, replace=False)
        classes = np.unique(labels[some])
        if len(classes) < 2:
            votes[np.ix_(asked, classes)] = 1
            continue
        head = LogisticRegression(C=10, max_iter=1000, tol=1e-3).fit(vectors[some], labels[some])
        votes[np.ix_(asked, classes)] = head.predict_proba(vectors[asked])
    return votes


def _centred(vectors: Floats) -> Floats:
    """Of length 1, then around their mean, again of length 1: what all pictures have in common says nothing."""
    directions = _directions(vectors)
    return _directions(directions - directions.mean(axis=0))


def _whitened(vectors: Floats) -> Floats:
    """The main components of the vectors' directions, each with the same spread, of length 1."""
    from sklearn.decomposition import PCA

    directions = _directions(vectors)
    chance = np.random.default_rng(0)
    some = directions if len(directions) <= _MOST else chance.choice(directions, _MOST, replace=False)
    count = max(1, min(_COMPONENTS, len(some) // 3, directions.shape[1]))
    if not np.ptp(some, axis=0).any():
        return directions  # all pictures are the same
    components = PCA(count, whiten=True, random_state=0).fit(some)
    return _directions(np.nan_to_num(components.transform(directions)).astype(np.float32))


def _directions(vectors: Floats) -> Floats:
    lengths: Any = np.linalg.norm(vectors, axis=1, keepdims=True)
    result: Floats = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
    return result
