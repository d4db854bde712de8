"""The library at the bottom: pictures in, answers out. Names are loaded when first used, so importing it is quick.

`load("digits").predict("photo.jpg")` is the whole story. Nothing here imports another package of this project.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from handwriter_models.classifier import Classifier, Prediction, load
    from handwriter_models.errors import UserError

__all__ = ["Classifier", "Prediction", "UserError", "load"]

_HOMES = {
    "load": "handwriter_models.classifier",
    "Classifier": "handwriter_models.classifier",
    "Prediction": "handwriter_models.classifier",
    "UserError": "handwriter_models.errors",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a class or a function, by name
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
