"""What may be a label, and that every way in asks the same: keywords, folders, relabelling, Teach, bundles."""

from __future__ import annotations

import json
import unicodedata
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from crawler.keywords import Keyword, parsed
from curation.dataset import Dataset
from curation.labels import folder_name
from curation.scan import scan
from demo.teach.eyes import ink_eye
from demo.teach.sessions import Session, TeachLimits
from handwriter_models.bundle_config import BundleConfig
from handwriter_models.errors import UserError
from handwriter_models.labels import LONGEST, alike, as_label, normalized
from tests.called import called
from tests.conftest import small_config
from tests.shared_data import shared_folder
from tests.small_photos import pets
from tests.training_cases import small_recipe, write_digit, write_folder
from training.fit import Order, fit

TEXT = [
    "می‌خواهم",
    "क्‍ष",
    "👨‍👩‍👧‍👦",
    "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "👍🏽",
    "❤️",
    "ה‏",
    "שלום עולם",
    "한글",
    "e̋̂̃",
    "ขอบ​คุณ",
    "co­op",
    "؀١٢",
    "𝒳 𠀀",
    "\U0001fae9",  # newer than Python 3.11's tables
    "\uf8ff",
    "C++ & R#",
    "../../x",
    "a/b\\c",
    "#1",
    "x" * LONGEST,
    "각" * LONGEST,
]
NO_TEXT = [
    ("", "is empty"),
    (" \u3000\u200b ", "is empty"),
    ("a\nb", r"U+000A (a control character) as character 2"),
    ("a\tb", "U+0009"),
    ("a\0b", "U+0000"),
    ("a\x85b", "U+0085"),
    ("a\x1b[31m", "U+001B"),
    ("a\u2028b", "U+2028 (a line end)"),
    ("a\u2029b", "U+2029"),
    ("\u202egnp.exe", "U+202E (RIGHT-TO-LEFT OVERRIDE) as character 1"),
    ("a\u202ab", "U+202A"),
    ("a\u2067b\u2069", "U+2067"),
    ("a\u206ab", "U+206A"),
    ("a\ufff9b", "U+FFF9"),
    ("ca\ufefft", "U+FEFF"),
    ("a\ud800", "U+D800 (half of a surrogate pair)"),
    ("a\uffff", "U+FFFF (a noncharacter)"),
    ("a\U0001fffeb", "U+1FFFE"),
    ("a\ufdd0", "U+FDD0"),
    ("\u3164", "shows nothing"),
    ("\u200d\u200c", "shows nothing"),
    ("\u0301\u2800", "shows nothing"),
    ("x" * (LONGEST + 1), f"has {LONGEST + 1} characters"),
]


@pytest.mark.parametrize("text", TEXT)
def test_what_unicode_calls_text_is_a_label_in_every_way_in(text: str, tmp_path: Path) -> None:
    label = as_label(text)
    assert as_label(label) == label == unicodedata.normalize("NFC", text).strip("\u200f")
    if not text.startswith("#"):  # else it is a comment
        assert parsed(f"{text} = words", "the text").wanted == (Keyword(label, "words"),)
    assert Session(ink_eye(), TeachLimits(), 0.0).add_class(text).name == label
    groups = {label: "one", "other": label}
    assert through_json((label, "other"), groups).labels == (label, "other")


def through_json(labels: tuple[str, ...], groups: dict[str, str]) -> BundleConfig:
    """A bundle's config with these labels, written and read."""
    config = small_config(background=False, labels=labels, groups=groups)
    config = replace(config, network=replace(config.network, arguments={"outputs": len(labels)}))
    return BundleConfig.from_json(json.loads(json.dumps(config.to_json())))


@pytest.mark.parametrize(("text", "told"), NO_TEXT)
def test_what_is_no_text_is_refused_in_every_way_in_with_its_code_point(text: str, told: str) -> None:
    with pytest.raises(UserError) as caught:
        as_label(text, "somewhere")
    assert told in caught.value.what
    assert caught.value.what.startswith("somewhere: the label ")
    assert caught.value.hint
    with pytest.raises(UserError) as caught:
        Session(ink_eye(), TeachLimits(), 0.0).add_class(text)
    assert caught.value.status == 422
    if text.strip() and "\n" not in text:
        with pytest.raises(UserError, match=r"line 1|line 2"):
            parsed(f"{text} = words", "the text")


def test_one_spelling_is_kept_of_spaces_and_composition() -> None:
    assert as_label(" 고양이\u3000개\u00a0") == "고양이 개"
    assert as_label(unicodedata.normalize("NFD", "고양이")) == as_label("\ufeff고양이\u200b")
    assert normalized("a  b") == "a  b"


def test_labels_that_look_alike_are_named_and_stay_apart() -> None:
    assert alike(["Cat", "cat", "dog", "ＣＡＴ", "ca\u00adt", "dogs"]) == [("Cat", "cat", "ca\u00adt", "ＣＡＴ")]


def test_older_bundles_keep_what_printable_labels_they_have() -> None:
    labels = (" cat ", unicodedata.normalize("NFD", "é"), "é")
    assert through_json(labels, {}).labels == labels


def test_keyword_that_is_too_long_for_a_label_is_told_how_to_be_searched() -> None:
    with pytest.raises(UserError, match="300 characters") as caught:
        parsed("x" * 300, "the text")
    assert "label = words" in caught.value.hint
    assert parsed(f"fox = {'x' * 300}", "the text").wanted[0].label == "fox"


