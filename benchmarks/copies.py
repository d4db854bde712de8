"""Copies as they are met on the web: ten ways in which one photograph comes back. For benchmarks and tests."""

from __future__ import annotations

import random
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

Change = Callable[[Image.Image, random.Random], Image.Image]


def _smaller(picture: Image.Image, chance: random.Random) -> Image.Image:
    share = chance.uniform(0.4, 0.7)
    return picture.resize((int(picture.width * share), int(picture.height * share)), Image.Resampling.LANCZOS)


def _cropped(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Five hundredths of the width and of the height are cut off, from either side."""
    width, height = picture.size
    left, top = chance.uniform(0, 0.05) * width, chance.uniform(0, 0.05) * height
    return picture.crop((int(left), int(top), int(left + 0.95 * width), int(top + 0.95 * height)))


def _marked(picture: Image.Image, chance: random.Random) -> Image.Image:
    """A watermark in a corner."""
    marked = picture.copy()
    place = (int(picture.width * 0.55), int(picture.height * chance.uniform(0.82, 0.9)))
    ImageDraw.Draw(marked).text(place, "example.com", fill="white", font_size=max(10, picture.height // 14))
    return marked


CHANGES: dict[str, Change] = {
    "recompressed": lambda picture, _: picture,  # at the lower quality below
    "smaller": _smaller,
    "grey": lambda picture, _: ImageOps.grayscale(picture).convert("RGB"),
    "brighter": lambda picture, chance: ImageEnhance.Brightness(picture).enhance(chance.uniform(1.1, 1.3)),
    "blurred": lambda picture, chance: picture.filter(ImageFilter.GaussianBlur(chance.uniform(0.6, 1.2))),
    "watermark": _marked,
    "cropped": _cropped,
    "mirrored": lambda picture, _: ImageOps.mirror(picture),
    "turned": lambda picture, chance: picture.transpose(
        chance.choice((Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270))
    ),
    "inverted": lambda picture, _: ImageOps.invert(picture),
}


def copy_of(picture: Image.Image, kind: str, chance: random.Random) -> bytes:
    """The copy as the bytes of a JPEG."""
    out = BytesIO()
    quality = chance.randint(35, 50) if kind == "recompressed" else chance.randint(75, 95)
    CHANGES[kind](picture, chance).save(out, "JPEG", quality=quality)
    return out.getvalue()


def plant(photos: list[Path], folder: Path, kinds: tuple[str, ...] = tuple(CHANGES), seed: int = 0) -> None:
    """Writes every photo as `pictures/<number>-original.jpg`, and `pictures/<number>-<kind>.jpg` for each kind."""
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    for number, photo in enumerate(photos):
        chance = random.Random(f"{seed} {number}")
        data = photo.read_bytes()
        (folder / "pictures" / f"{number:05d}-original.jpg").write_bytes(data)
        picture = Image.open(BytesIO(data)).convert("RGB")
        for kind in kinds:
            (folder / "pictures" / f"{number:05d}-{kind}.jpg").write_bytes(copy_of(picture, kind, chance))
