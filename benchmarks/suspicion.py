"""How many planted faults the list of suspects has at its top: `python benchmarks/suspicion.py --data ../shared/data`.

151 photographs of five classes; ten get another class's label, and five pictures that are no photographs (three digits,
two pages of text) are put among them. A second run takes the 167 photographs as they lie in the folders: 16 of those
really do not belong to the class (a tusker among birds). A third counts poor versions of the photographs, and alarms
about untouched ones. Needs photos, MNIST and the MobileNetV2 weights of the shared data.
"""

from __future__ import annotations

import argparse
import gzip
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

sys.path[0] = str(Path(__file__).resolve().parent.parent)

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from benchmarks.table import Figure, print_table
from curation.dataset import Dataset
from curation.quality import faults
from curation.scan import scan
from curation.suspicion import Suspect, suspect

if TYPE_CHECKING:
    from curation.backbones import Backbone

# Of the photographs, those that do not belong to the class whose folder they lie in.
STRANGERS = frozenset((
    "tusker", "wallaby", "koala", "wombat", "jellyfish", "brain_coral", "flatworm", "nematode", "snail", "slug",
    "king_crab", "hermit_crab", "cabbage_butterfly", "colobus", "scabbard", "head_cabbage",
))  # fmt: skip
WRONG, SEEDS = 10, 5
TEXT = "the page that you asked for is not here any more"
POOR: dict[str, tuple[str, Callable[[Image.Image], Image.Image]]] = {
    "blurred, radius 3 of 320 pixels": ("blurry", lambda one: one.filter(ImageFilter.GaussianBlur(3))),
    "blurred, radius 5 of 320 pixels": ("blurry", lambda one: one.filter(ImageFilter.GaussianBlur(5))),
    "at 0.2 of its brightness": ("dark", lambda one: ImageEnhance.Brightness(one).enhance(0.2)),
    "a tenth of its contrast": ("low-contrast", lambda one: Image.blend(one, Image.new("RGB", one.size, "grey"), 0.9)),
    "one even tone": ("uniform", lambda one: Image.new("RGB", one.size, "grey")),
}


def what_of(photo: Path) -> str:
    """The subject, from the file's name."""
    return photo.stem.partition("_")[2]


def photos_in(data: Path) -> list[Path]:
    return sorted((data / "photos").rglob("*.jpg"))


def foreign_pictures(data: Path) -> list[Image.Image]:
    """Three digits and two pages of text."""
    raw = gzip.decompress((data / "MNIST" / "raw" / "t10k-images-idx3-ubyte.gz").read_bytes())[16:]
    digits = np.frombuffer(raw, np.uint8).reshape(-1, 28, 28)
    pictures = [Image.fromarray(digits[number]).convert("RGB") for number in (0, 7, 14)]
    for start in (0, 9):
        page = Image.new("RGB", (320, 240), "white")
        for line in range(8):
            ImageDraw.Draw(page).text((10, 10 + 28 * line), TEXT[start + line :], fill="black", font_size=18)
        pictures.append(page)
    return pictures


def plant(data: Path, root: Path, seed: int) -> tuple[set[str], set[str]]:
    """Writes the dataset; returns the paths with a wrong label, and those of foreign pictures."""
    chance = random.Random(seed)
    photos = [photo for photo in photos_in(data) if what_of(photo) not in STRANGERS]
    labels = sorted({photo.parent.name for photo in photos})
    moved = set(chance.sample(photos, WRONG))
    wrong, foreign = set(), set()
    for label in labels:
        (root / label).mkdir(parents=True, exist_ok=True)
    for photo in photos:
        others = [label for label in labels if label != photo.parent.name]
        label = chance.choice(others) if photo in moved else photo.parent.name
        (root / label / photo.name).write_bytes(photo.read_bytes())
        wrong |= {f"{label}/{photo.name}"} if photo in moved else set()
    for number, picture in enumerate(foreign_pictures(data)):
        path = f"{chance.choice(labels)}/foreign {number}.png"
        picture.save(root / path)
        foreign.add(path)
    return wrong, foreign


def list_of(root: Path, network: Backbone | None) -> list[Suspect]:
    """The suspects of a folder of pictures."""
    with Dataset(root) as dataset:
        scan(dataset.pictures)
        return suspect(dataset.pictures, network)


