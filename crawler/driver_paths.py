"""Which browser and which driver are used: Chrome or Chromium and chromedriver on PATH, of the same major version.

Both are always named to Selenium. Left to itself it would look for them, try to download them, and send statistics.
A pair that does not match is the most frequent complaint about crawlers, so it is found before anything starts, and the
message says what to type.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from handwriter_models.errors import UserError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
DRIVERS = ("chromedriver", "chromium.chromedriver")
VERSION = re.compile(r"(\d+)\.\d+(\.\d+)*")
SECONDS_TO_ANSWER = 30
INSTALL = "Debian, Ubuntu: sudo apt-get install chromium chromium-driver; or use a Selenium Grid: --grid URL"


@dataclass(frozen=True)
class BrowserPaths:
    """A browser and the driver that fits it."""

    browser: str
    driver: str
    major: int


def find(path: str | None = None) -> BrowserPaths:
    """The first browser and driver on PATH (or on `path`) that fit together; raises `UserError` with the remedy."""
    return _find(os.environ.get("PATH", os.defpath) if path is None else path)


@cache
def _find(path: str) -> BrowserPaths:
    browsers, drivers = _on(path, BROWSERS), _on(path, DRIVERS)
    if not browsers:
        raise UserError("no Chrome or Chromium is on PATH", INSTALL)
    if not drivers:
        raise UserError(f"{browsers[0]} is here, but no chromedriver is on PATH", INSTALL)
    versions = _versions([*browsers, *drivers])
    for browser in browsers:
        for driver in drivers:
            if versions[browser] and versions[browser] == versions[driver]:
                return BrowserPaths(browser, driver, versions[browser])
    raise _not_a_pair(browsers[0], drivers[0], versions)


def _on(path: str, names: Sequence[str]) -> list[str]:
    places = [shutil.which(name, path=path) for name in names]
    return [place for place in places if place]


def _versions(programs: Sequence[str]) -> dict[str, int]:
    """The major version of each program, 0 where it does not tell; all are asked at once."""
    asked = {program: _asked(program) for program in programs}
    return {program: _major(process) for program, process in asked.items()}


def _asked(program: str) -> subprocess.Popen[str] | None:
    try:
        return subprocess.Popen(  # noqa: S603 - a browser or a driver found on PATH
            [program, "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, errors="replace"
        )
    except OSError:
        return None


def _major(process: subprocess.Popen[str] | None) -> int:
    if process is None:
        return 0
    try:
        printed = process.communicate(timeout=SECONDS_TO_ANSWER)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return 0
    found = VERSION.search(printed)
    return int(found[1]) if found else 0


def _not_a_pair(browser: str, driver: str, versions: dict[str, int]) -> UserError:
    for program in (browser, driver):
        if not versions[program]:
            return UserError(f"{program} --version does not tell its version", INSTALL)
    major = versions[browser]
    return UserError(
        f"{browser} is version {major}, but {driver} is version {versions[driver]}; they must have the same",
        f"install chromedriver {major} (Debian, Ubuntu: sudo apt-get install --only-upgrade chromium chromium-driver; "
        "others: https://googlechromelabs.github.io/chrome-for-testing/)",
    )
