"""An ONNX file with its weights stored in few bits and computed with in float, as before.

For pages and phones what counts is what must be fetched; the arithmetic of a small network costs nothing. Here a weight
is a whole number of 8 to 16 bits times the scale of its channel: upper 8 bits in one array, the lower ones in another,
one to a byte, so that a compressor (gzip) finds their emptiness. A runtime multiplies the weights out once, when it
loads the file. Values inside the network stay exact (`quantization` rounds those too, to be quicker on servers).

Measured on 512 of scikit-learn's digits, which letters and Hangul do not know, so that many answers hang in the
balance: the largest difference of any probability with 8, 9, 10, 11 bits, and kB after gzip. digits 0.013 0.009 0.004
0.003 (447 523 591 660); letters 0.019 0.006 0.003 0.002; hangul 0.014 0.007 0.003 0.002; characters 0.021 0.007 0.005
0.002. Weights of 16-bit floats: 0.0003 and some 900 kB.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handwriter_models.export.onnx_file import onnx_scores

TOLERANCE = 0.01  # of any probability
WIDTHS = (8, 9, 10, 12, 16)
_LEAST = 1024  # values: of smaller weights there is nothing to gain
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class SmallFile:
    """The file, the bits of its weights, and the largest difference of any probability from the full one's."""

    data: bytes
    bits: int
    difference: float


def smallest_alike(data: bytes, pictures: NDArray[np.uint8]) -> SmallFile:
    """The smallest form of the ONNX file `data` whose probabilities stay within TOLERANCE.

    Compared on prepared pictures (n, *shape); labels differ only where two are as likely to twice that. When no form
    is near enough (weights that are not numbers), the file itself, with 32 bits.
    """
    wanted = onnx_scores(data, pictures)
    for bits in WIDTHS:
        small = with_small_weights(data, bits)
        found = onnx_scores(small, pictures)
        difference = max(float(np.abs(a - b).max()) for a, b in zip(found, wanted, strict=True))
        if difference <= TOLERANCE:  # NaN is not
            return SmallFile(small, bits, difference)
    return SmallFile(data, 32, 0.0)


def with_small_weights(data: bytes, bits: int) -> bytes:
    """The ONNX file with every large float32 weight in `bits` (8 to 16); the same bytes give the same bytes."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load_from_string(data)
    graph = model.graph
    steps: list[Any] = []
    for weight in list(graph.initializer):
        values = numpy_helper.to_array(weight)
        if not _is_large(values):
            continue
        graph.initializer.remove(weight)
        parts = _parts(values, bits)
        graph.initializer.extend(numpy_helper.from_array(part, f"{weight.name}.{key}") for key, part in parts.items())
        steps += _restoring(weight.name, lower="lower" in parts)
    for step in reversed(steps):
        graph.node.insert(0, step)
    small: bytes = model.SerializeToString(deterministic=True)
    return small


def _is_large(values: NDArray[Any]) -> bool:
    return values.dtype == np.float32 and values.size >= _LEAST and values.ndim > 1 and bool(np.isfinite(values).all())


def _parts(values: Floats, bits: int) -> dict[str, NDArray[Any]]:
    """What is stored: the upper 8 bits, the scale, and for more bits the lower ones and what the upper ones count."""
    whole, scale = _whole_numbers(values, bits)
    if bits == 8:
        return {"upper": whole.astype(np.int8), "scale": scale}
    step = 2 ** (bits - 8)
    upper, lower = np.divmod(whole, step)
    parts = {"upper": upper.astype(np.int8), "lower": lower.astype(np.uint8)}
    return {**parts, "step": np.array(step, np.float32), "scale": scale}


def _restoring(name: str, *, lower: bool) -> list[Any]:
    """The steps from what is stored to the weight called `name`."""
    from onnx import TensorProto, helper

    def step(kind: str, inputs: list[str], output: str, **options: int) -> Any:  # noqa: ANN401 - a type of onnx
        return helper.make_node(kind, inputs, [output], f"{output}.{kind}", None, None, None, **options)

    whole = f"{name}.whole"
    if not lower:
        cast = step("Cast", [f"{name}.upper"], whole, to=TensorProto.FLOAT)
        return [cast, step("Mul", [whole, f"{name}.scale"], name)]
    upper, counted, rest = (f"{name}.{part}" for part in ("upper.float", "counted", "lower.float"))
    return [
        step("Cast", [f"{name}.upper"], upper, to=TensorProto.FLOAT),
        step("Mul", [upper, f"{name}.step"], counted),
        step("Cast", [f"{name}.lower"], rest, to=TensorProto.FLOAT),
        step("Add", [counted, rest], whole),
        step("Mul", [whole, f"{name}.scale"], name),
    ]


def _whole_numbers(values: Floats, bits: int) -> tuple[NDArray[np.int32], Floats]:
    """Whole numbers of `bits` and the scale along that axis which loses least."""
    candidates = [_along(values, axis, 2 ** (bits - 1) - 1) for axis in range(values.ndim)]
    return min(candidates, key=lambda parts: float(np.square(parts[0] * parts[1] - values).sum()))


def _along(values: Floats, axis: int, top: int) -> tuple[NDArray[np.int32], Floats]:
    others = tuple(other for other in range(values.ndim) if other != axis)
    largest = np.abs(values).max(axis=others, keepdims=True)
    scale = np.where(largest > 0, largest / top, 1).astype(np.float32)
    return np.clip(np.round(values / scale), -top, top).astype(np.int32), scale
