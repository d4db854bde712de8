"""The preparation of handwriting, as a table of pictures: each case is one digit drawn under other conditions."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from handwriter_models import ink
from handwriter_models.cleaning import keep_one_character, remove_ruled_lines

Paper = NDArray[np.uint8]


def five(pen: int = 14, side: int = 280, size: float = 0.55) -> Paper:
    """A 5 in two strokes, its hat loose, dark on white."""
    paper = np.full((side, side), 255, np.uint8)
    points = np.array([[0.15, 0.12], [0.12, 0.45], [0.6, 0.4], [0.85, 0.65], [0.6, 0.95], [0.1, 0.9]])
    hat = np.array([[0.3, 0.02], [0.95, 0.0]])
    place = (np.array([0.2, 0.2]) * side).round()
    lines = [np.round((stroke * size * side + place) * 16).astype(np.int32) for stroke in (points, hat)]
    cv2.polylines(paper, lines, False, 0, pen, cv2.LINE_AA, 4)
    return paper


def overlap(one: Paper, other: Paper) -> float:
    """Share of common ink: intersection over union of soft masks."""
    a, b = one.astype(float), other.astype(float)
    return float(np.minimum(a, b).sum() / np.maximum(a, b).sum())


def light(paper: Paper, noise: float = 5) -> Paper:
    slope = np.linspace(0.35, 1, paper.shape[1])[None] * np.linspace(0.75, 1, paper.shape[0])[:, None]
    lit = (0.25 + 0.75 * paper / 255) * slope * 235
    return np.clip(lit + np.random.default_rng(1).normal(0, noise, paper.shape), 0, 255).astype(np.uint8)


def ruled(paper: Paper, tilt: int = 0, thickness: int = 2) -> Paper:
    lines = np.full_like(paper, 250)
    for row in range(20, 280, 40):
        cv2.line(lines, (0, row), (279, row + tilt), 140, thickness, cv2.LINE_AA)
    return np.minimum(paper, lines)


def squared(paper: Paper) -> Paper:
    ruled_twice = np.minimum(ruled(paper, thickness=1), ruled(np.full_like(paper, 255), thickness=1).T)
    return np.ascontiguousarray(ruled_twice)


def specked(paper: Paper) -> Paper:
    spots = paper.copy()
    for x, y in np.random.default_rng(2).integers(0, 280, (50, 2)):
        cv2.circle(spots, (int(x), int(y)), 1, 0, -1)
    return spots


def coloured(paper: Paper, ink_colour: tuple[int, int, int], paper_colour: tuple[int, int, int]) -> Paper:
    share = (paper / 255)[..., None]
    return (np.array(paper_colour) * share + np.array(ink_colour) * (1 - share)).astype(np.uint8)


def shadowed(paper: Paper) -> Paper:
    """A table's dark edge beside the sheet."""
    wide = np.pad(paper, ((0, 0), (60, 40)), constant_values=255)
    wide[:, :30] = 40
    return wide


def compressed(paper: Paper) -> Paper:
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", paper, [1, 12])[1], 0))


CASES: dict[str, Callable[[], Paper]] = {
    "white on black": lambda: 255 - five(),
    "blue on cream": lambda: coloured(five(), (30, 60, 200), (255, 250, 235)),
    "yellow on white": lambda: coloured(five(), (250, 225, 40), (255, 255, 255)),
    "chalk on a green board": lambda: coloured(five(), (240, 240, 230), (40, 110, 60)),
    "uneven light and noise": lambda: light(five()),
    "pencil": lambda: (255 - (255 - five(8)).astype(float) * 0.2).astype(np.uint8),
    "ruled paper": lambda: ruled(five()),
    "tilted ruled paper": lambda: ruled(five(), tilt=4),
    "squared paper": lambda: squared(five()),
    "specks": lambda: specked(five()),
    "dark edge of a table": lambda: shadowed(five()),
    "hard JPEG": lambda: compressed(five()),
    "small scan": lambda: cv2.resize(five(), (56, 56), interpolation=cv2.INTER_AREA),
    "large photograph": lambda: cv2.resize(light(five()), (1400, 1400), interpolation=cv2.INTER_LINEAR),
    "small in a corner": lambda: np.pad(five(10, 200), ((0, 300), (300, 0)), constant_values=255),
    "opaque RGBA": lambda: np.dstack([five()] * 3 + [np.full((280, 280), 255, np.uint8)]),
}


@pytest.mark.parametrize("name", CASES)
def test_the_same_digit_comes_out_under_all_conditions(name: str) -> None:
    expected = ink.prepare(five())
    got = ink.prepare(CASES[name]())
    assert not got.blank
    assert overlap(got.pixels, expected.pixels) > 0.6, name


@pytest.mark.parametrize("pen", [1, 2, 5, 14, 24, 34])
def test_every_pen_comes_out_with_a_usual_stroke_width(pen: int) -> None:
    prepared = ink.prepare(five(pen))
    large = cv2.resize(prepared.pixels, (112, 112), interpolation=cv2.INTER_CUBIC)
    assert ink.NARROWEST - 0.4 <= ink.stroke_width(large > 127) / 4 <= ink.WIDEST + 0.4
    assert overlap(prepared.pixels, ink.prepare(five()).pixels) > 0.35


