"""The one door to torchvision: `from handwriter_models.torchvision_import import torchvision`.

The registry's torchvision is built for CUDA. Beside a CPU-only torch its compiled operators do not load, and then
`import torchvision` raises `RuntimeError: operator torchvision::nms does not exist`, because it registers fake kernels
for `nms` and `qnms`. Declaring the two schemas first, only where they are missing, makes its models, transforms and
data sets work. It does not bring the operators themselves: `torchvision.io.decode_jpeg` stays unavailable on such a
pair, pictures are decoded by `handwriter_models.images`.
"""

from __future__ import annotations

import contextlib
from importlib.util import find_spec
from pathlib import Path

import torch

_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def _load_compiled_operators() -> None:
    spec = find_spec("torchvision")
    for folder in (spec and spec.submodule_search_locations) or ():
        for library in sorted(Path(folder).glob("_C*.so")):
            with contextlib.suppress(OSError):  # built for another torch: the schemas below stand in
                torch.ops.load_library(str(library))  # type: ignore[no-untyped-call]


def _declare_missing_operators() -> torch.library.Library:
    """The library that holds the declarations; they vanish when it is collected, so the module keeps it."""
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for name in ("nms", "qnms"):
        if not hasattr(torch.ops.torchvision, name):
            library.define(name + _SCHEMA)  # type: ignore[no-untyped-call]
    return library


_load_compiled_operators()
_DECLARATIONS = _declare_missing_operators()

import torchvision  # noqa: E402
import torchvision.datasets  # noqa: E402
import torchvision.models  # noqa: E402
import torchvision.transforms.v2  # noqa: E402

__all__ = ["torchvision"]
