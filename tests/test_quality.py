"""Poor pictures are named with what is wrong; untouched photographs and scans of handwriting are not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from curation.dataset import Dataset
from curation.listing import PictureRow
from curation.quality import KINDS, Fault, faults
from curation.scan import scan
from tests.shared_data import shared_folder
from tests.small_photos import save


def photo(seed: int, size: tuple[int, int] = (320, 240)) -> Image.Image:
    """Patches of every size, as photographs have detail of every size."""
    chance = np.random.default_rng(seed)
    total = np.zeros((size[1], size[0], 3))
    for cells in (6, 24, 96):
        noise = Image.fromarray(chance.integers(0, 256, (cells, cells, 3), np.uint8))
        total += np.asarray(noise.resize(size, Image.Resampling.BICUBIC), np.float64) / 3
    return ImageEnhance.Contrast(Image.fromarray(total.astype(np.uint8))).enhance(1.6)


def rows_of(root: Path) -> list[PictureRow]:
    with Dataset(root) as dataset:
        scan(dataset.pictures)
        return dataset.pictures.rows()


def found_in(root: Path) -> dict[str, list[Fault]]:
    """The faults by the name of the file."""
    rows = rows_of(root)
    found: dict[str, list[Fault]] = {Path(row.path).name: [] for row in rows}
    names = {row.id: Path(row.path).name for row in rows}
    for fault in faults(rows):
        found[names[fault.file]].append(fault)
    return found


CASES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "blurry": lambda one: one.filter(ImageFilter.GaussianBlur(8)),
    "dark": lambda one: ImageEnhance.Brightness(one).enhance(0.15),
    "bright": lambda one: Image.blend(one, Image.new("RGB", one.size, "white"), 0.85),
    "low-contrast": lambda one: Image.blend(one, Image.new("RGB", one.size, "grey"), 0.85),
    "uniform": lambda one: Image.new("RGB", one.size, "grey"),
    "odd-aspect": lambda one: one.crop((0, 0, 320, 70)),
    "tiny": lambda one: one.resize((40, 40)),
}


def test_every_kind_has_a_case() -> None:
    assert set(CASES) == set(KINDS)


@pytest.mark.parametrize("kind", CASES)
def test_a_poor_picture_among_good_ones_is_named_with_its_fault_alone(kind: str, tmp_path: Path) -> None:
    for number in range(9):
        save(tmp_path / "dog" / f"{number}.jpg", photo(number))
    save(tmp_path / "dog" / "poor.jpg", CASES[kind](photo(99)))
    found = found_in(tmp_path)
    assert [fault.kind for fault in found.pop("poor.jpg")] == [kind]
    assert not any(found.values())


def test_scores_lie_between_0_and_1_and_rise_with_the_fault(tmp_path: Path) -> None:
    for number in range(12):
        save(tmp_path / "dog" / f"{number}.jpg", photo(number))
    for radius in (6, 9, 14):
        save(tmp_path / "dog" / f"blurred {radius}.jpg", photo(50).filter(ImageFilter.GaussianBlur(radius)))
    found = found_in(tmp_path)
    scores = [found[f"blurred {radius}.jpg"][0].score for radius in (6, 9, 14)]
    assert scores == sorted(scores)
    assert 0 <= scores[0] < scores[-1] <= 1


def test_what_most_of_a_class_has_is_no_fault_of_its_pictures(tmp_path: Path) -> None:
    for number in range(8):
        save(tmp_path / "night" / f"night {number}.jpg", CASES["dark"](photo(number)))
        save(tmp_path / "day" / f"day {number}.jpg", photo(20 + number))
    assert not any(found_in(tmp_path).values())


def test_in_a_class_of_few_pictures_the_whole_dataset_says_what_is_usual(tmp_path: Path) -> None:
    for number in range(8):
        save(tmp_path / "day" / f"day {number}.jpg", photo(20 + number))
    save(tmp_path / "night" / "alone.jpg", CASES["dark"](photo(1)))
    assert [fault.kind for fault in found_in(tmp_path)["alone.jpg"]] == ["dark"]


def test_no_pictures_have_no_faults() -> None:
    assert faults([]) == []


def test_a_single_picture_is_judged_without_a_crash(tmp_path: Path) -> None:
    save(tmp_path / "dog" / "grey.jpg", Image.new("RGB", (200, 200), "grey"))
    assert [fault.kind for fault in found_in(tmp_path)["grey.jpg"]] == ["uniform"]


def test_the_digits_of_scikit_learn_are_not_flagged(tmp_path: Path) -> None:
    from sklearn.datasets import load_digits

    digits = load_digits()
    for number in range(100):
        label = str(digits.target[number])
        (tmp_path / label).mkdir(exist_ok=True)
        pixels = (digits.images[number] * 255 / 16).astype(np.uint8)
        Image.fromarray(pixels).resize((28, 28), Image.Resampling.BICUBIC).save(tmp_path / label / f"{number}.png")
    assert not any(found_in(tmp_path).values())


def test_at_most_two_hundredths_of_untouched_photographs_are_flagged(tmp_path: Path) -> None:
    photos = sorted((shared_folder() / "data" / "photos").rglob("*.jpg"))
    for one in photos:
        (tmp_path / one.parent.name).mkdir(exist_ok=True)
        (tmp_path / one.parent.name / one.name).write_bytes(one.read_bytes())
    flagged = [name for name, found in found_in(tmp_path).items() if found]
    assert len(flagged) <= 0.02 * len(photos)
