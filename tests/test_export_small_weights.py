"""Weights in few bits: what is lost is what the bits say, and the form taken is the smallest that answers alike."""

from __future__ import annotations

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="onnx is an extra")
pytest.importorskip("onnxruntime", reason="onnxruntime is an extra")

from handwriter_models.export.onnx_file import onnx_scores  # noqa: E402
from handwriter_models.export.small_weights import TOLERANCE, smallest_alike, with_small_weights  # noqa: E402

RANDOM = np.random.default_rng(0)


def dense(weight: np.ndarray) -> bytes:
    """Bytes (n, 64) → softmax of a dense layer with this weight and a small bias."""
    from onnx import TensorProto, helper, numpy_helper

    steps = [
        helper.make_node("Cast", ["pictures"], ["values"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["values", "weight"], ["sums"]),
        helper.make_node("Add", ["sums", "bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    graph = helper.make_graph(
        steps,
        "dense",
        [helper.make_tensor_value_info("pictures", TensorProto.UINT8, ["n", 64])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", weight.shape[1]])],
        [
            numpy_helper.from_array(weight.astype(np.float32), "weight"),
            numpy_helper.from_array(np.arange(weight.shape[1], dtype=np.float32) / 10, "bias"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return model.SerializeToString()


PICTURES = RANDOM.integers(0, 256, (40, 64), np.uint8)
WEIGHT = RANDOM.normal(size=(64, 20)) * np.geomspace(0.0001, 0.01, 20)


@pytest.mark.parametrize("bits", [8, 9, 12, 16])
def test_no_weight_is_off_by_more_than_half_a_step_of_its_channel(bits: int) -> None:
    model = onnx.load_from_string(with_small_weights(dense(WEIGHT), bits))
    held = {part.name: onnx.numpy_helper.to_array(part) for part in model.graph.initializer}
    whole = held["weight.upper"].astype(float) * held.get("weight.step", 1) + held.get("weight.lower", 0)
    step = np.abs(WEIGHT).max(axis=0) / (2 ** (bits - 1) - 1)
    assert (np.abs(whole * held["weight.scale"] - WEIGHT) <= 0.51 * step).all()
    assert ("weight.lower" in held) == (bits > 8)


def test_answers_come_nearer_with_every_bit_and_files_repeat() -> None:
    full = dense(WEIGHT)
    wanted = onnx_scores(full, PICTURES)[0]
    off = [float(np.abs(onnx_scores(with_small_weights(full, b), PICTURES)[0] - wanted).max()) for b in (8, 10, 12, 16)]
    assert off == sorted(off, reverse=True)
    assert 0 < off[-1] < 1e-4 < off[0]
    assert with_small_weights(full, 9) == with_small_weights(full, 9)


def test_smallest_form_that_answers_alike_is_taken() -> None:
    easy, steep = smallest_alike(dense(WEIGHT / 10), PICTURES), smallest_alike(dense(WEIGHT * 2), PICTURES)
    assert easy.bits < steep.bits <= 16
    assert max(easy.difference, steep.difference) <= TOLERANCE
    assert len(easy.data) < 0.6 * len(dense(WEIGHT))


def test_file_whose_answers_are_no_numbers_stays_as_it_is() -> None:
    broken = dense(np.where(np.arange(20) == 3, np.nan, WEIGHT))
    kept = smallest_alike(broken, PICTURES)
    assert (kept.data, kept.bits) == (broken, 32)
