"""Keywords files as people write them, and as they break."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from crawler.keywords import Keyword, parsed, read_file
from handwriter_models.errors import UserError


def words(text: str) -> list[str]:
    return [keyword.words for keyword in parsed(text, "the text").wanted]


@pytest.mark.parametrize(
    "keyword",
    ["고양이", "한글 낱말 둘", "🦊", "C++ & R#", "\"quoted\" 'too'", "../../x", "x" * 200, "naïve", "%2e"],
)
def test_keyword_is_taken_as_it_stands(keyword: str) -> None:
    assert parsed(keyword + "\n", "the text").wanted == (Keyword(keyword, keyword),)


def test_byte_order_mark_and_windows_lines_leave_no_trace(tmp_path: Path) -> None:
    file = tmp_path / "낱말.txt"
    file.write_bytes("\ufeff개\r\n고양이\r\n".encode())
    assert [keyword.label for keyword in read_file(file).wanted] == ["개", "고양이"]


def test_blank_lines_comments_and_invisible_signs_are_passed_over() -> None:
    assert words("\n  # a comment\n\u200b\n cat \u200b\r\n\t\ndog") == ["cat", "dog"]


def test_label_may_differ_from_the_words() -> None:
    wanted = parsed("cat = 고양이 사진\nfox=여우\nE=mc2 = E=mc2", "the text").wanted
    assert wanted == (Keyword("cat", "고양이 사진"), Keyword("fox", "여우"), Keyword("E=mc2", "E=mc2"))


def test_one_label_may_have_several_words() -> None:
    assert [k.label for k in parsed("cat\ncat = 고양이", "the text").wanted] == ["cat", "cat"]


def test_repeated_line_counts_once_and_is_named() -> None:
    read = parsed(f"café\ndog\n{unicodedata.normalize('NFD', 'café')}\n", "the text")
    assert [k.words for k in read.wanted] == ["café", "dog"]
    assert read.repeated == ("café",)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no keyword"),
        ("# only a comment\n\n", "no keyword"),
        ("cat\n= dog", "line 2 of the text is '= dog': nothing stands before"),
        ("cat =", "nothing stands after"),
        ("x" * 1001, "1001 characters"),
        ("x" * 201, "201 characters"),
        ("a\tb", "U+0009"),
        ("a\x00b", r"control character '\x00'"),
    ],
)
def test_line_that_cannot_be_meant_is_an_error(text: str, says: str) -> None:
    with pytest.raises(UserError) as caught:
        parsed(text, "the text")
    assert says in caught.value.what
    assert caught.value.hint


def test_other_encodings_are_named_with_their_line(tmp_path: Path) -> None:
    file = tmp_path / "latin.txt"
    file.write_bytes("dog\nna\u00efve\n".encode("latin-1"))
    with pytest.raises(UserError, match=r"line 2 .* is not UTF-8 .byte 0xef") as caught:
        read_file(file)
    assert "iconv" in caught.value.hint


def test_missing_file_folder_and_impossible_name_are_errors(tmp_path: Path) -> None:
    for path, says in ((tmp_path / "none.txt", "no file"), (tmp_path, "a folder"), (Path("a\0b"), "cannot read")):
        with pytest.raises(UserError, match=says):
            read_file(path)


def test_file_that_is_no_keywords_file_is_refused_by_its_size(tmp_path: Path) -> None:
    file = tmp_path / "film.mp4"
    with file.open("wb") as film:
        film.truncate(2**21)
    with pytest.raises(UserError, match="larger than 1 MB"):
        read_file(file)