@pytest.mark.parametrize("size", [0.1, 0.3, 0.6, 0.7])
def test_place_and_size_do_not_matter(size: float) -> None:
    prepared = ink.prepare(five(max(1, round(26 * size)), size=size)).pixels
    rows, columns = np.flatnonzero(prepared.any(axis=1)), np.flatnonzero(prepared.any(axis=0))
    assert 18 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 22
    ys, xs = np.mgrid[:28, :28] + 0.5
    assert abs((prepared * ys).sum() / prepared.sum() - 14.5) < 0.6
    assert abs((prepared * xs).sum() / prepared.sum() - 14.5) < 0.6


@pytest.mark.parametrize(
    "paper",
    [
        np.full((280, 280), 255, np.uint8),
        np.zeros((28, 28), np.uint8),
        np.full((1, 1), 7, np.uint8),
        np.full((3, 900), 90, np.uint8),
        np.random.default_rng(3).normal(200, 9, (300, 400)).clip(0, 255).astype(np.uint8),
        light(np.full((280, 280), 255, np.uint8)),
    ],
    ids=["white", "black", "one pixel", "a strip", "noise of a camera", "light from one side"],
)
def test_paper_without_ink_is_blank(paper: Paper) -> None:
    prepared = ink.prepare(paper)
    assert prepared.blank
    assert not prepared.pixels.any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (2, 2), (8, 8), (5, 700), (700, 5), (65, 65)])
def test_any_shape_gives_28_by_28(shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(4).integers(0, 256, shape).astype(np.uint8)
    assert ink.prepare(picture).pixels.shape == (28, 28)


def test_a_bare_stroke_from_edge_to_edge_is_not_taken_for_a_ruled_line() -> None:
    paper = np.full((280, 280), 255, np.uint8)
    cv2.line(paper, (140, 0), (140, 279), 0, 12)
    prepared = ink.prepare(paper).pixels
    assert 18 <= np.ptp(np.flatnonzero(prepared.any(axis=1))) + 1 <= 22


def test_the_bar_of_a_seven_over_the_whole_width_stays() -> None:
    paper = np.full((280, 280), 255, np.uint8)
    cv2.polylines(paper, [np.array([[0, 30], [279, 30], [120, 270]])], False, 0, 16)
    assert ink.prepare(paper).pixels[:10].max(axis=0).astype(bool).sum() >= 18


def test_ruled_lines_go_and_the_stroke_across_them_stays_whole() -> None:
    mask = np.zeros((280, 280), np.uint8)
    cv2.line(mask, (100, 30), (160, 250), 1, 12)
    stroke = mask.copy()
    for row in (60, 120, 180, 240):
        mask[row : row + 2] = 1
    cleaned = remove_ruled_lines(mask)
    assert (cleaned & stroke).sum() > 0.97 * stroke.sum()
    assert (cleaned & (1 - stroke)).sum() < 0.05 * stroke.sum()


def test_all_strokes_of_a_syllable_stay_and_dust_goes() -> None:
    mask = np.zeros((200, 200), np.uint8)
    cv2.circle(mask, (80, 90), 30, 1, 8)
    cv2.line(mask, (130, 50), (130, 130), 1, 8)
    cv2.line(mask, (60, 160), (140, 160), 1, 8)
    strokes = mask.copy()
    mask[5, 190] = mask[190, 4] = mask[100, 195] = 1
    assert np.array_equal(keep_one_character(mask), strokes)


def test_preparing_a_prepared_character_changes_little() -> None:
    once = ink.prepare(five()).pixels
    assert overlap(ink.prepare(once).pixels, once) > 0.9


def test_a_pillow_picture_and_its_array_give_the_same() -> None:
    paper = coloured(five(), (30, 60, 200), (255, 250, 235))
    assert np.array_equal(ink.prepare(Image.fromarray(paper)).pixels, ink.prepare(paper).pixels)


def test_scikit_learns_eight_pixel_digits_fill_the_box() -> None:
    from sklearn.datasets import load_digits

    for scan in load_digits().images[:50]:
        prepared = ink.prepare(np.round(scan * (255 / 16)).astype(np.uint8))
        assert not prepared.blank
        rows, columns = (np.flatnonzero(prepared.pixels.any(axis=axis)) for axis in (1, 0))
        assert 17 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 24


def test_loops_of_a_coarse_scan_stay_open() -> None:
    eight = np.array(
        [[0, 9, 9, 0], [9, 3, 3, 9], [9, 3, 3, 9], [0, 9, 9, 0], [9, 3, 3, 9], [9, 3, 3, 9], [0, 9, 9, 0]], np.uint8
    )
    prepared = ink.prepare(np.pad(eight * 28, 1)).pixels.astype(int)
    rows = np.flatnonzero(prepared.any(axis=1))
    top, bottom = rows[0] + 6, rows[-1] - 6
    for row in (top, bottom):
        assert prepared[row, 12:17].min() < 0.6 * prepared[row].max()


def test_mnist_comes_out_as_it_went_in() -> None:
    import gzip

    from tests.shared_data import shared_folder

    raw = shared_folder() / "data" / "MNIST" / "raw" / "t10k-images-idx3-ubyte.gz"
    pictures = np.frombuffer(gzip.decompress(raw.read_bytes()), np.uint8, offset=16).reshape(-1, 28, 28)[:500]
    prepared = ink.prepare_many(pictures)
    change = np.abs(prepared.astype(int) - pictures).mean(axis=(1, 2))
    assert (change < 0.5).mean() > 0.9  # of 255; the rest have strokes hardly anybody writes
