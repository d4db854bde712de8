"""Two sources side by side: the same labels on both sides, and everything left out is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from handwriter_models.errors import UserError
from tests.conftest import write_small_bundle
from tests.training_cases import write_folder
from training.commands import app
from training.compare import compare


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    return str(write_small_bundle(tmp_path / "small"))


@pytest.fixture
def sources(tmp_path: Path) -> tuple[str, str]:
    return str(write_folder(tmp_path / "home", "137", 4)), str(write_folder(tmp_path / "away", "37x", 3))


def test_only_shared_labels_are_measured_and_the_others_are_named(bundle: str, sources: tuple[str, str]) -> None:
    both = compare(bundle, sources, None)
    metrics = both.metrics()
    assert metrics["shared"] == {"labels": ["3", "7"], "left_out": {sources[0]: {"1": 4}, sources[1]: {"x": 3}}}
    assert (metrics["n"], metrics["on"]["n"]) == (8, 6)
    assert set(both.away.answers.samples.labels) == {3, 7}
    assert both.home.answers.probabilities.shape[1] == 10, "it answers with all of its labels"


def test_sources_without_a_shared_label_are_refused(bundle: str, tmp_path: Path) -> None:
    sources = str(write_folder(tmp_path / "one", "12", 3)), str(write_folder(tmp_path / "two", "34", 3))
    with pytest.raises(UserError, match="share no label") as caught:
        compare(bundle, sources, None)
    assert "1, 2 and 3, 4" in caught.value.hint
    with pytest.raises(UserError, match="the same source"):
        compare(bundle, (sources[0], sources[0]), None)


def test_command_shows_both_and_draws_both(bundle: str, sources: tuple[str, str], tmp_path: Path) -> None:
    figures = tmp_path / "figures"
    arguments = ["evaluate", bundle, sources[0], "--on", sources[1]]
    read = CliRunner().invoke(app, [*arguments, "--figures", str(figures)])
    assert read.exit_code == 0, read.output
    assert "measured on the 2 labels that both have" in read.stdout
    assert "1 (4)" in read.stdout
    assert "x (3)" in read.stdout
    assert (figures / "confusion.png").is_file()
    assert (figures / "on" / "confusion.png").is_file()
    document = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert document["on"]["source"] == sources[1]
