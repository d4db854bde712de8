"""A bundle comes back as it was written, replaces only a bundle, and reads nothing from outside its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from handwriter_models.bundle import (
    BUNDLED,
    NetworkConfig,
    bundled_names,
    find_bundle,
    read_bundle,
    read_config,
    write_bundle,
)
from handwriter_models.errors import UserError
from handwriter_models.networks import build
from handwriter_models.weights import parameter_count
from tests.bundle_faults import refusal
from tests.conftest import small_config, write_small_bundle


def test_bundle_comes_back_as_it_was_written(tmp_path: Path) -> None:
    config = small_config(
        description={"en": "digits", "ko": "숫자"},
        temperature=1.25,
        recipe={"train": {"epochs": 3, "rate": 0.01}},
        data={"source": "mnist", "splits": {"train": 10}},
        metrics={"accuracy": 0.99, "confusion": [[1, 0], [0, 1]]},
        parent={"name": "other"},
    )
    network = build(config.network.name, config.network.arguments).eval()
    folder = write_bundle(tmp_path / "new" / "small", config, network.state_dict(), "# card 한글\n", {"a.png": b"png"})
    read, copy = read_bundle(folder)
    assert read == config
    assert not copy.training
    for name, tensor in network.state_dict().items():
        assert torch.equal(copy.state_dict()[name], tensor)
    pictures = torch.rand(3, 1, 28, 28)
    assert torch.equal(copy(pictures), network(pictures))
    assert (folder / "README.md").read_text(encoding="utf-8") == "# card 한글\n"
    assert (folder / "figures" / "a.png").read_bytes() == b"png"
    assert [path.name for path in folder.parent.iterdir()] == ["small"]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("mlp", {"outputs": 10, "size": 28, "hidden": [125, 65]}),
        ("cnn", {"outputs": 10, "size": 28, "widths": [4, 6], "hidden": 16}),
    ],
)
def test_small_networks_survive_the_round_trip(name: str, arguments: dict[str, Any], tmp_path: Path) -> None:
    config = small_config(background=False, network=NetworkConfig(name, arguments))
    network = build(name, arguments).eval()
    _, copy = read_bundle(write_bundle(tmp_path / name, config, network.state_dict(), ""))
    picture = torch.rand(2, 1, 28, 28)
    assert torch.equal(copy(picture), network(picture))


def test_writing_again_replaces_the_earlier_bundle(small_bundle: Path) -> None:
    write_small_bundle(small_bundle, small_config(temperature=2.0))
    assert read_config(small_bundle).temperature == 2.0
    assert [path.name for path in small_bundle.parent.iterdir()] == [small_bundle.name]


def test_folder_with_other_work_in_it_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years")
    with pytest.raises(UserError, match=r"thesis\.txt"):
        write_small_bundle(tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years"
    with pytest.raises(UserError, match="is a file"):
        write_small_bundle(tmp_path / "mine" / "thesis.txt")


def test_state_that_does_not_fit_the_config_is_not_written(tmp_path: Path) -> None:
    config = small_config()
    state = build("compact", config.network.arguments).state_dict()
    name = next(iter(state))
    for wrong, message in (
        ({**state, "extra": torch.zeros(1)}, "'extra' is foreign"),
        ({key: tensor for key, tensor in state.items() if key != name}, "is missing"),
        ({**state, name: state[name].double()}, "float64"),
        ({**state, name: state[name] * torch.nan}, "NaN"),
    ):
        with pytest.raises(UserError, match=message):
            write_bundle(tmp_path / "b", config, wrong, "")
    with pytest.raises(UserError, match="11 outputs"):
        write_bundle(tmp_path / "b", small_config(labels=("a", "b")), state, "")
    with pytest.raises(UserError, match="figure name"):
        write_bundle(tmp_path / "b", config, state, "", {"../x.png": b""})
    assert list(tmp_path.iterdir()) == []


def test_weights_linked_from_outside_the_bundle_are_refused(small_bundle: Path, tmp_path: Path) -> None:
    outside = tmp_path / "elsewhere.safetensors"
    (small_bundle / "model.safetensors").rename(outside)
    (small_bundle / "model.safetensors").symlink_to(outside)
    assert "link out of the bundle" in refusal(small_bundle).what
    outside.unlink()
    assert "cannot read" in refusal(small_bundle).what


def test_linked_bundle_folder_is_read(small_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(small_bundle)
    assert read_bundle(tmp_path / "link")[0].name == "small"


def test_oversized_config_and_weights_are_not_read(small_bundle: Path) -> None:
    with (small_bundle / "model.safetensors").open("r+b") as file:
        file.truncate(2**31 + 1)
    assert "larger than 2048 MB" in refusal(small_bundle).what
    with (small_bundle / "config.json").open("r+b") as file:
        file.truncate(2**40)
    assert "larger than 16 MB" in refusal(small_bundle).what


def test_folder_instead_of_a_file_and_missing_weights_are_refused(small_bundle: Path) -> None:
    (small_bundle / "model.safetensors").unlink()
    assert "cannot read" in refusal(small_bundle).what
    (small_bundle / "model.safetensors").mkdir()
    assert "is not a file" in refusal(small_bundle).what


def test_bundle_is_found_by_folder_and_unknown_ones_list_what_there_is(small_bundle: Path, tmp_path: Path) -> None:
    assert find_bundle(small_bundle) == small_bundle
    assert find_bundle(str(small_bundle)) == small_bundle
    for name, what in (
        ("nothing-like-it", "unknown model"),
        ("", "unknown model"),
        ("a\x00b", "unknown model"),
        ("user//repo", "unknown model"),
        (str(tmp_path), "it has no config.json"),
    ):
        with pytest.raises(UserError, match=what) as caught:
            find_bundle(name)
        assert caught.value.status == 422
        assert "bundled model" in caught.value.hint


def test_bundled_names_are_the_folders_with_a_config(tmp_path: Path) -> None:
    for name in ("b", "a"):
        write_small_bundle(tmp_path / name)
    (tmp_path / "empty").mkdir()
    assert bundled_names(tmp_path) == ["a", "b"]


def test_every_bundled_model_is_whole() -> None:
    for name in bundled_names():
        config, network = read_bundle(BUNDLED / name)
        assert config.name == name
        assert parameter_count(BUNDLED / name / "model.safetensors") == sum(p.numel() for p in network.parameters())
