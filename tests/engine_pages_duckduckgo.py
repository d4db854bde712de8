"""DuckDuckGo's image search, imitated: a page with a `vqd` token whose program fetches /i.js and draws what comes.

In the page there are only small pictures, through DuckDuckGo's own host; full addresses are in /i.js, and in the pane
that a trusted click opens. /i.js answers 403 without the right token, and to all when the query says "limited".
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from urllib.parse import quote

from tests.engine_scene import Scene, Shown, filled, script

A_PAGE = 100


def token(scene: Scene) -> str:
    return f"4-{zlib.crc32(scene.query.encode())}{len(scene.query):020}"


def small(shown: Shown) -> str:
    """The address of the small picture, which is Bing's."""
    return f"https://tse{shown.number % 4 + 1}.mm.bing.net/th?id=OIP.{shown.id}&pid=Api"


def result(scene: Scene, shown: Shown) -> dict[str, object]:
    return {
        "height": shown.height,
        "image": "" if scene.has("thumbs-only") else shown.address,
        "image_token": shown.id,
        "source": "Bing",
        "thumbnail": small(shown),
        "thumbnail_token": shown.id,
        "title": shown.title,
        "url": shown.page,
        "width": shown.width,
    }


MALFORMED: list[object] = [
    None,
    7,
    {},
    {"image": None, "thumbnail": None, "url": None, "title": None, "width": None, "height": "tall"},
    {"image": ["http://a"], "thumbnail": {}, "title": 3, "url": 4},
    {
        "image": "ht!tp://[::",
        "thumbnail": "",
        "title": "bad",
        "url": "javascript:alert(1)",
        "width": -1,
        "height": 1e300,
    },
]


def results(scene: Scene, query: Mapping[str, str]) -> tuple[int, str]:
    """Status and text of /i.js."""
    if scene.has("limited") or query.get("vqd") != token(scene):
        return 403, "If this error persists, please let us know: error-lite@duckduckgo.com"
    if scene.has("changed"):
        return 200, json.dumps({"payload": {"cards": [shown.id for shown in scene.pictures]}})
    begin = int(query.get("s") or 0)
    if scene.has("endless") and begin >= len(scene.pictures):
        begin = 0
    shown = scene.pictures[begin : begin + A_PAGE]
    rows: list[object] = [result(scene, one) for one in shown]
    if scene.has("malformed"):
        rows = [row for pair in zip(MALFORMED * len(rows), rows, strict=False) for row in pair]
    answer: dict[str, object] = {
        "ads": None if not scene.has("ads") else [{"image": f"{scene.host}/ads/1.jpg", "title": "Ad"}],
        "query": scene.query,
        "queryEncoded": quote(scene.query),
        "response_type": "places",
        "results": rows,
        "vqd": {scene.query: token(scene)},
    }
    if begin + A_PAGE < len(scene.pictures) or scene.has("endless"):
        answer["next"] = f"i.js?q={quote(scene.query)}&o=json&p=1&s={begin + A_PAGE}&u=bing&f=,,,&l=us-en"
    return 200, json.dumps(answer, ensure_ascii=False)


def page(scene: Scene) -> str:
    """The page that answers a search; the program in it does the rest."""
    empty = json.dumps(f"No results found for <b>{scene.html}</b>.").replace("</", "<\\/")
    program = SCRIPT.replace("FIGURE", scene.name()).replace("TOKEN", token(scene)).replace("EMPTY", empty)
    return (
        filled("duckduckgo_head.html", query=scene.html, quoted=quote(scene.query), token=token(scene))
        + (ADVERT.format(host=scene.host) if scene.has("ads") else "")
        + f'<section id="zci-images" class="{scene.name()}"></section><div id="say"></div>{program}'
    )


def anomaly(scene: Scene) -> str:
    """The block page, given with status 202."""
    return filled("duckduckgo_anomaly.html", query=scene.html)


ADVERT = '<div data-layout="ad"><a href="/y.js?ad_domain=shop.example"><img src="{host}/ads/2.jpg" alt="Ad"></a></div>'
SCRIPT = script("duckduckgo.js")
