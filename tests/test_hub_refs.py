"""What is a name of a repository on the Hub, and what is not."""

from __future__ import annotations

import pytest

from handwriter_models.errors import UserError
from handwriter_models.hub.refs import Reference, parse_reference, reference


@pytest.mark.parametrize(
    ("text", "repo", "revision"),
    [
        ("ana/digits", "ana/digits", ""),
        ("Ana-1/my.digits_2@v1.0", "Ana-1/my.digits_2", "v1.0"),
        ("ana/digits@refs/pr/4", "ana/digits", "refs/pr/4"),
        ("ana/digits@3f2a91c", "ana/digits", "3f2a91c"),
    ],
)
def test_a_name_and_its_revision_are_read(text: str, repo: str, revision: str) -> None:
    assert parse_reference(text) == Reference(repo, revision)
    assert str(Reference(repo, revision)) == text


@pytest.mark.parametrize(
    "text",
    [
        "digits",
        "./ana/digits",
        "../digits",
        "/ana/digits",
        "runs/a/b",
        "ana/",
        "ana/digits@",
        "ana/digits@../../x",
        "ana/digits@-x",
        "ana/di--gits",
        "ana/di..gits",
        "ana/digits.git",
        "ana/한글",
        "ana/digits\n",
        "ana/d\0",
        f"ana/{'x' * 100}",
        "http://host/x",
        "ana\\digits",
    ],
)
def test_what_is_no_such_name_is_refused(text: str) -> None:
    assert parse_reference(text) is None
    with pytest.raises(UserError, match="no name of a repository"):
        reference(text)


def test_only_a_whole_commit_never_grows_old() -> None:
    commit = "0123456789abcdef" * 2 + "01234567"
    kinds = [Reference("a/b", revision) for revision in ("", "main", commit[:7], commit)]
    assert [(kind.is_commit, kind.is_whole_commit) for kind in kinds] == [
        (False, False),
        (False, False),
        (True, False),
        (True, True),
    ]
