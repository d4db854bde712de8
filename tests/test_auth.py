"""Who is let in, and where the words for it come from."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from demo.auth import Credentials, read_credentials
from handwriter_models.errors import UserError

TOKEN = "0123456789abcdef0123"


def basic(pair: str) -> str:
    return "Basic " + base64.b64encode(pair.encode()).decode()


def held(people: list[str], token: str = "") -> Credentials:
    made = read_credentials(people, None, None, {"HANDWRITER_API_TOKEN": token} if token else {})
    assert made is not None
    return made


def test_nothing_asked_for_means_no_lock() -> None:
    assert read_credentials([], None, None, {}) is None


@pytest.mark.parametrize("pair", ["me:secret", "나:비밀 번호", "me:with:colon"])
def test_the_right_name_and_password_are_let_in(pair: str) -> None:
    assert held(["other:word", pair]).admit(basic(pair))


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic !!!",
        "Basic " + base64.b64encode(b"\xff\xfe").decode(),
        basic("me:secrets"),
        basic("me:"),
        basic("ME:secret"),
        basic("me:secret\0"),
        "Bearer me:secret",
        "Bearer ",
        f"Digest {TOKEN}",
    ],
)
def test_anything_else_is_not(header: str) -> None:
    assert not held(["me:secret"]).admit(header)
    assert not held(["me:secret"], TOKEN).admit(header)


def test_a_token_lets_a_program_in_and_is_no_password() -> None:
    made = held(["me:secret"], TOKEN)
    assert made.admit(f"Bearer {TOKEN}")
    assert made.admit(f"bearer  {TOKEN} ")
    assert not made.admit(f"Bearer {TOKEN}x")
    assert not made.admit(basic(f"me:{TOKEN}"))
    assert made.schemes == 'Basic realm="HandWriter", charset="UTF-8", Bearer realm="HandWriter"'


def test_files_name_people_and_a_token(tmp_path: Path) -> None:
    people, token = tmp_path / "사람.txt", tmp_path / "token"
    people.write_text("# who may in\nme:secret\n\n나:비밀\n", "utf-8")
    token.write_text(TOKEN + "\n", "utf-8")
    made = read_credentials([], people, token, {})
    assert made is not None
    assert made.admit(basic("나:비밀"))
    assert made.admit(f"Bearer {TOKEN}")
    assert not made.admit(basic("# who may in"))


def test_the_words_themselves_are_not_kept() -> None:
    assert "secret" not in repr(held(["me:secret"], TOKEN)) + str(vars(held(["me:secret"], TOKEN)))


def test_wrong_words_are_told_without_repeating_them(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("", "utf-8")
    (tmp_path / "short").write_text("abc", "utf-8")
    cases: list[tuple[list[str], Path | None, Path | None]] = [
        (["hunter2"], None, None),
        ([":hunter2"], None, None),
        (["hunter2:"], None, None),
        ([], tmp_path / "empty", None),
        ([], None, tmp_path / "empty"),
        ([], None, tmp_path / "short"),
        ([], None, tmp_path / "not there"),
    ]
    for people, people_file, token_file in cases:
        with pytest.raises(UserError) as refused:
            read_credentials(people, people_file, token_file, {})
        assert "hunter2" not in str(refused.value)
        assert refused.value.hint
