"""Different drawings are never copies of each other, copies of drawings are, whatever their size, format and paper."""

from __future__ import annotations

import random
from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

from benchmarks.drawings import characters, digits, encoded, groups, measured
from curation import drawings
from curation.fingerprint import Style, look
from curation.links import Thresholds
from tests.shared_data import shared_folder
from tests.small_photos import jpeg, photo
from tests.test_groups import Content

TEXT = "the quick brown fox jumps over a lazy dog while 2 or 17 birds look on from their old oak tree"
WORDS = TEXT.split()
SHAPES = [(28, "PNG", True), (28, "JPEG", False), (65, "JPEG", True), (96, "PNG", False), (280, "PNG", True)]


@cache
def scans(count: int) -> list[Image.Image]:
    from sklearn.datasets import load_digits

    small = [Image.fromarray(np.uint8(255 - image * 255 / 16)) for image in load_digits().images[:count]]
    return [image.resize((28, 28), Image.Resampling.BICUBIC) for image in small]


def sticks(side: int) -> list[Image.Image]:
    """Straight strokes of 13 slants and six lengths, as a one, an l or an I is drawn; none mirrors another."""
    found = []
    for slant in np.linspace(0, 0.6, 13):
        for length in np.linspace(0.25, 0.4, 6):
            x, y = 4 * slant * length * side, 4 * length * side
            picture = Image.new("L", (4 * side, 4 * side), 255)
            ends = [(2 * side + x, 2 * side - y), (2 * side - x, 2 * side + y)]
            ImageDraw.Draw(picture).line(ends, fill=0, width=side // 3)
            found.append(picture.resize((side, side), Image.Resampling.LANCZOS))
    return found


def lines(chance: random.Random, count: int) -> list[str]:
    return [" ".join(chance.choice(WORDS) for _ in range(chance.randint(4, 9))) for _ in range(count)]


def page(number: int, chosen: str) -> Image.Image:
    """A scanned page of text, or a window whose frame is always the same."""
    chance, font = random.Random(number), ImageFont.load_default(15)
    picture = Image.new("RGB", (560, 760) if chosen == "page" else (800, 520), (252, 252, 250))
    pencil = ImageDraw.Draw(picture)
    if chosen == "window":
        pencil.rectangle((0, 0, 800, 40), fill=(40, 60, 120))
        pencil.rectangle((0, 40, 150, 520), fill=(230, 232, 240))
        for row, word in enumerate(WORDS[:12]):
            pencil.text((16, 60 + 34 * row), word, (60, 60, 60), font)
    left, rows = (40, 30) if chosen == "page" else (170, 12)
    for row, line in enumerate(lines(chance, rows)):
        pencil.text((left, 50 + (23 if chosen == "page" else 36) * row), line, (20, 20, 20), font)
    return picture


@pytest.mark.parametrize(("side", "form", "dark"), SHAPES)
def test_scans_of_digits_keep_apart_and_their_copies_are_found(side: int, form: str, dark: bool) -> None:
    found = measured(scans(300), side, form, dark)
    assert (found["wrong"], found["drawings"]) == (0, 1)
    assert min(found["kinds"].values()) >= 0.99


@pytest.mark.parametrize(("side", "form", "dark"), SHAPES)
@pytest.mark.parametrize("source", [digits, characters])
def test_what_people_wrote_keeps_apart_and_its_copies_are_found(source: Any, side: int, form: str, dark: bool) -> None:
    shared_folder()
    found = measured(source(800), side, form, dark)
    assert found["wrong"] == 0
    assert min(found["kinds"].values()) >= 0.98


@pytest.mark.parametrize("side", [65, 140, 280])
def test_sticks_of_other_slants_and_lengths_are_other_sticks(side: int) -> None:
    found = Content([encoded(stick, "PNG") for stick in sticks(side)]).links()
    assert found == set()


@pytest.mark.parametrize("chosen", ["page", "window"])
@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_pages_and_screenshots_with_other_words_are_other_pictures(chosen: str, form: str) -> None:
    pages = [page(number, chosen) for number in range(60)]
    copies = [encoded(page(number, chosen), "JPEG", 50) for number in range(20)]
    copies += [encoded(ImageOps.invert(pages[number]), form) for number in range(20)]
    half = [one.resize((one.width * 2 // 3, one.height * 2 // 3), Image.Resampling.LANCZOS) for one in pages[:20]]
    copies += [encoded(one, form) for one in half]
    found = Content([*(encoded(one, form) for one in pages), *copies]).links()
    group = groups(120, *np.array(sorted(found)).T)
    assert len(set(group)) == 60
    assert (group[60:].reshape(3, 20) == group[:20]).all()


def test_one_word_that_differs_in_a_screenshot_makes_another_picture() -> None:
    first, second = page(1, "window"), page(1, "window")
    ImageDraw.Draw(second).rectangle((170, 118, 260, 142), fill=(252, 252, 250))
    ImageDraw.Draw(second).text((170, 122), "cancelled", (20, 20, 20), ImageFont.load_default(15))
    assert Content([encoded(first, "PNG"), encoded(second, "PNG")]).links() == set()


def test_a_drawing_copied_fainter_is_a_copy() -> None:
    stick = sticks(120)[0]
    fainter = stick.point(lambda tone: 255 - (255 - tone) * 7 // 10)
    assert Content([encoded(stick, "PNG"), encoded(fainter, "PNG")]).links() == {(0, 1)}


@pytest.mark.parametrize("side", [16, 28, 64, 65, 96, 280, 700])
def test_what_is_a_drawing_does_not_depend_on_its_size(side: int) -> None:
    digit = scans(300)[7].resize((side, side), Image.Resampling.BICUBIC)
    assert look(encoded(digit, "PNG")).style is Style.DRAWING
    assert look(encoded(ImageOps.invert(digit), "JPEG")).style is Style.DRAWING
    assert look(jpeg(photo(3, (side, side)))).style is Style.PHOTOGRAPH


def under_light(picture: Image.Image, darkest: float, noise: float = 0.0, seed: int = 0) -> Image.Image:
    """As under light that falls off to one corner, by a camera with some noise."""
    across, down = np.linspace(1, darkest, picture.width)[None], np.linspace(1, 0.9, picture.height)[:, None]
    tones = np.asarray(picture.convert("L"), float) * across * down
    tones += np.random.default_rng(seed).normal(0, noise, tones.shape) if noise else 0
    return Image.fromarray(tones.clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize(("darkest", "noise"), [(0.8, 0), (0.6, 4), (0.4, 8)])
def test_handwriting_under_uneven_light_keeps_apart_and_its_copies_are_found(darkest: float, noise: float) -> None:
    lit = []
    for seed, scan in enumerate(scans(200)):
        paper = Image.new("L", (200, 220), 255)
        paper.paste(scan.resize((110, 110), Image.Resampling.BICUBIC), (40, 50))
        lit.append(encoded(under_light(paper, darkest, noise, seed), "JPEG", 85))
    copies = [encoded(ImageOps.mirror(Image.open(BytesIO(file))), "JPEG", 75) for file in lit[:40]]
    found = Content([*lit, *copies]).links()
    assert found <= {(place, 200 + place) for place in range(40)}
    assert len(found) >= 38


@pytest.mark.parametrize("is_blurred", [False, True])
def test_photographed_and_blurred_pages_with_other_words_are_other_pictures(is_blurred: bool) -> None:
    pages = [page(number, "page") for number in range(40)]
    pages = [one.filter(ImageFilter.BoxBlur(1)) if is_blurred else under_light(one, 0.65, 6) for one in pages]
    copies = [encoded(one.resize((420, 570)), "JPEG", 80) for one in pages[:10]]
    found = Content([*(encoded(one, "JPEG", 85) for one in pages), *copies]).links()
    assert found <= {(place, 40 + place) for place in range(10)}
    assert len(found) >= 8


def test_drawings_turned_by_a_quarter_are_copies_thin_lines_and_all() -> None:
    for size, step in ((280, 7), (290, 10), (600, 12)):
        lines = Image.new("L", (size, size), 255)
        pencil = ImageDraw.Draw(lines)
        for place in range(0, size, step):
            pencil.line((place, 0, place, size), fill=0)
        pencil.text((size // 3, size // 4), "F", 0, ImageFont.load_default(size // 2))
        turned = lines.transpose(Image.Transpose.ROTATE_90)
        assert Content([encoded(lines, "PNG"), encoded(turned, "PNG")]).links() == {(0, 1)}


def test_diagrams_of_few_tones_with_one_piece_elsewhere_are_other_diagrams() -> None:
    boards = []
    for place in (8 * down + right for down in range(8) for right in range(down)):  # none is another one's mirror
        board = Image.new("L", (400, 400), 240)
        for square in range(64):
            down, right = divmod(square, 8)
            if (down + right) % 2:
                ImageDraw.Draw(board).rectangle((50 * right, 50 * down, 50 * right + 49, 50 * down + 49), fill=170)
        x, y = 50 * (place % 8), 50 * (place // 8)
        ImageDraw.Draw(board).ellipse((x + 8, y + 8, x + 42, y + 42), fill=10)
        ImageDraw.Draw(board).polygon([(60, 90), (75, 60), (90, 90)], fill=250)
        boards.append(encoded(board, "PNG"))
    assert Content(boards).links(Thresholds(8, 0)) == set()


def test_different_photographs_in_one_round_frame_are_different_pictures() -> None:
    found, files = shared_folder() / "data/photos", []
    for path in sorted(found.glob("*/*"))[::2]:
        frame, outline = Image.new("RGB", (300, 300), "white"), Image.new("L", (220, 220))
        ImageDraw.Draw(outline).ellipse((0, 0, 219, 219), fill=255)
        frame.paste(ImageOps.fit(Image.open(path).convert("RGB"), (220, 220)), (40, 40), outline)
        files.append(jpeg(frame, 90))
    assert len(Content(files).links()) <= 1
    copies = [jpeg(Image.open(BytesIO(file)).resize((170, 170)), 70) for file in files]
    found_copies = Content([*files, *copies]).links()
    assert sum(other - one == len(files) for one, other in found_copies) >= 0.95 * len(files)


def test_an_object_on_white_is_compared_without_its_ground() -> None:
    """Two objects on white agree in most pixels, and are two; a crop of one of them is the same one."""
    made, chance = [], np.random.default_rng(0)
    for _ in range(30):
        grain = Image.fromarray(chance.integers(0, 256, (12, 12), np.uint8)).resize((120, 120))
        ground, outline = Image.new("RGB", (220, 220), "white"), Image.new("L", (120, 120))
        ImageDraw.Draw(outline).ellipse((0, 0, 119, 119), fill=255)
        ground.paste(grain, (50, 50), outline)
        made.append(ground)
    crops = [one.crop((5, 5, 214, 214)) for one in made]
    found = Content([jpeg(one, 90) for one in [*made, *crops]]).links()
    assert all(other - one == 30 for one, other in found)
    assert len(found) >= 25


def test_miniatures_come_back_as_they_were_stored() -> None:
    chance = np.random.default_rng(0)
    plain, noise = (chance.integers(0, 256, (side, side), np.uint8) for side in (32, 64))
    paper = np.full((64, 64), 255, np.uint8)
    for miniature in (plain, noise, paper):
        assert np.array_equal(drawings.unpacked(drawings.packed(miniature)), miniature)
    assert len(drawings.packed(paper)) < 100
