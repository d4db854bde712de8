"""The table for spreadsheets and the contact sheet: complete, and harmless whatever strangers wrote."""

from __future__ import annotations

import base64
import csv
from functools import partial
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from curation.export import sheet
from curation.export.order import export
from curation.export.selection import select
from curation.export.table import COLUMNS, defused
from curation.records import Found
from curation.verdicts import Action
from tests.browser import Browser, Look, chromium
from tests.test_export import crawled, exported, folder_of_pictures, scanned
from tests.test_export_formats import ODD, hostile_folder


class Tags(HTMLParser):
    """The start tags of a page with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def all(self, tag: str, attribute: str) -> list[str]:
        return [str(values.get(attribute)) for name, values in self.found if name == tag]


def test_table_has_every_picture_and_what_was_decided(tmp_path: Path) -> None:
    root = folder_of_pictures(tmp_path / "data")
    with scanned(root) as dataset:
        rows = dataset.pictures.rows()
        dataset.pictures.judge([rows[0].id], Action.DROP, "me")
        dataset.pictures.judge([rows[1].id], Action.RELABEL, "you", "고양이")
        dataset.pictures.judge([rows[2].id], Action.DROP, "me")
        dataset.pictures.undo("me")
        dataset.pictures.store_flags("blurred", [(rows[3].id, 0.9, "soft")])
        came = export(dataset.pictures, tmp_path / "out", "csv")
    assert came.pictures == {"train": {"강아지": 2, "고양이": 5}, "dropped": {"강아지": 1}}
    data = (tmp_path / "out" / "pictures.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    lines = list(csv.DictReader(data.decode("utf-8-sig").splitlines()))
    assert len(lines) == 8
    assert tuple(lines[0]) == COLUMNS
    decided = sorted((line["verdict"], line["by"], line["label"]) for line in lines)
    assert decided[-2:] == [("drop", "me", "강아지"), ("relabel", "you", "고양이")]
    assert [line["verdict"] for line in lines].count("") == 6
    assert "blurred 0.90 (soft)" in {line["flags"] for line in lines}


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"])
def test_formulas_are_defused(text: str) -> None:
    assert defused(text) == "'" + text


def test_numbers_and_other_texts_stay() -> None:
    assert [defused(one) for one in (-1, 0.5, None, "a=b", "고양이", "a\0b")] == [-1, 0.5, None, "a=b", "고양이", "a b"]


def test_titles_with_line_ends_and_formulas_survive_a_table(tmp_path: Path) -> None:
    root = crawled(tmp_path / "data", [Found("https://x.example/a.jpg", title='=HYPERLINK("x")'), ODD])
    exported(root, tmp_path / "out", "csv")
    with (tmp_path / "out" / "pictures.csv").open(encoding="utf-8-sig", newline="") as file:
        titles = [line["title"] for line in csv.DictReader(file)]
    assert titles == ['\'=HYPERLINK("x")', ODD.title]


def test_sheet_is_one_file_without_script_that_loads_nothing(tmp_path: Path) -> None:
    root = crawled(tmp_path / "data", [ODD, Found("https://x.example/b.jpg", page="https://x.example/?a=1&b='")])
    exported(root, tmp_path / "out", "html")
    text = (tmp_path / "out" / "index.html").read_text("utf-8")
    tags = Tags(text)
    known = "html head meta title style body header h1 bdi p nav a small main section h2 span ul li div img"
    assert not [name for name, _ in tags.found if name not in known.split(" ")]
    assert all(not name.startswith("on") for _, values in tags.found for name in values)
    links = [link for link in tags.all("a", "href") if not link.startswith("#")]
    assert links == [
        "https://x.example/a%20b.jpg",
        "https://creativecommons.org/licenses/by/4.0/",
        "https://x.example/?a=1&b=%27",
    ]
    pictures = tags.all("img", "src")
    assert len(pictures) == 2
    for address in pictures:
        data = base64.b64decode(address.removeprefix("data:image/jpeg;base64,"))
        assert Image.open(BytesIO(data)).size == (40, 30)
    assert "default-src 'none'; img-src data:; style-src 'sha256-" in text
    assert "licence not known" in text


def test_sheet_of_hostile_names_shows_them_as_text(tmp_path: Path) -> None:
    root = hostile_folder(tmp_path / "data")
    came = exported(root, tmp_path / "out", "html")
    text = (tmp_path / "out" / "index.html").read_text("utf-8")
    assert came.count == len(Tags(text).all("img", "src"))
    assert "<script" not in text
    assert "\u202e" not in text


def test_sheet_goes_on_over_pages_that_lead_to_each_other(tmp_path: Path) -> None:
    with scanned(folder_of_pictures(tmp_path / "data", each=5)) as dataset:
        chosen = select(dataset.root, dataset.pictures.rows(), lambda *_: None)
        (tmp_path / "out").mkdir()
        sheet.write(chosen, tmp_path / "out", a_page=4)
    names = ["index.html", "page-2.html", "page-3.html"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names
    texts = [(tmp_path / "out" / name).read_text("utf-8") for name in names]
    assert [text.count("<li ") for text in texts] == [4, 4, 2]
    for text in texts:
        for link in Tags(text).all("a", "href"):
            page, _, anchor = link.partition("#")
            target = (tmp_path / "out" / page).read_text("utf-8") if page else text
            assert not anchor or f'id="{anchor}"' in target
    assert "continued" in texts[1]
    assert "page 2 of 3" in texts[1]


def are_shown(browser: Browser) -> bool:
    script = "return [...document.images].filter(i => i.complete && i.naturalWidth).length"
    return bool(browser.run(script) == 24)


def test_sheet_looks_right_in_a_browser_and_asks_for_nothing(tmp_path: Path) -> None:
    root = folder_of_pictures(tmp_path / "data", each=12)
    exported(root, tmp_path / "out", "html", split=True)
    page = (tmp_path / "out" / "index.html").as_uri()
    for look in (Look(dark=True), Look(width=360, height=740, phone=True)):
        with chromium(look) as browser:
            browser.driver.get("about:blank")
            browser.requested()  # what the browser asked for by itself
            browser.driver.get(page)
            assert browser.console_errors() == []
            assert [one for one in browser.requested() if one != page and not one.startswith("chrome")] == []
            browser.run("[...document.images].forEach(i => i.loading = 'eager')")
            browser.wait(partial(are_shown, browser), "all thumbnails are shown")
            assert browser.run("return document.documentElement.scrollWidth <= innerWidth")
            columns = browser.run("return getComputedStyle(document.querySelector('.tiles')).gridTemplateColumns")
            assert len(columns.split()) >= 3  # the style is applied
