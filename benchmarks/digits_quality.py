"""How good a digits model is, on MNIST and far from it: `python benchmarks/digits_quality.py --data ../shared/data`.

Every picture goes the whole way: through `ink.prepare` and the loaded bundle. The redrawn sets use their own pen (discs
along a skeleton), not the one that painted the training pictures; nothing here was trained on: MNIST's test writers,
scikit-learn's digits, and the six of Omniglot's twenty writers that training leaves out.
"""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)

import cv2
import numpy as np
from numpy.typing import NDArray

from handwriter_models.classifier import Classifier

Bytes = NDArray[np.uint8]
PENS = {"canvas": (0.03, 0.16), "thin pen": (0.008, 0.02), "thick marker": (0.17, 0.23)}


def redrawn(job: tuple[Bytes, tuple[float, float], int]) -> Bytes:
    """One digit drawn on a 280-pixel canvas at a random place and size with a pen in the range, and prepared."""
    from skimage.morphology import skeletonize

    from handwriter_models import ink

    digit, pens, seed = job
    random = np.random.default_rng(seed)
    fine = 8
    large = cv2.resize(digit, (28 * fine, 28 * fine), interpolation=cv2.INTER_CUBIC)
    rows, columns = np.nonzero(skeletonize(large > 127))
    size = random.uniform(70, 230)
    pen = max(1.0, size * random.uniform(*pens))
    unit = (size - pen) / max(int(np.ptp(rows)), int(np.ptp(columns)), 1)
    xs, ys = (columns - columns.min()) * unit + pen / 2, (rows - rows.min()) * unit + pen / 2
    xs += random.uniform(0, max(1, 280 - xs.max() - pen / 2))
    ys += random.uniform(0, max(1, 280 - ys.max() - pen / 2))
    paper = np.full((280, 280), 255, np.uint8)
    for x, y in zip(xs, ys, strict=True):
        cv2.circle(paper, (round(x * 16), round(y * 16)), round(pen * 8), 0, -1, cv2.LINE_AA, 4)
    return ink.prepare(paper).pixels


@dataclass
class Sets:
    """Prepared pictures: digits with their labels, and what is no digit."""

    digits: dict[str, tuple[Bytes, NDArray[np.int64]]]
    foreign: dict[str, Bytes]


def make_sets(data: Path, count: int) -> Sets:
    """All test sets; `count` redrawn digits a set."""
    from sklearn.datasets import load_digits

    from handwriter_models import ink
    from training import extras, omniglot, strokes
    from training.mnist import read_mnist

    test = read_mnist(data)[1]
    images, labels = test.images, test.labels
    digits = {"MNIST test": (images, labels)}
    small = load_digits()
    scans = np.round(small.images * (255 / 16)).astype(np.uint8)
    digits["scikit-learn digits"] = (ink.prepare_many(scans), small.target)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for name, pens in PENS.items():
            jobs = [(images[i], pens, i) for i in range(count)]
            digits[name] = (np.stack(list(pool.map(redrawn, jobs, chunksize=100))), labels[:count])
    random = np.random.default_rng(2026)
    foreign: dict[str, list[Bytes]] = {"Korean": [], "Greek": [], "Latin": []}
    for drawing in omniglot.read_alphabets(data, foreign):
        if drawing.drawer > omniglot.LAST_TRAINING_DRAWER:
            foreign[drawing.alphabet].append(ink.prepare(drawing.picture).pixels)
    foreign["scribbles"] = [
        ink.prepare(strokes.paint(strokes.bent(strokes.scribble(random), random), 0.06, 280, random)).pixels
        for _ in range(1500)
    ]
    foreign["noise"] = [ink.prepare(extras.noise_picture(random)).pixels for _ in range(1000)]
    paper = [np.clip(random.normal(level, 3, (280, 280)), 0, 255).astype(np.uint8) for level in range(20, 250, 5)]
    foreign["blank"] = [ink.prepare(sheet).pixels for sheet in paper]
    return Sets(digits, {name: np.stack(pictures) for name, pictures in foreign.items()})


def refusal(classifier: Classifier, pictures: Bytes) -> NDArray[np.float64]:
    """How sure the bundle's own rule is that this is no digit, 1 for a picture without ink."""
    probabilities, background = classifier.scores(pictures)
    doubt = background if classifier.config.has_background else 1 - probabilities.max(axis=1)
    return np.where(pictures.any(axis=(1, 2)), doubt.astype(float), 1.0)


def refused(classifier: Classifier, pictures: Bytes) -> float:
    """The share that the bundle refuses; a picture without ink is refused always."""
    rule = classifier.config.rejection
    probabilities, background = classifier.scores(pictures)
    foreign = rule.refuses(probabilities.max(axis=1), background) if rule else np.zeros(len(pictures), bool)
    return float((foreign | ~pictures.any(axis=(1, 2))).mean())


def measure(model: str, sets: Sets) -> dict[str, float]:
    """All figures of the bundle by name."""
    from sklearn.metrics import roc_auc_score

    import handwriter_models
    from handwriter_models.learning.metrics import expected_calibration_error

    classifier = handwriter_models.load(model)
    figures: dict[str, float] = {}
    for name, (pictures, labels) in sets.digits.items():
        probabilities, _ = classifier.scores(pictures)
        figures[f"accuracy {name}"] = float((probabilities.argmax(1) == labels).mean())
        figures[f"refused {name}"] = refused(classifier, pictures)
        figures[f"ECE {name}"] = expected_calibration_error(labels, probabilities)
    known = refusal(classifier, sets.digits["MNIST test"][0])
    for name, pictures in sets.foreign.items():
        scores = refusal(classifier, pictures)
        truth = np.r_[np.zeros(len(known)), np.ones(len(scores))]
        figures[f"AUROC {name}"] = float(roc_auc_score(truth, np.r_[known, scores]))
        figures[f"refused {name}"] = refused(classifier, pictures)
    figures["parameters"] = sum(p.numel() for p in classifier.network.parameters())
    return figures


def main() -> None:
    """Measure the named bundles side by side and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with MNIST/raw and omniglot")
    parser.add_argument("--models", nargs="+", default=["digits", "cnn-digits", "mlp-digits"])
    parser.add_argument("--count", type=int, default=10_000, help="redrawn digits a set")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    sets = make_sets(options.data, options.count)
    figures = {model: measure(model, sets) for model in options.models}
    if options.json:
        print(json.dumps(figures, indent=1))
        return
    print(f"| figure | {' | '.join(options.models)} |\n|---|{'---|' * len(options.models)}")
    for name in figures[options.models[0]]:
        row = [f"{f[name]:.4f}" if f[name] <= 1 else f"{f[name]:,.0f}" for f in figures.values()]
        print(f"| {name} | {' | '.join(row)} |")


if __name__ == "__main__":
    main()
