"""Google's image search, imitated: what stands in the page, what a scroll brings, consent, block, and no results.

As captured and told by public programs up to September 2026: a tile is `div[jsname=dTDiAc]` with `data-docid` and
`data-lpage`; records with the full address stand in inline scripts for the first pictures, and only in the answers of
the page's own requests for those that come by scrolling, encoded a second time; a real hover gives a tile's link its
/imgres address; the viewer appends a container a picture; every page has "/sorry/" and "enablejs" in its scripts.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from tests.engine_scene import Scene, Shown, filled, script, template
from tests.picture_files import picture

EMPTY_GIF = "data:image/gif;base64,R0lGODlhAQABAIAAAP///////yH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
BATCH = 50
AT_ONCE = 20  # tiles whose thumbnail is in the page; the others are loaded when they come into sight
TOO_MANY = """<!DOCTYPE html><html lang=en><meta charset=utf-8><title>Error 429 (Too Many Requests)!!1</title>
<p><b>429.</b> <ins>That’s an error.</ins><p>We're sorry, but you have sent too many requests to us recently.
Please try again later. <ins>That’s all we know.</ins>"""


def thumbnail(shown: Shown) -> str:
    """The address of the small picture on Google's own host."""
    return f"https://encrypted-tbn{shown.number % 4}.gstatic.com/images?q=tbn:ANd9GcQ{shown.id}&s"


def data_thumbnail(shown: Shown) -> str:
    """The small picture itself."""
    return "data:image/jpeg;base64," + base64.b64encode(picture(shown.number, "jpg", 64, 48)).decode()


def text(value: str) -> str:
    """A string as Google writes it in a script."""
    quoted = json.dumps(value, ensure_ascii=False)
    for sign in "=&<>'":
        quoted = quoted.replace(sign, f"\\u{ord(sign):04x}")
    return quoted


def record(shown: Shown) -> str:
    """What Google knows of a picture: small address, full address, then site, page and title. Height before width."""
    full = f"[{text(shown.address)},{shown.height},{shown.width}]"
    facts = (
        f'{{"2000":[null,{text(shown.site)},"{shown.number}KB"],"2001":[null,null,null,3,9,null,9],'
        f'"2003":[null,"{shown.id[:9]}",{text(shown.page)},{text(shown.title)},null,0,null,null,null,0]}}'
    )
    colour = f"rgb({shown.number % 256},90,82)"
    return f'[0,"{shown.id}",[{text(thumbnail(shown))},183,275],{full},null,0,"{colour}",null,0,{facts}]'


SMALL = '["https://encrypted-tbn0.gstatic.com/images?q\\u003dtbn:x",183,275]'
MALFORMED = (
    f'[0,"brokenbroken1",{SMALL},[null,0,0],null,0,"",null,0,{{}}]',
    f'[0,"brokenbroken2",{SMALL},["ht!tp://[::bad",1e99,-4],null]',
    f'[0,"brokenbroken3",{SMALL},["/relative.jpg",10,10],null]',
    f'[0,"brokenbroken4",{SMALL},["javascript:alert(1)",1,1],"\\ud83d"]',
)


def state(scene: Scene, pictures: Sequence[Shown]) -> str:
    """The inline scripts with the records, twenty a script."""
    scripts = []
    for start in range(0, len(pictures), 20):
        rows = [record(shown) for shown in pictures[start : start + 20]]
        if scene.has("malformed"):
            rows = [row for pair in zip(MALFORMED * 5, rows, strict=False) for row in pair]
        pairs = ",".join(f'"az_{scene.name()}":[1,{row}]' for row in rows)
        scripts.append(
            f"<script nonce='{scene.name()}'>(function(){{var m={{{pairs}}};var a=m;"
            "if(window.W_jd)for(var b in a)window.W_jd[b]=a[b];else window.W_jd=a;})();</script>"
        )
    return "".join(scripts)


def tiles(scene: Scene, pictures: Sequence[Shown], in_page: int = 0) -> str:
    """The tiles: the first `in_page` get their thumbnail by a script, the others when they are seen."""
    a, b, c, d = (scene.name() for _ in range(4))
    rows = []
    for place, shown in enumerate(pictures):
        source = "data-deferred='1'" if place < in_page else f"data-src='{escape(thumbnail(shown))}'"
        rows.append(
            f'<div class="{a} {scene.name()}" jsname="dTDiAc" id="e-{shown.id}" data-docid="{shown.id}" '
            f'data-lpage="{escape(shown.page)}" data-ri="{shown.number - 1}" data-ved="2ahUKE{scene.name()}">'
            f'<h3 class="{b}"><a class="{c}" role="button" tabindex="0" aria-label="View image">'
            f'<img class="{d}" id="dimg_{shown.number}" alt="{escape(shown.title)}" width="180" height="135" '
            f'src="{EMPTY_GIF}" {source}></a></h3>'
            f'<a href="{escape(shown.page)}" target="_blank" rel="noopener"><span>{escape(shown.site)}</span></a></div>'
        )
    return "".join(rows)


