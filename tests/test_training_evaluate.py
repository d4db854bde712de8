"""Evaluation: on what a bundle has not learned, by label name, with the bundle's own rule of rejection."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from curation.export.order import export
from handwriter_models.bundle import Rejection, bundled_names, find_bundle, read_config
from handwriter_models.classifier import Classifier, load
from handwriter_models.errors import UserError
from handwriter_models.networks import build
from tests.conftest import small_config, write_small_bundle
from tests.test_export import scanned
from tests.test_metadata import exif, png_texts, saved
from tests.training_cases import small_recipe, stripes, write_digit, write_folder
from training.commands import app
from training.evaluate import answers_of, evaluate_bundle, evaluated, metrics_of
from training.fit import Order, fit
from training.held_out import Handwriting
from training.sources import read_source
from training.summary import print_summary


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANDWRITER_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A bundle and the folder that it has learned from, ten pictures a label."""
    home = tmp_path_factory.mktemp("learned")
    root = write_folder(home / "in", "37", count=10)
    return str(fit(Order(str(root), small_recipe(), home / "bundle")).bundle), root


@pytest.fixture
def grown(learned: tuple[str, Path], tmp_path: Path) -> Path:
    """The same folder with one picture more: its fingerprint is another one now."""
    root = tmp_path / "grown"
    shutil.copytree(learned[1], root)
    write_digit(root / "3" / "new.png", "3", turn=45)
    return root


def test_source_that_was_learned_gives_its_test_part_only(learned: tuple[str, Path]) -> None:
    bundle, root = learned
    evaluation = evaluate_bundle(bundle, str(root), None)
    assert len(evaluation.answers) == 4
    metrics = evaluation.metrics()
    assert metrics["leak_check"] == {"compared": ["same picture"], "kept": 16, "pictures": 16}
    assert "leaky" not in metrics


def test_pictures_that_were_learned_are_refused(learned: tuple[str, Path], grown: Path) -> None:
    with pytest.raises(
        UserError, match=r"16 of 21 pictures of .* are known to model 'small' from its training"
    ) as caught:
        evaluate_bundle(learned[0], str(grown), None)
    assert "--leaky" in caught.value.hint


def test_exported_copies_without_metadata_are_known_by_their_ink(tmp_path: Path) -> None:
    """Their files are others; the pixels that are left as they are, and what is prepared of them, are the same."""
    root = write_folder(tmp_path / "in", "37", count=10)
    for path in sorted(root.rglob("*.png")):
        with Image.open(path) as picture:
            path.write_bytes(saved("PNG", picture, pnginfo=png_texts()))
    for path in sorted(root.rglob("?.png"))[::2]:
        with Image.open(path) as picture:
            path.with_suffix(".jpg").write_bytes(saved("JPEG", picture, exif=exif()))
        path.unlink()
    bundle = str(fit(Order(str(root), small_recipe(), tmp_path / "bundle")).bundle)
    with scanned(root) as dataset:
        came = export(dataset.pictures, tmp_path / "out", "imagefolder")
    assert came.positions == 20
    assert len(evaluate_bundle(bundle, str(tmp_path / "out"), None).answers) == 4, "the same set, so its test part"
    write_digit(tmp_path / "out" / "train" / "3" / "new.png", "3", turn=45)
    with pytest.raises(UserError, match=r"16 of 21 pictures .* \(same picture: 16\)"):
        evaluate_bundle(bundle, str(tmp_path / "out"), None)


def test_pictures_that_were_learned_can_be_left_out_or_measured_and_told(
    learned: tuple[str, Path], grown: Path
) -> None:
    clean = evaluate_bundle(learned[0], str(grown), None, "leave out").metrics()
    assert (clean["n"], clean["left_out_as_leaks"]) == (5, 16)
    assert "leaky" not in clean
    leaky = evaluate_bundle(learned[0], str(grown), None, "measure").metrics()
    assert leaky["n"] == 21
    assert leaky["leaky"]["pictures"] == 16
    assert leaky["leaky"]["why"] == {"same picture": 16}


def test_source_of_learned_pictures_only_is_refused_whatever_is_asked(
    learned: tuple[str, Path], tmp_path: Path
) -> None:
    bundle, root = learned
    old = load(bundle)
    splits = read_source(str(root), None, small_recipe().data, small_recipe().train.seed)
    part = Handwriting(splits.train, [])
    for on_leaks in ("refuse", "leave out"):
        with pytest.raises(UserError, match="14 of 14 pictures"):
            evaluated(old, part, np.ones(len(splits.train), bool), on_leaks)  # type: ignore[arg-type]


def test_bundle_that_remembers_nothing_is_measured_and_says_so(tmp_path: Path) -> None:
    bundle = str(write_small_bundle(tmp_path / "small"))
    metrics = evaluate_bundle(bundle, str(write_folder(tmp_path / "in")), None).metrics()
    assert "does not remember" in metrics["leak_check"]["why_not"]