def top(suspects: list[Suspect], count: int) -> set[str]:
    return {one.path for one in suspects[:count]}


def planted(data: Path, network: Backbone) -> list[Figure]:
    """Means over several plantings."""
    hits: list[tuple[int, ...]] = []
    truth = {photo.name: photo.parent.name for photo in photos_in(data)}
    for seed in range(SEEDS):
        with tempfile.TemporaryDirectory() as folder:
            wrong, foreign = plant(data, Path(folder), seed)
            found = list_of(Path(folder), network)
        suggested = {one.path: one.suggestion for one in found}
        right = sum(suggested.get(path) == truth[Path(path).name] for path in wrong)
        first, second = top(found, 15), top(found, 20)
        faulty = wrong | foreign
        counts = [len(some) for some in (first & faulty, second & faulty, second & wrong, second & foreign)]
        hits.append((*counts, right, len(found)))
    in_15, in_20, labels, strange, right_label, length = (float(value) for value in np.mean(hits, axis=0))
    return [
        Figure("of 15 planted faults, among the first 15", f"{in_15:.1f}", "≥ 11", in_15 >= 11),
        Figure("of 15 planted faults, among the first 20", f"{in_20:.1f}", "≥ 13.5", in_20 >= 13.5),
        Figure("of 10 wrong labels, among the first 20", f"{labels:.1f}"),
        Figure("of 10 wrong labels, the right label suggested", f"{right_label:.1f}"),
        Figure("of 5 foreign pictures, among the first 20", f"{strange:.1f}"),
        Figure("length of the list, of 156 pictures", f"{length:.1f}"),
    ]


def as_they_come(data: Path, network: Backbone) -> list[Figure]:
    """The untouched photographs, with the strangers that really lie among them."""
    with tempfile.TemporaryDirectory() as folder:
        for photo in photos_in(data):
            (Path(folder) / photo.parent.name).mkdir(exist_ok=True)
            (Path(folder) / photo.parent.name / photo.name).write_bytes(photo.read_bytes())
        list_of(Path(folder), network)
        start = perf_counter()
        found = list_of(Path(folder), network)
        seconds = perf_counter() - start
    hits = sum(what_of(Path(path)) in STRANGERS for path in top(found, 20))
    return [
        Figure("of 16 strangers in the folders, among the first 20", f"{hits}"),
        Figure("the list of 167 pictures, features cached", f"{seconds:.1f} s"),
    ]


def faults_of(
    photos: list[Path], poor: set[Path], change: Callable[[Image.Image], Image.Image]
) -> set[tuple[str, str]]:
    """Name and kind of every fault that is found when these are changed."""
    with tempfile.TemporaryDirectory() as folder:
        for photo in photos:
            target = Path(folder) / photo.parent.name / photo.name
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(photo.read_bytes())
            if photo in poor:
                change(Image.open(photo).convert("RGB")).save(target, quality=90)
        with Dataset(Path(folder)) as dataset:
            scan(dataset.pictures)
            rows = dataset.pictures.rows()
    names = {row.id: Path(row.path).name for row in rows}
    return {(names[fault.file], fault.kind) for fault in faults(rows)}


def poor(data: Path) -> list[Figure]:
    """A sixth of the photographs is made poor at a time, until each was once; and the untouched ones."""
    photos = photos_in(data)
    alarms = len({name for name, _ in faults_of(photos, set(), lambda one: one)})
    most = int(0.02 * len(photos))
    figures = [Figure("false alarms, untouched", f"{alarms} of {len(photos)}", f"≤ {most}", alarms <= most)]
    for what, (kind, change) in POOR.items():
        found = 0
        for part in range(6):
            changed = set(photos[part::6])
            named = faults_of(photos, changed, change)
            found += sum((photo.name, kind) in named for photo in changed)
        figures.append(Figure(f"found as {kind}: {what}", f"{found} of {len(photos)}"))
    return figures


def measure(data: Path) -> list[Figure]:
    """All figures."""
    from curation.backbones import backbone

    weights = data.parent / "weights" / "mobilenet_v2_imagenet_1001.safetensors"
    network = backbone("mobilenet_v2_tf", str(weights))
    return planted(data, network) + as_they_come(data, network) + poor(data)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with photos and MNIST, beside `weights`")
    sys.exit(0 if print_table("Suspicious pictures, MobileNetV2", measure(parser.parse_args().data)) else 1)
