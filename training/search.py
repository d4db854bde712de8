"""`python training search`: tries settings of head and training on cached vectors, and writes the best as a recipe.

Optuna keeps the trials in an SQLite file, so a search that was stopped goes on, and several processes work on it at
once. Its sampler learns from what was tried (TPE, Bergstra et al. 2011), or tries at random, as people do first.
Workers are processes of their own: they read the vectors from a file, not from ours.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from curation.progress import Bar
from handwriter_models.disk import disk_fault, fault_of_folder
from handwriter_models.errors import UserError
from training.progress import messages
from training.recipes import Recipe, recipe_from_table
from training.search_space import Task, changed, chosen, folds_of, judged, settled

if TYPE_CHECKING:
    import optuna

    from curation.listing import PictureRow

VECTORS, STORE, NAME = "vectors.safetensors", "search.db", "search"
SAMPLERS = ("tpe", "random")
Call = tuple[Path, dict[str, Any], tuple[int, int, str, int]]
_POLL = 0.2  # seconds between two looks at how many trials are done


@dataclass(frozen=True)
class SearchOrder:
    """What a person asked for."""

    source: str
    recipe: Recipe
    out: Path
    trials: int = 50
    sampler: str = "tpe"
    processes: int = 0
    restart: bool = False
    device: str = "cpu"
    start: str | None = None


@dataclass(frozen=True)
class Found:
    """All trials that ended, best first, as plain values, and the best recipe."""

    trials: list[dict[str, Any]]
    recipe: Recipe
    study: optuna.Study
    unreadable: list[tuple[str, str]]


def search(order: SearchOrder) -> Found:
    """Searches until `order.trials` have ended, counting those of earlier runs in the same folder.

    Raises:
        UserError: the recipe has no head of its own, or the folder holds another search.
    """
    _check(order)
    task, views, unreadable, identity = _task(order)
    study = _study(order, identity)
    save_file(
        {"values": settled(task.values), "labels": task.labels, "folds": task.folds},
        order.out / VECTORS,
        {"outputs": str(task.outputs)},
    )
    _forget_dead(study)
    # What is there is always one of the trials: a search never ends with less than it began with.
    if not study.trials:
        study.enqueue_trial(_settings_of(order.recipe, views), skip_if_exists=True)
    started, before = time.monotonic(), _ended(study)
    _run(order, views, study)
    done = _ended(study) - before
    messages.print(f"{done} trials in {time.monotonic() - started:.1f} s; {before + done} in all")
    (order.out / VECTORS).unlink(missing_ok=True)
    trials = _as_values(study)
    return Found(trials, changed(_with_weights(order), trials[0]["settings"]), study, unreadable)


def _with_weights(order: SearchOrder) -> Recipe:
    """The recipe with the weights on which the trials were judged, whoever named them."""
    from training.frozen import named_weights

    weights = named_weights(order.start or order.recipe.backbone.weights)
    return replace(order.recipe, backbone=replace(order.recipe.backbone, weights=weights))


def _check(order: SearchOrder) -> None:
    if not order.recipe.is_transfer:
        raise UserError(
            f"recipe {order.recipe.name!r} trains a whole network; a search tries heads on a frozen one",
            "give --recipe frozen-resnet50 or another frozen one",
        )
    if order.sampler not in SAMPLERS:
        raise UserError(f"unknown sampler {order.sampler!r}", f"one of: {', '.join(SAMPLERS)}")
    if order.trials < 1:
        raise UserError(f"{order.trials} trials are none", "give --trials 50")


def _task(order: SearchOrder) -> tuple[Task, int, list[tuple[str, str]], dict[str, Any]]:
    """What the trials learn, how many changed looks there are, what could not be read, and what search this is."""
    from training.datasets import photographs
    from training.frozen import chosen_backbone, seen

    with photographs(order.source, order.recipe.data, order.recipe.train.seed) as dataset:
        network, _ = chosen_backbone(order.recipe.backbone, order.start, order.device)
        found = seen(dataset, network, order.recipe)
        train, rows = found.parts["train"], found.rows["train"]
        folds = folds_of(train.labels.numpy(), _groups(rows), order.recipe.train.seed)
        identity = {
            "fingerprint": dataset.fingerprint(),
            "network": network.name,
            "recipe": order.recipe.as_json(),
            "sampler": order.sampler,
        }
        task = Task(train.values, train.labels, torch.from_numpy(folds), len(dataset.names))
        unreadable = sorted({*dataset.unreadable, *found.unreadable})
    return task, train.values.shape[1] - 1, unreadable, json.loads(json.dumps(identity))


def _groups(rows: list[PictureRow]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Copies share a number."""
    names = [f"family {row.family}" if row.family is not None else f"picture {row.id}" for row in rows]
    return np.unique(np.asarray(names), return_inverse=True)[1]


def _storage(out: Path) -> str:
    return f"sqlite:///{(out / STORE).resolve()}"


