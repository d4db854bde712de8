"""What counts as a copy, and what a group is: all ten kinds are found, strangers and chains are not swallowed."""

from __future__ import annotations

import random
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from benchmarks.copies import CHANGES, copy_of
from curation import fingerprint
from curation.drawings import in_side, unpacked
from curation.groups import Candidate, grouped
from curation.links import USUAL, Contents, Links, Thresholds, links
from curation.rows import Member
from tests.shared_data import shared_folder
from tests.small_photos import jpeg, photo

ALL = ("original", *CHANGES)


class Content:
    """Contents as a scan sees them, and the links among them."""

    def __init__(self, files: list[bytes]) -> None:
        held = fingerprint.prints([fingerprint.look(data) for data in files])
        self.hashes = np.stack([np.frombuffer(one.hashes, np.uint64) for one in held])
        self.miniatures = [unpacked(one.miniature) for one in held]
        self.style = np.array([one.style for one in held])
        self.sides = np.sqrt(np.array([one.width * one.height for one in held], np.float32))

    def contents(self) -> Contents:
        def miniatures(places: np.ndarray, side: int) -> np.ndarray:
            chosen = [in_side(self.miniatures[place], side) for place in places]
            return np.stack(chosen) if chosen else np.empty((0, side, side), np.uint8)

        return Contents(self.hashes, self.style, self.sides, miniatures)

    def links(self, thresholds: Thresholds = USUAL) -> set[tuple[int, int]]:
        found = links(self.contents(), thresholds)
        return set(zip(found.first.tolist(), found.second.tolist(), strict=True))


def candidate(file: int, **changes: object) -> Candidate:
    fields: dict[str, object] = {
        "file": file,
        "path": f"{file:03d}.jpg",
        "label": "a",
        "content": file,
        "pixels": 100,
        "bytes": 100,
        "blur": 1.0,
        "thumbnail": False,
        "crawled": False,
        "dropped": False,
    }
    return Candidate(**{**fields, **changes})  # type: ignore[arg-type]


def members(count: int, pairs: list[tuple[int, int]], *candidates: Candidate) -> dict[int, Member]:
    first, second = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    files = list(candidates) or [candidate(file) for file in range(count)]
    hashes = np.zeros((count, 16), np.uint64)
    return {one.file: one for one in grouped(files, hashes, Links(first, second))}


@pytest.mark.parametrize("kind", CHANGES)
def test_copy_is_linked_to_its_original(kind: str) -> None:
    originals = [photo(seed, (240, 180)) for seed in range(12)]
    files = [jpeg(original) for original in originals]
    files += [copy_of(original, kind, random.Random(place)) for place, original in enumerate(originals)]
    found = Content(files).links()
    assert {(place, place + 12) for place in range(12)} == found


def test_far_hashes_whose_pixels_do_not_agree_at_all_are_no_copies() -> None:
    """Where no pair is worth a closer look there is none to look at closer."""
    content = Content([jpeg(photo(seed)) for seed in (1, 2)])
    content.hashes[1] = content.hashes[0] ^ np.uint64(0b1111111111)
    assert content.links() == set()


def test_strangers_are_not_linked() -> None:
    assert Content([jpeg(photo(seed)) for seed in range(400)]).links() == set()


def test_every_real_photograph_is_found_in_ten_disguises_and_no_two_are_confused() -> None:
    photos = [Image.open(path).convert("RGB") for path in sorted((shared_folder() / "data/photos").glob("*/*"))[::3]]
    files, owners = [], []
    for place, picture in enumerate(photos):
        for kind in ALL:
            data = jpeg(picture) if kind == "original" else copy_of(picture, kind, random.Random(place))
            files.append(data)
            owners.append(place)
    found = Content(files).links()
    assert all(owners[one] == owners[other] for one, other in found)
    # Equal hashes are linked to one of them only, so what counts is who is connected with the original.
    beside_original = {place for start in range(0, len(files), len(ALL)) for place in connected(start, found)}
    assert len(beside_original) >= 0.99 * len(files)


def connected(start: int, pairs: set[tuple[int, int]]) -> set[int]:
    beside: dict[int, set[int]] = {}
    for one, other in pairs:
        beside.setdefault(one, set()).add(other)
        beside.setdefault(other, set()).add(one)
    reached, ahead = {start}, [start]
    while ahead:
        fresh = beside.get(ahead.pop(), set()) - reached
        reached |= fresh
        ahead += fresh
    return reached


def png(values: np.ndarray) -> bytes:
    out = BytesIO()
    Image.fromarray(values).save(out, "PNG")
    return out.getvalue()


def drawn_digits(count: int) -> list[np.ndarray]:
    from sklearn.datasets import load_digits

    return [(image * 255 / 16).astype(np.uint8) for image in load_digits().images[:count]]


def test_small_scans_of_digits_are_drawings_and_do_not_merge() -> None:
    content = Content([png(digit) for digit in drawn_digits(300)])
    assert (content.style == fingerprint.Style.DRAWING).all()
    assert content.links() == set()


def test_exact_and_inverted_copies_of_digits_merge() -> None:
    digits = drawn_digits(60)
    bmp = BytesIO()
    Image.fromarray(digits[0]).save(bmp, "BMP")
    inverted = [png(255 - digit) for digit in digits]
    found = Content([*(png(digit) for digit in digits), *inverted, bmp.getvalue()]).links()
    # Of equal pictures each is linked to one of them; the inverted copy of the first knows its BMP through it.
    assert {(place, place + 60) for place in range(60)} | {(0, 120)} == found


