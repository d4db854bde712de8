"""Why a classifier says what it says: where in the picture the evidence lies, and which strokes carry it.

`explain` gives a heat map. Of photographs it is Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391) at the last layer
of convolutions, its gradient taken place by place (HiResCAM, Draelos and Carin 2020, arXiv:2011.08891): the same
where the head only sees the mean of all places, and right where it does not. Of handwriting it is integrated
gradients (Sundararajan et al. 2017, arXiv:1703.01365) on the way from blank paper to the ink, smoothed by half a
pen's width; there the last layer sees all of a character from each of its few places, and its map is a blob in the
middle. (Rank correlation with what erasing 5x5 pixels costs, 100 MNIST test pictures: `digits` 0.51, Grad-CAM 0.38,
nearness to the middle 0.41; `cnn-digits` 0.73, 0.40 and 0.30.) Grad-CAM can be asked for.

What is derived is not a logit but the log of the odds of the label against all others, background included: it asks
"why this and not another", and, unlike the probability, has a gradient also when the network is sure. Of networks
that vote, each counts by its vote for the label.

Of handwriting each stroke is also left out once, and the confidence that this costs is what the stroke supports the
label with. The strokes of one character need not add up to its confidence: two may each suffice, or be needed both.

A classifier is not changed, and may answer in other threads meanwhile. A map tells what the answer hangs on, not
whether it is right.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Literal

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from handwriter_models.classifier import Classifier, Prediction
from handwriter_models.errors import UserError
from handwriter_models.images import Source
from handwriter_models.ink_strokes import InkStroke, ink_strokes

Heat = NDArray[np.float32]
Method = Literal["grad-cam", "integrated-gradients"]
METHODS: tuple[Method, ...] = ("grad-cam", "integrated-gradients")
_FINEST = 4  # places in a row: a coarser map says nothing
_STEPS = 8  # from paper to ink; with 32 the map agrees with 8 to 0.05 of rank correlation, at three times the time
_SMOOTH = 1.5 / 28  # of the picture's side: half a pen's width


@dataclass(frozen=True)
class Support:
    """What one stroke does for the label: `support`, -1..1, is the confidence in the label that is lost without it."""

    stroke: InkStroke
    support: float


@dataclass(frozen=True)
class Explanation:
    """Why the label, in the geometry of the prepared picture (`prediction.seen`).

    Attributes:
        prediction: the classifier's answer.
        label: what is explained: the asked or the predicted label; "" for a blank picture.
        method: how the heat was found.
        heat: float32 (h, w), 0..1, 1 where the evidence for the label is greatest; all 0 where there is none.
        strokes: of handwriting each stroke with its support; empty for photographs and blank pictures.
    """

    prediction: Prediction
    label: str
    method: Method
    heat: Heat
    strokes: tuple[Support, ...] = ()

    @property
    def confidence(self) -> float:
        """The classifier's confidence in `label`, which need not be its answer."""
        said = self.prediction
        return (
            0.0 if not said.label else said.confidence * said.probabilities[self.label] / said.probabilities[said.label]
        )


def explain(
    classifier: Classifier, picture: Source, label: str | None = None, method: Method | None = None
) -> Explanation:
    """Why `classifier` says `label` (default: its own answer) of `picture`, in any form that it can read.

    Raises `PictureError` as `predict` does, and `UserError` when the model has no such label or no convolutions.
    """
    if label is not None and label not in classifier.labels:
        names = ", ".join(classifier.labels[:20]) + (", …" if len(classifier.labels) > 20 else "")
        raise UserError(f"model {classifier.name!r} has no label {label!r}", f"its labels: {names}", 422)
    said = classifier.predict(picture)
    way = method or ("integrated-gradients" if said.seen.ndim == 2 else "grad-cam")
    asked = said.label if label is None else label
    if not said.label:
        return Explanation(said, label or "", way, np.zeros(said.seen.shape[:2], np.float32))
    place = classifier.labels.index(asked)
    heat = _heat(classifier, said.seen, place, way)
    return Explanation(said, asked, way, heat, stroke_supports(classifier, said.seen, place))


def stroke_supports(classifier: Classifier, pixels: NDArray[np.uint8], place: int) -> tuple[Support, ...]:
    """The support for label number `place` of each stroke of a prepared picture; none for photographs."""
    strokes = ink_strokes(pixels) if pixels.ndim == 2 else []
    if not strokes:
        return ()
    probabilities, background = classifier.scores(np.stack([pixels, *(stroke.rest for stroke in strokes)]))
    confidence = probabilities[:, place] * (1 - background)
    # Nothing left is a blank picture, in which a classifier is confident of nothing, whatever its network says.
    left = [float(value) if stroke.rest.any() else 0.0 for stroke, value in zip(strokes, confidence[1:], strict=True)]
    return tuple(Support(stroke, float(confidence[0]) - value) for stroke, value in zip(strokes, left, strict=True))


