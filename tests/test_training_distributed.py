"""Two processes train as one does: real torchrun over gloo, the same figures, one voice, one fault told once.

Starting torchrun costs more than all else here, so all claims are tested on one run: this module, started by torchrun,
runs the program itself, then does in `act` what two ranks do, and writes what each has found.
"""

from __future__ import annotations

import json
import os
import re
import runpy
import socket
import subprocess
import sys
import tomllib
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.distributed.rendezvous import rendezvous

from handwriter_models.errors import UserError, run_command
from handwriter_models.learning.options import Epoch
from handwriter_models.networks import build
from tests import tiny_backbone
from tests.training_cases import ROOT, TINY, stripes, write_folder
from training.augment import build as build_augmentation
from training.checkpoint import read_checkpoint
from training.datasets import photographs
from training.distributed import ALONE, Ranks, ranks
from training.fit import Order, fit
from training.frozen import Seen, chosen_backbone, seen
from training.loop import Material, Trainer
from training.recipes import recipe_from_table

POINT = 0.005  # half a point of accuracy
SMALL = """
name = "small"
network = { name = "mlp", arguments = { hidden = [16] } }
train = { batch = 32, epochs = 12, rate = 1e-2 }
"""


class StoppedError(Exception):
    """A kill at a moment that the test chooses."""


class Listener:
    def __init__(self, stop: int = 0) -> None:
        self.stop = stop

    def step(self, done: int, loss: float, accuracy: float) -> None:
        if done == self.stop:
            raise StoppedError

    def epoch(self, epoch: Epoch) -> None: ...


def trainer_in(folder: Path, group: Ranks) -> Trainer:
    """BatchNorm, dropout, average, augmentation; the last batch of an epoch has one picture."""
    recipe = recipe_from_table(tomllib.loads(TINY))
    recipe = replace(recipe, train=replace(recipe.train, epochs=4, batch=32))
    torch.manual_seed(recipe.train.seed)
    material = Material(stripes(129), stripes(100, seed=9), build_augmentation(recipe.augment), {})
    network = build(recipe.network.name, {**recipe.network.arguments, "outputs": 2})
    return Trainer(network, recipe, material, folder, "cpu", group)


def looked_at(tones: Path, weights: Path, group: Ranks) -> Seen:
    recipe = tiny_backbone.small_recipe()
    with group.first_alone():
        opened = photographs(str(tones), recipe.data, 1)
        dataset = opened.__enter__()
    try:
        return seen(dataset, chosen_backbone(recipe.backbone, str(weights), "cpu")[0], recipe, group)
    finally:
        opened.__exit__(None, None, None)


def state_of(trainer: Trainer) -> str:
    """One text for all weights and statistics, live and averaged."""
    tensors = [*trainer.network.state_dict().values(), *trainer.weights.values()]
    return sha256(b"".join(tensor.numpy().tobytes() for tensor in tensors if tensor.is_floating_point())).hexdigest()


def program(home: Path) -> int:
    """Runs `training/__main__.py fit …` as torchrun would, in this process of two; returns its exit code."""
    options = ("--recipe", home / "small.toml", "--out", home / "two", "--device", "cpu", "--json")
    path = ROOT / "training" / "__main__.py"
    sys.argv = [*map(str, (path, "fit", home / "digits", *options))]
    try:
        runpy.run_path(str(path), run_name="__main__")
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def meet_elsewhere() -> None:
    """Lets these processes form a second group: torchrun's own store still holds the addresses of the first."""
    store, rank, _ = next(rendezvous("env://"))
    if rank == 0:
        with socket.create_server(("localhost", 0)) as free:
            store.set("port", str(free.getsockname()[1]))
    os.environ.update(MASTER_PORT=store.get("port").decode(), TORCHELASTIC_USE_AGENT_STORE="False")


def act(home: Path) -> None:
    """What each of the two ranks does; in the end the second one fails while the first waits for it."""
    code = program(home)
    meet_elsewhere()
    with ranks() as group:
        found = looked_at(home / "tones", home / "weights.safetensors", group)
        if group.main:
            save_file({part: vectors.values for part, vectors in found.parts.items()}, home / "vectors.safetensors")
        unbroken = trainer_in(home / "a", group)
        unbroken.train(Listener())
        try:
            trainer_in(home / "b", group).train(Listener(stop=10))  # the end of epoch 2: the first is saved
        except StoppedError:
            checkpoint = read_checkpoint(home / "b")
        assert checkpoint is not None
        again = trainer_in(home / "b", group)
        again.load(checkpoint)
        again.train(Listener())
        told = {
            "code": code,
            "computed": found.computed,
            "states": [state_of(unbroken), state_of(again)],
            "done": checkpoint.values["done"],
            "accuracy": unbroken.history[-1].validation_accuracy,
            "seen": group.gathered([group.rank, "글"]),
        }
        (home / f"rank{group.rank}.json").write_text(json.dumps(told), "utf-8")
        if not group.main:
            raise UserError("the second rank found a fault", "mend it")
        group.barrier()


