"""A bundle as a static page takes it: `config.json` and the network as `model.onnx.gz`.

The config says all that the page must know to use the network and to show it to people: it is what the ONNX file says
about itself, and the bundle's figures in the names that the demo's `GET /models` gives them.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from handwriter_models.bundle import BundleConfig, read_config
from handwriter_models.weights import WEIGHTS_FILE, parameter_count

Json = dict[str, Any]


@dataclass(frozen=True)
class SiteModel:
    """One model of a site: its files by path, how its weights are stored, and what that costs.

    `difference` is the largest of any probability from torch's answers on the pictures of the check.
    """

    name: str
    files: dict[str, bytes]
    bits: int
    difference: float

    @property
    def bytes(self) -> int:
        """Of its files together."""
        return sum(map(len, self.files.values()))


def site_model(bundle: Path, name: str) -> SiteModel:
    """The bundle's files for a page, on which it is called `name`; raises `UserError` as `export_onnx` does."""
    from handwriter_models.export.onnx_file import export_onnx
    from handwriter_models.export.pictures import check_pictures
    from handwriter_models.export.small_weights import smallest_alike
    from handwriter_models.preparation import preparation_of

    config = read_config(bundle)
    with TemporaryDirectory() as folder:
        exported = export_onnx(bundle, Path(folder) / "model.onnx")
        data = Path(exported.file.path).read_bytes()
    pictures, _ = check_pictures(preparation_of(config.preprocessing), (), ())
    small = smallest_alike(data, pictures)
    document = {**exported.metadata, "name": name, **_figures(config, parameter_count(bundle / WEIGHTS_FILE))}
    files = {
        "config.json": json.dumps(document, ensure_ascii=False, allow_nan=False).encode(),
        "model.onnx.gz": gzip.compress(small.data, 9, mtime=0),
    }
    return SiteModel(name, files, small.bits, small.difference + exported.file.difference)


def _figures(config: BundleConfig, parameters: int) -> Json:
    metrics = config.metrics
    interval = metrics.get("accuracy_interval_by_writer") or metrics.get("accuracy_interval")
    return {
        "parameters": parameters,
        "accuracy": _number(metrics, "accuracy"),
        "tested": _number(metrics, "n"),
        "ece": _number(metrics, "ece"),
        "interval": interval if isinstance(interval, list) and len(interval) == 2 else None,
        "rejects": config.rejection is not None,
    }


def _number(metrics: Mapping[str, Any], field: str) -> float | int | None:
    value = metrics.get(field)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
