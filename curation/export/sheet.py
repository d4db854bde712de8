"""`OUT/index.html` and further pages: all pictures small, by label, with licence and source, for eyes and for print.

Every page is one file that needs no other: thumbnails are data: addresses, there is no script, and the page forbids
itself to load anything. All text on it comes from strangers and is escaped; links go to http(s) only.
"""

from __future__ import annotations

import base64
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html import escape
from io import BytesIO
from itertools import groupby
from pathlib import Path

from curation.export.links import plain, web_address, web_source
from curation.export.selection import PARTS, Label, Sample, Selection
from curation.export.sheet_style import STYLE, STYLE_DIGEST
from curation.fingerprint import LIMITS
from handwriter_models.images import PictureError, read_picture

A_PAGE = 500  # pictures; 4 MB or so
SIDE, QUALITY = 200, 72  # of a thumbnail: pixels on its longer side, and of JPEG


@dataclass(frozen=True)
class _Contents:
    """What all pages of a sheet share: the labels, the page each begins on, and counts by label and part."""

    name: str
    labels: list[Label]
    begins: dict[int, int]
    counts: dict[int, Counter[str]]
    pages: int


def write(chosen: Selection, folder: Path, a_page: int = A_PAGE) -> None:
    """All pages, by label and then by part and name."""
    ordered = sorted(chosen.samples, key=lambda one: (one.label.number, PARTS.index(one.part), one.name))
    pages = [ordered[start : start + a_page] for start in range(0, len(ordered), a_page)]
    begins: dict[int, int] = {}
    counts: dict[int, Counter[str]] = {}
    for number, page in enumerate(pages):
        for sample in page:
            begins.setdefault(sample.label.number, number)
            counts.setdefault(sample.label.number, Counter())[sample.part] += 1
    contents = _Contents(chosen.root.name, chosen.labels, begins, counts, len(pages))
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1), "sheet") as pool:
        for number, page in enumerate(pages):
            with (folder / page_name(number)).open("w", encoding="utf-8", newline="\n") as file:
                file.write(_head(contents, number))
                tiles = zip(page, pool.map(lambda one: _thumbnail(chosen, one), page), strict=True)
                file.writelines(_sections(contents, number, tiles, chosen))
                file.write(_pager(contents, number) + "</main>\n</body>\n</html>\n")


def page_name(number: int) -> str:
    """index.html, page-2.html, …"""
    return f"page-{number + 1}.html" if number else "index.html"


def _thumbnail(chosen: Selection, sample: Sample) -> tuple[str, int, int] | None:
    """A data: address with width and height; None for what cannot be shown, which is noted."""
    whole = chosen.read_whole(sample)
    if whole is None:
        return None
    try:
        picture = read_picture(whole.data, LIMITS, enough=SIDE)
    except PictureError as error:
        chosen.missed.append((sample.row.path, error.what))
        return None
    picture.thumbnail((SIDE, SIDE))
    file = BytesIO()
    picture.save(file, "JPEG", quality=QUALITY, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}", picture.width, picture.height


def _sections(
    contents: _Contents,
    page: int,
    tiles: Iterator[tuple[Sample, tuple[str, int, int] | None]],
    chosen: Selection,
) -> Iterator[str]:
    for label, members in groupby(tiles, key=lambda tile: tile[0].label):
        counts = contents.counts[label.number]
        goes_on = "" if contents.begins[label.number] == page else " <small>continued</small>"
        yield f'<section id="l{label.number}">\n<h2><bdi>{_label(label)}</bdi>{goes_on}{_badges(counts)}</h2>\n'
        yield '<ul class="tiles">\n'
        for sample, thumbnail in members:
            if thumbnail:
                yield _tile(sample, thumbnail)
                chosen.count(sample)
        yield "</ul>\n</section>\n"


