"""Browser and driver: found on PATH, compared, and a remedy named when they do not fit."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from crawler.driver_paths import find
from handwriter_models.errors import UserError


def programs(folder: Path, **printed: str) -> str:
    """A PATH with programs that print this; returns the PATH."""
    for name, text in printed.items():
        program = folder / name.replace("_", "-")
        program.write_text(f"#!/bin/sh\necho 'a warning' >&2\n{text}\n", "utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return str(folder)


CHROMIUM = "echo 'Chromium {}.0.8078.79 built on Debian GNU/Linux 12 (bookworm)'"
CHROME = "echo 'Google Chrome {}.0.7204.49 '"
DRIVER = "echo 'ChromeDriver {}.0.8078.79 (a21ce95c24ce3964416f09ae1862f53f319eb4d0-refs/branch-heads/8078@{{#1704}})'"


def test_a_pair_of_one_version_is_found(tmp_path: Path) -> None:
    paths = find(programs(tmp_path, chromium=CHROMIUM.format(156), chromedriver=DRIVER.format(156)))
    assert paths.browser == str(tmp_path / "chromium")
    assert paths.driver == str(tmp_path / "chromedriver")
    assert paths.major == 156


def test_of_two_browsers_the_one_that_fits_the_driver_is_taken(tmp_path: Path) -> None:
    path = programs(
        tmp_path, chromium=CHROMIUM.format(140), google_chrome=CHROME.format(156), chromedriver=DRIVER.format(156)
    )
    assert find(path).browser.endswith("google-chrome")


def test_versions_that_differ_are_named_with_the_remedy(tmp_path: Path) -> None:
    path = programs(tmp_path, google_chrome=CHROME.format(138), chromedriver=DRIVER.format(156))
    with pytest.raises(UserError, match=r"google-chrome is version 138, but .*chromedriver is version 156") as caught:
        find(path)
    assert "install chromedriver 138" in caught.value.hint
    assert "\n" not in caught.value.hint


@pytest.mark.parametrize(
    ("present", "missing"), [("chromedriver", "no Chrome or Chromium"), ("chromium", "no chromedriver")]
)
def test_what_is_missing_is_named_with_the_remedy(tmp_path: Path, present: str, missing: str) -> None:
    with pytest.raises(UserError, match=missing) as caught:
        find(programs(tmp_path, **{present: CHROMIUM.format(156)}))
    assert "apt-get install chromium chromium-driver" in caught.value.hint
    assert "--grid" in caught.value.hint


@pytest.mark.parametrize("text", ["echo no version", "exit 3", "kill -9 $$"])
def test_program_that_does_not_tell_its_version_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(UserError, match="chromedriver --version does not tell"):
        find(programs(tmp_path, chromium=CHROMIUM.format(156), chromedriver=text))


def test_program_that_cannot_be_started_is_named(tmp_path: Path) -> None:
    path = programs(tmp_path, chromium=CHROMIUM.format(156), chromedriver=DRIVER.format(156))
    (tmp_path / "chromedriver").write_bytes(b"\x7fELF of another processor")
    with pytest.raises(UserError, match="chromedriver --version does not tell"):
        find(path)
