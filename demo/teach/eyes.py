"""What looks at a visitor's pictures: a frozen network for each kind, loaded when the first visitor wants it.

Handwriting: the voters of the bundled `characters`, which has read digits, letters and signs. Photographs: the backbone
of the first bundle for photographs that this server offers, or else a network of torchvision with its ImageNet weights.
Where strangers reach the server no bundle of its owner's is lent: what they teach they may take away, weights and all.
HANDWRITER_TEACH_BACKBONE=NAME[:WEIGHTS] names another one: `mobilenet_v2_tf:weights.safetensors`. Of such a network a
head reads what it says of its own thousand classes: from three photographs a class that was better (58 % right among
five kinds, 54 % from the vector before), and from twelve (81 and 72 %).
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from curation.backbone_weights import IMAGENET
from curation.backbones import Backbone, backbone
from demo.shelf import Shelf
from demo.teach.ink_views import ink_views
from handwriter_models.bundle import NetworkConfig, Preprocessing, find_bundle, read_config
from handwriter_models.errors import UserError
from handwriter_models.networks import arguments_as_json, build
from handwriter_models.paths import name_or_path
from handwriter_models.photograph import Photograph
from handwriter_models.preparation import Preparation, preparation_of

HANDWRITING, PHOTOGRAPHS = "handwriting", "photographs"
KINDS = (HANDWRITING, PHOTOGRAPHS)
VARIABLE = "HANDWRITER_TEACH_BACKBONE"
_AGAIN = 60.0  # seconds
_READER, _USUAL = "characters", "mobilenet_v2"
_SIZE_STORED = {HANDWRITING: 512, PHOTOGRAPHS: 256}  # of the longer side (all that `ink` keeps), of the shorter side


@dataclass(frozen=True)
class Eye:
    """A frozen network and how pictures are made ready for it.

    Attributes:
        kind: one of `KINDS`.
        network: without its head.
        preprocessing: as a bundle stores it.
        base: name and arguments of the network that a bundle holds, but for the number of outputs.
        parent: what a bundle tells of where the network comes from.
        learned: what the bundle that lent the network remembers of its pictures, if there is one.
    """

    kind: str
    network: Backbone = field(repr=False)
    preprocessing: Preprocessing
    base: NetworkConfig
    parent: dict[str, Any]
    learned: Mapping[str, Any] | None = field(default=None, repr=False)

    @property
    def preparation(self) -> Preparation:
        """From a picture to the network's pixels."""
        return preparation_of(self.preprocessing)

    @property
    def stored_side(self) -> int:
        """Pixels of a stored picture: of handwriting its longer side, of a photograph its shorter one."""
        return max(_SIZE_STORED[self.kind], self.preprocessing.resize)

    def vectors(self, pixels: Sequence[NDArray[np.uint8]], seeds: Sequence[int]) -> NDArray[np.float32]:
        """Vectors of samples, (n, views, dimension): the plain look first; of a photograph there is no other."""
        if self.kind == PHOTOGRAPHS:
            return self.network.vectors(np.stack(pixels))[:, None]
        looks = [ink_views(one, seed) for one, seed in zip(pixels, seeds, strict=True)]
        found = self.network.vectors(np.concatenate(looks))
        return found.reshape(len(pixels), -1, found.shape[1])

    def vector(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The vector of one prepared picture, (1, dimension)."""
        return self.network.vectors(np.stack([pixels]))  # a copy: torch warns of arrays that cannot be written to

    def joined(self, head: nn.Module, outputs: int) -> tuple[NetworkConfig, Mapping[str, Tensor]]:
        """The one network of eye and head that a bundle holds: its config and its weights."""
        arguments = arguments_as_json(self.base.name, {**self.base.arguments, "hidden": 0, "outputs": outputs})
        with torch.random.fork_rng(devices=[]):
            whole = build(self.base.name, arguments)
        frozen = whole if self.base.name == "adapted" else whole.get_submodule("backbone")
        frozen.load_state_dict(self.network.network.state_dict(), strict=self.base.name != "adapted")
        whole.get_submodule("head").load_state_dict(head.state_dict())
        return NetworkConfig(self.base.name, arguments), whole.state_dict()


class Eyes:
    """The eyes by kind, each loaded once; may be asked from many threads."""

    def __init__(self, shelf: Shelf, wanted: str | None = None, lends: bool = True) -> None:
        self._shelf, self._lends = shelf, lends
        self._wanted = os.environ.get(VARIABLE, "") if wanted is None else wanted
        self._loaded: dict[str, Eye] = {}
        self._failed: dict[str, tuple[float, UserError]] = {}
        self._locks = {kind: threading.Lock() for kind in KINDS}

    def of(self, kind: str) -> Eye:
        """The eye of that kind; raises `UserError`: 422 on an unknown kind, 503 when weights cannot be had."""
        if kind not in KINDS:
            raise UserError(f"unknown kind {kind!r}", f"kinds: {', '.join(KINDS)}", status=422)
        with self._locks[kind]:
            if kind not in self._loaded:
                self._loaded[kind] = self._load(kind)
            return self._loaded[kind]

    def _load(self, kind: str) -> Eye:
        """Weights that could not be had are not asked for again at once, however many visitors want them."""
        when, fault = self._failed.get(kind, (-math.inf, None))
        if fault and time.monotonic() - when < _AGAIN:
            raise UserError(fault.what, fault.hint, fault.status)
        try:
            return ink_eye() if kind == HANDWRITING else self._photographer()
        except UserError as error:
            self._failed[kind] = (time.monotonic(), error)
            raise

    def _photographer(self) -> Eye:
        lender = None if self._wanted else self._lender()
        if lender:
            config = read_config(find_bundle(lender))
            parent = {"name": config.name, "fingerprint": config.data.get("fingerprint")}
            whole = arguments_as_json("transfer", config.network.arguments)
            own = {name: whole[name] for name in ("backbone", "classes")}
            return _photographic(backbone(lender), own, parent, config.data.get("learned"))
        name, _, weights = (self._wanted or _USUAL).partition(":")
        weights = name_or_path(weights)
        try:
            found = backbone(name, weights or IMAGENET, classes=True)
        except UserError as error:
            raise UserError(
                f"photographs cannot be taught here: {error.what}",
                "whoever runs this server can let it reach the internet once, give --model a bundle for photographs, "
                f"or set {VARIABLE}={name}:FILE.safetensors; handwriting works without",
                status=503,
            ) from error
        own = {"backbone": name, "classes": found.dimension}
        return _photographic(found, own, {"name": name, "weights": found.name[len(name) + 1 :]})

    def _lender(self) -> str | None:
        """The folder of the first bundle here that is a head on a network for photographs."""
        for name in self._shelf.names if self._lends else ():
            model = self._shelf.get(name)
            if model.classifier.config.network.name == "transfer":
                return str(model.folder)
        return None


def ink_eye() -> Eye:
    """The eye for handwriting."""
    config = read_config(find_bundle(_READER))
    arguments = {name: config.network.arguments[name] for name in ("members", "widths")}
    parent = {"name": config.name, "source": config.data.get("source"), "fingerprint": config.data.get("fingerprint")}
    base = NetworkConfig("adapted", arguments)
    return Eye(HANDWRITING, backbone(_READER), config.preprocessing, base, parent, config.data.get("learned"))


def _photographic(
    found: Backbone, arguments: dict[str, Any], parent: dict[str, Any], learned: Mapping[str, Any] | None = None
) -> Eye:
    if not isinstance(found.prepare, Photograph):
        raise UserError(f"{found.name} is for handwriting", f"{VARIABLE} takes a network such as {_USUAL}", 422)
    base = NetworkConfig("transfer", arguments)
    return Eye(PHOTOGRAPHS, found, found.prepare.preprocessing(), base, parent, learned)
