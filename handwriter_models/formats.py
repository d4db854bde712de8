"""Picture formats: the one list of file name endings, and the format that the first bytes of a content show.

Every command that walks folders or names files uses this list, so none leaves out what another reads. A name tells
what a file is meant to be, its first bytes what it is: the decoder goes by the bytes alone. Nothing is opened here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

HEAD_BYTES = 4096  # as many as `format_of` looks at

# The first ending of each is the one given to a file that is written.
READ: Mapping[str, tuple[str, ...]] = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".pjpeg", ".pjp", ".mpo"),
    "PNG": (".png", ".apng"),
    "WebP": (".webp",),
    "GIF": (".gif",),
    "BMP": (".bmp", ".dib"),
    "TIFF": (".tiff", ".tif"),
    "AVIF": (".avif", ".avifs"),
    "JPEG 2000": (".jp2", ".j2k", ".jpx", ".jpf", ".j2c", ".jpc"),
    "PNM": (".pnm", ".ppm", ".pgm", ".pbm", ".pfm"),
    "TGA": (".tga",),
    "ICO": (".ico",),
    "PSD": (".psd",),
}
WITH_EXTRA: Mapping[str, tuple[str, ...]] = {
    "HEIC": (".heic", ".heif", ".heics", ".heifs", ".hif"),
    "JPEG XL": (".jxl",),
}
REFUSED: Mapping[str, tuple[str, ...]] = {
    "SVG": (".svg", ".svgz"),
    "PSB": (".psb",),
    "camera raw": (".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf", ".pef", ".srw"),
    "JPEG XR": (".jxr", ".wdp", ".hdp"),
    "QOI": (".qoi",),
    "OpenEXR": (".exr",),
    "Radiance HDR": (".hdr",),
    "PCX": (".pcx",),
    "DDS": (".dds",),
    "XCF": (".xcf",),
    "ICNS": (".icns",),
    "CUR": (".cur",),
    "PAM": (".pam",),
    "WMF": (".wmf", ".emf"),
    "EPS": (".eps",),
}
ENDINGS_OF: Mapping[str, tuple[str, ...]] = {**READ, **WITH_EXTRA}  # what a sound picture may be
ENDINGS = frozenset(
    ending for formats in (READ, WITH_EXTRA, REFUSED) for endings in formats.values() for ending in endings
)

_NAME = re.compile(
    rf"(?P<ending>{'|'.join(re.escape(ending) for ending in sorted(ENDINGS, key=len, reverse=True))})"
    r"(?:$|(?:[?#&;]|%3f|%23).*$|[^a-z0-9.][^.]*$)",
    re.IGNORECASE | re.DOTALL,
)
_SVG = (
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml.{0,2000}?\?>\s*)?"
    rb"(?:<!--.{0,2000}?-->\s*){0,3}(?:<!DOCTYPE svg.{0,2000}?>\s*)?<svg\b"
)
_MAGIC = (
    (re.compile(rb"\xff\xd8\xff"), "JPEG"),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "PNG"),
    (re.compile(rb"(?s)RIFF....WEBP"), "WebP"),
    (re.compile(rb"GIF8[79]a"), "GIF"),
    (re.compile(rb"(?s)BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0\0\0"), "BMP"),
    (re.compile(rb"II\*\0....CR|IIR[OS]|MMOR|IIU\0|FUJIFILMCCD-RAW", re.DOTALL), "camera raw"),
    (re.compile(rb"II[*+]\0|MM\0[*+]"), "TIFF"),
    (re.compile(rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51\0"), "JPEG 2000"),
    (re.compile(rb"\0\0\0\x0cJXL \r\n\x87\n|\xff\x0a"), "JPEG XL"),
    (re.compile(rb"(?:P[1-6]|Pf)(?:\s|#[^\n]{0,200}\n)+\d+(?:\s|#[^\n]{0,200}\n)+\d+\s"), "PNM"),
    (re.compile(rb"P7\n"), "PAM"),
    (re.compile(rb"(?s)\0\0\x01\0[^\0]\0...\0"), "ICO"),
    (re.compile(rb"(?s)\0\0\x02\0[^\0]\0...\0"), "CUR"),
    (re.compile(rb"8BPS\0\x01"), "PSD"),
    (re.compile(rb"8BPS\0\x02"), "PSB"),
    (re.compile(rb"II\xbc[\0\x01]"), "JPEG XR"),
    (re.compile(rb"qoif"), "QOI"),
    (re.compile(rb"\x76\x2f\x31\x01"), "OpenEXR"),
    (re.compile(rb"#\?(?:RADIANCE|RGBE)\n"), "Radiance HDR"),
    (re.compile(rb"\x0a[\0\x02-\x05]\x01[\x01\x02\x04\x08]"), "PCX"),
    (re.compile(rb"DDS "), "DDS"),
    (re.compile(rb"gimp xcf "), "XCF"),
    (re.compile(rb"(?s)icns.{4}"), "ICNS"),
    (re.compile(rb"\xd7\xcd\xc6\x9a|\x01\0\0\0(?s:.{36}) EMF"), "WMF"),
    (re.compile(rb"%!PS-Adobe-[\d.]+ EPSF|\xc5\xd0\xd3\xc6"), "EPS"),
    (re.compile(_SVG, re.DOTALL), "SVG"),
)
_HEIC_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"))


def ending_of(name: str) -> str:
    """The picture's ending in a file name as `ENDINGS` spells it, or "" where it has none.

    What saved addresses leave behind it counts as nothing: `a.JPG`, `a.jpg_large`, `a.jpg?w=200`, `a.jpg (1)`.
    """
    found = _NAME.search(name)
    return found["ending"].lower() if found else ""


def format_of(head: bytes) -> str:
    """The format that a content's first bytes show, a key of `READ`, `WITH_EXTRA` or `REFUSED`; "" for no picture.

    `head`: the whole content or its first `HEAD_BYTES`; 64 tell every format but SVG, PNM with comments and TGA.
    """
    head = head[:HEAD_BYTES]
    for magic, name in _MAGIC:
        if magic.match(head):
            return name
    if head[4:8] == b"ftyp":
        return _iso_format(head)
    return "TGA" if _is_tga(head) else ""


def _iso_format(head: bytes) -> str:
    """The brands of the file type box (ISO/IEC 14496-12): the first is the major one, the second field a version."""
    end = max(16, min(int.from_bytes(head[:4], "big"), len(head)))
    brands = [head[8:12], *(head[place : place + 4] for place in range(16, end, 4))]
    if brands[0] == b"crx ":
        return "camera raw"
    still = brands[0] in _HEIC_BRANDS or brands[0] in (b"avif", b"avis")
    if still and (b"avif" in brands or b"avis" in brands):
        return "AVIF"
    return "HEIC" if brands[0] in _HEIC_BRANDS else ""


def _is_tga(head: bytes) -> bool:
    """TGA has no magic: every field of its header must be one that writers use, and the unused ones zero."""
    if len(head) < 18:
        return False
    palette, kind, entries, entry, depth, flags = head[1], head[2], head[3:7], head[7], head[16], head[17]
    if not any(head[12:14]) or not any(head[14:16]) or flags & 0xC0 or flags & 15 not in (0, 1, 8):
        return False
    if kind in (1, 9):
        return palette == 1 and depth == 8 and entry in (15, 16, 24, 32) and any(entries[2:])
    depths = {2: (15, 16, 24, 32), 10: (15, 16, 24, 32), 3: (8, 16), 11: (8, 16)}.get(kind, ())
    return palette == 0 and not any(entries) and entry == 0 and depth in depths
