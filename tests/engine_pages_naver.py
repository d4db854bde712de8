"""Naver's image search, imitated: a JavaScript literal (no JSON) with the items, tiles drawn from it, 50 a page."""

from __future__ import annotations

import json
from urllib.parse import quote

from tests.engine_scene import Scene, Shown, filled, script, template

A_PAGE = 50
BLOCKED = template("naver_blocked.html")


def small(shown: Shown) -> str:
    """The small picture on Naver's host: its address holds the full one."""
    return f"https://search.pstatic.net/common/?src={quote(shown.address, safe='')}&type=b150"


def item(scene: Scene, shown: Shown) -> dict[str, object]:
    """What Naver says of a picture; numbers come as text and as numbers."""
    opaque = scene.has("thumbs-only")
    return {
        "docId": shown.id,
        "type": "image",
        "title": shown.title.replace("<b>", "<mark>").replace("</b>", "</mark>"),
        "thumb": f"https://ssl.pstatic.net/sstatic/thumb/{shown.id}.jpg" if opaque else small(shown),
        "viewerThumb": ""
        if opaque
        else f"https://search.pstatic.net/common/?src={quote(shown.address, safe='')}&type=sc960",
        "originalUrl": "" if opaque else shown.address,
        "link": shown.page,
        "source": "blog" if shown.number % 2 else "",
        "writerTitle": f"이웃 {shown.number}",
        "orgWidth": str(shown.width) if shown.number % 2 else shown.width,
        "orgHeight": str(shown.height) if shown.number % 2 else shown.height,
    }


MALFORMED: list[object] = [
    None,
    "text",
    {"type": "image"},
    {"type": "image", "originalUrl": None, "link": 7, "orgWidth": {}},
    {"type": "image", "originalUrl": ["http://a"], "title": 3},
    {"type": "image", "originalUrl": "ht!tp://[::", "link": "javascript:alert(1)", "orgWidth": "wide"},
]


def items(scene: Scene, shown: list[Shown]) -> list[object]:
    found: list[object] = [item(scene, one) for one in shown]
    if scene.has("malformed"):
        found = [entry for pair in zip(MALFORMED * len(found), found, strict=False) for entry in pair]
    if scene.has("ads"):
        advert = {
            "type": "shopAd",
            "originalUrl": f"{scene.host}/ads/1.jpg",
            "thumb": "",
            "title": "광고",
            "link": "/ad",
        }
        for place in range(0, len(found) + 6, 7):
            found.insert(place, advert)
    return found


def literal(value: object) -> str:
    """A value as a JavaScript literal: bare keys, single quotes, a comma too many, \\x escapes."""
    if isinstance(value, dict):
        return "{" + "".join(f"{key}:{literal(part)}," for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + ",]"
    if isinstance(value, str):
        inner = json.dumps(value, ensure_ascii=False)[1:-1].replace('\\"', '"').replace("'", "\\'")
        return "'" + inner.replace("</", "<\\/").replace("&", "\\x26").replace("=", "\\x3D") + "'"
    return json.dumps(value)


def page(scene: Scene, start: int) -> str:
    """The page of results from number `start` on; after the last, `endless` gives the last page again."""
    begin = max(0, start - 1)
    if scene.has("endless") and begin >= len(scene.pictures):
        begin = max(0, len(scene.pictures) - A_PAGE)
    shown = list(scene.pictures[begin : begin + A_PAGE])
    if scene.has("changed"):
        return changed(scene, shown)
    if not shown:
        return head(scene) + nothing(scene) + "</body></html>"
    name = "imageTabState" if scene.has("fallback") else "imageSearchTabData"
    data = {
        "shopAd": {
            "items": [{"type": "shopAd", "originalUrl": f"{scene.host}/ads/2.jpg"}] if scene.has("ads") else None
        },
        "content": {
            "url": "//s.search.naver.com/p/c/image/search.naver?" + "x" * 40,
            "total": len(scene.pictures),
            "items": items(scene, shown),
        },
    }
    return (
        head(scene)
        + f'<section class="sp_nimage {scene.name()}"><div id="tiles" class="{scene.name()}"></div></section>'
        + f'<script type="text/javascript" nonce="{scene.name()}">\nvar  {name}  =\n {literal(data)};</script>'
        + DRAW.replace("NAME", name).replace("TILE", scene.name())
        + "</body></html>"
    )


DRAW = script("naver.js")


def head(scene: Scene) -> str:
    return filled("naver_head.html", query=scene.html)


def nothing(scene: Scene) -> str:
    return filled("naver_nothing.html", query=scene.html)


def changed(scene: Scene, shown: list[Shown]) -> str:
    cards = "".join(f'<nv-card id="{one.id}"><canvas data-k="{one.id}"></canvas></nv-card>' for one in shown)
    return f"{head(scene)}<script>self.__next_f.push([1,'{scene.name()}'])</script>{cards}</body></html>"
