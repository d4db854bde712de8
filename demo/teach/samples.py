"""A visitor's picture as a session keeps it: encoded anew and small, with its vectors and what it is recognised by.

Everything is computed from the picture as it is kept, so that a model that is later trained on the saved dataset sees
what the head here has seen. Which pictures are alike is decided here, too: those of one burst of the camera, and near
copies, must not stand on both sides of a test.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from curation import phash
from demo.teach.eyes import HANDWRITING, Eye
from handwriter_models.errors import UserError, item_error
from handwriter_models.images import Limits, read_picture
from handwriter_models.learning.learned import name_of_pixels
from handwriter_models.photograph import ENOUGH

_NEAR_BITS = 8  # of 64: near copies of photographs, as `curation groups` asks for at first
# Cosine of two prepared drawings: the same one from another file, or moved. Of two of MNIST's ones 3 in 100 000 pairs
# are as alike, of any other digit none in 2000 drawings.
_NEAR_INK = 0.98
_THUMBNAIL = 96
_OVERHEAD = 1024  # bytes of the objects themselves


@dataclass(frozen=True)
class Sample:
    """One picture.

    Attributes:
        picture: PNG (drawings) or JPEG bytes.
        sha256: of these bytes.
        known_as: the sha256 that a bundle remembers: of a photograph's bytes, of handwriting's prepared pixels.
        vectors: float32 (views, dimension), the plain look first.
        print: (1,), the perceptual hash of a photograph, uint64; or (784,), of handwriting its ink, of length 1.
        burst: pictures of one burst share it; "" for a picture of its own.
    """

    picture: bytes = field(repr=False)
    sha256: str
    known_as: str
    vectors: NDArray[np.float32] = field(repr=False)
    print: NDArray[Any] = field(repr=False)
    burst: str = ""

    @property
    def extension(self) -> str:
        """Of a file that holds the picture."""
        return "png" if self.picture.startswith(b"\x89PNG") else "jpg"

    @property
    def bytes(self) -> int:
        """Memory it takes."""
        return len(self.picture) + self.vectors.nbytes + self.print.nbytes + _OVERHEAD


@dataclass(frozen=True)
class _Reading:
    stored: bytes
    picture: Image.Image
    pixels: NDArray[np.uint8]

    @property
    def sha256(self) -> str:
        return sha256(self.stored).hexdigest()


def read_samples(eye: Eye, files: Sequence[bytes], burst: str, limits: Limits) -> list[Sample | UserError]:
    """A sample, or what is wrong with the picture, for each file; the network sees all of them at once."""
    readings = [_reading(eye, data, limits) for data in files]
    good = [one for one in readings if isinstance(one, _Reading)]
    looked = eye.vectors([one.pixels for one in good], [int(one.sha256[:8], 16) for one in good]) if good else ()
    vectors = iter(looked)
    return [_sample(eye, one, next(vectors), burst) if isinstance(one, _Reading) else one for one in readings]


def _reading(eye: Eye, data: bytes, limits: Limits) -> _Reading | UserError:
    try:
        stored = _encoded(read_picture(data, limits, enough=ENOUGH), eye)
        picture = read_picture(stored)
        prepared = eye.preparation(picture)
    except Exception as error:
        return item_error(error, "a picture for the Teach page")
    if prepared.blank:
        return UserError("there is no ink in this picture", "draw something, or give it more light", 422)
    return _Reading(stored, picture, prepared.pixels)


def _sample(eye: Eye, one: _Reading, vectors: NDArray[np.float32], burst: str) -> Sample:
    if eye.kind == HANDWRITING:
        known_as = name_of_pixels(one.pixels)
        return Sample(one.stored, one.sha256, known_as, vectors.copy(), _ink_print(one.pixels), burst)
    return Sample(one.stored, one.sha256, one.sha256, vectors.copy(), _hash(one.picture), burst)


def _encoded(picture: Image.Image, eye: Eye) -> bytes:
    """At most as large as is of use: PNG in grey for ink on a screen, JPEG for what a lens has seen."""
    side = max(picture.size) if eye.kind == HANDWRITING else min(picture.size)
    factor = eye.stored_side / side
    if factor < 1:
        size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    out = io.BytesIO()
    if eye.kind == HANDWRITING and _is_grey(picture):
        picture.convert("L").save(out, "PNG")
    else:
        picture.save(out, "JPEG", quality=92)
    return out.getvalue()


def _is_grey(picture: Image.Image) -> bool:
    pixels = np.asarray(picture)
    return bool((pixels[..., 0] == pixels[..., 1]).all() and (pixels[..., 1] == pixels[..., 2]).all())


def _ink_print(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    ink = pixels.astype(np.float32).ravel()
    return ink / max(float(np.linalg.norm(ink)), 1e-6)


def _hash(picture: Image.Image) -> NDArray[np.uint64]:
    small = picture.convert("L").resize((phash.SIDE, phash.SIDE), Image.Resampling.LANCZOS)
    return np.asarray(phash.hashes(np.asarray(small)[None])[0, :1], np.uint64)


def groups_of(samples: Sequence[Sample]) -> NDArray[np.int64]:
    """The number of each picture's group, from 0: pictures of one burst, and near copies, belong together."""
    prints: NDArray[Any] = np.stack([sample.print for sample in samples])
    if prints.dtype == np.uint64:
        alike = np.bitwise_count(prints[:, 0][:, None] ^ prints[:, 0][None, :]) <= _NEAR_BITS
    else:
        alike = prints @ prints.T >= _NEAR_INK
    numbers = {burst: number for number, burst in enumerate(sorted({sample.burst for sample in samples}))}
    bursts = np.array([numbers[sample.burst] if sample.burst else -1 - place for place, sample in enumerate(samples)])
    alike |= bursts[:, None] == bursts[None, :]
    return np.asarray(connected_components(coo_array(alike), directed=False)[1], np.int64)


def thumbnail(sample: Sample) -> bytes:
    """A JPEG of at most 96 pixels a side."""
    picture = read_picture(sample.picture)
    picture.thumbnail((_THUMBNAIL, _THUMBNAIL))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=80)
    return out.getvalue()