def _study(order: SearchOrder, identity: dict[str, Any]) -> optuna.Study:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    order.out.mkdir(parents=True, exist_ok=True)
    if order.restart:
        (order.out / STORE).unlink(missing_ok=True)
    try:
        study = optuna.create_study(
            storage=_storage(order.out), study_name=NAME, direction="minimize", load_if_exists=True
        )
    except Exception as error:  # SQLAlchemy's errors have no common base with the system's
        if fault := disk_fault(error) or fault_of_folder(order.out):
            raise fault from error
        reason = str(error).splitlines()[0]
        raise UserError(f"{order.out / STORE} cannot be used: {reason}", "give another --out, or --restart") from error
    known = study.user_attrs.get("identity")
    if known is None:
        study.set_user_attr("identity", identity)
    elif known != identity:
        what = next(key for key in identity if known.get(key) != identity[key])
        raise UserError(f"{order.out} holds a search with another {what}", "give another --out, or --restart")
    return study


def _sampler(name: str, seed: int) -> optuna.samplers.BaseSampler:
    import optuna

    if name == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    return optuna.samplers.TPESampler(seed=seed, constant_liar=True)  # others are trying at the same time


def _forget_dead(study: optuna.Study) -> None:
    """Trials of a killed search count as failed: nobody is at work on them."""
    import optuna

    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)


def _ended(study: optuna.Study) -> int:
    import optuna

    return len(study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,)))


def _settings_of(recipe: Recipe, views: int) -> dict[str, Any]:
    """The recipe's own settings as a trial; what the search does not offer is left to the sampler."""

    class Asked:
        def suggest_categorical(self, name: str, choices: list[Any], /) -> Any:  # noqa: ANN401
            value = _field(recipe, name)
            return value if value in choices else None

        def suggest_float(self, name: str, low: float, high: float, /, *, log: bool = False) -> float | None:
            del log
            value = _field(recipe, name)
            return value if low <= value <= high else None

        def suggest_int(self, name: str, low: int, high: int, /) -> int:
            return min(max(int(_field(recipe, name)), low), high)

    asked = chosen(Asked(), views)  # type: ignore[arg-type]
    return {name: value for name, value in asked.items() if value is not None}


def _field(recipe: Recipe, name: str) -> Any:  # noqa: ANN401
    section, _, field = name.partition(".")
    return getattr(getattr(recipe, section), field)


def _run(order: SearchOrder, views: int, study: optuna.Study) -> None:
    """Tries until enough have ended; alone in this process, several in processes of their own."""
    left = order.trials - _ended(study)
    if left <= 0:
        return
    count = min(order.processes or os.cpu_count() or 1, left)
    call = (order.out, order.recipe.as_json(), (order.trials, views, order.sampler, _ended(study)))
    with Bar("trials") as bar:
        try:
            if count == 1:
                work(*call, lambda: bar.tell(min(_ended(study), order.trials), order.trials))
            else:
                _in_processes(count, call, lambda: bar.tell(min(_ended(study), order.trials), order.trials))
        except KeyboardInterrupt:
            messages.print(f"stopped after {_ended(study)} trials: the same command goes on")
            raise
    if _ended(study) < order.trials:
        raise RuntimeError(f"the workers ended after {_ended(study)} of {order.trials} trials")


def _in_processes(count: int, call: Call, tell: Callable[[], None]) -> None:
    """Workers try; this process shows how far they are, and ends them when it is interrupted."""
    context = multiprocessing.get_context("spawn")  # a fork would inherit torch's threads, which do not survive one
    out, table, (trials, views, sampler, seed) = call
    workers = [
        context.Process(target=work, args=(out, table, (trials, views, sampler, seed + 1000 * number)), daemon=True)
        for number in range(1, count + 1)
    ]
    try:
        for worker in workers:
            worker.start()
        while any(worker.is_alive() for worker in workers):
            time.sleep(_POLL)
            tell()
    finally:
        for worker in workers:
            worker.terminate()
            worker.join()


def work(
    out: Path, table: dict[str, Any], how: tuple[int, int, str, int], tell: Callable[[], None] = lambda: None
) -> None:
    """One worker: tries until as many trials as asked have ended, in all processes together.

    `how`: trials in all, number of changed looks, sampler, seed of the sampler.
    """
    import optuna

    trials, views, sampler, seed = how
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    torch.set_num_threads(1)  # the heads are small, and the processes share the cores
    recipe = recipe_from_table(table)
    held = load_file(out / VECTORS)
    task = Task(held["values"].float(), held["labels"], held["folds"], int(held["labels"].max()) + 1)

    def objective(trial: optuna.Trial) -> float:
        loss, accuracies = judged(task, changed(recipe, chosen(trial, views)))
        trial.set_user_attr("accuracies", accuracies)
        return loss

    study = optuna.load_study(
        storage=_storage(out), study_name=NAME, sampler=_sampler(sampler, recipe.train.seed + seed)
    )
    enough = optuna.study.MaxTrialsCallback(trials, states=(optuna.trial.TrialState.COMPLETE,))
    study.optimize(objective, callbacks=[enough, lambda *_: tell()])


def _as_values(study: optuna.Study) -> list[dict[str, Any]]:
    """Ended trials, best first."""
    import optuna

    ended = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
    rows = []
    for trial in sorted(ended, key=lambda trial: (trial.value if trial.value is not None else np.inf, trial.number)):
        accuracies = trial.user_attrs.get("accuracies", [0.0])
        rows.append(
            {
                "trial": trial.number,
                "loss": round(float(trial.value or 0), 6),
                "accuracy": round(float(np.mean(accuracies)), 6),
                "spread": round(float(np.std(accuracies)), 6),
                "settings": dict(trial.params),
            }
        )
    return rows
