"""The card: metadata the Hub can read, and figures that come from the config."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from handwriter_models.bundle import BundleConfig
from tests.conftest import small_config
from training.card import write_card
from training.metrics import measure
from training.recipes import read_recipe


def card(**changes: object) -> str:
    names = list("0123456789")
    labels = np.arange(50) % 10
    probabilities = np.full((50, 10), 0.05)
    probabilities[np.arange(50), labels] = 0.55
    metrics = {**measure(labels, probabilities, np.zeros(50, bool), names), "ece_before_temperature": 0.2}
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


def test_labels_that_are_markdown_do_not_break_the_table(tmp_path: Path) -> None:
    metrics = measure(np.array([0, 1]), np.eye(2), np.zeros(2, bool), ["a|b", "<i>"])
    text = card(metrics={**metrics, "ece_before_temperature": 0.0})
    assert "a\\|b" in text
    assert "| <i>" not in text
