"""When no site is written, and that all texts of the page are there."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from handwriter_models.bundle import find_bundle
from handwriter_models.commands import app
from handwriter_models.errors import UserError
from handwriter_models.static_site.build import PAGE, write_static_site

pytest.importorskip("onnx", reason="onnx is an extra")
pytest.importorskip("onnxscript", reason="onnxscript is an extra")
pytest.importorskip("onnxruntime", reason="onnxruntime is an extra")


def test_what_cannot_become_a_site_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    digits, out = find_bundle("digits"), tmp_path / "out"
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "thesis.txt").write_text("years")
    for bundles, folder, what in (
        ({}, out, "at least one model"),
        ({"digits": digits}, tmp_path / "work", "'thesis.txt', which is no part of a site"),
        ({"digits": digits}, tmp_path / "work" / "thesis.txt", "is a file"),
    ):
        with pytest.raises(UserError, match=what):
            write_static_site(bundles, folder)
    twice = CliRunner().invoke(app, ["site", "digits", "digits", "--out", str(out)])
    assert "two models are called 'digits'" in str(twice.exception)
    assert not out.exists()
    assert (tmp_path / "work" / "thesis.txt").read_text() == "years"


def test_missing_packages_are_named_with_the_way_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)  # as Python itself marks what cannot be imported
    done = CliRunner().invoke(app, ["site", "digits", "--out", str(tmp_path / "site")])
    assert isinstance(done.exception, UserError)
    assert "requirements-extras.txt" in done.exception.hint
    assert not (tmp_path / "site").exists()


def test_every_text_is_there_in_both_languages() -> None:
    languages = re.findall(r"^  (\w\w): \{(.*?)^  \},$", (PAGE / "texts.js").read_text("utf-8"), re.S | re.M)
    keys = {name: set(re.findall(r"(?:^|[ ,])(\w+): '", body)) for name, body in languages}
    assert keys["en"] == keys["ko"]
    asked = set(re.findall(r'data-(?:text|aria|tip)="(\w+)"', (PAGE / "index.html").read_text("utf-8")))
    asked |= {key for path in PAGE.glob("*.js") for key in re.findall(r"say\('(\w+)'", path.read_text("utf-8"))}
    assert asked <= keys["en"], asked - keys["en"]
