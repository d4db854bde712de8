"""The whole way, as a person goes it: `training fit …` → a bundle; killed, interrupted and taken up again.

The program itself is started to be interrupted and killed; what ends by itself runs in the tests' own process.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from handwriter_models import load
from handwriter_models.bundle import read_config
from handwriter_models.errors import UserError
from tests.called import Called, called
from tests.training_cases import TINY, small_recipe, start_training, write_folder
from training.checkpoint import run_folder, write_checkpoint
from training.fit import Order, fit
from training.recipes import recipe_from_table

EPOCHS = 16
CHOOSY = {
    "name": "none-of-these",
    "network": {"name": "mlp", "arguments": {"hidden": [32]}},
    "data": {"validation": 0.1, "extras": ["noise"]},
    "train": {"rate": 0.01, "batch": 64, "epochs": 3},
    "rejection": {"score": "background", "target": 0.95},
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the tiny recipe and ten labels of twelve pictures; also the cache."""
    folder = tmp_path_factory.mktemp("training")
    (folder / "tiny.toml").write_text(TINY, encoding="utf-8")
    write_folder(folder / "digits", "0123456789", count=12)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANDWRITER_CACHE", str(folder))
        yield folder


def command(home: Path, name: str) -> tuple[object, ...]:
    """Of a training whose epochs are short but many: there is time to stop it."""
    options = ("--epochs", EPOCHS, "--batch", 16, "--device", "cpu")
    return "fit", home / "digits", "--recipe", home / "tiny.toml", "--out", home / name, *options


@pytest.fixture(scope="module")
def unbroken(home: Path) -> tuple[Path, Called]:
    """The bundle of an unbroken training, and what it printed to both streams."""
    done = called("training", *command(home, "unbroken"), "--json", folder=home)
    assert done.returncode == 0, done.stderr
    return home / "unbroken", done


@pytest.fixture(scope="module")
def choosy(home: Path) -> Path:
    """The bundle of a network with a background class that has learned scikit-learn's digits, and noise as none."""
    return fit(Order("sklearn-digits", recipe_from_table(CHOOSY), home / "choosy")).bundle


@pytest.fixture(scope="module")
def pictures(home: Path) -> str:
    """A folder of two labels in Hangul, which no test changes."""
    return str(write_folder(home / "pictures", "한가", count=6))


@pytest.fixture(scope="module")
def hangul(home: Path, pictures: str) -> Path:
    """The bundle of a perceptron that has learned `pictures`."""
    return fit(Order(pictures, small_recipe(), home / "한글")).bundle


def wait_for(path: Path, newer_than: int = 0) -> None:
    end = time.monotonic() + 240
    while not path.exists() or path.stat().st_mtime_ns <= newer_than:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_json_is_all_of_standard_output(unbroken: tuple[Path, Called]) -> None:
    bundle, done = unbroken
    metrics = json.loads(done.stdout)
    assert metrics["n"] == 20
    assert metrics["accuracy"] > 0.5
    assert set(metrics["seconds"]) == {"read", "train", "calibrate", "evaluate", "draw"}
    assert set(metrics) >= {"precision", "recall", "f1", "per_label", "confusion", "ece", "ece_before_temperature"}
    assert f"epoch {EPOCHS}/{EPOCHS}" in done.stderr
    kept = read_config(bundle).metrics
    assert {key: kept[key] for key in metrics} == metrics
    assert len(kept["history"]) == EPOCHS


def test_bundle_is_whole_and_answers(unbroken: tuple[Path, Called]) -> None:
    bundle, _ = unbroken
    names = {str(path.relative_to(bundle)) for path in bundle.rglob("*") if path.is_file()}
    drawn = "curves confusion examples top_losses reliability rejection roc precision_recall"
    figures = {f"figures/{name}.png" for name in drawn.split()}
    config = load(bundle).config
    if config.metrics["accuracy"] < 1:
        figures |= {"figures/confused_pairs.png", "figures/mistakes.png"}
    assert names == {"config.json", "model.safetensors", "README.md", *figures}
    assert config.rejection is not None
    assert config.recipe["train"]["epochs"] == EPOCHS
    assert config.data["splits"] == {"train": 90, "validation": 10, "test": 20}
    assert len(config.data["fingerprint"]) == 64
    assert not (bundle.parent / "unbroken.unfinished").exists()


def test_training_stopped_by_ctrl_c_and_killed_goes_on_to_the_same_bits(
    home: Path, unbroken: tuple[Path, Called]
) -> None:
    checkpoint = home / "killed.unfinished" / "checkpoint.safetensors"
    process = start_training(*command(home, "killed"), cache=home)
    wait_for(checkpoint)
    process.send_signal(signal.SIGINT)
    _, messages = process.communicate(timeout=120)
    assert process.returncode == 130, messages
    assert "Traceback" not in messages
    assert "--resume" in messages
    before = checkpoint.stat().st_mtime_ns
    process = start_training(*command(home, "killed"), "--resume", cache=home)
    wait_for(checkpoint, before)
    time.sleep(0.15)  # somewhere in an epoch, or in the middle of writing
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert checkpoint.exists()
    assert not (home / "killed").exists()
    done = called("training", *command(home, "killed"), "--resume", folder=home)
    assert done.returncode == 0, done.stderr
    assert "going on at step" in done.stderr
    assert (home / "killed/model.safetensors").read_bytes() == (unbroken[0] / "model.safetensors").read_bytes()
    assert read_config(home / "killed").temperature == read_config(unbroken[0]).temperature


