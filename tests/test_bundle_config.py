"""Every fault of a config is named with its file, field and value."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from handwriter_models.bundle import (
    BundleConfig,
    NetworkConfig,
    Preprocessing,
    Rejection,
    read_config,
)
from handwriter_models.errors import UserError
from tests.bundle_faults import edit_config, refusal
from tests.conftest import small_config, write_small_bundle


def test_tuples_of_arguments_are_stored_as_lists(tmp_path: Path) -> None:
    arguments = {"outputs": 11, "members": 2, "widths": (4, 6, 8), "dropout": 0.1}
    config = small_config(network=NetworkConfig("compact", arguments))
    assert read_config(write_small_bundle(tmp_path / "b", config)).to_json() == config.to_json()


def test_photograph_preprocessing_is_kept_by_the_format(tmp_path: Path) -> None:
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    for way in (Preprocessing("photograph", 224, mean, std), Preprocessing("photograph", 224, mean, std, 232, True)):
        config = small_config(preprocessing=way)
        assert read_config(write_small_bundle(tmp_path / "b", config)) == config


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"temperature": 1.0', '"temperature": 1.0, "temperature": 2.0'),
        ('"outputs": 11', '"outputs": 11, "outputs": 11'),
        ('"metrics": {}', '"metrics": {"per_label": {"가": 1, "\\uac00": 2}}'),
    ],
)
def test_a_key_that_stands_twice_is_refused(small_bundle: Path, old: str, new: str) -> None:
    file = small_bundle / "config.json"
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(UserError, match=r"holds the key .* twice"):
        read_config(small_bundle)


def test_a_hundred_thousand_labels_of_which_one_stands_twice_are_told_at_once() -> None:
    labels = [*map(str, range(99_999)), "99998"]
    with pytest.raises(UserError, match="'99998'"):
        BundleConfig.from_json({**small_config().to_json(), "labels": labels})


def test_groups_are_kept_and_must_name_every_label(tmp_path: Path) -> None:
    config = replace(small_config(), groups={str(n): "짝수" if n % 2 == 0 else "홀수" for n in range(10)})
    assert read_config(write_small_bundle(tmp_path / "b", config)) == config
    document = config.to_json()
    del document["groups"]["3"]
    with pytest.raises(UserError, match="'groups'"):
        BundleConfig.from_json(document)


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("format", 2, "format"),
        ("format", "1", "format"),
        ("format", True, "format"),
        ("format", ..., "format"),
        ("name", 5, "name"),
        ("name", "../up", "name"),
        ("name", "", "name"),
        ("kind", None, "kind"),
        ("labels", "0123456789", "labels"),
        ("labels", [], "labels"),
        ("labels", list(range(10)), "labels[0]"),
        ("labels", ["a"] * 10, "labels"),
        ("labels", ["a", " "], "labels[1]"),
        ("labels", ["a", "\x1b[2J"], "labels[1]"),
        ("labels", ..., "labels"),
        ("network", "compact", "network"),
        ("network.name", 3, "network.name"),
        ("network.arguments", [], "network.arguments"),
        ("network.arguments.outputs", "11", "network.arguments.outputs"),
        ("network.arguments.outputs", ..., "network.arguments.outputs"),
        ("network.layers", 3, "network.layers"),
        ("preprocessing", ..., "preprocessing"),
        ("preprocessing.name", "magic", "preprocessing.name"),
        ("preprocessing.size", 32, "preprocessing.size"),
        ("preprocessing.size", 28.0, "preprocessing.size"),
        ("preprocessing.mean", [0.1], "preprocessing.mean"),
        ("preprocessing.std", 0, "preprocessing.std"),
        ("preprocessing.std", ..., "preprocessing.std"),
        ("temperature", 0, "temperature"),
        ("temperature", -1.0, "temperature"),
        ("temperature", "1.0", "temperature"),
        ("temperature", True, "temperature"),
        ("rejection", 0.5, "rejection"),
        ("rejection.score", "mahalanobis", "rejection.score"),
        ("rejection.threshold", 1.5, "rejection.threshold"),
        ("rejection.threshold", ..., "rejection.threshold"),
        ("description", "digits", "description"),
        ("description", {"en": 3}, "description.en"),
        ("parent", "digits", "parent"),
        ("recipe", [], "recipe"),
        ("data", 3, "data"),
        ("metrics", [1], "metrics"),
        ("surprise", 1, "surprise"),
    ],
)
def test_config_fault_is_named_with_file_and_field(path: str, value: object, field: str, small_bundle: Path) -> None:
    edit_config(small_bundle, path, value)
    error = refusal(small_bundle)
    assert f"'{field}'" in error.what
    assert "config.json" in error.what
    assert error.status == 422


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "not valid JSON"),
        ("{", "not valid JSON"),
        ("null", "is None"),
        ("[]", r"is \[\]"),
        ("[" * 100_000, "not valid JSON"),
        ('{"format": 1, "temperature": NaN}', "NaN"),
        ('{"format": 1, "temperature": Infinity}', "Infinity"),
        ('{"format": ' + "9" * 5000 + "}", "not valid JSON"),
        ("\udcff", "not valid JSON"),
    ],
)
def test_config_that_is_no_json_object_is_refused(text: str, what: str, small_bundle: Path) -> None:
    (small_bundle / "config.json").write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(UserError, match=what):
        read_config(small_bundle)


def test_infinite_number_written_as_digits_is_refused(small_bundle: Path) -> None:
    file = small_bundle / "config.json"
    file.write_text(file.read_text().replace('"temperature": 1.0', '"temperature": 1e999'))
    assert "'temperature' is inf" in refusal(small_bundle).what


def test_labels_that_do_not_match_the_outputs_are_refused(small_bundle: Path) -> None:
    edit_config(small_bundle, "labels", ["a", "b", "c"])
    error = refusal(small_bundle)
    assert "11 outputs, but there are 3 labels and one for the background" in error.what
    edit_config(small_bundle, "rejection", None)
    edit_config(small_bundle, "labels", list("0123456789"))
    assert "11 outputs, but there are 10 labels" in refusal(small_bundle).what


@pytest.mark.parametrize(
    ("path", "value", "what"),
    [
        ("network.name", "transformer", "unknown network 'transformer'"),
        ("network.arguments.layers", 3, "no argument 'layers'"),
        ("network.arguments.widths", "wide", "argument 'widths'"),
        ("network.arguments.widths", [0], "argument 'widths'"),
        ("network.arguments.dropout", 2, "argument 'dropout'"),
        ("network.arguments.members", 10**9, "argument 'members'"),
    ],
)
def test_network_arguments_are_checked(path: str, value: object, what: str, small_bundle: Path) -> None:
    edit_config(small_bundle, path, value)
    assert what in refusal(small_bundle).what


def test_config_is_equal_to_itself_through_json() -> None:
    config = small_config(rejection=Rejection("background", 0.25), description={"ko": "숫자"})
    assert BundleConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
