"""Checkpoints: whole or refused, never half, and no code in them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from handwriter_models.errors import UserError
from training.checkpoint import read_checkpoint, remove_checkpoint, write_checkpoint

TENSORS = {"a": torch.arange(6.0).reshape(2, 3).T, "b": torch.tensor(3)}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "run", TENSORS, {"done": 3, "history": [{"epoch": 1}]})
    checkpoint = read_checkpoint(tmp_path / "run")
    assert checkpoint is not None
    assert torch.equal(checkpoint.tensors["a"], TENSORS["a"])
    assert checkpoint.tensors["b"].item() == 3
    assert checkpoint.values["history"] == [{"epoch": 1}]


def test_no_checkpoint_is_none(tmp_path: Path) -> None:
    assert read_checkpoint(tmp_path / "nowhere") is None


def test_half_written_file_beside_the_checkpoint_changes_nothing(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, TENSORS, {"done": 3})
    (tmp_path / "checkpoint.safetensors.tmp").write_bytes(b"killed in the middle")
    checkpoint = read_checkpoint(tmp_path)
    assert checkpoint is not None
    assert checkpoint.values["done"] == 3
    write_checkpoint(tmp_path, TENSORS, {"done": 4})
    checkpoint = read_checkpoint(tmp_path)
    assert checkpoint is not None
    assert checkpoint.values["done"] == 4


def test_damaged_and_foreign_files_are_refused(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, TENSORS, {"done": 3})
    path = tmp_path / "checkpoint.safetensors"
    whole = path.read_bytes()
    for content in (whole[:-4], b"", b"\x80\x04pickle"):
        path.write_bytes(content)
        with pytest.raises(UserError, match="cannot be read") as caught:
            read_checkpoint(tmp_path)
        assert "--restart" in caught.value.hint
    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(UserError, match="cannot be read"):
        read_checkpoint(tmp_path)
    write_checkpoint(tmp_path, {}, {"format": 99})
    with pytest.raises(UserError, match="format 99"):
        read_checkpoint(tmp_path)


def test_removal_takes_the_folder_unless_somebody_uses_it(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_checkpoint(tmp_path / name, TENSORS, {})
    (tmp_path / "two" / "notes.txt").write_text("mine")
    for name in ("one", "two", "three"):
        remove_checkpoint(tmp_path / name)
    assert [path.name for path in tmp_path.rglob("*")] == ["two", "notes.txt"]
