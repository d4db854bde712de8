"""Real pictures on which an exported network is compared and calibrated: given ones, or those of scikit-learn.

Handwriting has its 1797 digits of other writers than MNIST's; photographs have its two pictures, of which pieces are
cut. They are enough to see whether two runtimes compute the same; for the accuracy of an int8 file, give pictures of
what the model is for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from handwriter_models.errors import UserError
from handwriter_models.images import read_picture
from handwriter_models.picture_files import picture_files
from handwriter_models.preparation import Preparation

_MOST = 256  # for each purpose
_PIECE = 160  # pixels of a photograph's piece
Pictures = NDArray[np.uint8]


def check_pictures(
    preparation: Preparation, check: Sequence[Path], calibrate: Sequence[Path]
) -> tuple[Pictures, Pictures]:
    """Prepared pictures to compare answers on, and others to calibrate with; uint8 (n, *preparation.shape).

    Raises `UserError` when a given one cannot be read, and when there are none.
    """
    chosen, others = (_given(preparation, paths) for paths in (check, calibrate))
    if chosen is None or others is None:
        at_hand = _digits(preparation) if len(preparation.shape) == 2 else _pieces(preparation)
        chosen = at_hand[::2][:_MOST] if chosen is None else chosen
        others = at_hand[1::2][:_MOST] if others is None else others
    return chosen, others


def _given(preparation: Preparation, paths: Sequence[Path]) -> Pictures | None:
    if not paths:
        return None
    prepared = [preparation(read_picture(file)) for file in picture_files(paths).pictures]
    inked = [one.pixels for one in prepared if not one.blank]
    if not inked:
        raise UserError(f"there is nothing to see in {', '.join(map(str, paths))}", "give pictures of what it knows")
    return np.stack(inked)


def _digits(preparation: Preparation) -> Pictures:
    from sklearn.datasets import load_digits

    scans = np.round(load_digits().images[: 2 * _MOST] * (255 / 16)).astype(np.uint8)
    return np.stack([preparation(Image.fromarray(scan).convert("RGB")).pixels for scan in scans])


def _pieces(preparation: Preparation) -> Pictures:
    from sklearn.datasets import load_sample_images

    pieces = [piece for photograph in load_sample_images().images for piece in _cut(photograph)]
    return np.stack([preparation(Image.fromarray(piece)).pixels for piece in pieces])


def _cut(photograph: Pictures) -> Iterator[Pictures]:
    height, width = photograph.shape[:2]
    for top in range(0, height - _PIECE + 1, _PIECE):
        for left in range(0, width - _PIECE + 1, _PIECE):
            yield photograph[top : top + _PIECE, left : left + _PIECE]
