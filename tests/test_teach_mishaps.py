"""The Teach page when answers come late, names are refused, downloads are asked for early, and zips are of old packers.

What the server says late is held back in the page, before it reaches the page's own code.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.axe import violations
from tests.browser import Browser
from tests.characters import strokes_of
from tests.demo_server import Server
from tests.hub_site import HubSite
from tests.static_pages import BLOB, called, text_of
from tests.teach_client import drawings
from tests.teach_page import (
    cards,
    changed,
    fresh_page,
    give,
    name,
    publish,
    send_publish_form,
    wait_label,
    wait_learned,
)

# Holds back requests that match: `let_go()` lets them reach the server, or answers them as told. `asked` has them all.
HOLD = """
const [wanted, status, body] = arguments, real = window.fetch, held = [];
let free = false;
window.asked = [];
window.let_go = () => { free = true; for (const go of held.splice(0)) go(); return true; };
window.fetch = (address, options = {}) => {
  const what = `${options.method ?? 'GET'} ${new URL(address, location).pathname.split('/').pop()}`;
  asked.push(`${what} ${options.headers?.['X-Teach-Session'] ?? ''}`.trim());
  const told = `${what} ${typeof options.body === 'string' ? options.body : ''}`;
  const answer = () => status ? new Response(JSON.stringify(body), { status }) : real(address, options);
  if (free || !told.includes(wanted)) return real(address, options);
  return new Promise((resolve) => held.push(() => resolve(answer())));
};
window.isHeld = () => held.length > 0;
"""
# Pictures are made smaller only when `let_go()` was called.
HOLD_PICTURES = """
const real = window.createImageBitmap;
const free = new Promise((resolve) => { window.let_go = resolve; });
window.createImageBitmap = async (...given) => { window.reads = true; await free; return real(...given); };
"""
REFUSED = "return [...document.querySelectorAll('.ht-wrong:not([hidden])')].map((node) => node.innerText)"
LATE = {"session": "late", "kind": "photographs", "busy": False, "learned": None, "classes": []}
NO_WEIGHTS = {"error": "no weights", "hint": "none at all"}


@pytest.fixture
def page(browser: Browser, teach_server: Server) -> Iterator[Browser]:
    with fresh_page(browser, teach_server, ("404", "409", "422")):
        yield browser


def hold(page: Browser, wanted: str, status: int = 0, body: object = None) -> None:
    page.run(HOLD, wanted, status, body)


def wait_held(page: Browser) -> None:
    page.wait(lambda: page.run("return isHeld()"), "the request")


def open_zip(page: Browser, path: Path) -> None:
    field = page.find("#saved-file")
    assert field
    field.send_keys(str(path))


def written(path: Path, folders: dict[str, list[bytes]]) -> Path:
    """A zip with these folders of pictures."""
    with zipfile.ZipFile(path, "w") as archive:
        for folder, pictures in folders.items():
            for number, data in enumerate(pictures):
                archive.writestr(f"{folder}/{number}.png", data)
    return path


@pytest.mark.parametrize(("status", "body"), [(201, LATE), (503, NO_WEIGHTS)], ids=["opened", "refused"])
def test_session_of_a_kind_that_was_left_is_not_taught_on(page: Browser, status: int, body: object) -> None:
    hold(page, '"photographs"', status, body)
    page.click('[data-kind="photographs"]')
    wait_held(page)
    page.click('[data-kind="handwriting"]')
    page.click("#tab-draw")
    give(page, "7", 1, 2)
    give(page, "0", 2, 2)
    wait_learned(page)
    page.run("let_go()")
    if status == 201:
        page.wait(lambda: "DELETE session late" in page.run("return asked"), "nobody wants it")
    page.draw(strokes_of("7"))
    wait_label(page, "Class 1")
    assert [line for line in page.run("return asked") if "late" in line] == ["DELETE session late"] * (status == 201)
    assert not page.shows("#banner")
    assert cards(page) == {"Class 1": 2, "Class 2": 2}


def test_answer_about_what_was_given_up_is_not_heard(page: Browser) -> None:
    hold(page, "GET session")
    give(page, "7", 1, 2)
    give(page, "0", 2, 2)
    wait_held(page)
    page.click("#start-over")
    page.click("#sure-yes")
    give(page, "3", 1, 1)
    page.run("let_go()")
    give(page, "7", 2, 1)
    wait_learned(page)
    page.draw(strokes_of("7"))
    wait_label(page, "Class 2")
    assert not page.shows("#banner")
    assert cards(page) == {"Class 1": 1, "Class 2": 1}


def test_photographs_that_cannot_be_taught_are_not_given_up_without_a_question(page: Browser, tmp_path: Path) -> None:
    hold(page, '"photographs"', 503, NO_WEIGHTS)
    page.click('[data-kind="photographs"]')
    (tmp_path / "three.png").write_bytes(drawings("3", 1)[0])
    page.driver.find_element("css selector", ".ht-class input[type=file]").send_keys(str(tmp_path / "three.png"))
    page.wait(lambda: cards(page)["Class 1"] == 1, "the picture")
    page.run("let_go()")
    page.wait(lambda: "no weights" in page.text("#banner-text"), "why not")
    page.click("#banner-act")
    page.wait(lambda: page.shows("#sure"), "the question")
    page.click("#sure-yes")
    page.wait(lambda: not page.shows("#banner"), "handwriting")
    assert cards(page) == {"Class 1": 0, "Class 2": 0}


def test_import_ends_when_everything_is_given_up(page: Browser, tmp_path: Path) -> None:
    page.run(HOLD_PICTURES)
    open_zip(page, written(tmp_path / "large.zip", {"three": drawings("3", 4), "zero": drawings("0", 4)}))
    page.wait(lambda: page.run("return window.reads === true"), "the first picture")
    page.click("#start-over")
    page.run("let_go()")
    give(page, "7", 1, 2)
    wait_learned(page)
    assert cards(page) == {"Class 1": 2, "Class 2": 0}


def test_class_that_is_refused_does_not_hold_up_the_others(page: Browser, tmp_path: Path) -> None:
    folders = {"가" * 201: drawings("3", 2), "a\u00a0b": drawings("7", 2), "ze\u202ero": drawings("0", 2)}
    open_zip(page, written(tmp_path / "names.zip", {**folders, "a b ": drawings("7", 2, seed=1)}))
    page.wait(lambda: cards(page).get("a b") == 4, "twins are one")
    page.wait(lambda: len(page.run(REFUSED)) == 2, "both refused")
    assert "not taught" in page.text("#toast-text")
    assert "longer than 200 characters" in page.text(".ht-wrong:not([hidden])")
    wait_learned(page)
    page.click("#save-dataset")
    page.wait(lambda: "Some classes are not taught" in page.text("#toast-text"), "nothing is left out in silence")
    page.click('[data-language="ko"]')
    assert "다른 이름으로" in page.text(".ht-wrong:not([hidden])")
    page.click('[data-language="en"]')
    assert violations(page) == []
    name(page, 3, "zero")
    page.click("#classes > li:first-child button[aria-label^='Remove class']")
    page.wait(lambda: not page.run(REFUSED), "all are taken")
    page.draw(strokes_of("0"))
    wait_label(page, "zero")
    page.click("#save-dataset")
    page.wait(lambda: "Saved" in page.text("#toast-text"), "the download")


def test_classes_beyond_the_limit_wait_for_room(page: Browser, tmp_path: Path) -> None:
    pictures = drawings("3", 52)
    open_zip(page, written(tmp_path / "many.zip", {f"c{number}": [data] for number, data in enumerate(pictures)}))
    full = "The server takes 50 classes and no more. Remove one to make room."
    page.wait(lambda: page.run(REFUSED) == [full, full], "two are too many", 40)
    page.click("#classes > li:first-child button[aria-label^='Remove class']")
    page.wait(lambda: page.run(REFUSED) == [full], "room for one", 40)


def test_what_is_saved_or_published_waits_for_pictures_on_their_way(page: Browser, teach_server: Server) -> None:
    give(page, "7", 1, 2)
    give(page, "0", 2, 2)
    wait_learned(page)
    hold(page, "POST samples")
    page.draw(changed(strokes_of("7"), 4))
    page.click("#bars li:nth-child(1) .ht-add")
    wait_held(page)
    page.click("#save-dataset")
    page.wait(lambda: page.text("#toast-text") == "1 still on the way", "it says what it waits for")
    send_publish_form(page, teach_server, "ana/waits")
    page.wait(lambda: page.text("#publish-done") == "1 still on the way", "it says what it waits for")
    assert not {"POST dataset", "POST publish"} & {line[:12] for line in page.run("return asked")}
    page.run("let_go()")
    page.wait(lambda: "Saved" in page.text("#toast-text"), "the download")
    page.wait(lambda: page.find("#publish-done a"), "the address", 60)


def test_download_says_that_the_server_does_not_answer(page: Browser) -> None:
    gone = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    page.driver.execute_cdp_cmd("Network.enable", {})
    page.driver.execute_cdp_cmd("Network.emulateNetworkConditions", gone)
    try:
        give(page, "7", 1, 1)
        page.wait(lambda: page.shows("#banner"), "the banner")
        page.click("#save-dataset")
        page.wait(lambda: "did not work: The server does not answer" in page.text("#toast-text"), "it gives up")
    finally:
        page.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {**gone, "offline": False})
    page.wait(lambda: not page.shows("#banner"), "the server is back", 20)
    page.click("#save-dataset")
    page.wait(lambda: "Saved" in page.text("#toast-text"), "the download")
    page.console_errors()


def test_space_that_was_refused_is_told_beside_the_model(
    page: Browser, teach_server: Server, teach_hub: HubSite
) -> None:
    page.open(teach_server.address)
    told = publish(page, teach_server, "ana/alone", "yes, with a server")
    assert told[0] == f"{teach_hub.home}/ana/alone"
    assert "The model is there, the page to try it is not: " in page.text("#publish-done")
    assert "PRO" in page.text("#publish-done")
    page.click('[data-language="ko"]')
    assert "모델은 올렸지만, 써 볼 페이지는 만들지 못했습니다: " in page.text("#publish-done")
    assert page.find("#publish-done a"), "and the model's address is still there"
    page.click('[data-language="en"]')
    page.console_errors()


def test_picture_that_was_given_is_called_so_in_both_languages(page: Browser, tmp_path: Path) -> None:
    called_what = "return document.querySelector('#picture').alt"
    (tmp_path / "0.png").write_bytes(drawings("0", 1)[0])
    field = page.find("#file")
    assert field
    field.send_keys(str(tmp_path / "0.png"))
    page.wait(lambda: page.run(called_what) == "The picture you gave", "it is shown")
    page.click('[data-language="ko"]')
    assert page.run(called_what) == "올린 사진"
    page.click('[data-language="en"]')


def undo(page: Browser) -> None:
    ActionChains(page.driver).key_down(Keys.CONTROL).send_keys("z").key_up(Keys.CONTROL).perform()


def test_keys_in_fields_and_lists_are_not_for_the_drawing(page: Browser, teach_server: Server) -> None:
    page.draw(strokes_of("7"))
    page.click("#publish summary")
    space = page.find("#publish-space")
    assert space
    space.send_keys("1")
    assert cards(page) == {"Class 1": 0, "Class 2": 0}
    page.open(teach_server.address)
    page.draw([[(100, 60), (100, 220)]])
    page.click("#publish summary")
    page.click("#publish-repo")
    undo(page)
    assert not page.run("return document.querySelector('#clear').disabled"), "the strokes stay"
    page.run("document.activeElement.blur()")
    undo(page)
    assert page.run("return document.querySelector('#clear').disabled"), "outside of it they go"


def korean_zip(names: list[str], pictures: list[bytes]) -> bytes:
    """As Korean Windows packs: names in CP949, and nothing that says so."""
    plain = [f"{number:02}".ljust(len(folder.encode("cp949")), "_") for number, folder in enumerate(names)]
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for folder, data in zip(plain, pictures, strict=True):
            archive.writestr(f"{folder}/1.png", data)
    data = packed.getvalue()
    for folder, wanted in zip(plain, names, strict=True):
        data = data.replace(f"{folder}/".encode(), wanted.encode("cp949") + b"/")
    return data


def test_folders_of_a_korean_zip_keep_their_names(page: Browser) -> None:
    names = ["사과", "바나나", "청"]  # the last one, in CP949, is UTF-8 for something else
    read = (
        BLOB
        + """
    const { readArchive } = await at('page/teach/archive.js');
    const { classes } = await readArchive(new File([blob(given)], 'k.zip'));
    return classes.map((one) => [one.name, one.files.length]);
    """
    )
    packed = korean_zip(names, drawings("3", 3))
    assert called(page, read, text_of(packed)) == [[folder, 1] for folder in names]
    latin = korean_zip(["abc"], drawings("3", 1)).replace(b"abc/", b"\xe9\xff_/")
    assert called(page, read, text_of(latin)) == [["éÿ_", 1]], "none of both is read, too, and no two names become one"


def test_archive_gives_what_is_a_picture_by_name_or_content_and_counts_the_rest(page: Browser, tmp_path: Path) -> None:
    path, sevens = tmp_path / "odd.zip", drawings("7", 4)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name_, data in zip(("a.jpg_large", "b.png?w=200", "c", "d.jfif"), sevens, strict=True):
            archive.writestr(f"seven/{name_}", data)
        archive.writestr("zero/notes.pdf", "%PDF-1.4 " + "no picture " * 2000)
        archive.writestr("zero/Thumbs.db", b"\xd0\xcf\x11\xe0" + bytes(3000))
        for number, data in enumerate(drawings("0", 2)):
            archive.writestr(zipfile.ZipInfo(f"zero/{number}"), data, zipfile.ZIP_STORED)
        archive.writestr("__MACOSX/seven/._c", sevens[0])
        archive.writestr("zero/.hidden", sevens[0])
    open_zip(page, path)
    page.wait(lambda: cards(page) == {"seven": 4, "zero": 2}, "all pictures, whatever they are called")
    assert page.text("#toast-text") == "Passed over, as they are no pictures: 2"


def test_what_a_dataset_has_dropped_does_not_come_back_with_its_zip(page: Browser, tmp_path: Path) -> None:
    path = tmp_path / "pets.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("pets/dataset.db", b"SQLite format 3\0")
        for number, data in enumerate(drawings("7", 3)):
            archive.writestr(f"pets/{'dropped/' if number == 2 else ''}seven/{number}.png", data)
        for number, data in enumerate(drawings("0", 2)):
            archive.writestr(f"pets/zero/{number}.png", data)
    open_zip(page, path)
    page.wait(lambda: cards(page) == {"seven": 2, "zero": 2}, "the kept pictures")
    plain = tmp_path / "plain.zip"
    with zipfile.ZipFile(plain, "w") as archive:
        for folder, digit in (("dropped", "7"), ("features", "0")):
            for number, data in enumerate(drawings(digit, 2)):
                archive.writestr(f"{folder}/{number}.png", data)
    open_zip(page, plain)
    page.click("#sure-yes")
    page.wait(lambda: set(cards(page)) == {"dropped", "features"}, "where no dataset is, they are classes")
