"""Weights are compared with their network name by name, and nothing in them is ever run."""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from handwriter_models.bundle import (
    read_bundle,
)
from handwriter_models.errors import UserError
from handwriter_models.weights import parameter_count
from tests.bundle_faults import edit_config, edit_weights, refusal


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


def hostile_pickle(mark: Path) -> bytes:
    """A pickle, written by hand, that makes the folder `mark` when anything loads it."""
    return b"cos\nmkdir\n(V" + str(mark).encode() + b"\ntR."


def test_pickle_named_as_weights_is_refused_and_never_run(small_bundle: Path, tmp_path: Path) -> None:
    mark, file = tmp_path / "unpickled", small_bundle / "model.safetensors"
    file.write_bytes(hostile_pickle(mark))
    assert "not a whole safetensors file" in refusal(small_bundle).what
    with zipfile.ZipFile(file, "w") as archive:  # as torch's own files are made
        archive.writestr("archive/data.pkl", hostile_pickle(mark))
    assert "not a whole safetensors file" in refusal(small_bundle).what
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


def with_header(whole: bytes, change: Callable[[str], str]) -> bytes:
    """The weights with the text of their header changed."""
    length = struct.unpack("<Q", whole[:8])[0]
    header = change(whole[8 : 8 + length].decode()).encode()
    return struct.pack("<Q", len(header)) + header + whole[8 + length :]


def test_a_name_that_stands_twice_in_the_header_is_refused(small_bundle: Path) -> None:
    """Readers differ in which of the two they take."""
    file = small_bundle / "model.safetensors"
    whole = file.read_bytes()
    name = "members.0.0.weight"
    entry = '{"dtype":"F32","shape":[4,1,3,3],"data_offsets":[0,144]}'
    for change in (
        lambda text: text.replace("{", f'{{"{name}":{entry},', 1),
        lambda text: text.replace("{", '{"members\u002e0.0.weight":' + entry + ",", 1),
        lambda text: text.replace('"dtype":', '"dtype":"F16","dtype":', 1),
        lambda text: text.replace("{", '{"__metadata__":{"a":"1"},"__metadata__":{"a":"2"},', 1),
        lambda text: text.replace("{", '{"__metadata__":{"a":"1","a":"2"},', 1),
    ):
        file.write_bytes(with_header(whole, change))
        assert " twice" in refusal(small_bundle).what
        with pytest.raises(UserError, match="twice"):
            parameter_count(file)
    file.write_bytes(with_header(whole, lambda text: text.replace("{", '{"__metadata__":{"a":"1"},', 1)))
    read_bundle(small_bundle)


def test_parameters_are_counted_without_statistics(small_bundle: Path) -> None:
    _, network = read_bundle(small_bundle)
    count = sum(parameter.numel() for parameter in network.parameters())
    assert parameter_count(small_bundle / "model.safetensors") == count
