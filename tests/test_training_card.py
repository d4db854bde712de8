"""The card: metadata the Hub can read, and figures that come from the config."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from handwriter_models.bundle import (
    BundleConfig,
    NetworkConfig,
    Preprocessing,
    bundled_names,
    find_bundle,
    read_config,
)
from handwriter_models.learning.card import write_card
from handwriter_models.learning.metrics import measure, measure_groups
from tests.conftest import small_config
from training.recipes import read_recipe


def measured(names: list[str]) -> dict[str, Any]:
    labels = np.arange(5 * len(names)) % len(names)
    probabilities = np.full((len(labels), len(names)), 0.05)
    probabilities[np.arange(len(labels)), labels] = 0.55
    return measure(labels, probabilities, np.zeros(len(labels), bool), names)


def card(**changes: object) -> str:
    metrics = {**measured(list("0123456789")), "ece_before_temperature": 0.2}
    data = {"source": "mnist", "fingerprint": "ab" * 32, "splits": {"train": 5, "test": 50}, "divided": "by writer"}
    fields = {"metrics": metrics, "data": data, "recipe": read_recipe("digits").as_json(), **changes}
    config = small_config(description={"en": "Reads digits", "ko": "숫자를 읽어요"}, **fields)
    return write_card(BundleConfig.from_json(json.loads(json.dumps(config.to_json()))), ["curves.png"])


def front_matter(text: str) -> dict[str, Any]:
    _, matter, _ = text.split("---\n", 2)
    parsed: dict[str, Any] = yaml.safe_load(matter)
    return parsed


def test_metadata_is_yaml_with_results() -> None:
    matter = front_matter(card())
    assert matter["license"] == "mit"
    assert matter["pipeline_tag"] == "image-classification"
    assert matter["datasets"] == ["mnist"]
    (result,) = matter["model-index"][0]["results"]
    assert result["dataset"]["type"] == "mnist"
    assert {metric["type"]: metric["value"] for metric in result["metrics"]}["accuracy"] == 1.0


def test_card_tells_use_results_sources_and_limits() -> None:
    text = card()
    for part in (
        "숫자를 읽어요",
        'load("small")',
        "figures/curves.png",
        "CC BY-SA 3.0",
        "Omniglot",
        "QMNIST",
        "## Limits",
    ):
        assert part in text, part


def test_own_folder_is_named_without_a_data_set_of_the_hub() -> None:
    text = card(data={"source": "my pictures", "splits": {"test": 50}})
    assert "datasets" not in front_matter(text)
    assert "folder `my pictures`" in text


def test_figures_come_with_intervals_and_their_method() -> None:
    text = card()
    assert "| accuracy | 100.00% [92.87%, 100.00%] |" in text
    assert "Wilson score, 95 %" in text
    assert "| 3 | 1.0000 [0.566, 1.000] |" in text


def test_card_says_what_was_checked_for_leaks() -> None:
    metrics = measured(list("0123456789"))
    check = {"compared": ["same picture", "writer"], "kept": 10_000, "pictures": 60_000}
    clean = card(metrics={**metrics, "leak_check": check})
    assert (
        "no test picture is known from the training: looked for same picture, writer among a sample of 10,000" in clean
    )
    leaky = {"pictures": 3, "of": 50, "why": {"near copy": 3}, "accuracy_of_leaking": 1.0, "accuracy_of_the_rest": 0.9}
    text = card(metrics={**metrics, "leak_check": check, "leaky": leaky})
    assert "LEAKY: 3 of 50 test pictures are known from the training (near copy: 3)" in text
    assert "100.00% of these, 90.00% of the others" in text
    assert "Leaks" not in card(metrics=metrics), "metrics of an earlier version did not look"


def test_groups_have_a_table_of_their_own() -> None:
    names = list("0123456789")
    groups = {name: "낮은 수" if name < "5" else "high" for name in names}
    labels = np.arange(50) % 10
    found = measure_groups(labels, np.eye(10)[labels], names, groups)
    text = card(metrics={**measured(names), "by_group": found}, groups=groups)
    assert "| 낮은 수 | 100.00% [86.68%, 100.00%] | 100.00% | 100.00% | 25 |" in text


def test_card_of_photographs_does_not_speak_of_handwriting() -> None:
    network = NetworkConfig("transfer", {"outputs": 2, "backbone": "mobilenet_v3_small", "hidden": 0})
    parts = Preprocessing("photograph", 224, (0.5,) * 3, (0.5,) * 3)
    data = {"source": "pets", "splits": {"test": 10}}
    config = BundleConfig(
        "pets", "photographs", ("dog", "새"), network, parts, data=data, metrics=measured(["dog", "새"])
    )
    text = write_card(config, ["examples.png"])
    for word in ("MNIST", "handwritten", "ink", "character", "pens"):
        assert word not in text, word
    assert "224 x 224" in text
    assert front_matter(text)["tags"][1] == "photographs"


def test_cards_of_bundled_models_can_be_written_again() -> None:
    for name in bundled_names():
        assert "## Results on" in write_card(read_config(find_bundle(name)), [])


def test_labels_that_are_markdown_do_not_break_the_table(tmp_path: Path) -> None:
    text = card(metrics=measure(np.array([0, 1]), np.eye(2), np.zeros(2, bool), ["a|b", "<i>"]))
    assert "a\\|b" in text
    assert "| <i>" not in text
