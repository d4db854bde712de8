"""An ONNX file with weights and layers in whole numbers of 8 bits: a quarter of the size, and quicker on processors
with such instructions.

Static and per channel: the range of every layer's values is measured on pictures, so they should be like those that
the file will meet. The first steps (bytes to normalised values) and the last (softmax) stay in full precision.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

_BATCH = 32
_LAYERS = ["Conv", "Gemm"]  # no MatMul: the heads of a voting network are one product in three dimensions, refused


def quantized(data: bytes, name: str, pictures: NDArray[np.uint8]) -> bytes:
    """The ONNX file `data` in int8, its ranges measured on prepared pictures, which its input `name` takes."""
    from onnxruntime import quantization

    before = logging.root.manager.disable
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of onnxruntime's own making
        logging.disable(logging.WARNING)
        try:
            whole, ready, small = (Path(folder) / f"{name}.onnx" for name in ("whole", "ready", "small"))
            whole.write_bytes(data)
            quantization.quant_pre_process(str(whole), str(ready), skip_symbolic_shape=True)
            quantization.quantize_static(
                str(ready),
                str(small),
                _reader(name, pictures),
                op_types_to_quantize=_LAYERS,
                per_channel=True,
                activation_type=quantization.QuantType.QUInt8,
                weight_type=quantization.QuantType.QInt8,
                reduce_range=True,  # 7 bits: processors without VNNI saturate sums of 8, and answer wrongly
            )
            return small.read_bytes()
        finally:
            logging.disable(before)


def _reader(name: str, pictures: NDArray[np.uint8]) -> Any:  # noqa: ANN401 - a class of onnxruntime, imported late
    from onnxruntime.quantization import CalibrationDataReader

    class _Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.batches: Iterator[NDArray[np.uint8]] = (
                pictures[start : start + _BATCH] for start in range(0, len(pictures), _BATCH)
            )

        def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
            batch = next(self.batches, None)
            return None if batch is None else {name: batch}

    return _Reader()
