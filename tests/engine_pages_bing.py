"""Bing's image search, imitated: `a.iusc` with its JSON, more by /images/async on scrolling, `first` counts pictures.

As in life: the JSON is escaped HTML, titles hold private-use marks around the words that were found, the link of a tile
holds the full address a second time (`mediaurl`, percent-encoded in lower case), and past its end Bing may begin anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from tests.engine_scene import Scene, Shown, filled, script, template

A_PAGE = 35


def small(shown: Shown) -> str:
    """The address of the small picture on Bing's host."""
    return f"https://tse{shown.number % 4 + 1}.mm.bing.net/th?id=OIP.{shown.id}&pid=15.1"


def lower_quoted(address: str) -> str:
    """Percent-encoded as Bing does it: %3a, not %3A."""
    return re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), quote(address, safe=""))


def facts(scene: Scene, shown: Shown) -> dict[str, object]:
    """The JSON of a tile."""
    return {
        "sid": "",
        "cid": shown.id,
        "purl": shown.page,
        **({} if scene.has("thumbs-only", "fallback") else {"murl": shown.address}),
        "turl": small(shown),
        "md5": shown.id.lower(),
        "shkey": "",
        "t": shown.title.replace(scene.query[:60], f"\ue000{scene.query[:60]}\ue001"),
        "mid": shown.id,
        "desc": "",
    }


def tile(scene: Scene, shown: Shown) -> str:
    media = "" if scene.has("thumbs-only") else f"&mediaurl={lower_quoted(shown.address)}"
    link = (
        f"/images/search?view=detailV2&ccid={shown.id}&id={shown.id}&thid=OIP.{shown.id}{media}&exph={shown.height}"
        f"&expw={shown.width}&q={quote(scene.query)}&simid=608&FORM=IRPRST&selectedIndex={shown.number - 1}&itb=0"
    )
    source = "src" if shown.number <= 20 else 'src="data:image/gif;base64,R0lGODlhAQABAIAAAAUEBA==" data-src'
    marks = escape(json.dumps(facts(scene, shown), ensure_ascii=shown.number % 2 == 0, separators=(",", ":")))
    return (
        f'<li data-idx="{shown.number}"><div class="iuscp varh isv {scene.name()}"><div class="imgpt">'
        f'<a class="iusc" style="height:180px;width:240px" m="{marks}" href="{escape(link)}" h="ID=images,5">'
        f'<div class="img_cont hoff"><img class="mimg {scene.name()}" {source}="{escape(small(shown))}" '
        f'alt="{escape(shown.title)}" width="240" height="180"></div></a></div></div></li>'
    )


MALFORMED = (
    '<li><a class="iusc" m="{&quot;murl&quot;:" href="/images/search?view=detailV2&amp;mediaurl=">broken</a></li>',
    '<li><a class="iusc" m="">empty</a></li>',
    '<li><a class="iusc" m="[1,2]">list</a></li>',
    '<li><a class="iusc" m="{&quot;murl&quot;:7,&quot;purl&quot;:{}}">odd</a></li>',
    '<li><a class="iusc" m="{&quot;murl&quot;:&quot;ht!tp://[::&quot;,&quot;t&quot;:null}">bad</a></li>',
    '<li><a class="iusc" m="{&quot;murl&quot;:&quot;javascript:alert(1)&quot;}">script</a></li>',
    '<li><a class="iusc">none</a></li>',
)


def grid(scene: Scene, shown: Sequence[Shown]) -> str:
    rows = [tile(scene, one) for one in shown]
    if scene.has("malformed"):
        rows = [row for pair in zip(MALFORMED * len(rows), rows, strict=False) for row in pair]
    return f'<ul class="dgControl_list {scene.name()}" data-row="1">{"".join(rows)}</ul>'


def part(scene: Scene, first: int) -> Sequence[Shown]:
    """The pictures from number `first` on; 0 and 1 both mean the first."""
    begin = max(0, first - 1)
    if scene.has("endless") and scene.pictures:
        begin %= len(scene.pictures)
    return scene.pictures[begin : begin + A_PAGE]


def more(scene: Scene, first: int) -> str:
    """The fragment that scrolling brings; nothing of a page around it."""
    if scene.has("changed"):
        return ""
    shown = part(scene, first)
    return f'<div class="dg_u">{grid(scene, shown)}</div>' if shown else '<div class="dg_u"></div>'


def head(scene: Scene) -> str:
    return filled("bing_head.html", query=scene.html)


def page(scene: Scene, first: int, consented: bool) -> str:
    """The page that answers a search."""
    shown = part(scene, first)
    if scene.has("changed"):
        cards = "".join(f'<cib-card k="{one.id}"><cib-img blob="{one.id}"></cib-img></cib-card>' for one in shown)
        return f"{head(scene)}<cib-grid>{cards}</cib-grid>"
    if not shown:
        return f"{head(scene)}{nothing(scene)}"
    options = {
        "next": max(1, first) + len(shown),
        "more": scene.has("endless") or max(1, first) - 1 + len(shown) < len(scene.pictures),
        "button": scene.has("more"),
    }
    return (
        head(scene)
        + (advertisements(scene) if scene.has("ads") else "")
        + f'<div id="mmComponent_images_1" class="dg_b">{grid(scene, shown)}</div>'
        + '<div class="mm_seemore" style="display:none"><a class="btn_seemore cbtn" href="#">See more images</a></div>'
        + SCRIPT.replace("OPTIONS", json.dumps(options))
        + (BANNER if scene.has("consent", "dialog") and not consented else "")
    )


def advertisements(scene: Scene) -> str:
    """Sponsored products above the results."""
    offers = [filled("bing_offer.html", name=scene.name(), host=scene.host, n=str(n)) for n in range(1, 7)]
    return f'<div class="b_ad" aria-label="Sponsored"><ul>{"".join(offers)}</ul></div>'


def nothing(scene: Scene) -> str:
    return filled("bing_nothing.html", name=scene.name(), query=scene.html)


def challenge(scene: Scene) -> str:
    """The page that asks whether a person is there."""
    return filled("bing_challenge.html", query=scene.html)


BANNER = template("bing_banner.html")

SCRIPT = script("bing.js")