@pytest.mark.parametrize(("bad", "told"), [("a\u202eb", "U+202E"), ("x" * 240, "240 characters"), ("a\x7fb", "U+007F")])
def test_folder_that_can_be_no_label_ends_scan_and_fit_before_any_work(bad: str, told: str, tmp_path: Path) -> None:
    for label in (bad, "7"):
        for number in range(4):
            write_digit(tmp_path / "set" / label / f"{number}.png", "7")
    for words in (
        ("curation", "scan", tmp_path / "set"),
        ("training", "fit", tmp_path / "set", "--recipe", "mlp-digits", "--out", tmp_path / "out"),
        ("training", "fit", tmp_path / "set", "--recipe", "frozen-resnet50", "--out", tmp_path / "out"),
    ):
        done = called(*words)  # type: ignore[arg-type]
        assert done.returncode == 2
        assert told in done.stderr
        assert "the folder" in done.stderr
    assert not (tmp_path / "out").exists()
    done = called("curation", "relabel", tmp_path / "set", "7/1.png", "--to", bad)
    assert (done.returncode, told in done.stderr) == (2, True)
    assert (tmp_path / "set" / "7" / "1.png").is_file()


def test_composed_and_decomposed_folders_are_one_class_in_scan_and_fit(tmp_path: Path) -> None:
    root, twins = tmp_path / "set", [unicodedata.normalize(form, "café 곰") for form in ("NFC", "NFD")]
    for place, name in enumerate([*twins, "dog"]):
        for number in range(4):
            write_digit(root / name / f"{number}.png", str(place), turn=number)
    assert len(list(root.iterdir())) == 3
    with Dataset(root) as dataset:
        summary = scan(dataset.pictures)
        assert {row.label for row in dataset.pictures.rows()} == {"café 곰", "dog"}
    assert any("one class 'café 곰'" in note for note in summary.notes)
    assert fit_ink(root, tmp_path) == ["café 곰", "dog"]
    for name in twins:
        assert len(list((root / name).iterdir())) == 4, "no picture is lost or moved"


def test_labels_stored_before_the_rule_become_what_it_says(tmp_path: Path) -> None:
    root, old = pets(tmp_path), unicodedata.normalize("NFD", "고양이")
    with Dataset(root) as dataset:
        scan(dataset.pictures)
        with dataset._database.writing() as connection:  # as an earlier version left it
            connection.execute("UPDATE files SET label = ?, first_label = ? WHERE label = '고양이'", (old, old))
        scan(dataset.pictures)
        assert {row.label for row in dataset.pictures.rows()} == {"고양이", "dog"}


def test_labels_that_differ_in_case_stay_apart_and_are_named(tmp_path: Path) -> None:
    for label in ("Cat", "cat"):
        for number in range(3):
            write_digit(tmp_path / "set" / label / f"{number}.png", "3" if label == "cat" else "7")
    done = called("curation", "scan", tmp_path / "set", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["notes"] == [
        "'Cat' and 'cat' look alike and are 2 classes: give them one name if they are one"
    ]
    assert fit_ink(tmp_path / "set", tmp_path) == ["Cat", "cat"]
    done = called("curation", "export", tmp_path / "set", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    folders = {path.parent.name.casefold() for path in (tmp_path / "out").rglob("*.png")}
    assert len(folders) == 2, "a disk blind to case holds both"


def test_label_that_no_folder_can_be_called_comes_back_from_an_export(tmp_path: Path) -> None:
    root, odd = write_folder(tmp_path / "set", "37", count=10), "a/b: 'c' ؟\u200f!"
    pictures = [f"3/{number}.png" for number in range(10)]
    assert called("curation", "relabel", root, *pictures, "--to", odd).returncode == 0
    assert folder_name(odd) != odd
    (root / "3").rmdir()
    assert called("curation", "split", root, "--shares", "0.6,0.2,0.2").returncode == 0
    assert called("curation", "export", root, tmp_path / "out").returncode == 0
    with Dataset(tmp_path / "out") as dataset:
        scan(dataset.pictures)
        assert {row.label for row in dataset.pictures.rows()} == {odd, "7"}
    assert fit_labels(root, tmp_path / "one") == fit_labels(tmp_path / "out", tmp_path / "two") == {odd, "7"}


def test_list_of_labels_from_elsewhere_renames_nothing(tmp_path: Path) -> None:
    root = pets(tmp_path)
    (root / "labels.json").write_text(json.dumps([{"label": "wolf", "folder": "dog"}, 7, {"folder": None}]))
    (root / "taught.json").write_text("[[[")
    with Dataset(root) as dataset:
        scan(dataset.pictures)
        assert {row.label for row in dataset.pictures.rows()} == {"dog", "고양이"}


@pytest.mark.parametrize("case", ["label-zwnj", "label-ideographic-space", "nfc-nfd-twins"])
def test_shared_labels_are_learned_from_and_loaded(case: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(shared_folder() / "data" / "cases" / f"{case}.zip") as archive:
        archive.extractall(tmp_path / "set")
    wanted = {as_label(path.name) for path in (tmp_path / "set").iterdir()}
    assert len(wanted) == 2
    assert set(fit_ink(tmp_path / "set", tmp_path)) == wanted


def fit_ink(root: Path, folder: Path) -> list[str]:
    """The labels of a bundle that has learned from the folder, in their order."""
    bundle = fit(Order(str(root), small_recipe(epochs=1), folder / "bundle")).bundle
    return list(json.loads((bundle / "config.json").read_text("utf-8"))["labels"])


def fit_labels(root: Path, folder: Path) -> set[str]:
    return set(fit_ink(root, folder))
