"""Takes the pictures of the review grid that the manual shows: `python benchmarks/review_pictures.py`.

The photographs come with scikit-image and scikit-learn (public domain, CC0 and CC BY); parts of each stand for the
pictures of a class, and some come back as copies.
"""

from __future__ import annotations

import argparse
import io
import random
import subprocess
import sys
import tempfile
import time
from importlib import resources
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from PIL import Image, ImageOps
from selenium.webdriver.common.keys import Keys

from benchmarks.copies import copy_of
from tests.browser import Look, chromium
from tests.review_scene import Reviewer, reviewing

ROOT = Path(__file__).resolve().parent.parent
PHOTOS = {
    "고양이": ("skimage", "data/chelsea.png"),
    "coffee": ("skimage", "data/coffee.png"),
    "rocket": ("skimage", "data/rocket.jpg"),
    "astronaut": ("skimage", "data/astronaut.png"),
    "flower": ("sklearn", "datasets/images/flower.jpg"),
    "temple": ("sklearn", "datasets/images/china.jpg"),
}
EACH = 9


def part(photo: Image.Image, chance: random.Random) -> Image.Image:
    """A window of the photograph, sometimes mirrored."""
    width, height = (int(side * chance.uniform(0.45, 0.7)) for side in photo.size)
    left, top = chance.randrange(photo.width - width), chance.randrange(photo.height - height)
    cut = photo.crop((left, top, left + width, top + height))
    return ImageOps.mirror(cut) if chance.random() < 0.5 else cut


def make(root: Path) -> None:
    """The dataset: some copies in a class, one picture under two labels."""
    for label, (package, place) in PHOTOS.items():
        chance = random.Random(label)
        with resources.as_file(resources.files(package).joinpath(place)) as path:
            photo = Image.open(path).convert("RGB")
        (root / label).mkdir(parents=True)
        for number in range(EACH):
            data = copy_of(part(photo, chance), "grey" if number == 7 else "recompressed", chance)
            (root / label / f"{label} {number}.jpg").write_bytes(data)
    first = Image.open(root / "고양이" / "고양이 0.jpg")
    for number, kind in enumerate(("mirrored", "inverted", "smaller")):
        (root / "고양이" / f"again {number}.jpg").write_bytes(copy_of(first, kind, random.Random(1)))
    (root / "coffee" / "not coffee.jpg").write_bytes(copy_of(first, "brighter", random.Random(1)))


def small(png: bytes) -> bytes:
    """In 256 colours: a repository is no photo album."""
    out = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(256).save(out, "PNG", optimize=True)
    return out.getvalue()


def settle(reviewer: Reviewer) -> None:
    """Waits until every picture on screen has come, and movements have ended."""
    time.sleep(1)
    reviewer.wait(lambda: reviewer.run(ALL_THERE), "the pictures")


def main(out: Path) -> None:
    """Takes all pictures."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "photos"
        make(root)
        subprocess.run([sys.executable, "curation", "scan", root], cwd=ROOT, check=True)
        looks = {"review": Look(height=860), "review-ko": Look(language="ko-KR", height=860, dark=True)}
        with reviewing(root) as server:
            for name, look in looks.items():
                with chromium(look) as browser:
                    reviewer = Reviewer(browser)
                    reviewer.open(server.address)
                    reviewer.press(Keys.ARROW_RIGHT, "x", Keys.ARROW_RIGHT, "k", Keys.ARROW_RIGHT)
                    reviewer.saved()
                    settle(reviewer)
                    (out / f"{name}.png").write_bytes(small(browser.driver.get_screenshot_as_png()))
                    reviewer.press("z", "z")
                    reviewer.saved()
            with chromium(Look(height=760)) as browser:
                reviewer = Reviewer(browser)
                reviewer.open(server.address, "?view=group")
                reviewer.press("g")
                settle(reviewer)
                (out / "review-group.png").write_bytes(small(browser.driver.get_screenshot_as_png()))


ALL_THERE = "return [...document.images].filter(i => i.offsetParent && i.src).every(i => i.complete && i.naturalWidth)"

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshots")
    main(parser.parse_args().out)
