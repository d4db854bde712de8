"""The models on offer and the bounded threads."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from demo.refusals import refusal
from demo.shelf import Workers, find_models, load_shelf
from handwriter_models.bundle import bundled_names, find_bundle
from handwriter_models.errors import UserError
from tests.conftest import drawn_seven, small_config, write_small_bundle


def test_summary_counts_the_parameters_of_the_network_as_trained(small_bundle: Path) -> None:
    from handwriter_models.bundle import read_bundle

    config, network = read_bundle(small_bundle)
    summary = load_shelf({"small": small_bundle}).summaries()[0]
    assert summary["parameters"] == sum(parameter.numel() for parameter in network.parameters())
    assert summary["labels"] == list(config.labels)
    assert summary["default"] is True
    assert summary["rejects"] is True


def test_accuracy_is_read_from_the_metrics_or_absent(tmp_path: Path) -> None:
    told = write_small_bundle(tmp_path / "told", small_config(name="told", metrics={"accuracy": 0.5, "n": 4}))
    silent = write_small_bundle(tmp_path / "silent", small_config(name="silent"))
    summaries = load_shelf({"told": told, "silent": silent}).summaries()
    assert [(each["accuracy"], each["tested"]) for each in summaries] == [(0.5, 4), (None, None)]


@pytest.mark.parametrize(
    ("metrics", "wanted"),
    [
        ({"accuracy": 0.9, "n": 100, "accuracy_interval": [0.8, 0.95]}, [0.8, 0.95]),
        ({"accuracy_interval": [0.8, 0.95], "accuracy_interval_by_writer": [0.7, 0.97]}, [0.7, 0.97]),
        ({"accuracy": 0.9, "n": 100}, [0.8256, 0.9448]),
        ({"accuracy": 0.9, "n": 100, "accuracy_interval": "wide"}, [0.8256, 0.9448]),
        ({"accuracy": 9, "n": 100}, None),
        ({}, None),
    ],
)
def test_interval_is_that_over_writers_or_pictures_or_wilsons(
    tmp_path: Path, metrics: dict[str, object], wanted: list[float] | None
) -> None:
    folder = write_small_bundle(tmp_path / "small", small_config(metrics=metrics))
    assert load_shelf({"small": folder}).summaries()[0]["interval"] == pytest.approx(wanted, abs=1e-4)


def test_two_models_of_one_name_are_refused(tmp_path: Path) -> None:
    folders = [str(write_small_bundle(tmp_path / name)) for name in ("one", "two")]
    with pytest.raises(UserError, match="two models are called 'small'") as refused:
        find_models(folders)
    assert all(folder in refused.value.what for folder in folders)
    assert f"small-2={folders[1]}" in refused.value.hint, "what helps can be copied"
    with pytest.raises(UserError, match="two models are called 'small'"):
        find_models([folders[0], f"small={folders[1]}"])
    with pytest.raises(UserError, match="two models are called 'mine'"):
        find_models([f"mine={folders[0]}", f"mine={folders[1]}"])


def test_a_model_is_served_under_the_name_it_is_given(tmp_path: Path) -> None:
    one, two = (write_small_bundle(tmp_path / name) for name in ("one", "two=2"))
    found = find_models([str(one), f"other={two}"])
    assert found == {"small": one, "other": two}
    shelf = load_shelf(found)
    assert [model["name"] for model in shelf.summaries()] == shelf.names == ["small", "other"]
    assert shelf.get("other").classifier.predict(drawn_seven()).model == "other"
    assert find_models([str(two)]) == {"small": two}, "a folder may have a = in its name"
    assert find_models(["9=digits", str(two)]) == {"9": find_bundle("digits"), "small": two}
    for wrong in ("=digits", "a/b=digits", "-x=digits", "한 글=digits"):
        with pytest.raises(UserError, match="is no name of a model"):
            find_models([wrong])


def test_unknown_model_lists_the_others(small_bundle: Path) -> None:
    with pytest.raises(UserError, match="unknown model 'x'") as refused:
        load_shelf({"small": small_bundle}).get("x")
    assert "small" in refused.value.hint
    assert refused.value.status == 422


def test_digits_comes_first_among_the_bundled_ones() -> None:
    if "digits" not in bundled_names():
        pytest.skip("no model is bundled yet")
    names = list(find_models([]))
    assert names[0] == "digits"
    assert sorted(names) == sorted(bundled_names())


def test_what_waits_beyond_the_bound_is_refused_and_the_rest_is_answered() -> None:
    gate = threading.Event()

    def work() -> str:
        gate.wait(10)
        return "done"

    async def rush() -> list[object]:
        workers = Workers(threads=1, waiting=3)
        tasks = [asyncio.create_task(workers.run(work)) for _ in range(5)]
        await asyncio.sleep(0.1)
        gate.set()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert await workers.run(work) == "done", "there is room again"
        workers.close()
        return answers

    answers = asyncio.run(rush())
    assert answers[:3] == ["done"] * 3
    assert [getattr(answer, "status", None) for answer in answers[3:]] == [503, 503]
    told = refusal(answers[3])
    assert (told.status_code, told.headers["Retry-After"]) == (503, "2")
    assert b"too many pictures are waiting" in told.body
