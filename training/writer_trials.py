"""Questions "whose hand is this?" drawn from pictures with known answers: for calibration and for honest figures.

A draw takes some hands of one room. With an embedding each is first made known by a few pictures; then other pictures
of the same hands are asked about, pooled one, two, five, ten or twenty at a time. Intervals come from drawing the hands
anew, because pictures of one hand are no independent evidence and hands differ in how typical they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handwriter_models.errors import UserError
from handwriter_models.learning.intervals import by_writer
from handwriter_models.learning.metrics import expected_calibration_error
from training.samples import Numbers
from training.writer_data import Hands
from training.writer_model import HandModel, Known
from training.writer_scoring import Floats, Trial

COUNTS = (1, 2, 5, 10, 20)
SURE, STRANGE = 0.8, 0.5  # an answer is given from this probability on, unless a stranger is this probable


@dataclass(frozen=True)
class Draws:
    """How questions are drawn: `writers` to choose among, known by `enrolled` pictures each, `draws` times over.

    `asked` questions a hand, number of pictures and draw. `strangers`: the hand asked about is then not among the
    writers.
    """

    writers: int = 20
    enrolled: int = 5
    draws: int = 40
    asked: int = 4
    seed: int = 0
    strangers: bool = False


@dataclass(frozen=True)
class Asked:
    """The questions of one draw with one number of pictures; `hands` tells whose they are, (m,)."""

    trial: Trial
    hands: Numbers


def questions(model: HandModel, hands: Hands, plan: Draws) -> Iterator[Asked]:
    """All questions about `hands` that the plan asks for; numbers of pictures that a hand lacks are left out."""
    vectors = model.vectors(hands.images)
    members = [np.flatnonzero(hands.hands == hand) for hand in range(len(hands.names))]
    if not model.takes_new_writers:
        known, everyone = model.learned(), dict(enumerate(members))
        for number in range(plan.draws):
            generator = np.random.default_rng([plan.seed, number])
            yield from _pooled(_Scene(model, known, vectors, generator), everyone, everyone, plan.asked)
        return
    rooms = [np.flatnonzero(hands.rooms == room) for room in np.unique(hands.rooms)]
    plan = replace(plan, writers=min(plan.writers, *(len(room) - plan.strangers for room in rooms)))
    for number in range(plan.draws):
        generator = np.random.default_rng([plan.seed, number])
        yield from _one_draw(model, vectors, (members, rooms[number % len(rooms)]), plan, generator)


@dataclass(frozen=True)
class _Scene:
    """Who could have written it, and the vectors of the pictures asked about."""

    model: HandModel
    known: Known
    vectors: Floats
    generator: np.random.Generator


def _one_draw(
    model: HandModel,
    vectors: Floats,
    place: tuple[list[Numbers], Numbers],
    plan: Draws,
    generator: np.random.Generator,
) -> Iterator[Asked]:
    """Some hands of a room are enrolled; they are asked about, or the others are when strangers are wanted."""
    members, room = place
    order = [int(hand) for hand in generator.permutation(room)]
    pictures = {hand: generator.permutation(members[hand]) for hand in order}
    enrolled, others = order[: plan.writers], order[plan.writers : 2 * plan.writers]
    _check_enough(pictures, enrolled, plan.enrolled)
    known = model.known([""] * len(enrolled), [vectors[pictures[hand][: plan.enrolled]] for hand in enrolled])
    asked = {hand: pictures[hand][plan.enrolled :] for hand in (others if plan.strangers else enrolled)}
    yield from _pooled(_Scene(model, known, vectors, generator), asked, enrolled, plan.asked)


def _pooled(scene: _Scene, asked: dict[int, Numbers], columns: Iterable[int], times: int) -> Iterator[Asked]:
    """Questions about other pictures of the hands in `asked`, by the number of pictures; `columns` are the answers."""
    column = {hand: place for place, hand in enumerate(columns)}
    for count in COUNTS:
        able = [hand for hand, pictures in asked.items() if len(pictures) >= count for _ in range(times)]
        if able:
            picks = [scene.generator.choice(asked[hand], count, replace=False) for hand in able]
            query = np.stack([scene.vectors[pick].mean(axis=0) for pick in picks])
            logs, strange = scene.model.logs(scene.known, query, count)
            truth = np.array([column.get(hand, -1) for hand in able], np.int64)
            yield Asked(Trial(logs, strange, truth, count), np.array(able, np.int64))


def _check_enough(pictures: dict[int, Numbers], hands: Sequence[int], enrolled: int) -> None:
    fewest = min(len(pictures[hand]) for hand in hands)
    if fewest <= enrolled:
        raise UserError(
            f"a hand has {fewest} pictures, which leaves none to ask about after {enrolled} for knowing it",
            "ask for fewer with --enrolled",
        )


def measured(model: HandModel, questions_asked: Sequence[Asked], strangers: Sequence[Asked] = ()) -> dict[str, Any]:
    """By number of pictures: top-1 and top-5 with 95 % intervals, ECE of the probability, sure answers; chance."""
    table: dict[str, Any] = {}
    for count in COUNTS:
        asked = [one for one in questions_asked if one.trial.count == count]
        if asked:
            strange = [one for one in strangers if one.trial.count == count]
            table[str(count)] = _row(model, asked, strange)
    return table


def _row(model: HandModel, asked: Sequence[Asked], strange: Sequence[Asked]) -> dict[str, Any]:
    probabilities = [model.calibration.probabilities(one.trial.logs, one.trial.count) for one in asked]
    truth = np.concatenate([one.trial.truth for one in asked])
    hands = np.concatenate([one.hands for one in asked])
    rows = np.concatenate(probabilities)
    ranks = (rows > rows[np.arange(len(rows)), truth][:, None]).sum(axis=1)
    sure = np.concatenate([sure_of(model, one.trial) for one in asked])
    row: dict[str, Any] = {"questions": len(rows), "writers": rows.shape[1], "chance": round(1 / rows.shape[1], 4)}
    for name, most in (("top1", 1), ("top5", 5)):
        row[name] = round(float((ranks < most).mean()), 4)
        row[f"{name}_interval"] = by_writer(ranks < most, hands)
    row["ece"] = round(expected_calibration_error(truth, rows), 4)
    row["sure"] = round(float(sure.mean()), 4)
    row["right_when_sure"] = round(float((ranks[sure] < 1).mean()), 4) if sure.any() else None
    if strange:
        row["strangers_named"] = round(float(np.concatenate([sure_of(model, one.trial) for one in strange]).mean()), 4)
    return row


def sure_of(model: HandModel, trial: Trial) -> NDArray[np.bool_]:
    """Which questions get a sure answer, (m,)."""
    best = model.calibration.probabilities(trial.logs, trial.count).max(axis=1)
    strange = model.calibration.stranger(trial.logs, trial.strange, trial.count)
    answer: NDArray[np.bool_] = (best >= SURE) & (strange < STRANGE)
    return answer
