"""Measures a model of hands on what it has not learned from: other hands, or other pictures of the hands it knows.

Which those are follows from the seed in the bundle. An embedding on a source that it was not trained on meets nothing
but strangers, so there all test hands of the bundle's seed are asked about, too.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from handwriter_models.errors import UserError
from training.stopwatch import Stopwatch
from training.writer_data import Hands, Parts, read_parts
from training.writer_fit import known_writers, picture_print
from training.writer_model import HandModel, load_hand_model
from training.writer_trials import Draws, measured, questions


def evaluate_writers(folder: Path, source: str, data: Path | None, plan: Draws) -> dict[str, Any]:
    """The table of `measured` under "by_pictures"; `UserError` when the source's pictures are not those of then."""
    model = load_hand_model(folder)
    watch = Stopwatch()
    with watch.stage("read"):
        parts = read_parts(source, data, _seed(model))
        test = _test(model, parts)
    with watch.stage("evaluate"):
        strangers = list(questions(model, test, replace(plan, strangers=True))) if model.takes_new_writers else []
        table = measured(model, list(questions(model, test, plan)), strangers)
    return {"by_pictures": table, "hands": len(test.names), "enrolled": plan.enrolled, "seconds": watch.seconds}


def _seed(model: HandModel) -> int:
    seed = model.config.data.get("seed")
    if not isinstance(seed, int) or seed < 0:
        raise UserError(f"model {model.config.name!r}: field 'data.seed' is {seed!r}", "make the model again", 422)
    return seed


def _test(model: HandModel, parts: Parts) -> Hands:
    """The test hands; refused when they are not those that were set apart when the model was made."""
    trained_on = model.config.data.get("source")
    if model.takes_new_writers:
        hands = model.config.data.get("hands")
        same = isinstance(hands, dict) and hands.get("test") == parts.test.names
        if parts.source == trained_on and not same:
            raise _other(parts)
        return parts.test
    if parts.source != trained_on:
        raise UserError(
            f"model {model.config.name!r} knows writers of {trained_on}, none of {parts.source}",
            "measure it on the source that it was made from",
        )
    _, _, tested = known_writers(parts, len(model.config.labels))
    if picture_print(tested.images) != model.config.data.get("test") or tuple(tested.names) != model.config.labels:
        raise _other(parts)
    return tested


def _other(parts: Parts) -> UserError:
    return UserError(
        f"this copy of {parts.source} does not give the test that was set apart when the model was made",
        "a test on pictures that it may have learned from would flatter it: use the same data, or fit again",
    )