def thumbnails(pictures: Sequence[Shown]) -> str:
    """The script that puts the first small pictures into their tiles."""
    rows = [
        f"(function(){{var s='{data_thumbnail(shown).replace('=', chr(92) + 'x3d')}';var ii=['dimg_{shown.number}'];"
        "_setImagesSrc(ii,s);})();"
        for shown in pictures
    ]
    return "<script>" + "".join(rows) + "</script>"


def known(pictures: Sequence[Shown]) -> str:
    """What the page's program knows, out of the reach of whoever reads the page's text."""
    facts = {p.id: [p.address, p.page, p.width, p.height, p.title, thumbnail(p)] for p in pictures}
    return base64.b64encode(json.dumps(facts).encode()).decode()


def advertisements(scene: Scene) -> str:
    """Shopping offers: tiles with small pictures and links that are no results."""
    offers = [filled("google_offer.html", name=scene.name(), host=scene.host, n=str(n)) for n in range(1, 7)]
    return f'<div class="commercial-unit-desktop-top" aria-label="Ads">Sponsored {"".join(offers)}</div>'


def head(scene: Scene) -> str:
    return filled("google_head.html", query=scene.html)


def page(scene: Scene, first: int, consented: bool) -> str:
    """The page that answers a search."""
    if scene.has("changed"):
        return changed(scene)
    if not scene.pictures:
        return head(scene) + nothing(scene)
    shown = scene.pictures[:first]
    at_once = len(shown) if scene.has("thumbs-only") else AT_ONCE
    hidden = scene.has("hover", "viewer", "thumbs-only")
    options = {
        "hover": not scene.has("viewer", "thumbs-only"),
        "viewer": not scene.has("hover", "thumbs-only"),
        "next": len(shown),
        "more": len(scene.pictures) > len(shown) or scene.has("endless"),
        "button": scene.has("more"),
        "scripts": scene.has("scripts"),
    }
    return (
        head(scene)
        + (advertisements(scene) if scene.has("ads") else "")
        + f'<div id="islrg" class="{scene.name()}" data-q="{scene.html}">{tiles(scene, shown, at_once)}</div>'
        + '<div id="after"></div><footer><a href="https://consent.google.com/x">Privacy</a></footer>'
        + ("" if hidden else state(scene, shown))
        + thumbnails(shown[:at_once])
        + SCRIPT.replace("OPTIONS", json.dumps(options)).replace("KNOWN", known(shown))
        + (DIALOG if scene.has("dialog") and not consented else "")
    )


def more(scene: Scene, start: int) -> str:
    """What a scroll brings: tiles, and records that are JSON within JSON. `endless` begins anew when all were shown."""
    if scene.has("endless") and start >= len(scene.pictures):
        start = 0
    shown = scene.pictures[start : start + BATCH]
    hidden = scene.has("hover", "viewer", "thumbs-only")
    records = "" if hidden else "{" + ",".join(f'"az_{scene.name()}":[1,{record(p)}]' for p in shown) + "}"
    body = [["html", tiles(scene, shown)], ["W_jd", records], ["b", known(shown)], ["n", start + len(shown)]]
    last = start + len(shown) >= len(scene.pictures) and not scene.has("endless")
    return ")]}'\n" + json.dumps([*body, ["last", last]], ensure_ascii=False)


def nothing(scene: Scene) -> str:
    return filled("google_nothing.html", name=scene.name(), query=scene.html)


def changed(scene: Scene) -> str:
    """A page after a redesign: pictures to be seen, and none of the things that readers knew."""
    cards = "".join(
        f'<g-card class="{scene.name()}" data-k="{p.id}"><source srcset="/tn/{p.id}.avif"></g-card>'
        for p in scene.pictures
    )
    return head(scene) + f'<c-wiz id="{scene.name()}">{cards}</c-wiz>'


def sorry(back: str) -> str:
    """The block page."""
    return filled("google_sorry.html", title=escape(back), back=json.dumps(back))


def consent(back: str) -> str:
    """The page of the consent host: two forms, told apart by `set_eom`."""

    def form(button: str, label: str, eom: str) -> str:
        return (
            f'<form action="/save" method="POST"><input type="hidden" name="continue" value="{escape(back)}">'
            f'<input type="hidden" name="gl" value="DE"><input type="hidden" name="set_eom" value="{eom}">'
            f'<button id="{button}" jsname="tWT92d" aria-label="{label}"><span>{label}</span></button></form>'
        )

    forms = form("L2AGLb", "Accept all", "false") + form("W0wltc", "Reject all", "true")
    return filled("google_consent.html", forms=forms, back=quote(back, safe=""))


DIALOG = template("google_dialog.html")
SCRIPT = script("google.js")
