"""The plain hash is ImageHash's bit for bit; every variant's hash is the plain hash of the picture turned that way."""

from __future__ import annotations

import imagehash
import numpy as np
import pytest
from PIL import Image, ImageOps

from curation.phash import SIDE, VARIANTS, hashes, variant_of
from tests.shared_data import shared_folder
from tests.small_photos import photo


def small(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.convert("L").resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def imagehash_of(picture: Image.Image) -> int:
    return int(str(imagehash.phash(picture)), 16)


def test_plain_hash_is_that_of_imagehash_bit_for_bit() -> None:
    pictures = [
        photo(seed, size) for seed, size in enumerate([(160, 120), (33, 90), (500, 20), (28, 28), (64, 64)] * 20)
    ]
    ours = hashes(np.stack([small(picture) for picture in pictures]))[:, 0]
    assert ours.tolist() == [imagehash_of(picture) for picture in pictures]


def test_plain_hash_is_that_of_imagehash_on_real_photographs() -> None:
    pictures = [Image.open(path).convert("L") for path in sorted((shared_folder() / "data" / "photos").glob("*/*"))]
    ours = hashes(np.stack([small(picture) for picture in pictures]))[:, 0]
    assert ours.tolist() == [imagehash_of(picture) for picture in pictures]


@pytest.mark.parametrize("level", [0, 1, 128, 255])
def test_flat_pictures_have_imagehash_s_hash_too(level: int) -> None:
    picture = Image.new("L", (50, 40), level)
    assert int(hashes(small(picture)[None])[0, 0]) == imagehash_of(picture)


@pytest.mark.parametrize("variant", range(16), ids=lambda variant: f"{variant} {VARIANTS[variant]}")
def test_hash_of_a_variant_is_the_plain_hash_of_the_turned_picture(variant: int) -> None:
    pictures = np.stack([small(photo(seed)) for seed in range(50)])
    turned = variant_of(pictures, variant)
    assert hashes(pictures)[:, variant].tolist() == hashes(turned)[:, 0].tolist()


@pytest.mark.parametrize(
    ("change", "relation"),
    [
        (ImageOps.mirror, "flipped"),
        (ImageOps.flip, "flipped"),
        (lambda p: p.rotate(90, expand=True), "rotated"),
        (lambda p: p.rotate(180), "rotated"),
        (lambda p: p.rotate(270, expand=True), "rotated"),
        (ImageOps.invert, "inverted"),
        (lambda p: p.transpose(Image.Transpose.TRANSPOSE), "flipped+rotated"),
        (lambda p: ImageOps.invert(ImageOps.mirror(p)), "flipped+inverted"),
        (lambda p: ImageOps.invert(p.rotate(90, expand=True)), "rotated+inverted"),
    ],
)
def test_relation_names_what_was_done_to_the_picture(change: object, relation: str) -> None:
    picture = photo(5, (120, 120))
    changed = hashes(small(change(picture))[None])[0, 0]  # type: ignore[operator]
    distances = np.bitwise_count(hashes(small(picture)[None])[0] ^ changed)
    assert VARIANTS[int(distances.argmin())] == relation
    assert distances.min() <= 2


def test_sixteen_variants_of_a_picture_are_all_different() -> None:
    assert len(set(hashes(small(photo(1, (120, 120)))[None])[0].tolist())) == 16
