"""Preparation and extra pictures: made once, alike in one process or several, and anew when anything changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from handwriter_models.errors import UserError
from handwriter_models.ink import prepare_many
from tests.training_cases import stripes
from training.additions import read_extras
from training.preparation import cached_arrays, prepared_arrays
from training.samples import Samples


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HANDWRITER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def digits(count: int = 12) -> Samples:
    samples = stripes(count)
    return replace(samples, images=prepare_many(samples.images), names=["1", "7"])


def test_several_processes_prepare_as_one_does() -> None:
    pictures = stripes(2100).images
    assert np.array_equal(prepared_arrays(pictures)[::50], prepare_many(pictures[::50]))


def test_extras_are_made_once_and_come_back_alike(cache: Path) -> None:
    (first,) = read_extras(["low-resolution"], digits(), None, seed=1)
    assert len(first) == 12
    kept = {path: path.stat().st_mtime_ns for path in cache.iterdir()}
    (again,) = read_extras(["low-resolution"], digits(), None, seed=1)
    assert np.array_equal(first.images, again.images)
    assert np.array_equal(first.labels, again.labels)
    assert {path: path.stat().st_mtime_ns for path in cache.iterdir()} == kept
    (other,) = read_extras(["low-resolution"], digits(), None, seed=2)
    assert not np.array_equal(first.images, other.images)


def test_unknown_extra_is_refused() -> None:
    with pytest.raises(UserError, match="'redrawed'"):
        read_extras(["redrawed"], digits(), None, seed=1)


def test_change_of_the_code_makes_anew(tmp_path: Path) -> None:
    code = tmp_path / "maker.py"
    made: list[int] = []

    def make() -> dict[str, np.ndarray]:
        made.append(1)
        return {"a": np.arange(3)}

    for text in ("one", "one", "two"):
        code.write_text(text)
        assert cached_arrays("key", [code], make)["a"].tolist() == [0, 1, 2]
    assert len(made) == 2


def test_cache_that_cannot_be_written_costs_only_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HANDWRITER_CACHE", str(tmp_path / "file" / "below"))
    assert len(prepared_arrays(stripes(2).images)) == 2
