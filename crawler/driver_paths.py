"""Which browser and which driver are used: Chrome or Chromium and chromedriver, of the same major version.

Both are always named to Selenium. Left to itself it would look for them, try to download them, and send statistics.
A pair that does not match is the most frequent complaint about crawlers, so it is found before anything starts, and the
message says what to type. PATH is looked at first, then the places where each system puts such programs; what somebody
names is used and nothing else. A browser in a sandbox (snap, flatpak) sees only folders of its own: its profile goes
there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from handwriter_models.errors import UserError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
DRIVERS = ("chromedriver", "chromium.chromedriver")
VERSION = re.compile(r"(\d+)\.\d+(\.\d+)*")
SECONDS_TO_ANSWER = 30
# Below `/`, below the home folder (~), or below a folder that a variable names (%NAME%); * stands for any one name
BROWSER_PLACES: Mapping[str, tuple[str, ...]] = {
    "linux": (
        "/usr/lib/chromium/chromium",
        "/usr/lib/chromium-browser/chromium-browser",
        "/usr/lib64/chromium-browser/chromium-browser",
        "/opt/google/chrome/google-chrome",
        "/snap/bin/chromium",
        "/var/lib/flatpak/exports/bin/org.chromium.Chromium",
        "/var/lib/flatpak/exports/bin/com.google.Chrome",
        "~/.local/share/flatpak/exports/bin/org.chromium.Chromium",
        "~/.local/share/flatpak/exports/bin/com.google.Chrome",
        "~/.cache/selenium/chrome/*/*/chrome",
    ),
    "darwin": (
        *(
            f"{root}/Applications/{name}.app/Contents/MacOS/{name}"
            for name in ("Google Chrome", "Chromium", "Google Chrome for Testing")
            for root in ("", "~")
        ),
        "/opt/homebrew/bin/chromium",
        "/usr/local/bin/chromium",
        "~/.cache/selenium/chrome/*/*/*.app/Contents/MacOS/Google Chrome for Testing",
    ),
    "win32": (
        *(
            f"%{root}%/{name}/Application/chrome.exe"
            for name in ("Google/Chrome", "Chromium")
            for root in ("ProgramFiles", "ProgramFiles(x86)", "LOCALAPPDATA")
        ),
        "~/scoop/apps/googlechrome/current/chrome.exe",
        "~/scoop/apps/chromium/current/chrome.exe",
        "~/.cache/selenium/chrome/*/*/chrome.exe",
    ),
}
DRIVER_PLACES: Mapping[str, tuple[str, ...]] = {
    "linux": (
        "/usr/lib/chromium/chromedriver",
        "/usr/lib/chromium-browser/chromedriver",
        "/usr/lib64/chromium-browser/chromedriver",
        "/snap/bin/chromium.chromedriver",
        "/usr/local/bin/chromedriver",
        "~/.cache/selenium/chromedriver/*/*/chromedriver",
    ),
    "darwin": (
        "/opt/homebrew/bin/chromedriver",
        "/usr/local/bin/chromedriver",
        "/opt/local/bin/chromedriver",
        "~/.cache/selenium/chromedriver/*/*/chromedriver",
    ),
    "win32": (
        "%ProgramData%/chocolatey/bin/chromedriver.exe",
        "%LOCALAPPDATA%/Microsoft/WinGet/Links/chromedriver.exe",
        "~/scoop/shims/chromedriver.exe",
        "~/.cache/selenium/chromedriver/*/*/chromedriver.exe",
    ),
}
# Where other programs are told the paths: looked at first
VARIABLES = {"browser": "CHROME_BIN", "driver": "SE_CHROMEDRIVER"}
SNAP, LONGEST_SCRIPT = "snap", 20_000
FLATPAK = re.compile(r"\b(?:org|com|io|net)\.[\w.]{2,99}")  # the name of an application in the script that starts it
TESTING = "https://googlechromelabs.github.io/chrome-for-testing/ has every pair"
OR = "or name them: --browser PATH --driver PATH; or use a Selenium Grid: --grid URL"
# By the ID and ID_LIKE of /etc/os-release; the first that is met counts
INSTALL: Mapping[str, str] = {
    "ubuntu": "Ubuntu: sudo snap install chromium",  # its driver comes with it
    "debian": "Debian: sudo apt-get install chromium chromium-driver",
    "fedora": "Fedora: sudo dnf install chromium chromedriver",
    "rhel": "with EPEL: sudo dnf install chromium chromedriver",
    "arch": "Arch: sudo pacman -S chromium",
    "suse": "openSUSE: sudo zypper install chromium chromedriver",
    "alpine": "Alpine: sudo apk add chromium chromium-chromedriver",
    "nixos": "NixOS: nix-shell -p chromium chromedriver",
    "darwin": f"macOS: brew install --cask google-chrome chromedriver; where the second is gone, {TESTING}",
    "win32": "Windows: winget install Google.Chrome Chromium.ChromeDriver",
    "": f"install Chrome and chromedriver: {TESTING}",
}


@dataclass(frozen=True)
class BrowserPaths:
    """A browser and the driver that fits it; `profiles` is the only folder that a browser in a sandbox can write to."""

    browser: str
    driver: str
    major: int
    profiles: Path | None = None


@dataclass(frozen=True)
class Machine:
    """Where programs are looked for; `root` stands before every absolute place."""

    system: str = "win32" if sys.platform == "cygwin" else sys.platform
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    home: Path = Path(os.path.expanduser("~"))  # noqa: PTH111 - `Path.home` raises where there is none
    root: Path = Path("/")

    @property
    def install(self) -> str:
        """What to type here for a browser and its driver."""
        names = [self.system]
        try:
            told = (self.root / "etc" / "os-release").read_text("utf-8", "replace")
        except OSError:
            told = ""
        if self.system == "linux":
            names = re.findall(r"^ID=\W?(\w+)", told, re.MULTILINE)
            names += " ".join(re.findall(r"^ID_LIKE=(.*)", told, re.MULTILINE)).replace('"', "").split()
        known = [name.partition("-")[0].replace("opensuse", "suse") for name in names]
        return f"{INSTALL[next((name for name in known if name in INSTALL), '')]}; {OR}"

    def on_path(self, names: Iterable[str]) -> list[str]:
        """Those of these programs that are on PATH."""
        path = self.environment.get("PATH", os.defpath)
        return [place for name in names if (place := shutil.which(name, path=path))]

    def at(self, places: Mapping[str, tuple[str, ...]]) -> list[str]:
        """The programs at the usual places of this system, in their order; the newest first where there are several."""
        found: list[str] = []
        for place in places.get(self.system, ()):
            start, _, rest = place.partition("/")
            name = start.strip("%")
            told = self.environment.get(name) or self.environment.get(name.upper())
            folder = {"": str(self.root), "~": str(self.home)}.get(start, told)
            if folder:
                found += [str(file) for file in sorted(Path(folder).glob(rest), key=_newest) if file.is_file()]
        return found


@dataclass(frozen=True)
class Named:
    """What somebody named: paths, or names of programs on PATH; empty where it is to be found."""

    browser: str = ""
    driver: str = ""


NOBODY = Named()


def find(path: str | None = None, named: Named = NOBODY, machine: Machine | None = None) -> BrowserPaths:
    """The first browser and driver that fit together; raises `UserError` with the remedy.

    PATH is looked at first, then the usual places; only at `path` when one is given.
    """
    if machine is None:
        return _find(os.environ.get("PATH", os.defpath) if path is None else path, path is None, named)
    return _Search(machine, named).pair(path is None)


@cache
def _find(path: str, usual: bool, named: Named) -> BrowserPaths:
    """For every browser of a crawl; the programs are asked for their versions once."""
    return _Search(Machine(environment={**os.environ, "PATH": path}), named).pair(usual)


class _Search:
    """What was looked at on one machine, and which version each program has."""

    def __init__(self, machine: Machine, named: Named) -> None:
        self._machine, self._named = machine, named
        self._versions: dict[str, int] = {}  # 0 where a program does not tell

    def pair(self, usual: bool) -> BrowserPaths:
        """The first browser with the first driver of its version; the usual places only when PATH has no pair."""
        browsers: list[str] = []
        drivers: list[str] = []
        for places in (False, True)[: 1 + usual]:
            browsers = self._candidates("browser", BROWSERS, BROWSER_PLACES, places)
            drivers = self._candidates("driver", DRIVERS, DRIVER_PLACES, places)
            self._ask([*browsers, *drivers])
            for browser in browsers:
                for driver in drivers:
                    if self._fit(browser, driver):
                        return self._paths(browser, driver)
        raise self._no_pair(browsers, drivers, usual)

    def _candidates(
        self, what: str, names: Sequence[str], places: Mapping[str, tuple[str, ...]], usual: bool
    ) -> list[str]:
        machine = self._machine
        if named := getattr(self._named, what):
            return [self._checked(named, what)]
        elsewhere = machine.environment.get(VARIABLES[what], "")
        found = [elsewhere] if elsewhere and Path(elsewhere).is_file() else []
        return list(dict.fromkeys([*found, *machine.on_path(names), *(machine.at(places) if usual else ())]))

    def _checked(self, named: str, what: str) -> str:
        """The program that was named; a macOS application stands for the program in it."""
        place = Path(os.path.expanduser(named))  # noqa: PTH111 - it never raises
        if named.endswith(".app") and place.is_dir():
            place = place / "Contents" / "MacOS" / place.stem
        found = str(place) if place.is_file() else next(iter(self._machine.on_path([named])), "")
        if not found:
            raise UserError(f"--{what} {named}: there is no such program", self._machine.install)
        if not os.access(found, os.X_OK):
            raise UserError(f"--{what} {named} is no program: it may not be run", f"give another, or: chmod +x {found}")
        return found

    def _fit(self, browser: str, driver: str) -> bool:
        """Of one version, and both or neither out of a snap: a driver outside cannot look into it."""
        version = self._versions[browser]
        snaps = {sandbox_of(program) == SNAP for program in (browser, driver)}
        return bool(version) and version == self._versions[driver] and len(snaps) == 1

    def _paths(self, browser: str, driver: str) -> BrowserPaths:
        home, sandbox = self._machine.home, sandbox_of(browser)
        inside = {"": None, SNAP: home / "snap" / "chromium" / "common"}.get(sandbox, home / ".var" / "app" / sandbox)
        return BrowserPaths(browser, driver, self._versions[browser], inside)

    def _ask(self, programs: Sequence[str]) -> None:
        """Learns the versions; all programs are asked at once."""
        new = [program for program in programs if program not in self._versions]
        silent = [program for program in new if self._machine.system == "win32" and "driver" not in Path(program).name]
        asked = {program: _asked(program) for program in new if program not in silent}
        self._versions |= {program: _major(process) for program, process in asked.items()}
        self._versions |= {program: self._beside(program) for program in silent}

    @staticmethod
    def _beside(program: str) -> int:
        """The version by the folder beside Chrome on Windows, where `--version` opens a window instead."""
        beside = (VERSION.fullmatch(folder.name) for folder in Path(program).parent.iterdir() if folder.is_dir())
        return max((int(match[1]) for match in beside if match), default=0)

    def _no_pair(self, browsers: list[str], drivers: list[str], usual: bool) -> UserError:
        install, where = self._machine.install, " or at a usual place" if usual else ""
        if not browsers:
            return UserError(f"no Chrome or Chromium is on PATH{where}", install)
        if not drivers:
            return UserError(f"{browsers[0]} is here, but no chromedriver is on PATH{where}", install)
        told = {
            name: [one for one in names if self._versions[one]]
            for name, names in zip("bd", (browsers, drivers), strict=True)
        }
        for silent, names in ((browsers[0], told["b"]), (drivers[0], told["d"])):
            if not names:
                return UserError(f"{silent} --version does not tell its version", install)
        browser, driver = told["b"][0], told["d"][0]
        major, other = self._versions[browser], self._versions[driver]
        if major == other:
            return UserError(
                f"of {browser} and {driver} one is in a snap and one is not: they cannot work together", install
            )
        return UserError(
            f"{browser} is version {major}, but {driver} is version {other}; they must have the same",
            f"install chromedriver {major} ({TESTING}), or bring both up to date; {install}",
        )


def sandbox_of(program: str) -> str:
    """`snap`, or the name of a flatpak's application; empty for a browser that sees the whole disk."""
    try:
        with Path(program).open("rb") as file:
            head = file.read(LONGEST_SCRIPT).decode("utf-8", "replace")
    except OSError:
        head = ""
    script = head if head.startswith("#!") else ""
    if "/snap/bin/" in Path(program).as_posix() or "/snap/bin/" in script:
        return SNAP
    if "/flatpak/exports/" in Path(program).as_posix() or "flatpak run" in script:
        return next(iter(FLATPAK.findall(script)), Path(program).name)
    return ""


def _newest(file: Path) -> list[int]:
    return [-int(number) for number in re.findall(r"\d{1,9}", str(file))]


def _asked(program: str) -> subprocess.Popen[str] | None:
    try:
        return subprocess.Popen(  # noqa: S603 - a browser or a driver, named or found
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