def _tile(sample: Sample, thumbnail: tuple[str, int, int]) -> str:
    row = sample.row
    address, width, height = thumbnail
    title = plain(row.title, 120) or plain(row.path.rpartition("/")[2], 120)
    about = escape(f"{plain(row.path)} · {row.width} × {row.height}")
    tiny = ' class="tiny"' if max(width, height) < 64 else ""  # enlarged: as clear dots, not as a blur
    image = f'<img{tiny} src="{address}" width="{width}" height="{height}" alt="{escape(title)}" loading="lazy">'
    origin = web_source(row.page, row.address)
    frame = _link(origin, image) if origin else image
    licence = _linked(plain(row.licence, 60), row.licence_address) if row.licence else "licence not known"
    author = f'<span class="by"><bdi>{escape(plain(row.author, 60))}</bdi></span>' if row.author else ""
    known = "licence" if row.licence else "licence unknown"
    return (
        f'<li class="{sample.part}"><div class="frame" title="{about}">{frame}</div>'
        f'<span class="title"><bdi>{escape(title)}</bdi></span>{author}<span class="{known}">{licence}</span></li>\n'
    )


def _label(label: Label) -> str:
    return escape(plain(label.text, 80)) or "no label"


def _badges(counts: Counter[str]) -> str:
    parts = "".join(f'<span class="badge {part}">{part} {counts[part]:,}</span>' for part in PARTS if counts[part])
    return f'<span class="badge">{counts.total():,}</span>{parts if len(counts) > 1 else ""}'


def _linked(text: str, address: str) -> str:
    safe = web_address(address)
    return _link(safe, escape(text)) if safe else escape(text)


def _link(safe: str, inside: str) -> str:
    return f'<a href="{escape(safe)}" rel="noopener noreferrer nofollow">{inside}</a>'


def _head(contents: _Contents, page: int) -> str:
    name = escape(plain(contents.name))
    total = sum((counts for counts in contents.counts.values()), Counter[str]())
    counted = f"{_number(total.total(), 'picture')} · {_number(len(contents.labels), 'label')}"
    where = f" · page {page + 1} of {contents.pages}" if contents.pages > 1 else ""
    policy = f"default-src 'none'; img-src data:; style-src '{STYLE_DIGEST}'; base-uri 'none'; form-action 'none'"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>{name}: contact sheet</title>
<style>{STYLE}</style>
</head>
<body>
<header>
<h1><bdi>{name}</bdi></h1>
<p><span>{counted}{where}</span>{_legend(total)}</p>
{_index(contents, page)}</header>
<main>
"""


def _legend(total: Counter[str]) -> str:
    if len(total) < 2:
        return ""
    return "".join(f'<span class="badge {part}">{part} {total[part]:,}</span>' for part in PARTS if total[part])


def _index(contents: _Contents, page: int) -> str:
    """Links to all labels, wherever they begin; on the first page only."""
    if page:
        return f"<nav>{_steps(contents, page)}</nav>\n"
    pages = {number: page_name(begin) if begin else "" for number, begin in contents.begins.items()}
    links = [
        f'<a href="{pages[label.number]}#l{label.number}">'
        f"<bdi>{_label(label)}</bdi> <small>{contents.counts[label.number].total():,}</small></a>"
        for label in contents.labels
    ]
    return f'<nav aria-label="Labels">{"".join(links)}</nav>\n'


def _pager(contents: _Contents, page: int) -> str:
    return f'<nav class="pager" aria-label="Pages">{_steps(contents, page)}</nav>\n' if contents.pages > 1 else ""


def _steps(contents: _Contents, page: int) -> str:
    last = contents.pages - 1
    steps = {"first": 0, "← before": page - 1, "next →": page + 1, "last": last}
    if page <= 1:
        del steps["first"]
    if page >= last - 1:
        del steps["last"]
    return "".join(f'<a href="{page_name(to)}">{text}</a>' for text, to in steps.items() if 0 <= to <= last)


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