def test_labels_are_matched_by_name_not_by_place(tmp_path: Path) -> None:
    bundle = str(write_small_bundle(tmp_path / "small"))
    answers = evaluate_bundle(bundle, str(write_folder(tmp_path / "in", "37")), None).answers
    assert set(answers.samples.labels) == {3, 7}
    assert answers.samples.names == list("0123456789")


def test_label_that_the_bundle_does_not_know_is_refused(tmp_path: Path) -> None:
    bundle = str(write_small_bundle(tmp_path / "small"))
    with pytest.raises(UserError, match=r"label 'x' of .* is not a label of model 'small'"):
        evaluate_bundle(bundle, str(write_folder(tmp_path / "in", "3x")), None)


@pytest.mark.parametrize(("score", "background"), [("background", True), ("max_probability", False)])
def test_rejection_is_the_bundles_own(score: str, background: bool) -> None:
    def refused(threshold: float) -> float:
        config = small_config(background, rejection=Rejection(score, threshold))  # type: ignore[arg-type]
        classifier = Classifier(config, build(config.network.name, config.network.arguments))
        return float(answers_of(classifier, stripes(20)).rejected.mean())

    assert (refused(0.0), refused(1.0)) == ((1.0, 0.0) if background else (0.0, 1.0))
    no_rule = small_config(False)
    assert not answers_of(Classifier(no_rule, build("compact", no_rule.network.arguments)), stripes(20)).rejected.any()


def test_command_prints_json_and_draws_figures(tmp_path: Path) -> None:
    bundle, figures = write_small_bundle(tmp_path / "small"), tmp_path / "figures"
    arguments = ["evaluate", str(bundle), "sklearn-digits", "--json", "--figures", str(figures)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    metrics = json.loads(result.stdout)
    assert metrics["n"] == 1797
    assert np.sum(metrics["confusion"]) == 1797
    assert {path.name for path in figures.iterdir()} >= {"confusion.png", "examples.png", "mistakes.png"}


def test_command_prints_a_summary_a_person_can_read(tmp_path: Path) -> None:
    bundle, root = write_small_bundle(tmp_path / "small"), write_folder(tmp_path / "in")
    (root / "3" / "broken.png").write_bytes(b"broken")
    result = CliRunner().invoke(app, ["evaluate", str(bundle), str(root)])
    assert result.exit_code == 3
    assert "of 12 pictures" in result.stdout
    assert "broken.png" in result.stderr


def test_leaks_are_told_in_the_summary_and_options_are_checked(learned: tuple[str, Path], grown: Path) -> None:
    bundle, runner = learned[0], CliRunner()
    refused = runner.invoke(app, ["evaluate", bundle, str(grown)])
    assert isinstance(refused.exception, UserError)
    told = runner.invoke(app, ["evaluate", bundle, str(grown), "--leaky"])
    assert "LEAKY: 16 of 21 test pictures are known from the training (same picture: 16)" in told.stdout
    left = runner.invoke(app, ["evaluate", bundle, str(grown), "--leave-out-leaks"])
    assert "16 pictures known from the training were left out" in left.stdout
    for wrong in (["--leaky", "--leave-out-leaks"], ["--folds", "3", "--leaky"]):
        result = runner.invoke(app, ["evaluate", bundle, str(grown), *wrong])
        assert isinstance(result.exception, UserError)


def test_groups_and_writers_are_measured_where_there_are_some() -> None:
    config = small_config(groups={str(n): "low" if n < 5 else "high" for n in range(10)})
    classifier = Classifier(config, build(config.network.name, config.network.arguments))
    samples = replace(stripes(40), names=list(classifier.labels))
    metrics = metrics_of(classifier, answers_of(classifier, samples))
    assert set(metrics["by_group"]["each"]) == {"low"}
    assert metrics["writers"] == 10
    assert "by writer" in metrics["interval_method"]


def test_bundled_models_of_earlier_versions_are_listed_and_summed_up(capsys: pytest.CaptureFixture[str]) -> None:
    for name in bundled_names():
        print_summary(read_config(find_bundle(name)).metrics, name)
        assert "most confused" in capsys.readouterr().out


def test_recipes_are_listed() -> None:
    runner = CliRunner()
    assert "cnn-digits" in runner.invoke(app, ["recipes"]).stdout
    listed = json.loads(runner.invoke(app, ["recipes", "--json"]).stdout)
    assert {"mlp-digits", "cnn-digits", "digits"} <= {recipe["name"] for recipe in listed}


def test_unknown_device_is_refused() -> None:
    result = CliRunner().invoke(app, ["fit", "sklearn-digits", "--recipe", "mlp-digits", "--device", "abacus"])
    assert isinstance(result.exception, UserError)
    assert "'abacus'" in result.exception.what