def torchrun(*arguments: object, cache: Path) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of two processes."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = {**os.environ, "HANDWRITER_CACHE": str(cache), "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [*command, *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=cache,
    )  # fmt: skip
    try:
        output, errors = process.communicate(timeout=240)
    finally:
        if process.poll() is None:
            process.terminate()  # torchrun ends its processes, too
            process.communicate()
    return process.returncode, output, errors


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """The folder in which two ranks have acted, and their standard output and standard error."""
    home = tmp_path_factory.mktemp("ranks")
    tiny_backbone.write_weights(home / "weights.safetensors")
    tiny_backbone.write_two_tones(home / "tones")
    write_folder(home / "digits", "0123456789", count=12)
    (home / "small.toml").write_text(SMALL, encoding="utf-8")
    code, output, errors = torchrun("--module", "tests.test_training_distributed", home, cache=home)
    assert code != 0, "the second rank fails in the end"
    assert (home / "rank1.json").is_file(), errors
    return home, output, errors


def ranks_of(home: Path) -> list[dict[str, object]]:
    return [json.loads((home / f"rank{rank}.json").read_text("utf-8")) for rank in (0, 1)]


def test_both_ranks_looked_at_a_share_and_have_all_vectors(
    run: tuple[Path, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDWRITER_CACHE", str(tmp_path))
    home, _, errors = run
    shares = re.findall(r"by process: (\d+) \+ (\d+)", errors)
    alone = looked_at(tiny_backbone.write_two_tones(tmp_path / "tones"), home / "weights.safetensors", ALONE)
    assert len(shares) == 1, "one voice"
    assert all(int(share) >= alone.computed // 2 - 1 for share in shares[0])
    assert [rank["computed"] for rank in ranks_of(home)] == [alone.computed] * 2
    for part, values in load_file(home / "vectors.safetensors").items():
        likeness = torch.cosine_similarity(values.float(), alone.parts[part].values.float(), dim=-1)
        assert likeness.min() > 0.97, "other company in a batch is other rounding in bfloat16, no more"


def test_ranks_have_the_same_weights_and_one_process_accuracy(run: tuple[Path, str, str], tmp_path: Path) -> None:
    first, second = ranks_of(run[0])
    alone = trainer_in(tmp_path, ALONE)
    alone.train(Listener())
    assert first["states"] == second["states"]
    assert first["accuracy"] == pytest.approx(alone.history[-1].validation_accuracy, abs=POINT)


def test_ranks_that_were_stopped_go_on_to_the_same_bits(run: tuple[Path, str, str]) -> None:
    for rank in ranks_of(run[0]):
        unbroken, again = rank["states"]  # type: ignore[misc]
        assert unbroken == again  # type: ignore[has-type]
        assert rank["done"] == 5


def test_values_of_all_ranks_reach_every_rank(run: tuple[Path, str, str]) -> None:
    assert [rank["seen"] for rank in ranks_of(run[0])] == [[[0, "글"], [1, "글"]]] * 2


def test_what_one_rank_could_not_do_is_told_once_and_ends_all(run: tuple[Path, str, str]) -> None:
    _, _, errors = run
    assert errors.count("error: the second rank found a fault\n  mend it") == 1
    ours = [line for line in errors.splitlines() if "/training/" in line]
    assert not ours, "no trace of our code"


def test_fit_of_two_processes_gives_one_bundle_as_one_process_does(
    run: tuple[Path, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDWRITER_CACHE", str(tmp_path))
    home, output, errors = run
    recipe = recipe_from_table(tomllib.loads(SMALL))
    alone = fit(Order(str(home / "digits"), recipe, tmp_path / "alone")).metrics
    assert [rank["code"] for rank in ranks_of(home)] == [0, 0]
    assert json.loads(output)["nll"] == pytest.approx(alone["nll"], rel=0.01)
    assert errors.count("epoch 12/12") == 1
    assert (home / "two" / "model.safetensors").is_file()
    assert not (home / "two.unfinished").exists()


@pytest.mark.parametrize(("pictures", "count"), [(64, 2), (65, 3), (7, 4), (3, 2), (1, 2)])
def test_shares_are_the_whole_batch_and_never_empty(pictures: int, count: int) -> None:
    batch = torch.randperm(pictures)
    shares = [Ranks(rank, count).share(batch) for rank in range(count)]
    assert torch.equal(torch.cat([part for part, weight in shares if weight]), batch)
    assert sum(weight for _, weight in shares) == pytest.approx(1.0)
    assert all(len(part) >= min(2, pictures) for part, _ in shares)


def test_without_torchrun_there_is_one_rank_and_no_group() -> None:
    with ranks({"WORLD_SIZE": "2", "RANK": "1"}) as group:
        assert group == ALONE
        assert not torch.distributed.is_initialized()
        assert group.gathered("글") == ["글"]
        assert group.device("cuda:3") == "cuda:3"


if __name__ == "__main__":
    run_command(lambda: act(Path(sys.argv[1])))
