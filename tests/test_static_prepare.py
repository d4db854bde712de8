"""Pictures are prepared in a browser as in Python: each step against OpenCV, the whole on real pictures."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from sklearn.datasets import load_digits

from handwriter_models import ink
from handwriter_models.images import read_picture
from handwriter_models.photograph import Photograph
from handwriter_models.static_site.build import PAGE
from tests.browser import Browser
from tests.characters import encoded, picture_of
from tests.small_photos import jpeg, photo
from tests.static_pages import BLOB, called, served, text_of

EXAMPLES = sorted((Path(__file__).resolve().parents[1] / "demo" / "examples").glob("*.[jp][pn]g"))
RANDOM = np.random.default_rng(3)
LIGHT = RANDOM.random((23, 37), np.float32)
ONES = (cv2.GaussianBlur(RANDOM.random((40, 61)), (0, 0), 2) > 0.5).astype(np.uint8)


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Browser]:
    """A document of the page's own host; the modules are imported by each call."""
    with served(PAGE) as address:
        browser.driver.get(f"{address}prepare/plane.js")
        yield browser


def given(array: NDArray[np.generic]) -> dict[str, object]:
    kind = "Float32Array" if array.dtype == np.float32 else "Uint8Array"
    return {"width": array.shape[1], "height": array.shape[0], "kind": kind, "data": array.ravel().tolist()}


def changed(page: Browser, module: str, call: str, array: NDArray[np.generic]) -> NDArray[np.float32]:
    """The plane that `call`, an expression of the module's names, makes of the plane `p`."""
    body = (
        f"const m = await at('prepare/{module}.js');"
        "const p = {...given, data: globalThis[given.kind].from(given.data)};"
        f"const out = {call}; return [out.width, out.height, [...out.data]];"
    )
    width, height, data = called(page, body, given(array))
    return np.array(data, np.float32).reshape(height, width)


@pytest.mark.parametrize(
    ("call", "size", "way"),
    [
        ("m.area(p, 17, 11)", (17, 11), cv2.INTER_AREA),
        ("m.area(p, 12, 23)", (12, 23), cv2.INTER_AREA),
        ("m.area(p, 9, 40)", (9, 40), cv2.INTER_AREA),  # one side grows
        ("m.linear(p, 50, 61)", (50, 61), cv2.INTER_LINEAR),
        ("m.cubic(p, 80, 51)", (80, 51), cv2.INTER_CUBIC),
    ],
)
def test_sizes_are_changed_as_by_opencv(page: Browser, call: str, size: tuple[int, int], way: int) -> None:
    wanted = cv2.resize(LIGHT, size, interpolation=way)
    assert np.abs(changed(page, "resize", call, LIGHT) - wanted).max() < 1e-5


@pytest.mark.parametrize(("width", "height"), [(1, 4), (9, 1), (15, 3), (6, 1)])
def test_masks_grow_and_shrink_as_by_opencv_for_even_and_odd_lengths(page: Browser, width: int, height: int) -> None:
    block = np.ones((height, width), np.uint8)
    for name, way in (("opened", cv2.MORPH_OPEN), ("closed", cv2.MORPH_CLOSE), ("dilated", cv2.MORPH_DILATE)):
        found = changed(page, "morphology", f"m.{name}(p, {width}, {height})", ONES)
        assert np.array_equal(found, cv2.morphologyEx(ONES, way, block)), name


