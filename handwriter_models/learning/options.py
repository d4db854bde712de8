"""What can be chosen of a training, with the bounds of each choice, and what one epoch came to.

Recipes read these fields from TOML and check them; whoever trains a head without a recipe makes them directly.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


def choice(*choices: str) -> Any:  # noqa: ANN401 - a dataclass field takes its type from the annotation
    """A field that takes one of these texts, the first when nothing is said."""
    return field(default=choices[0], metadata={"choices": choices})


def number(default: float, low: float, high: float) -> Any:  # noqa: ANN401 - as above
    """A field that takes a number within these bounds."""
    return field(default=default, metadata={"low": low, "high": high})


@dataclass(frozen=True)
class TrainOptions:
    """The loop: `ema` 0, `clip` 0 and `label_smoothing` 0 switch that part off."""

    optimizer: str = choice("adam", "adamw", "sgd")
    rate: float = number(1e-3, 1e-9, 1e3)
    batch: int = number(128, 1, 65536)
    epochs: int = number(10, 1, 100_000)
    schedule: str = choice("constant", "one-cycle", "cosine")
    warmup: float = number(0.3, 0.0, 0.9)  # share of the steps in which one-cycle climbs
    weight_decay: float = number(0.0, 0.0, 10.0)
    momentum: float = number(0.9, 0.0, 0.9999)  # of sgd
    label_smoothing: float = number(0.0, 0.0, 0.9)
    ema: float = number(0.0, 0.0, 0.999999)
    precision: str = choice("fp32", "bf16")
    clip: float = number(0.0, 0.0, 1e6)
    seed: int = number(0, 0, 2**31 - 1)


@dataclass(frozen=True)
class HeadOptions:
    """What is learned on top of frozen features; 0 switches `hidden`, `mixup` and `patience` off.

    `mixup` is the parameter of the Beta distribution by which two pictures are mixed, `patience` the number of epochs
    without a better validation loss after which training ends, `balanced` lets each label weigh the same. `scale`: each
    value is stretched to the same deviation, or none further than all are together, as for values of one unit.
    """

    hidden: int = number(128, 0, 4096)
    mixup: float = number(0.2, 0.0, 10.0)
    balanced: bool = True
    patience: int = number(10, 0, 100_000)
    scale: str = choice("each", "all")


@dataclass(frozen=True)
class Epoch:
    """What one epoch came to: training figures are of the augmented pictures while the weights changed."""

    epoch: int
    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float
    rate: float
    seconds: float
