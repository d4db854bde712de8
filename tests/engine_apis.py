"""The APIs of Openverse and Wikimedia Commons, imitated: paging, limits, licences, HTML where an author should be."""

from __future__ import annotations

import json
from html import escape
from urllib.parse import quote

from tests.engine_scene import LICENCES, Scene, Shown
from tests.loopback_site import Request, Wire

JSON = {"Content-Type": "application/json; charset=utf-8"}
OPENVERSE_PAGE, OPENVERSE_DEPTH = 20, 240
ODD: list[object] = [
    None,
    3,
    {},
    {"url": None, "id": 1},
    {"url": ["x"], "title": {}},
    {"url": "ht!tp://[::", "creator": 7},
]


def say(wire: Wire, status: int, value: object, **headers: str) -> None:
    """Answers with JSON."""
    wire.send(status, {**JSON, **headers}, json.dumps(value, ensure_ascii=False).encode())


def openverse(scene: Scene, request: Request, wire: Wire) -> None:
    """`/v1/images/`: 20 a page and 240 a query for those without an account."""
    page, size = int(request.query.get("page") or 1), int(request.query.get("page_size") or OPENVERSE_PAGE)
    if scene.has("429"):
        say(wire, 429, {"detail": "Request was throttled. Expected available in 12 seconds."}, **{"Retry-After": "12"})
    elif scene.has("sorry"):
        wire.send(
            403,
            {"Content-Type": "text/html"},
            b"<title>Attention Required! | Cloudflare</title><h1>Sorry, you have been blocked</h1>",
        )
    elif size > OPENVERSE_PAGE or page * size > OPENVERSE_DEPTH:
        say(wire, 401, {"detail": {"page_size": ["page_size must be between 1 & 20 for anonymous requests."]}})
    elif scene.has("changed"):
        say(wire, 200, {"data": [{"href": shown.address} for shown in scene.pictures], "meta": {}})
    else:
        shown = scene.pictures[(page - 1) * size : page * size]
        rows: list[object] = [openverse_row(one) for one in shown]
        if scene.has("malformed"):
            rows = [row for pair in zip(ODD * len(rows), rows, strict=False) for row in pair]
        total = len(scene.pictures)
        counts = {
            "result_count": total,
            "page_count": min(-(-total // size), OPENVERSE_DEPTH // size),
            "page_size": size,
        }
        say(wire, 200, {**counts, "page": page, "results": rows, "warnings": []})


def openverse_row(shown: Shown) -> dict[str, object]:
    licence, version = LICENCES[shown.number % len(LICENCES)]
    return {
        "id": shown.id,
        "title": shown.title,
        "indexed_on": "2020-01-05T19:29:24Z",
        "foreign_landing_url": shown.page,
        "url": shown.address,
        "creator": f"Ó Someone {shown.number}" if shown.number % 3 else None,
        "creator_url": "https://www.flickr.com/photos/x",
        "license": licence,
        "license_version": version,
        "license_url": f"https://creativecommons.org/licenses/{licence}/{version}/",
        "provider": "flickr",
        "source": "flickr",
        "category": None,
        "filesize": None,
        "filetype": None,
        "tags": [{"name": "cat", "accuracy": None}],
        "attribution": f'"{shown.title}" by Ó Someone {shown.number} is licensed under {licence.upper()} {version}.',
        "mature": False,
        "height": shown.height if shown.number % 4 else None,
        "width": shown.width if shown.number % 4 else None,
        "thumbnail": f"https://api.openverse.org/v1/images/{shown.id}/thumb/",
        "detail_url": f"https://api.openverse.org/v1/images/{shown.id}/",
    }


def commons(scene: Scene, request: Request, wire: Wire) -> None:
    """`/w/api.php`: an identifying User-Agent is asked for; continuation by `gsroffset`; pages come in no order."""
    query = request.query
    agent = request.headers.get("User-Agent", "")
    if not agent or agent.startswith(("Python", "python", "aiohttp", "Mozilla")):
        wire.send(
            403,
            {"Content-Type": "text/plain"},
            b"Please set a user-agent and respect our robot policy https://w.wiki/4wJS.",
        )
    elif scene.has("429"):
        wire.send(
            429,
            {"Content-Type": "text/html", "Retry-After": "5"},
            b"<!DOCTYPE html><title>Wikimedia Error</title>Too many requests",
        )
    elif scene.has("sorry"):
        say(wire, 200, {"error": {"code": "ratelimited", "info": "You've exceeded your rate limit.", "docref": "See"}})
    elif scene.has("changed"):
        say(wire, 200, {"batchcomplete": True, "result": {"files": [shown.address for shown in scene.pictures]}})
    else:
        begin, size = int(query.get("gsroffset") or 0), min(50, int(query.get("gsrlimit") or 10))
        say(wire, 200, commons_answer(scene, begin, size))


def commons_answer(scene: Scene, begin: int, size: int) -> dict[str, object]:
    shown = scene.pictures[begin : begin + size]
    answer: dict[str, object] = {"batchcomplete": True}
    if begin + size < len(scene.pictures):
        answer["continue"] = {"gsroffset": begin + size, "continue": "gsroffset||"}
    if shown:
        pages: list[object] = [commons_page(scene, one) for one in shown]
        pages.sort(key=lambda page: page["title"])  # type: ignore[index]
        if scene.has("malformed"):
            broken = [
                None,
                3,
                {},
                {"imageinfo": []},
                {"imageinfo": [{"url": 5}], "index": "x"},
                {"imageinfo": [{"url": "ht!tp://[::"}]},
            ]
            pages = [page for pair in zip(broken * len(pages), pages, strict=False) for page in pair]
        answer["query"] = {"pages": pages}
    return answer


def commons_page(scene: Scene, shown: Shown) -> dict[str, object]:
    licence, version = LICENCES[shown.number % len(LICENCES)]
    author = f'<a href="//commons.wikimedia.org/wiki/User:X" title="User:X">Ó <b>Someone</b> &amp; {shown.number}</a>'
    name = f"File:{shown.id} {shown.number}.jpg"

    def value(text: str) -> dict[str, str]:
        return {"value": text, "source": "commons-desc-page", "hidden": ""}

    return {
        "pageid": 1000 + shown.number,
        "ns": 6,
        "title": name,
        "index": shown.number,
        "imagerepository": "local",
        "imageinfo": [
            {
                "user": f"Uploader {shown.number}",
                "size": 65536,
                "width": shown.width,
                "height": shown.height,
                "thumburl": f"{scene.host}/thumb/{shown.number}.jpg",
                "thumbwidth": 1024,
                "thumbheight": 768,
                "url": shown.address,
                "descriptionurl": f"https://commons.wikimedia.org/wiki/{quote(name)}",
                "mime": "image/jpeg",
                "sha1": shown.id,
                "extmetadata": {
                    "LicenseShortName": value(f"CC {licence.upper()} {version}"),
                    "LicenseUrl": value(f"https://creativecommons.org/licenses/{licence}/{version}"),
                    "Artist": value(author),
                    "Credit": value('<span class="int-own-work" lang="en">Own work</span>'),
                    "ImageDescription": value(escape(shown.title)),
                },
            }
        ],
    }