def test_values_are_closed_as_by_opencv(page: Browser) -> None:
    wanted = cv2.morphologyEx(LIGHT, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    assert np.array_equal(changed(page, "morphology", "m.closedValues(p, 7)", LIGHT), wanted)


@pytest.mark.parametrize(("name", "size"), [("nearDistance", 3), ("wideDistance", 5)])
def test_distances_are_those_of_opencv(page: Browser, name: str, size: int) -> None:
    wanted = cv2.distanceTransform(ONES, cv2.DIST_L2, size)
    assert np.abs(changed(page, "distance", f"m.{name}(p)", ONES) - wanted).max() < 1e-5


def test_pieces_are_those_of_opencv(page: Browser) -> None:
    body = "const m = await at('prepare/components.js'); return m.components({...given}).pieces;"
    found = called(page, body, given(ONES))
    count, _, stats, _ = cv2.connectedComponentsWithStats(ONES, connectivity=8)
    boxes = {(p["left"], p["top"], p["right"] - p["left"], p["bottom"] - p["top"], p["area"]) for p in found}
    assert len(found) == count - 1 > 3
    assert boxes == {tuple(row) for row in stats[1:].tolist()}


def test_threshold_median_and_quantile_are_those_of_python(page: Browser) -> None:
    body = (
        "const g = await at('prepare/grey.js'), p = await at('prepare/plane.js');"
        "const data = Float32Array.from(given.data);"
        "return [g.threshold({data}), p.median(data), p.median(data.subarray(1)), p.quantile(data, 0.2),"
        "[0.5, 1.5, 2.5, -0.5, 2.4999].map(p.round)];"
    )
    edge, middle, other, low, rounded = called(page, body, given(LIGHT))
    flat = LIGHT.ravel()
    assert edge == pytest.approx(ink._threshold(LIGHT), abs=1e-6)
    assert (middle, other) == pytest.approx((float(np.median(flat)), float(np.median(flat[1:]))))
    assert low == pytest.approx(float(np.percentile(flat, 20)))
    assert rounded == [round(value) for value in (0.5, 1.5, 2.5, -0.5, 2.4999)]


def test_main_colour_is_the_first_axis_of_the_pca(page: Browser) -> None:
    spread = np.cov(RANDOM.random((3, 50)) * [[3], [1], [2]])
    axis = np.linalg.eigh(spread)[1][:, -1]
    found = called(page, "return (await at('prepare/grey.js')).mainAxis(given);", spread.tolist())
    assert np.allclose(found, axis * np.sign(axis.sum()))


def scans() -> dict[str, Image.Image]:
    """Digits of scikit-learn: as they are, and as large as a photograph, wider than high and the other way."""
    found = {}
    for number, scan in enumerate(load_digits().images[:12]):
        small = Image.fromarray(np.round(scan * (255 / 16)).astype(np.uint8))
        found[f"scan {number}"] = small.convert("RGB")
        found[f"large scan {number}"] = small.resize((150 + 30 * number, 420 - 20 * number), 3).convert("RGB")
    return found


def drawings() -> dict[str, Image.Image]:
    found = {f"{name} {width}": picture_of(name, width) for name in ("7", "4", "0", ":)") for width in (4, 18, 40)}
    seven = picture_of("7", 12, 600)
    found["chalk"] = Image.eval(seven, lambda value: 255 - value)
    found["blue on yellow"] = Image.composite(
        Image.new("RGB", seven.size, (250, 230, 90)), Image.new("RGB", seven.size, (40, 60, 200)), seven.convert("L")
    )
    found["low and wide"] = seven.resize((600, 40))
    found["three rows"] = seven.resize((300, 3))
    ruled = seven.copy()
    for row in range(60, 600, 90):
        ImageDraw.Draw(ruled).line([(0, row), (600, row)], (120, 140, 210), 3)
    found["ruled"] = ruled
    found["empty"] = Image.new("RGB", (280, 280), "white")
    found["one red pixel"] = Image.new("RGB", (1, 1), "red")
    for size in ((1, 9), (9, 1), (2, 1), (1, 300), (300, 2), (3, 70)):
        noise = RANDOM.integers(0, 256, (*size, 3), np.uint8)
        for name, values in (("noise", noise), ("flat", np.full((*size, 3), (200, 30, 9), np.uint8))):
            found[f"{name} {size}"] = Image.fromarray(values)
    found["noise"] = Image.fromarray(RANDOM.integers(0, 256, (120, 160, 3), np.uint8))
    return found


def test_real_pictures_come_out_as_they_do_in_python(page: Browser) -> None:
    files = {path.name: path.read_bytes() for path in EXAMPLES}
    files |= {name: encoded(picture) for name, picture in {**drawings(), **scans()}.items()}
    files["large photograph"] = jpeg(Image.open(EXAMPLES[0]).resize((2600, 2300)))
    body = BLOB + (
        "const {pixelsOf} = await at('picture.js'), {prepareCharacter} = await at('prepare/character.js');"
        "const made = prepareCharacter(await pixelsOf(blob(given))); return [made.blank, [...made.pixels]];"
    )
    off = {}
    for name, data in files.items():
        blank, pixels = called(page, body, text_of(data))
        wanted = ink.prepare(read_picture(data, enough=1024))
        assert blank == wanted.blank, name
        off[name] = float(np.abs(np.array(pixels, float).reshape(28, 28) - wanted.pixels).mean())
    photographs = {name for name in off if name.endswith(".jpg") or name == "large photograph"}  # another JPEG decoder
    rounded = {
        name for name in off if name.startswith("noise (")
    }  # a few pixels enlarged: one may be rounded otherwise
    worst = {name: value for name, value in off.items() if name not in photographs | rounded and value > 0.02}
    assert not worst
    assert max(off[name] for name in photographs) < 1.0, off
    assert max(off[name] for name in rounded) < 0.1, off
    assert len(files) > 40


_PHOTOGRAPH = (
    BLOB
    + """
const {pixelsOf} = await at('picture.js'), {preparePhotograph} = await at('prepare/photograph.js');
let text = '';
for (const value of preparePhotograph(await pixelsOf(blob(given[0])), given[1])) text += String.fromCharCode(value);
return btoa(text);
"""
)


@pytest.mark.parametrize("way", [Photograph(73, 64), Photograph(72, 72, bicubic=True), Photograph(256, 224)])
def test_photographs_are_cut_out_and_resized_as_by_pillow(page: Browser, way: Photograph) -> None:
    settings = {"size": way.crop, "resize": way.resize, "bicubic": way.bicubic}
    sizes = [(160, 120), (40, 300), (500, 333)] if way.crop < 100 else [(300, 500)]
    for size in sizes:
        picture = photo(7, size)
        text = called(page, _PHOTOGRAPH, [text_of(encoded(picture)), settings])
        found = np.frombuffer(base64.b64decode(text), np.uint8).reshape(way.crop, way.crop, 3)
        assert np.abs(found.astype(int) - way(picture).astype(int)).max() <= 1


def test_transparent_parts_are_paper_and_a_turned_photograph_is_turned_back(page: Browser) -> None:
    clear = Image.new("RGBA", (8, 4), (200, 0, 0, 0))
    clear.putpixel((0, 0), (10, 20, 30, 255))
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = encoded(photo(2, (32, 16)), "JPEG", exif=exif, quality=95)
    body = (
        BLOB
        + "const p = await (await at('picture.js')).pixelsOf(blob(given)); return [p.width, p.height, [...p.data]];"
    )
    for data in (encoded(clear), turned):
        width, height, values = called(page, body, text_of(data))
        wanted = np.asarray(read_picture(data), int)
        assert (height, width) == wanted.shape[:2]
        assert np.abs(np.array(values).reshape(height, width, 4)[..., :3] - wanted).mean() < 1.5
