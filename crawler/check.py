"""Whether fetched bytes are a picture to keep: decoded to the end, large enough, in its true format. For threads."""

from __future__ import annotations

import hashlib
import threading
from contextlib import nullcontext
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from crawler.addresses import Refusal
from curation.records import Reason
from handwriter_models.errors import item_error
from handwriter_models.formats import ENDINGS_OF
from handwriter_models.images import Limits, PictureError, read_picture, sound_picture

QUALITY = 92  # of a JPEG that we write
HEAVY = 8_000_000  # pixels above which pictures are decoded one at a time, so that four cannot fill the memory
_heavy = threading.Lock()
_REASONS = {413: Reason.TOO_MANY_PIXELS, 415: Reason.NOT_AN_IMAGE, 400: Reason.TRUNCATED}


@dataclass(frozen=True)
class PictureRules:
    """Which pictures are kept and how; sides in pixels, `max_side` 0 for any, `convert` one of "", jpeg, png."""

    min_side: int = 32
    max_side: int = 0
    convert: str = ""
    max_bytes: int = 20 * 2**20
    max_pixels: int = 40_000_000
    check: bool = True  # decode to the end; False only to measure what that costs

    @property
    def limits(self) -> Limits:
        """The same for the decoder."""
        return Limits(bytes=self.max_bytes, pixels=self.max_pixels)


@dataclass(frozen=True)
class Checked:
    """A picture worth keeping: its bytes (converted where that was asked for), their hashes, format and size."""

    data: bytes
    sha256: str
    original_sha256: str
    extension: str
    width: int
    height: int


def checked(data: bytes, rules: PictureRules) -> Checked:
    """The picture in these bytes; raises `Refusal` (not-an-image, truncated, too-many-pixels, too-small)."""
    original = hashlib.sha256(data).hexdigest()
    try:
        kind, width, height = _facts(data, rules)
        if min(width, height) < rules.min_side:
            raise Refusal(Reason.TOO_SMALL, f"{width} x {height} pixels")
        if not _is_to_be_written(kind, width, height, rules):
            return Checked(data, original, original, ENDINGS_OF[kind][0][1:], width, height)
        return _written(data, original, kind, rules)
    except PictureError as error:
        raise Refusal(_REASONS[error.status] if data else Reason.NOT_AN_IMAGE, error.what) from error
    except Refusal:
        raise
    except Exception as error:  # of one picture: the crawl goes on
        raise Refusal(Reason.NOT_AN_IMAGE, item_error(error, "a fetched picture").what) from error


def _facts(data: bytes, rules: PictureRules) -> tuple[str, int, int]:
    kind, width, height = sound_picture(data, rules.limits, in_full=False)
    if rules.check:
        with _heavy if width * height > HEAVY else nullcontext():
            sound_picture(data, rules.limits)
    return kind, width, height


def _is_to_be_written(kind: str, width: int, height: int, rules: PictureRules) -> bool:
    too_large = bool(rules.max_side) and max(width, height) > rules.max_side
    return too_large or (bool(rules.convert) and rules.convert.lower() != kind.lower())


def _written(data: bytes, original: str, kind: str, rules: PictureRules) -> Checked:
    """The picture written anew: turned as its EXIF says, without metadata, scaled down where it was too large."""
    with _heavy:
        picture = read_picture(data, rules.limits)
        if rules.max_side:
            picture.thumbnail((rules.max_side, rules.max_side), Image.Resampling.LANCZOS)
        out = BytesIO()
        name = rules.convert or ("jpeg" if kind == "JPEG" else "png")
        picture.save(out, "JPEG" if name == "jpeg" else "PNG", **({"quality": QUALITY} if name == "jpeg" else {}))
    new = out.getvalue()
    extension = "jpg" if name == "jpeg" else "png"
    return Checked(new, hashlib.sha256(new).hexdigest(), original, extension, *picture.size)
