"""A bundle is whole or refused: each fault is named with file, field and value, and nothing in it is ever run."""

from __future__ import annotations

import json
import pickle
import struct
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from handwriter_models.bundle import (
    BUNDLED,
    BundleConfig,
    NetworkConfig,
    Preprocessing,
    Rejection,
    bundled_names,
    find_bundle,
    read_bundle,
    read_config,
    write_bundle,
)
from handwriter_models.errors import UserError
from handwriter_models.networks import build
from handwriter_models.weights import parameter_count
from tests.conftest import small_config, write_small_bundle


def changed(document: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """The document with the field at the dotted path set, or deleted when the value is `...`."""
    *parents, last = path.split(".")
    inner = document
    for name in parents:
        inner = inner[name]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return document


def edit_config(folder: Path, path: str, value: object) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(changed(json.loads(file.read_text()), path, value)))


def edit_weights(folder: Path, **tensors: torch.Tensor | None) -> None:
    file = folder / "model.safetensors"
    state = {**safetensors.torch.load_file(file), **tensors}
    file.write_bytes(safetensors.torch.save({name: tensor for name, tensor in state.items() if tensor is not None}))


def refusal(folder: Path) -> UserError:
    with pytest.raises(UserError) as caught:
        read_bundle(folder)
    assert caught.value.hint
    assert str(folder) in caught.value.what or caught.value.what.startswith(("unknown network", "network", "argument"))
    return caught.value


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


def test_tuples_of_arguments_are_stored_as_lists(tmp_path: Path) -> None:
    arguments = {"outputs": 11, "members": 2, "widths": (4, 6, 8), "dropout": 0.1}
    config = small_config(network=NetworkConfig("compact", arguments))
    assert read_config(write_small_bundle(tmp_path / "b", config)).to_json() == config.to_json()


def test_photograph_preprocessing_is_kept_by_the_format(tmp_path: Path) -> None:
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    config = small_config(preprocessing=Preprocessing("photograph", 224, mean, std))
    assert read_config(write_small_bundle(tmp_path / "b", config)) == config


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


def test_monstrous_network_costs_no_memory(small_bundle: Path) -> None:
    hidden = {"outputs": 10, "size": 4096, "hidden": [4096] * 16}  # 275 GB, were it built
    edit_config(small_bundle, "rejection", None)
    edit_config(small_bundle, "network", {"name": "mlp", "arguments": hidden})
    assert "is missing" in refusal(small_bundle).what


def test_missing_tensor_is_named(small_bundle: Path) -> None:
    edit_weights(small_bundle, **{"members.0.0.weight": None})
    assert "'members.0.0.weight' is missing" in refusal(small_bundle).what


def test_foreign_tensor_is_named(small_bundle: Path) -> None:
    edit_weights(small_bundle, backdoor=torch.zeros(3))
    assert "'backdoor' is foreign" in refusal(small_bundle).what


def test_wrong_shape_and_number_type_are_named(small_bundle: Path) -> None:
    edit_weights(small_bundle, **{"members.0.0.weight": torch.zeros(4, 1, 5, 5)})
    error = refusal(small_bundle)
    assert "F32 [4, 1, 5, 5]" in error.what
    assert "F32 [4, 1, 3, 3]" in error.hint
    edit_weights(small_bundle, **{"members.0.0.weight": torch.zeros(4, 1, 3, 3, dtype=torch.float16)})
    assert "F16" in refusal(small_bundle).what


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_weights_that_are_no_numbers_are_refused(value: float, small_bundle: Path) -> None:
    edit_weights(small_bundle, **{"members.1.0.weight": torch.full((4, 1, 3, 3), value)})
    assert "'members.1.0.weight' holds NaN" in refusal(small_bundle).what


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.mark,)


def test_pickle_named_as_weights_is_refused_and_never_run(small_bundle: Path, tmp_path: Path) -> None:
    mark, file = tmp_path / "unpickled", small_bundle / "model.safetensors"
    file.write_bytes(pickle.dumps(Trap(mark)))
    assert "not a whole safetensors file" in refusal(small_bundle).what
    torch.save({"members.0.0.weight": Trap(mark)}, file)
    assert "safetensors" in refusal(small_bundle).what
    assert not mark.exists()


def test_damaged_weights_are_refused(small_bundle: Path) -> None:
    file = small_bundle / "model.safetensors"
    whole = file.read_bytes()
    length = struct.unpack("<Q", whole[:8])[0]
    header = json.loads(whole[8 : 8 + length])
    overlap = {name: {**kind, "data_offsets": [0, 4]} for name, kind in header.items()}
    for data in (
        b"",
        whole[:5],
        whole[:100],
        whole[:-4],
        whole + b"more",
        struct.pack("<Q", 2**63) + whole[8:],
        struct.pack("<Q", length) + b"\x00" * length,
        struct.pack("<Q", 4) + b"null",
        struct.pack("<Q", 4) + b"[[[[",
        struct.pack("<Q", 14) + b'{"a":{"b": 1}}',
        (lambda text: struct.pack("<Q", len(text)) + text + bytes(4))(json.dumps(overlap).encode()),
    ):
        file.write_bytes(data)
        refusal(small_bundle)


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
        ("user/repo", "models of the Hub are not fetched"),
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


def test_parameters_are_counted_without_statistics(small_bundle: Path) -> None:
    _, network = read_bundle(small_bundle)
    count = sum(parameter.numel() for parameter in network.parameters())
    assert parameter_count(small_bundle / "model.safetensors") == count


def test_config_is_equal_to_itself_through_json() -> None:
    config = small_config(rejection=Rejection("background", 0.25), description={"ko": "숫자"})
    assert BundleConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