def _heat(classifier: Classifier, pixels: NDArray[np.uint8], place: int, method: Method) -> Heat:
    """The evidence for label number `place` in a prepared picture, its greatest value 1, what is against it 0."""
    with torch.inference_mode(False), torch.enable_grad():
        found = _grad_cam if method == "grad-cam" else _integrated_gradients
        evidence = np.clip(found(classifier, pixels, place), 0, None)
    return np.asarray(evidence / max(float(evidence.max()), 1e-12), np.float32)


def _integrated_gradients(classifier: Classifier, pixels: NDArray[np.uint8], place: int) -> Heat:
    picture, paper = _inputs(classifier, pixels), _inputs(classifier, np.zeros_like(pixels))
    shares = (torch.arange(_STEPS) + 0.5).div(_STEPS).view(-1, 1, 1, 1)
    way = (paper + shares * (picture - paper)).requires_grad_()
    odds = _log_odds(classifier.network, way, classifier.config.temperature, place)
    gradient = torch.autograd.grad(odds, way)[0].mean(dim=0)
    evidence = ((picture - paper)[0] * gradient).sum(dim=0).detach().numpy()
    return np.asarray(cv2.GaussianBlur(evidence, (0, 0), _SMOOTH * max(pixels.shape)), np.float32)


def _grad_cam(classifier: Classifier, pixels: NDArray[np.uint8], place: int) -> Heat:
    network = _sharing_weights(classifier.network)
    answers: list[object] = []
    for module in network.modules():
        module.register_forward_hook(lambda _module, _given, answer: answers.append(answer))
    odds = _log_odds(network, _inputs(classifier, pixels).requires_grad_(), classifier.config.temperature, place)
    maps = _last_maps(odds, answers)
    if not maps:
        raise UserError(
            f"model {classifier.name!r} has no convolutions to show", "use the method integrated-gradients", 422
        )
    size = pixels.shape[1::-1]
    parts = [
        cv2.resize((answer * gradient).sum(dim=(0, 1)).detach().numpy(), size, interpolation=cv2.INTER_LINEAR)
        for answer, gradient in zip(maps, torch.autograd.grad(odds, maps), strict=True)
    ]
    return np.asarray(np.sum(parts, axis=0), np.float32)


def _inputs(classifier: Classifier, pixels: NDArray[np.uint8]) -> Tensor:
    return classifier.preparation.inputs(torch.from_numpy(np.stack([pixels])))


def _sharing_weights(network: nn.Module) -> nn.Module:
    """A network of its own, so that hooks on it do not reach other threads, with the tensors of the given one."""
    return copy.deepcopy(network, {id(tensor): tensor for tensor in chain(network.parameters(), network.buffers())})


def _log_odds(network: nn.Module, inputs: Tensor, temperature: float, place: int) -> Tensor:
    """The log of P(label) / P(anything else), summed over pictures; of voters the mean, weighted by their votes."""
    ask = getattr(network, "member_logits", None)
    logits = ask(inputs) if ask is not None else network(inputs)[None]
    votes = torch.log_softmax(logits.float() / temperature, dim=-1)
    own = votes[..., place]
    others = torch.logsumexp(torch.cat([votes[..., :place], votes[..., place + 1 :]], dim=-1), dim=-1)
    return (torch.softmax(own.detach(), dim=0) * (own - others)).sum()


def _last_maps(odds: Tensor, answers: Iterable[object]) -> list[Tensor]:
    """Of what the layers answered the last maps (1, channels, rows, columns) on each way back from `odds`.

    A network of several branches has several. Pooled maps are passed over: the one before is finer and says the same.
    """
    maps = {one.grad_fn: one for one in answers if isinstance(one, Tensor) and _is_map(one)}
    found: list[Tensor] = []
    waiting, seen = [odds.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if node in maps:
            found.append(maps[node])
        else:
            waiting += [before for before, _ in node.next_functions]
    return found


def _is_map(answer: Tensor) -> bool:
    made_by = type(answer.grad_fn).__name__
    return answer.requires_grad and answer.ndim == 4 and min(answer.shape[2:]) >= _FINEST and "Pool" not in made_by
