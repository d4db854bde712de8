"""The same vectors from OpenVINO, an optional extra: quicker on processors of Intel's and AMD's kind.

`accelerated` computes in bfloat16 where the processor does, `quantized` in int8, which is quicker still and less exact.
The vectors of each have a cache of their own, under another name. Converting a network takes seconds, which pays from
about a thousand pictures on.
(Static quantization with ranges from a few of the pictures themselves: Jacob et al. 2018, arXiv:1712.05877.)
"""

from __future__ import annotations

import contextlib
import logging
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from curation.backbones import Backbone, Bytes
from handwriter_models.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor, nn

CALIBRATION = 128  # pictures are enough for the ranges of ReLU networks; more changed nothing
Vectors = Callable[[Bytes], NDArray[np.float32]]


def accelerated(backbone: Backbone) -> Backbone:
    """The backbone, run by OpenVINO; raises `UserError` when that is not installed."""
    openvino = _needed("openvino")
    vectors = _compiled(openvino, _converted(openvino, backbone), backbone.dimension)
    return replace(backbone, name=f"{backbone.name}-openvino", compute=vectors)


def quantized(backbone: Backbone, calibration: Bytes) -> Backbone:
    """The backbone in int8.

    Args:
        backbone: as it is.
        calibration: some dozens of its prepared pictures, uint8 (n, …): they show which values occur.

    Raises:
        UserError: OpenVINO or NNCF is not installed, or there are no pictures.
    """
    if not len(calibration):
        raise UserError("no pictures to find the ranges of int8 values", "give pictures, or leave int8 out")
    openvino, nncf = _needed("openvino"), _needed("nncf")
    logging.getLogger("nncf").setLevel(logging.ERROR)
    pictures = nncf.Dataset([picture[None] for picture in calibration[:CALIBRATION]])
    model = _converted(openvino, backbone)
    with contextlib.redirect_stdout(sys.stderr):  # its bars
        model = nncf.quantize(model, pictures, subset_size=len(calibration[:CALIBRATION]))
    return replace(backbone, name=f"{backbone.name}-int8", compute=_compiled(openvino, model, backbone.dimension))


def _needed(package: str) -> ModuleType:
    from importlib import import_module

    # Both tell their makers of each use, over the network, unless this package cannot be had.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        return import_module(package)
    except ImportError as error:
        raise UserError(f"{package} is not installed", "run: pip install -r requirements-extras.txt") from error


def _converted(openvino: Any, backbone: Backbone) -> Any:  # noqa: ANN401 - OpenVINO's own types
    """The network with its normalisation as an OpenVINO model: uint8 pictures in, vectors out, any number at once."""
    import torch
    from PIL import Image

    picture = backbone.prepare(Image.new("RGB", (64, 64)))

    class Whole(torch.nn.Module):
        def __init__(self, network: nn.Module) -> None:
            super().__init__()
            self.network = network

        def forward(self, prepared: Tensor) -> Tensor:
            vectors: Tensor = self.network(backbone.inputs(prepared))
            return vectors

    several = torch.from_numpy(np.stack([picture, picture]))  # of one, the number of pictures would become a constant
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of its own parts
        program = torch.export.export(
            Whole(backbone.network).eval(), (several,), dynamic_shapes=({0: torch.export.Dim("pictures")},)
        )
        return openvino.convert_model(program)


def _compiled(openvino: Any, model: Any, dimension: int) -> Vectors:  # noqa: ANN401 - as above
    settings = {"PERFORMANCE_HINT": "THROUGHPUT"}
    if "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        settings["INFERENCE_PRECISION_HINT"] = "bf16"
    compiled = openvino.compile_model(model, "CPU", settings)

    def vectors(prepared: Bytes) -> NDArray[np.float32]:
        if not len(prepared):
            return np.zeros((0, dimension), np.float32)
        found = compiled(np.ascontiguousarray(prepared))[0]
        return np.asarray(found, np.float32).reshape(len(prepared), dimension)

    return vectors
