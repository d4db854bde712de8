"""Folder names: any text gives a name that every file system holds, and no two texts give the same."""

from __future__ import annotations

import random
import string
import unicodedata
from pathlib import Path

import pytest

from curation.labels import LONGEST, folded, folder_name

HOSTILE = [
    "",
    " ",
    ".",
    "..",
    "../../x",
    "/etc/passwd",
    "a/b",
    "a\\b",
    "C:\\x",
    "\0",
    "a\nb",
    "a\tb",
    "\u202egnp.exe",
    "\ufeffcat",
    "cat.",
    "cat ",
    " cat",
    ".hidden",
    "con",
    "CON",
    "Con.txt",
    "aux .png",
    "LPT1",
    "com¹",
    "nul",
    'a"b',
    "a?b",
    "a*b",
    "<script>",
    "a|b",
    "a:b",
    "\ud800",
    "e\u0301",
    "\u1112\u1161\u11ab",  # 한 as three letters
    "x" * 300,
    "고양이" * 100,
    "👩‍🚀" * 60,
    "a" * 79 + "é",
    "con" + " " * 200 + "x",
    "cat~abcdefgh",
    "\u2028",
    "\U0010ffff",
    "." * 90,
]
PLAIN = [
    "cat",
    "Cat",
    "고양이",
    "C++ & R#",
    "한국어 키워드",
    "日本",
    "קטן",
    "👩‍🚀",
    "it's",
    "100%",
    "a.b",
    "-x",
    "~",
    "x" * 80,
]


@pytest.mark.parametrize("label", PLAIN)
def test_a_good_name_is_kept_as_it_is(label: str) -> None:
    assert folder_name(label) == label


@pytest.mark.parametrize("label", [*HOSTILE, *PLAIN])
@pytest.mark.parametrize("marked", [False, True])
def test_every_label_gives_a_folder_directly_below_the_root(label: str, marked: bool, tmp_path: Path) -> None:
    name = folder_name(label, marked)
    assert 0 < len(name.encode("utf-8")) <= LONGEST
    assert unicodedata.normalize("NFC", name) == name
    assert not set(name) & set('/\\<>:"|?*\0\n\t')
    assert not name.startswith((".", " "))
    assert not name.endswith((".", " "))
    assert name.partition(".")[0].strip().lower() not in {"con", "aux", "nul", "prn", "com1", "com¹", "lpt1"}
    folder = tmp_path / "images" / name
    folder.mkdir(parents=True)
    assert folder.resolve().parent == (tmp_path / "images").resolve()
    assert [path.name for path in (tmp_path / "images").iterdir()] == [name]


def test_no_two_labels_share_a_folder() -> None:
    chance = random.Random(7)
    signs = string.ascii_letters + "/\\.~_ :\u0301\u200b가é"
    labels = {"".join(chance.choices(signs, k=chance.randrange(6))) for _ in range(20_000)}
    labels |= {"x" * count for count in range(60, 200)} | set(HOSTILE) | set(PLAIN)
    labels |= {folder_name(label) for label in HOSTILE}  # the names themselves may be labels too
    names = {folder_name(label) for label in labels}
    assert len(names) == len(labels)


def test_case_and_composition_are_folded_for_comparison_only() -> None:
    assert folded("Straße") == folded("STRASSE")
    assert folded("É") == folded("e\u0301")
    assert folder_name("Cat", marked=True) != folder_name("cat", marked=True)
    assert folded(folder_name("Cat", marked=True)) != folded(folder_name("cat", marked=True))