def test_finished_training_is_not_done_again(home: Path, unbroken: tuple[Path, Called]) -> None:
    bundle, done = unbroken
    output = json.loads(done.stdout)
    before = (bundle / "config.json").stat().st_mtime_ns
    recipe = read_config(bundle).recipe
    result = fit(Order(str(home / "digits"), recipe_from_table(recipe), bundle, resume=True))
    assert {key: result.metrics[key] for key in output} == output
    assert (bundle / "config.json").stat().st_mtime_ns == before


def test_corrupt_picture_is_listed_with_exit_code_3(home: Path) -> None:
    root = write_folder(home / "broken", "37", count=8)
    (root / "3" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    arguments = ("fit", root, "--recipe", "mlp-digits", "--epochs", 2, "--out", home / "folder", "--json")
    done = called("training", *arguments, folder=home)
    assert done.returncode == 3, done.stderr
    assert json.loads(done.stdout)["n"] == 4
    assert "broken.png" in done.stderr
    config = read_config(home / "folder")
    assert config.labels == ("3", "7")
    assert str(home) not in (home / "folder" / "config.json").read_text("utf-8"), "paths of this machine stay here"
    assert str(home) not in (home / "folder" / "README.md").read_text("utf-8")


def test_labels_in_hangul_train_and_draw(hangul: Path) -> None:
    assert load(hangul).labels == ("가", "한")
    assert "가" in (hangul / "README.md").read_text("utf-8")


def test_wrong_places_are_refused_before_any_work(pictures: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("")
    for name, fault in (("file", "is a file"), ("full", "holds other things than a bundle")):
        with pytest.raises(UserError, match=fault):
            fit(Order(pictures, small_recipe(), tmp_path / name))
    with pytest.raises(UserError, match="exclude each other"):
        fit(Order(pictures, small_recipe(), tmp_path / "out", resume=True, restart=True))


def test_unfinished_training_of_another_recipe_is_not_taken_up(pictures: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_checkpoint(run_folder(out), {}, {"identity": {"recipe": {"name": "other"}}})
    with pytest.raises(UserError, match="has an unfinished training"):
        fit(Order(pictures, small_recipe(), out))
    with pytest.raises(UserError, match="has another recipe"):
        fit(Order(pictures, small_recipe(), out, resume=True))
    assert fit(Order(pictures, small_recipe(), out, restart=True)).bundle == out


def test_training_may_begin_with_the_weights_of_a_bundle(pictures: str, hangul: Path, tmp_path: Path) -> None:
    first = read_config(hangul)
    second = fit(Order(pictures, small_recipe(rate=1e-9, epochs=1), tmp_path / "second", start=str(hangul)))
    assert read_config(second.bundle).parent == {
        "name": "small",
        "source": "pictures",
        "fingerprint": first.data["fingerprint"],
        "recipe": "small",
    }
    assert second.metrics["confusion"] == first.metrics["confusion"]
    wider = recipe_from_table({"name": "x", "network": {"name": "mlp", "arguments": {"hidden": [17]}}})
    with pytest.raises(UserError, match="another network"):
        fit(Order(pictures, wider, tmp_path / "third", start=str(hangul)))


def test_bundle_with_other_labels_is_a_beginning_too(pictures: str, choosy: Path, tmp_path: Path) -> None:
    recipe = recipe_from_table({"name": "x", "network": CHOOSY["network"], "train": {"epochs": 2}})
    second = fit(Order(pictures, recipe, tmp_path / "second", start=str(choosy)))
    assert load(second.bundle).labels == ("가", "한")
    parent = read_config(second.bundle).parent
    assert parent is not None
    assert parent["source"] == "sklearn-digits"
    assert "scikit-learn" in (second.bundle / "README.md").read_text("utf-8"), "the card names what the parent learned"


def test_outputs_that_do_not_fit_the_labels_are_refused(pictures: str, tmp_path: Path) -> None:
    recipe = recipe_from_table({"name": "x", "network": {"name": "mlp", "arguments": {"outputs": 7}}})
    with pytest.raises(UserError, match=r"has 7 outputs, the labels of .* need 2"):
        fit(Order(pictures, recipe, tmp_path / "out"))


def test_a_recipe_with_a_background_class_trains_and_refuses_what_is_no_label(choosy: Path) -> None:
    config = read_config(choosy)
    assert config.rejection is not None
    assert config.rejection.score == "background"
    assert config.network.arguments["outputs"] == 11
    assert config.metrics["refused"] < 0.3
