"""A bundle as one ONNX file, for every runtime that has no torch: a page with onnxruntime-web, a phone, C++.

The file answers as a classifier does, with nothing left to get wrong outside: it takes prepared pictures as bytes, and
normalises, divides by the temperature and takes the softmax inside. What else a program needs to know (labels, how
pictures are prepared, when to reject) lies in the file's `metadata_props`, each value as JSON. Before it is written its
answers on real pictures are compared with torch's in full precision; a file that differs is not written.

Preparing a picture is not in it: finding the ink of a photograph is no network's work.
onnx, onnxscript and onnxruntime are extras, imported when something is exported.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from handwriter_models.bundle import BundleConfig, find_bundle, read_bundle
from handwriter_models.errors import UserError
from handwriter_models.export.pictures import check_pictures
from handwriter_models.inference import for_inference
from handwriter_models.preparation import Preparation, preparation_of
from handwriter_models.whole_files import write_whole

OPSET = 18
INPUT, PROBABILITIES, BACKGROUND = "pictures", "probabilities", "background"
TOLERANCE = 1e-3  # of any probability
_EXTRAS = ("onnx", "onnxscript", "onnxruntime")
_BATCH = 64
Pictures = NDArray[np.uint8]
Scores = NDArray[np.float32]


@dataclass(frozen=True)
class OnnxFile:
    """One written file: what it weighs, and how far its answers are from torch's on the pictures of the check.

    `difference` is the largest of any probability; `same_labels` the share of pictures with the same answer.
    """

    path: str
    bytes: int
    difference: float
    same_labels: float


@dataclass(frozen=True)
class Export:
    """What was written. `metadata` is what the file holds about itself: for a page beside it, write it as JSON.

    `pictures` is how many the check had; `int8` is the quantized file where one was asked for.
    """

    file: OnnxFile
    opset: int
    pictures: int
    metadata: dict[str, Any]
    int8: OnnxFile | None = None

    def to_json(self) -> dict[str, Any]:
        """All of it as a JSON document."""
        return asdict(self)


def export_onnx(
    bundle: str | os.PathLike[str],
    out: Path,
    check: Sequence[Path] = (),
    int8: bool = False,
    calibrate: Sequence[Path] = (),
) -> Export:
    """Writes `bundle` (a name or folder) as `out`, and with `int8` its quantized form beside it as `….int8.onnx`.

    Args:
        bundle: a bundled model's name, or a bundle's folder.
        out: the file to write; an earlier one is replaced.
        check: pictures or folders of pictures to compare answers on; else pictures that come with scikit-learn.
        int8: also write the network in whole numbers of 8 bits (see `handwriter_models.export.quantization`).
        calibrate: pictures or folders from which the ranges of its values are measured; else as for `check`.

    Raises:
        UserError: extras are missing, a picture cannot be read, or the file would answer otherwise than torch.
    """
    config, network = read_bundle(find_bundle(bundle))
    check_extras()
    preparation = preparation_of(config.preprocessing)
    pictures, others = check_pictures(preparation, check, calibrate)
    answering = Answering(config, network, preparation)
    metadata = metadata_of(config, preparation)
    wanted = _torch_scores(answering, pictures)
    data = onnx_bytes(answering, preparation, metadata)
    files = {out: (data, _compared(out, data, wanted, pictures))}
    if files[out][1].difference > TOLERANCE:
        raise UserError(
            f"the ONNX file of {config.name!r} would differ from torch by {files[out][1].difference:.2g}",
            f"more than {TOLERANCE:g} is not written; report the network and the versions of torch and onnxruntime",
        )
    if int8:
        from handwriter_models.export.quantization import quantized

        small = out.with_name(f"{out.stem}.int8.onnx")
        data = quantized(data, INPUT, others)
        files[small] = (data, _compared(small, data, wanted, pictures))
    for path, (content, _) in files.items():
        write_whole(path, content, "place")
    measured = [file for _, file in files.values()]
    return Export(measured[0], OPSET, len(pictures), metadata, *measured[1:])


class Answering(nn.Module):
    """What `Classifier.scores` does, as one module: uint8 (n, *shape) → probabilities, and of the background if any."""

    def __init__(self, config: BundleConfig, network: nn.Module, preparation: Preparation) -> None:
        super().__init__()
        # The usual order of memory: other runtimes know no other, or have their own.
        self.network = for_inference(network).to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        self.inputs = preparation.inputs
        self.temperature, self.labels = config.temperature, len(config.labels)
        self.outputs = [PROBABILITIES, BACKGROUND] if config.has_background else [PROBABILITIES]
        self.eval()

    def forward(self, pictures: Tensor) -> tuple[Tensor, ...]:
        """(n, labels) and, of a network that knows a background, (n,)."""
        logits = self.network(self.inputs(pictures)).float() / self.temperature
        if len(self.outputs) == 1:
            return (torch.softmax(logits, dim=1),)
        return torch.softmax(logits[:, : self.labels], dim=1), torch.softmax(logits, dim=1)[:, -1]


def metadata_of(config: BundleConfig, preparation: Preparation) -> dict[str, Any]:
    """What a program must know to use the file alone."""
    document = config.to_json()
    names = ("name", "kind", "description", "labels", "groups", "preprocessing", "temperature", "rejection")
    outputs = [PROBABILITIES, BACKGROUND] if config.has_background else [PROBABILITIES]
    shape = ["n", *preparation.shape]
    return {
        **{name: document[name] for name in names if name in document},
        "input": {"name": INPUT, "type": "uint8", "shape": shape},
        "outputs": outputs,
        "inside": ["normalisation", "temperature", "softmax"],
    }


def onnx_bytes(answering: Answering, preparation: Preparation, metadata: dict[str, Any]) -> bytes:
    """The module as an ONNX file with a free number of pictures; holds nothing about the machine that made it."""
    example = torch.zeros(2, *preparation.shape, dtype=torch.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's exporter uses what torch itself has deprecated
        program = torch.onnx.export(
            answering,
            (example,),
            input_names=[INPUT],
            output_names=answering.outputs,
            dynamic_shapes=({0: torch.export.Dim("n")},),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    if program is None:
        raise RuntimeError("torch's exporter gave no program")
    model = program.model_proto
    graph = model.graph
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        del part.metadata_props[:]  # traces of the stack, with the paths of this machine
    for key, value in metadata.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, json.dumps(value, ensure_ascii=False)
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def _torch_scores(answering: Answering, pictures: Pictures) -> list[Scores]:
    with torch.inference_mode():
        parts = [
            answering(torch.from_numpy(pictures[start : start + _BATCH].copy()))
            for start in range(0, len(pictures), _BATCH)
        ]
    return [torch.cat(columns).numpy() for columns in zip(*parts, strict=True)]


def onnx_scores(data: bytes, pictures: Pictures) -> list[Scores]:
    """The file's answers by onnxruntime: the first picture alone, the others by the batch."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    starts = [0, *range(1, len(pictures), _BATCH)]
    parts = [
        session.run(None, {INPUT: pictures[start:stop]})
        for start, stop in zip(starts, [*starts[1:], len(pictures)], strict=True)
    ]
    return [np.concatenate(columns) for columns in zip(*parts, strict=True)]


def _compared(path: Path, data: bytes, wanted: list[Scores], pictures: Pictures) -> OnnxFile:
    found = onnx_scores(data, pictures)
    difference = max(float(np.abs(a - b).max()) for a, b in zip(found, wanted, strict=True))
    same = float((found[0].argmax(axis=1) == wanted[0].argmax(axis=1)).mean())
    # NaN would pass every comparison with a limit.
    return OnnxFile(str(path), len(data), difference if np.isfinite(difference) else 1.0, same)


def check_extras() -> None:
    """Raises `UserError` when a package that exporting needs is not installed."""
    for name in _EXTRAS:
        try:
            import_module(name)
        except ImportError as error:
            raise UserError(
                f"exporting needs the package {name}, which is not installed",
                "pip install -r requirements-extras.txt",
            ) from error
