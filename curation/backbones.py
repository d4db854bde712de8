"""Frozen networks that turn a picture into a vector: pictures that look alike to the network lie close together.

Three sources: a bundle (a folder, or the name of a model of ours), a network of torchvision by its name, and
`mobilenet_v2_tf`, the same network with the padding of TensorFlow, which weights that were trained there need. The last
dense layer is taken off; what stood before it is the vector. Or, when asked, the vector is what that layer says of its
own classes, as square roots of probabilities. A `Backbone` carries names for the vectors' cache: equal
names mean equal weights and an equal preparation. It never unpickles a file a person gives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from curation.backbone_weights import IMAGENET, NONE, Fetch, weighted
from handwriter_models.backbone_networks import TENSORFLOW, backbone_names, with_classes, without_head
from handwriter_models.bundle import bundled_names, find_bundle, read_bundle
from handwriter_models.errors import UserError
from handwriter_models.photograph import Photograph, photograph_of
from handwriter_models.weights import WEIGHTS_FILE

if TYPE_CHECKING:
    from torch import Tensor, nn

Bytes = NDArray[np.uint8]
_PIECE = 8  # pictures at once: what lies between two layers then stays near the processor (32: two thirds as quick)
_ALIKE = 0.5  # bfloat16 moves a vector by less than this share of its length, a fault of tracing by more


@dataclass(frozen=True)
class Backbone:
    """A frozen network without its head, in evaluation mode.

    Attributes:
        name: of network and weights; safe in a file's name.
        transform: what is done to a picture before; safe in a file's name.
        dimension: values a picture.
        prepare: RGB picture → uint8 array of a fixed shape; may run in many threads.
        network: takes what `inputs` makes of a stack of prepared pictures, returns (n, dimension).
        inputs: uint8 tensor (n, …) → float tensor, normalised.
        device: where the network is.
        compute: what another engine makes of prepared pictures in the network's place; see `accelerate`.
    """

    name: str
    transform: str
    dimension: int
    prepare: Callable[[Image.Image], Bytes] = field(repr=False)
    network: nn.Module = field(repr=False)
    inputs: Callable[[Tensor], Tensor] = field(repr=False)
    device: str = "cpu"
    compute: Callable[[Bytes], NDArray[np.float32]] | None = field(default=None, repr=False)

    def __call__(self, pictures: Sequence[Image.Image]) -> NDArray[np.float32]:
        """Vectors, float32 (n, dimension), of RGB pictures."""
        if not pictures:
            return np.zeros((0, self.dimension), np.float32)
        return self.vectors(np.stack([self.prepare(picture) for picture in pictures]))

    def vectors(self, prepared: Bytes) -> NDArray[np.float32]:
        """Vectors, float32 (n, dimension), of a stack of prepared pictures."""
        if self.compute is not None:
            return self.compute(prepared)
        import torch

        from handwriter_models.inference import bfloat16_pays

        kind = torch.device(self.device).type
        lower = torch.autocast(kind, torch.bfloat16, enabled=kind == "cuda" or bfloat16_pays(self.network))
        with torch.inference_mode(), lower:
            vectors = self.network(self.inputs(torch.from_numpy(prepared).to(self.device)))
            answer: NDArray[np.float32] = vectors.float().cpu().numpy()
        return answer

    def on(self, device: str) -> Backbone:
        """The same on another device; the network itself moves there."""
        self.network.to(device)
        return replace(self, device=device, compute=self.compute if device == "cpu" else None)


def backbone(name: str, weights: str = IMAGENET, fetch: Fetch | None = None, classes: bool = False) -> Backbone:
    """The frozen network of that name.

    Args:
        name: a folder with a bundle, a bundled model, a network of torchvision (`resnet50`) or `mobilenet_v2_tf`.
        weights: `imagenet` (torchvision fetches them once), `none` (random, always the same) or a .safetensors file; a
            bundle has its own.
        fetch: how torchvision's weights are had; tests give their own.
        classes: the vector is what the network says of its own classes; a bundle reads what it was made to read.

    Raises:
        UserError: no such network, or its weights cannot be had or do not fit.
    """
    if name in bundled_names() or Path(name).is_dir():
        return _of_bundle(find_bundle(name))
    from handwriter_models.torchvision_import import torchvision

    if name not in backbone_names():
        raise UserError(
            f"no network is called {name!r}",
            f"give a bundle's folder, one of {', '.join(bundled_names())}, {TENSORFLOW}, or a classifier of"
            " torchvision such as resnet50",
        )
    if name == TENSORFLOW:
        way = Photograph(256, 224, (0.5,) * 3, (0.5,) * 3)
    else:
        preset = torchvision.models.get_model_weights(name).DEFAULT.transforms()
        bicubic = preset.interpolation.value == "bicubic"
        resize, crop = preset.resize_size[0], preset.crop_size[0]
        way = Photograph(resize, crop, tuple(preset.mean), tuple(preset.std), bicubic)
    source, network = weighted(name, weights, fetch)
    if classes and source == NONE:
        raise UserError("random weights know no classes", "give weights, or read the vector (backbone.reads=vector)")
    if classes:
        return _photographic(f"{name}-{source}-classes", with_classes(network), way)
    return _photographic(f"{name}-{source}", without_head(network), way)


def _of_bundle(folder: Path) -> Backbone:
    config, network = read_bundle(folder)
    digest = sha256((folder / WEIGHTS_FILE).read_bytes()).hexdigest()[:12]
    name, parts = f"{config.name}-{digest}", config.preprocessing
    headless = without_whole_head(network)
    if parts.name == "photograph":
        return _photographic(name, headless, photograph_of(parts))
    from handwriter_models.preparation import InkPreparation

    way = InkPreparation(parts)
    return _measured(name, "ink28", lambda picture: way(picture).pixels, headless, way.inputs)


def without_whole_head(network: nn.Module) -> nn.Module:
    """What stands before the last dense layer; of a network with a new head, before all of that: of use elsewhere."""
    from handwriter_models.networks import Transfer

    return network.backbone if isinstance(network, Transfer) else without_head(network)


def _photographic(name: str, network: nn.Module, way: Photograph) -> Backbone:
    from handwriter_models.preparation import PhotographPreparation

    return _measured(name, way.id, way, network, PhotographPreparation(way).inputs)


def _measured(
    name: str,
    transform: str,
    prepare: Callable[[Image.Image], Bytes],
    network: nn.Module,
    inputs: Callable[[Tensor], Tensor],
) -> Backbone:
    """The backbone of a network without its head, once its dimension is known from one pass."""
    import torch

    headless = network.eval().requires_grad_(False)
    headless = headless.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    trial = Backbone(name, transform, 0, prepare, headless, inputs)
    vectors = trial([Image.new("RGB", (64, 64), "white")])
    if vectors.ndim != 2:
        raise UserError(f"{name} gives no vector a picture", "choose another network, such as resnet50")
    found = Backbone(name, transform, vectors.shape[1], prepare, headless, inputs)
    return replace(found, compute=_in_halves(found, vectors))


def _in_halves(found: Backbone, vectors: NDArray[np.float32]) -> Callable[[Bytes], NDArray[np.float32]] | None:
    """The network in bfloat16, where that pays and gives these vectors of a white picture."""
    import torch

    from handwriter_models.inference import bfloat16_pays, in_bfloat16

    if not bfloat16_pays(found.network):
        return None
    try:
        network = in_bfloat16(found.network)
    except Exception:  # a network that takes its decisions by its input cannot be traced, and says so in many ways
        return None

    def compute(prepared: Bytes) -> NDArray[np.float32]:
        with torch.inference_mode():
            pieces = torch.from_numpy(prepared).split(_PIECE)  # type: ignore[no-untyped-call]
            vectors = [network(found.inputs(piece).to(torch.bfloat16)).float() for piece in pieces]
            answer: NDArray[np.float32] = torch.cat(vectors).numpy() if vectors else np.zeros((0, 0), np.float32)
        return answer

    made = compute(found.prepare(Image.new("RGB", (64, 64), "white"))[None].copy())
    same = made.shape == vectors.shape and np.linalg.norm(made - vectors) <= _ALIKE * np.linalg.norm(vectors)
    return compute if same else None
