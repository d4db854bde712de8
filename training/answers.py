"""What a classifier says to pictures whose labels are known: all that metrics and figures are made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handwriter_models.classifier import Classifier
from training.leaks import Prints, prints_of
from training.samples import Images, Samples


@dataclass(frozen=True)
class Answers:
    """What a classifier says to samples.

    Attributes:
        samples: the pictures with the classifier's label numbers; of photographs the images are for drawing only.
        probabilities: of each label, (n, labels), with the temperature in them.
        rejected: whether the classifier refuses the picture, (n,).
        temperature: the one in the probabilities.
        background: probability that the picture is none of the labels, (n,); None when the classifier has none.
        prints: what the pictures are recognised by; None for handwriting, whose pixels tell, or when nothing is known.
    """

    samples: Samples
    probabilities: NDArray[np.float32]
    rejected: NDArray[np.bool_]
    temperature: float = 1.0
    background: NDArray[np.float32] | None = None
    prints: Prints | None = None

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def confidence(self) -> NDArray[np.float32]:
        """As a prediction has it: the best label's probability times that of being a label at all, (n,)."""
        best: NDArray[np.float32] = self.probabilities.max(axis=1)
        return best if self.background is None else best * (1 - self.background)

    @property
    def hits(self) -> NDArray[np.bool_]:
        """Whether the most probable label is the actual one, (n,)."""
        right: NDArray[np.bool_] = self.probabilities.argmax(axis=1) == self.samples.labels
        return right

    def take(self, index: NDArray[Any]) -> Answers:
        """The answers at `index` (numbers or a mask)."""
        return Answers(
            self.samples.take(index),
            self.probabilities[index],
            self.rejected[index],
            self.temperature,
            None if self.background is None else self.background[index],
            None if self.prints is None else self.prints.take(index),
        )

    def known_by(self) -> Prints | None:
        """What the pictures are recognised by: of prepared handwriting its pixels; a thumbnail's tell nothing."""
        if self.prints is not None or self.samples.images.ndim != 3:
            return self.prints
        return prints_of(self.samples)


def answers_of(classifier: Classifier, samples: Samples, shown: Images | None = None) -> Answers:
    """The classifier's answers, with its own temperature and rule of rejection.

    Args:
        classifier: whom to ask.
        samples: prepared pictures, with the classifier's label numbers.
        shown: what figures draw in their place, smaller perhaps.
    """
    probabilities, background = classifier.scores(samples.images)
    config = classifier.config
    rule = config.rejection
    rejected = rule.refuses(probabilities.max(axis=1), background) if rule else np.zeros(len(samples), bool)
    world = background if config.has_background else None
    kept = samples if shown is None else replace(samples, images=shown)
    return Answers(kept, probabilities, rejected, config.temperature, world)


def join_answers(parts: list[Answers]) -> Answers:
    """Answers of one classifier to several parts of one source, as one; `prints` are those of no part."""
    samples = [part.samples for part in parts]
    worlds = [part.background for part in parts if part.background is not None]
    return Answers(
        replace(
            samples[0],
            images=np.concatenate([one.images for one in samples]),
            labels=np.concatenate([one.labels for one in samples]),
            groups=np.concatenate([one.groups for one in samples]),
        ),
        np.concatenate([part.probabilities for part in parts]),
        np.concatenate([part.rejected for part in parts]),
        parts[0].temperature,
        np.concatenate(worlds) if worlds else None,
    )
