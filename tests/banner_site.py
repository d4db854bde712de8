"""Result pages of Bing and Google over which something comes after a while: what it is and says, the words choose.

While it lies there nothing more is loaded, as on the real pages; only a real click on "reject" (or "close", where
nothing is asked) takes it away, and the site is told which button was pressed.
"""

from __future__ import annotations

import json
from html import escape
from urllib.parse import quote

from tests.engine_scene import template
from tests.loopback_site import LoopbackSite, Request, Wire

HTML = {"Content-Type": "text/html; charset=utf-8"}
# text, accept, reject: as banners in these languages have them
LANGUAGES = {
    "en": ("We use cookies and other data to improve our service.", "Accept all", "Reject all"),
    "de": ("Wir verwenden Cookies und Daten, um Dienste anzubieten.", "Alle akzeptieren", "Alle ablehnen"),
    "fr": ("Nous utilisons des cookies et des données.", "Tout accepter", "Tout refuser"),
    "ko": ("서비스 제공을 위해 쿠키와 데이터를 사용합니다.", "모두 수락", "모두 거부"),
    "ja": ("サービスを提供するために Cookie とデータを使用します。", "すべて受け入れる", "すべて拒否"),
    "pl": ("Używamy plików cookie i danych.", "Zaakceptuj wszystko", "Odrzuć wszystko"),
    "eo": ("Ni uzas kuketojn (cookies) kaj datumojn.", "Bone", "Agordoj"),  # no word for "reject" that is known
}


def full(n: int) -> str:
    """The address of picture `n`."""
    return f"http://pictures.example/{n}.jpg"


class BannerSite(LoopbackSite):
    """Answers both engines' paths; `answers` are the buttons that were really pressed."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[str] = []

    def respond(self, request: Request, wire: Wire) -> None:
        if request.path == "/answer":
            self.answers.append(request.query["with"])
            wire.send(200, HTML, b"")
        elif request.path == "/frame":
            wire.send(200, HTML, frame(request.query["language"]).encode())
        elif request.path in ("/images/search", "/search"):
            wire.send(200, HTML, page(request.path, request.query["q"].split()).encode())
        else:
            wire.send(404, HTML, b"")


def tile(path: str, n: int) -> str:
    if path == "/search":
        link = f"/imgres?imgurl={quote(full(n), safe='')}&imgrefurl=http%3A%2F%2Fsite.example&w=900&h=700"
        return (
            f"<div class=t jsname=dTDiAc data-docid=d{n}><a href='{escape(link)}'><img width=150 height=100></a></div>"
        )
    marks = json.dumps({"murl": full(n), "turl": f"https://tse.mm.bing.net/th?id={n}"})
    return f"<a class='iusc t' m='{escape(marks)}'><img width=150 height=100></a>"


def page(path: str, words: list[str]) -> str:
    """A page of `words[1]` pictures; the banner comes after `words[2]` milliseconds."""
    count, delay, kind, language = int(words[1]), int(words[2]), words[3], words[4]
    tiles = [tile(path, n) for n in range(1, count + 1)]
    text, accept, reject = LANGUAGES[language]
    options = {
        "tiles": tiles,
        "delay": delay,
        "kind": kind,
        "text": text,
        "accept": accept,
        "reject": reject,
        "language": language,
    }
    program = template("banner.js").replace("OPTIONS", json.dumps(options).replace("</", "<\\/"))
    style = f"<style>{template('banner.css')}</style>"
    return f"<!doctype html><title>x</title>{style}<main></main><script>{program}</script>"


def frame(language: str) -> str:
    """A banner that is a page of its own."""
    text, accept, reject = LANGUAGES[language]
    return f"""<!doctype html><p>{text}</p><button>{accept}</button><div role=button tabindex=0>{reject}</div><script>
    addEventListener('click', async event => {{
      const said = event.target.textContent;
      if (!event.isTrusted || !{json.dumps([accept, reject])}.includes(said)) return;
      await fetch('/answer?with=' + encodeURIComponent(said));
      parent.postMessage('away', '*');
    }});</script>"""
