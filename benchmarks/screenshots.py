"""Takes the pictures of the demo that the README shows: `python benchmarks/screenshots.py --out docs/screenshots`.

It starts the demo with the bundled models (or those of `--model`), draws real strokes in a headless Chromium, and saves
each picture as a PNG of at most 300 kB.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from PIL import Image
from selenium.webdriver.common.action_chains import ActionChains

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from tests.browser import Browser, Look, chromium
from tests.characters import camera_film, strokes_of
from tests.demo_server import running

app = typer.Typer(add_completion=False)
Scene = Callable[[Browser, str], None]
Scenes = dict[str, tuple[Scene, dict[str, Any]]]


def draw_seven(browser: Browser, address: str) -> None:
    browser.open(address)
    browser.draw(strokes_of("7"))
    settle(browser)


def draw_four(browser: Browser, address: str) -> None:
    browser.open(address)
    browser.draw(strokes_of("4"))
    settle(browser)


def draw_face(browser: Browser, address: str) -> None:
    browser.open(address)
    browser.draw(strokes_of(":)"))
    settle(browser)


def draw_letter(browser: Browser, address: str) -> None:
    browser.open(address)
    browser.click('#models input[value="characters"]')
    browser.draw(strokes_of("h"))
    settle(browser)


def ask_why(browser: Browser, address: str) -> None:
    browser.open(address)
    browser.draw(strokes_of("4"))
    browser.click("#why")
    browser.wait(lambda: browser.run("return document.querySelector('#why-heat').naturalWidth"), "the heat")
    settle(browser)


def compare(browser: Browser, address: str) -> None:
    browser.open(address)
    browser.click('#models input[value="hangul"]')
    chosen = browser.find("#compare")
    assert chosen
    chosen.send_keys("characters")
    browser.draw(strokes_of("ㅎ"))
    browser.wait(lambda: browser.text("#other-winner"), "the second answer")
    settle(browser)


def teach(browser: Browser, address: str) -> None:
    browser.driver.get(f"{address}/teach")
    browser.wait(lambda: browser.find(".ht[data-ready]"), "the page")
    for place, (label, character) in enumerate((("일곱 (seven)", "7"), ("셋 (three)", "3")), 1):
        field = browser.find(f"#classes > li:nth-child({place}) .ht-name")
        assert field
        field.click()
        ActionChains(browser.driver).send_keys(label + "\n").perform()
        for turn in range(8):
            browser.draw(
                [[(x + 5 * turn - 20, y * (0.8 + 0.05 * turn)) for x, y in one] for one in strokes_of(character)]
            )
            browser.click(f"#bars li:nth-child({place}) .ht-add")
    browser.wait(
        lambda: browser.run("return document.querySelector('#estimate').dataset.busy") == "false", "learned", 40
    )
    browser.draw(strokes_of("3"))
    time.sleep(2)
    browser.run("document.activeElement?.blur(); scrollTo(0, 0)")


def blank(browser: Browser, address: str) -> None:
    browser.open(address)
    time.sleep(0.5)


def upload(browser: Browser, address: str) -> None:
    browser.open(address)
    browser.click("#tab-upload")
    browser.wait(lambda: browser.find(".hw-thumb img"), "examples")
    browser.run("document.querySelectorAll('.hw-thumb')[0].click()")
    browser.wait(lambda: browser.state != "blank", "an answer")
    settle(browser)


def webcam(browser: Browser, address: str) -> None:
    browser.open(address)
    browser.click("#tab-webcam")
    browser.click("#camera-start")
    browser.wait(lambda: browser.state == "answer", "an answer", 30)
    settle(browser)


def documentation(browser: Browser, address: str) -> None:
    browser.driver.get(f"{address}/docs")
    browser.wait(lambda: browser.find(".opblock-summary-post"), "the documentation")
    browser.click(".opblock-summary-post")
    time.sleep(1)


def settle(browser: Browser) -> None:
    browser.wait(lambda: browser.answers > 0, "an answer")
    time.sleep(1.2)  # bars are animated, the spoken text comes late
    browser.run("document.activeElement?.blur(); scrollTo(0, 0)")
    time.sleep(0.2)


DESK: dict[str, Any] = {"width": 1180, "height": 1000}
TALL: dict[str, Any] = {"width": 1180, "height": 1475}
PHONE: dict[str, Any] = {"width": 390, "height": 844, "phone": True, "ratio": 2.0}
SCENES: Scenes = {
    "draw-light-en": (draw_seven, DESK),
    "draw-dark-ko": (draw_four, {**DESK, "dark": True, "language": "ko-KR"}),
    "refused": (draw_face, DESK),
    "characters": (draw_letter, {**DESK, "height": 1100}),
    "why": (ask_why, TALL),
    "compare": (compare, {**DESK, "dark": True, "language": "ko-KR"}),
    "upload": (upload, DESK),
    "webcam": (webcam, {**DESK, "camera": True}),
    "phone": (draw_seven, PHONE),
    "teach": (teach, {**DESK, "height": 1050}),
    "api": (documentation, DESK),
}
TRIALS: Scenes = {
    "blank": (blank, DESK),
    "blank-dark": (blank, {**DESK, "dark": True}),
    "phone-ko-dark": (draw_four, {**PHONE, "dark": True, "language": "ko-KR"}),
    "phone-blank": (blank, PHONE),
    "upload-ko": (upload, {**DESK, "language": "ko-KR"}),
    "phone-upload": (upload, PHONE),
    "phone-why-ko": (ask_why, {**PHONE, "height": 1500, "language": "ko-KR"}),
    "teach-ko-dark": (teach, {**DESK, "dark": True, "language": "ko-KR"}),
    "teach-phone": (teach, {**PHONE, "height": 1800}),
    "tablet": (compare, {"width": 820, "height": 1400}),
    "webcam-dark-ko": (webcam, {**DESK, "camera": True, "dark": True, "language": "ko-KR"}),
}


@app.command()
def main(
    out: Annotated[Path, typer.Option(help="Folder for the pictures.")],
    model: Annotated[list[str] | None, typer.Option(help="Models to show instead of the bundled ones.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="Only these scenes.")] = None,
    trials: Annotated[bool, typer.Option(help="More scenes, to look at the design.")] = False,
) -> None:
    """Takes all pictures."""
    out.mkdir(parents=True, exist_ok=True)
    os.environ["HANDWRITER_MODELS"] = " ".join(model or ())
    scenes = {**SCENES, **(TRIALS if trials else {})}
    with running() as server, tempfile.TemporaryDirectory() as folder:
        film = camera_film(Path(folder))
        for name, (scene, look) in scenes.items():
            if only and name not in only:
                continue
            asked = {**look, "camera": film if look.get("camera") else None}
            with chromium(Look(**asked)) as browser:
                scene(browser, server.address)
                picture = Image.open(io.BytesIO(browser.driver.get_screenshot_as_png())).convert("RGB")
                picture.save(out / f"{name}.png", optimize=True)
                print(name, browser.console_errors() or "ok", file=sys.stderr)


if __name__ == "__main__":
    app()
