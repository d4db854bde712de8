"""The Teach page in a real browser: drawing and recording classes, live answers, undo, a server that forgets."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.action_chains import ActionChains

from tests.axe import violations
from tests.browser import Browser, Look, chromium
from tests.characters import camera_film, strokes_of
from tests.demo_server import ROOT, Server
from tests.hub_site import HubSite
from tests.teach_client import drawings
from tests.teach_page import cards, changed, fresh_page, give, name, open_page, publish, teach, wait_label, wait_learned

TEACH = ROOT / "demo" / "static" / "teach"
FORGET = """
const done = arguments[0];
indexedDB.open('handwriter-teach').onsuccess = ({ target: { result: base } }) => {
  base.transaction('list').objectStore('list').get('work').onsuccess = ({ target: { result: work } }) => {
    base.close();
    const headers = { 'X-Teach-Session': work.session };
    fetch('teach/api/session', { method: 'DELETE', headers }).then((answer) => done(answer.status));
  };
};
"""

KEPT = """
const done = arguments[0];
indexedDB.open('handwriter-teach').onsuccess = ({ target: { result: base } }) => {
  const counted = base.transaction('pictures').objectStore('pictures').count();
  counted.onsuccess = () => { base.close(); done(counted.result); };
};
"""


@pytest.fixture
def page(browser: Browser, teach_server: Server) -> Iterator[Browser]:
    """The page with nothing kept; it must not complain, and must ask nobody but its own server."""
    with fresh_page(browser, teach_server):
        yield browser


def test_drawn_classes_are_learned_and_answered_live(page: Browser) -> None:
    name(page, 1, "일곱")
    name(page, 2, "three")
    teach(page, "7", 1, 2)
    teach(page, "3", 2, 2)
    wait_learned(page)
    assert cards(page) == {"일곱": 2, "three": 2}
    page.draw(changed(strokes_of("3"), 6))
    wait_label(page, "three")
    assert list(page.bars()) == ["일곱", "three"]
    assert page.bars()["three"] > 0.5
    assert "three" in page.text("#verdict")
    name(page, 2, "셋")
    wait_label(page, "셋")
    assert page.text("#figure-text").startswith(("Tested on 4 pictures", "4 of 4"))
    page.click("#clear")
    page.draw(strokes_of("7"))
    wait_label(page, "일곱")
    page.click("#save-bundle")
    page.wait(lambda: "Saved" in page.text("#toast-text"), "the download")
    assert violations(page) == []


def test_what_was_taught_is_published_with_the_key_of_the_terminal(
    page: Browser, teach_server: Server, teach_hub: HubSite
) -> None:
    give(page, "7", 1, 2)
    give(page, "0", 2, 2)
    wait_learned(page)
    (address,) = publish(page, teach_server, "ana/taught")
    assert address.endswith("/ana/taught")
    assert {"config.json", "model.safetensors", "README.md"} <= set(teach_hub.repo("ana/taught").files)


def test_model_that_reads_is_published_with_a_page_to_try_it(
    page: Browser, teach_server: Server, teach_hub: HubSite
) -> None:
    page.open(teach_server.address)
    model, space = publish(page, teach_server, "ana/digits", "yes, in their browser")
    assert (model, space) == (f"{teach_hub.home}/ana/digits", f"{teach_hub.home}/spaces/ana/digits")
    assert "model.safetensors" in teach_hub.repo("ana/digits").files
    assert {"index.html", "models.json", "README.md"} <= set(teach_hub.repo("ana/digits", "space").files)
    assert violations(page) == []


def test_saved_pictures_are_opened_again_and_other_files_are_told(page: Browser, tmp_path: Path) -> None:
    about = {"format": 1, "kind": "handwriting", "classes": [{"name": "셋/3", "folder": "셋_3"}]}
    saved, other = tmp_path / "dataset.zip", tmp_path / "other.zip"
    with zipfile.ZipFile(saved, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("taught.json", json.dumps(about, ensure_ascii=False))
        for folder, digit in (("셋_3", "3"), ("zero", "0")):
            for number, data in enumerate(drawings(digit, 3)):
                archive.writestr(f"images/{folder}/teach_{number}.png", data)
    other.write_bytes(saved.read_bytes()[:-40])
    give(page, "7", 1, 1)
    field = page.find("#saved-file")
    assert field
    for file in (other, saved):
        field.send_keys(str(file))
        page.wait(lambda: page.shows("#sure"), "the question")
        page.click("#sure-yes")
        if file is other:
            page.wait(lambda: "no zip file" in page.text("#toast-text"), "what is wrong")
            assert cards(page) == {"Class 1": 1, "Class 2": 0}
    page.wait(lambda: cards(page) == {"셋/3": 3, "zero": 3}, "the classes of the file")
    wait_learned(page)
    page.draw(strokes_of("0"))
    wait_label(page, "zero")


def test_removed_pictures_and_classes_come_back(page: Browser) -> None:
    name(page, 1, "가")
    give(page, "7", 1, 3)
    give(page, "3", 2, 2)
    wait_learned(page)
    page.click("#classes > li:first-child .ht-thumb")
    page.click("#classes > li:first-child button[aria-label='Remove class 가']")
    assert cards(page) == {"Class 2": 2}
    page.click("#toast-undo")
    assert cards(page) == {"가": 2, "Class 2": 2}
    ActionChains(page.driver).key_down("\ue009").send_keys("z").key_up("\ue009").perform()
    assert cards(page) == {"가": 3, "Class 2": 2}
    wait_learned(page)
    assert page.text("#figure-text").startswith(("Tested on 5 pictures", "5 of 5")), "the server has them again, too"
    page.draw(strokes_of("7"))
    wait_label(page, "가")


def test_reload_keeps_everything_and_a_server_that_forgot_is_sent_it_again(page: Browser, teach_server: Server) -> None:
    give(page, "7", 1, 2)
    give(page, "0", 2, 2)
    wait_learned(page)
    page.wait(lambda: page.driver.execute_async_script(KEPT) == 4, "the pictures are kept")
    open_page(page, teach_server)
    assert cards(page) == {"Class 1": 2, "Class 2": 2}
    page.draw(strokes_of("7"))
    wait_label(page, "Class 1")
    assert page.driver.execute_async_script(FORGET) == 204
    page.click("#bars li:nth-child(1) .ht-add")
    page.wait(lambda: "has forgotten" in page.text("#banner-text"), "the banner")
    page.click("#banner-act")
    wait_learned(page)
    page.draw(changed(strokes_of("0"), 3))
    wait_label(page, "Class 2")
    assert cards(page) == {"Class 1": 3, "Class 2": 2}


def test_camera_records_while_the_button_is_held(teach_server: Server, tmp_path: Path) -> None:
    with chromium(Look(camera=camera_film(tmp_path))) as page, fresh_page(page, teach_server):
        record(page)


def record(page: Browser) -> None:
    page.click("#tab-camera")
    page.click("#camera-start")
    button = page.wait(lambda: page.find("#bars li:nth-child(1) .ht-add:not(:disabled)"), "the camera")
    ActionChains(page.driver).click_and_hold(button).pause(2.5).release().perform()
    page.wait(lambda: cards(page)["Class 1"] >= 2, "frames")  # eight a second, fewer where the machine is busy
    assert cards(page)["Class 1"] <= 24
    page.click("#tab-draw")
    give(page, "0", 2, 3)
    wait_learned(page)
    page.click("#tab-camera")
    page.click("#camera-start")
    wait_label(page, "Class 1")
    assert "one burst" in page.text("#warnings")
    page.click("#camera-stop")


def test_page_speaks_korean_and_fits_a_phone(page: Browser) -> None:
    page.click('[data-language="ko"]')
    assert page.text("#tab-draw") == "그리기"
    assert page.text("#warnings").startswith("분류를 두 개 이상")
    phone = {"width": 360, "height": 780, "deviceScaleFactor": 1, "mobile": False}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    assert page.run("return document.documentElement.scrollWidth") <= 360
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {**phone, "width": 1280, "height": 1000})
    page.click('[data-language="en"]')


def test_both_languages_have_every_text_and_every_text_is_used(page: Browser) -> None:
    read = "import(new URL('page/teach/texts.js', document.baseURI)).then((m) => arguments[0](m.TEACH_TEXTS))"
    texts = page.driver.execute_async_script(read)
    assert list(texts["en"]) == list(texts["ko"])
    for key, english in texts["en"].items():
        assert set(re.findall(r"\{\w+\}", texts["ko"][key])) == set(re.findall(r"\{\w+\}", english)), key
        assert re.search("[가-힣]", texts["ko"][key]), key
    markup = (TEACH / "teach.html").read_text("utf-8")
    scripts = "".join(path.read_text("utf-8") for path in TEACH.glob("*.js") if path.name != "texts.js")
    shared = page.driver.execute_async_script(
        "import(new URL('page/texts.js', document.baseURI)).then((m) => arguments[0](Object.keys(m.TEXTS.en)))"
    )
    used = set(re.findall(r'data-(?:text|aria|tip)="(\w+)"', markup)) | set(re.findall(r"say\('(\w+)'", scripts))
    assert used <= {*texts["en"], *shared}
    codes = {"few_classes", "empty", "few", "uneven", "single", "confused"}
    assert set(texts["en"]) - used - codes <= set(re.findall(r"'(\w+)'", scripts))
