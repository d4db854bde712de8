"""A network's logits for many prepared pictures, as training, calibration and figures need them.

The same normalisation as in a bundle (`PREPROCESSING`); in full precision, as a classifier answers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.samples import Images

MEAN, STD = 0.1307, 0.3081  # of MNIST's training pictures, the convention since Caffe
PREPROCESSING: dict[str, Any] = {"name": "ink", "size": 28, "mean": MEAN, "std": STD}
_BATCH = 500


@torch.inference_mode()
def logits_of(network: nn.Module, images: Images, device: str = "cpu") -> NDArray[np.float32]:
    """Logits (n, outputs) for uint8 pictures (n, 28, 28); the network is in evaluation mode already."""
    chunks = [torch.from_numpy(images[start : start + _BATCH]) for start in range(0, len(images), _BATCH)]
    answers: NDArray[np.float32] = (
        torch.cat([network(network_input(chunk).to(device)).float() for chunk in chunks]).cpu().numpy()
    )
    return answers


def network_input(pictures: Tensor) -> Tensor:
    """uint8 (n, 28, 28) → float (n, 1, 28, 28), normalised."""
    return plain_pictures(pictures).sub_(MEAN).div_(STD)


def plain_pictures(pictures: Tensor, _: torch.Generator | None = None) -> Tensor:
    """uint8 (n, 28, 28) → float (n, 1, 28, 28) in 0..1: the augmentation that changes nothing."""
    return pictures.unsqueeze(1).float().div_(255)