def test_line_art_is_told_apart_and_its_copies_are_found() -> None:
    import zipfile

    drawings = zipfile.ZipFile(shared_folder() / "data/omniglot/images_background_small1.zip")
    names = [name for name in drawings.namelist() if name.endswith(".png")][:1500]
    files = [drawings.read(name) for name in names]
    copies = [jpeg(Image.open(BytesIO(file)).convert("RGB"), 60) for file in files[:100]]
    content = Content([*files, *copies])
    assert (content.style == fingerprint.Style.DRAWING).mean() > 0.99
    found = content.links()
    assert found <= {(place, 1500 + place) for place in range(100)}
    assert len(found) >= 97


def test_mnist_digits_do_not_merge_and_their_copies_do() -> None:
    import gzip

    packed = shared_folder() / "data/MNIST/raw/train-images-idx3-ubyte.gz"
    pictures = np.frombuffer(gzip.decompress(packed.read_bytes()), np.uint8, offset=16).reshape(-1, 28, 28)[:3000]
    inverted = [png(255 - picture) for picture in pictures[:200]]
    found = Content([*(png(picture) for picture in pictures), *inverted]).links()
    assert found == {(place, 3000 + place) for place in range(200)}


def test_threshold_of_nothing_leaves_only_equal_hashes() -> None:
    files = [jpeg(photo(seed)) for seed in range(20)] + [jpeg(ImageOps.mirror(photo(seed))) for seed in range(20)]
    assert Content(files).links(Thresholds(0, 0)) <= {(place, place + 20) for place in range(20)}


def test_blank_pictures_of_different_tones_are_no_copies() -> None:
    assert Content([jpeg(Image.new("RGB", (100, 80), (level,) * 3)) for level in (255, 90, 40)]).links() == set()


def test_chain_is_one_family_but_no_cluster_reaches_its_end() -> None:
    found = members(6, [(place, place + 1) for place in range(5)])
    assert {one.family for one in found.values()} == {1}
    assert len({one.cluster for one in found.values()}) > 1
    for one in found.values():
        together = [other.file for other in found.values() if other.cluster == one.cluster]
        assert one.cluster is None or max(together) - min(together) <= 2


def test_copies_that_are_all_linked_to_the_original_are_one_cluster_though_not_to_each_other() -> None:
    found = members(8, [(0, place) for place in range(1, 8)])
    assert {one.cluster for one in found.values()} == {1}


def test_what_follows_others_of_its_hash_is_in_their_cluster() -> None:
    """Four equal hashes here and four there are linked by their first ones only."""
    leader = np.array([0, 0, 0, 0, 4, 4, 4, 4])
    first, second = np.array([0, 0, 0, 4, 4, 4, 0]), np.array([1, 2, 3, 5, 6, 7, 4])
    found = grouped(
        [candidate(file) for file in range(8)], np.zeros((8, 16), np.uint64), Links(first, second, 0, leader)
    )
    assert [one.cluster for one in found] == [1] * 8
    assert sum(one.keep for one in found) == 1


def test_planted_copies_are_in_one_cluster_with_their_photograph() -> None:
    photos = [photo(seed, (240, 180)) for seed in range(20)]
    files = [jpeg(original) for original in photos]
    kinds = [kind for kind in CHANGES if kind != "cropped"]
    files += [copy_of(one, kind, random.Random(place)) for kind in kinds for place, one in enumerate(photos)]
    content = Content(files)
    found = grouped([candidate(file) for file in range(len(files))], content.hashes, links(content.contents()))
    clusters = {one.file: one.cluster for one in found}
    assert all(clusters[place + 20 * number] == clusters[place] for number in range(1, 10) for place in range(20))


def test_picture_to_keep_is_the_largest_then_the_sharpest_then_the_one_with_a_source() -> None:
    pairs = [(0, 1), (0, 2), (1, 2)]
    by_size = members(3, pairs, candidate(0), candidate(1, pixels=200), candidate(2, blur=9.0))
    by_blur = members(3, pairs, candidate(0), candidate(1, blur=2.0), candidate(2, thumbnail=True, blur=9.0))
    by_source = members(3, pairs, candidate(0), candidate(1), candidate(2, crawled=True))
    by_path = members(3, pairs)
    kept = [[one.file for one in found.values() if one.keep] for found in (by_size, by_blur, by_source, by_path)]
    assert kept == [[1], [1], [2], [0]]


def test_picture_to_keep_has_the_label_of_most_copies() -> None:
    pairs = [(0, 1), (0, 2), (1, 2)]
    found = members(3, pairs, candidate(0, label="b", bytes=900), candidate(1), candidate(2, bytes=200))
    assert [one.file for one in found.values() if one.keep] == [2]


def test_same_bytes_in_two_files_are_identical() -> None:
    found = members(1, [], candidate(0), candidate(1, content=0, label="b"))
    assert [(one.relation, one.distance, one.keep) for one in found.values()] == [
        ("identical", 0, True),
        ("identical", 0, False),
    ]


def test_turned_upright_majority_keeps_an_upright_picture(tmp_path: Path) -> None:
    picture = photo(3, (120, 120))
    files = [jpeg(picture), jpeg(picture, 50), jpeg(picture, 70), jpeg(ImageOps.invert(picture), 95)]
    content = Content(files)
    found = links(content.contents())
    candidates = [candidate(place, blur=9.0 if place == 3 else 1.0) for place in range(4)]
    kept = [one for one in grouped(candidates, content.hashes, found) if one.keep]
    assert [one.file for one in kept] == [0]
