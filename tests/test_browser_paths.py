"""Browser and driver: found on PATH or where each system has them, compared, and a remedy when they do not fit."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from crawler.browser import Session, Settings
from crawler.driver_paths import BrowserPaths, Machine, Named, find, sandbox_of
from handwriter_models.errors import UserError
from tests.browser import BROWSERS, program
from tests.called import called


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


def machine(folder: Path, system: str = "linux", release: str = "", **environment: str) -> Machine:
    """A machine of this system whose disk and home folder are in `folder`; nothing is on its PATH."""
    (folder / "etc").mkdir(parents=True, exist_ok=True)
    (folder / "empty").mkdir(exist_ok=True)
    (folder / "etc" / "os-release").write_text(release, "utf-8")
    return Machine(system, {"PATH": str(folder / "empty"), **environment}, folder / "home", folder)


def put(folder: Path, place: str, text: str) -> str:
    """A program at this place of the disk; returns its path."""
    file = folder / place.replace("~", "home").lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
    file.chmod(0o755)
    return str(file)


@pytest.mark.parametrize(
    ("system", "browser", "driver"),
    [
        ("linux", "/usr/lib/chromium/chromium", "/usr/lib/chromium/chromedriver"),
        (
            "linux",
            "/opt/google/chrome/google-chrome",
            "~/.cache/selenium/chromedriver/linux64/131.0.6778.87/chromedriver",
        ),
        ("linux", "/snap/bin/chromium", "/snap/bin/chromium.chromedriver"),
        ("linux", "/var/lib/flatpak/exports/bin/org.chromium.Chromium", "/usr/local/bin/chromedriver"),
        ("linux", "~/.local/share/flatpak/exports/bin/com.google.Chrome", "/usr/local/bin/chromedriver"),
        ("darwin", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/opt/homebrew/bin/chromedriver"),
        ("darwin", "~/Applications/Chromium.app/Contents/MacOS/Chromium", "/usr/local/bin/chromedriver"),
    ],
)
def test_each_systems_usual_places_are_looked_at(tmp_path: Path, system: str, browser: str, driver: str) -> None:
    here = machine(tmp_path, system)
    wanted = put(tmp_path, browser, CHROME.format(131)), put(tmp_path, driver, DRIVER.format(131))
    found = find(machine=here)
    assert (found.browser, found.driver, found.major) == (*wanted, 131)


@pytest.mark.parametrize("variable", ["ProgramFiles", "ProgramFiles(x86)", "LOCALAPPDATA"])
def test_chrome_on_windows_is_told_by_the_folder_beside_it_and_not_started(tmp_path: Path, variable: str) -> None:
    here = machine(tmp_path, "win32", **{"LOCALAPPDATA": str(tmp_path / "local"), variable: str(tmp_path / "Programs")})
    opened = tmp_path / "opened"
    browser = put(tmp_path, "Programs/Google/Chrome/Application/chrome.exe", f"touch {opened}")
    for version in ("99.0.1.2", "131.0.6778.86", "SetupMetrics"):
        (Path(browser).parent / version).mkdir()
    driver = put(tmp_path, "~/scoop/shims/chromedriver.exe", DRIVER.format(131))
    assert find(machine=here) == BrowserPaths(browser, driver, 131)
    assert not opened.exists()


def test_pair_on_path_comes_before_a_newer_one_elsewhere_and_the_newest_of_several_first(tmp_path: Path) -> None:
    here = machine(tmp_path)
    programs(tmp_path / "empty", chromium=CHROMIUM.format(140), chromedriver=DRIVER.format(140))
    for version in (99, 131, 120):
        put(tmp_path, f"~/.cache/selenium/chrome/linux64/{version}.0.1.1/chrome", CHROME.format(version))
        put(tmp_path, f"~/.cache/selenium/chromedriver/linux64/{version}.0.1.1/chromedriver", DRIVER.format(version))
    assert find(machine=here).major == 140
    (tmp_path / "empty" / "chromedriver").unlink()
    assert find(machine=here).major == 131


def test_browser_in_a_snap_goes_with_the_driver_in_it_and_has_its_profile_there(tmp_path: Path) -> None:
    here = machine(tmp_path, release="ID=ubuntu\nID_LIKE=debian\n")
    snap = put(tmp_path, "/usr/lib/chromium-browser/chromium-browser", f"# /snap/bin/chromium\n{CHROMIUM.format(131)}")
    put(tmp_path, "/usr/local/bin/chromedriver", DRIVER.format(131))
    with pytest.raises(UserError, match="one is in a snap and one is not") as caught:
        find(machine=here)
    assert "snap install chromium" in caught.value.hint
    driver = put(tmp_path, "/snap/bin/chromium.chromedriver", DRIVER.format(131))
    assert find(machine=here) == BrowserPaths(snap, driver, 131, tmp_path / "home" / "snap" / "chromium" / "common")


def test_flatpak_is_known_by_its_place_and_by_its_script(tmp_path: Path) -> None:
    exported = put(tmp_path, "/var/lib/flatpak/exports/bin/org.chromium.Chromium", "exit 1")
    script = put(tmp_path, "/usr/local/bin/browser", 'exec /usr/bin/flatpak run com.google.Chrome "$@"')
    assert sandbox_of(exported) == "org.chromium.Chromium"
    assert sandbox_of(script) == "com.google.Chrome"
    assert sandbox_of(put(tmp_path, "/usr/bin/chromium", "exec /usr/lib/chromium/chromium")) == ""
    put(tmp_path, "/var/lib/flatpak/exports/bin/org.chromium.Chromium", CHROMIUM.format(131))
    put(tmp_path, "/usr/local/bin/chromedriver", DRIVER.format(131))
    profiles = find(machine=machine(tmp_path)).profiles
    assert profiles == tmp_path / "home" / ".var" / "app" / "org.chromium.Chromium"


@pytest.mark.parametrize(
    ("system", "release", "remedy"),
    [
        ("linux", "ID=debian", "apt-get install chromium chromium-driver"),
        ("linux", 'ID=linuxmint\nID_LIKE="ubuntu debian"', "snap install chromium"),
        ("linux", "ID=fedora", "dnf install chromium chromedriver"),
        ("linux", 'ID="rocky"\nID_LIKE="rhel centos fedora"', "with EPEL"),
        ("linux", "ID=manjaro\nID_LIKE=arch", "pacman -S chromium"),
        ("linux", 'ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"', "zypper install chromium"),
        ("linux", "ID=alpine", "apk add chromium chromium-chromedriver"),
        ("linux", "", "chrome-for-testing"),
        ("freebsd13", "", "chrome-for-testing"),
        ("darwin", "", "brew install --cask google-chrome"),
        ("win32", "", "winget install Google.Chrome"),
    ],
)
def test_remedy_is_the_systems_own(tmp_path: Path, system: str, release: str, remedy: str) -> None:
    here = machine(tmp_path, system, release)
    with pytest.raises(UserError, match="no Chrome or Chromium is on PATH or at a usual place") as caught:
        find(machine=here)
    for word in (remedy, "--browser PATH", "--grid URL"):
        assert word in caught.value.hint


def test_named_programs_are_used_and_no_others(tmp_path: Path) -> None:
    here = machine(tmp_path)
    put(tmp_path, "/usr/lib/chromium/chromium", CHROMIUM.format(140))
    put(tmp_path, "/usr/lib/chromium/chromedriver", DRIVER.format(140))
    browser, driver = put(tmp_path, "my chrome", CHROME.format(131)), put(tmp_path, "my-driver", DRIVER.format(131))
    assert find(named=Named(browser, driver), machine=here) == BrowserPaths(browser, driver, 131)
    with pytest.raises(UserError, match=r"my chrome is version 131, but .*chromedriver is version 140"):
        find(named=Named(browser), machine=here)
    assert find(named=Named(driver=str(tmp_path / "usr/lib/chromium/chromedriver")), machine=here).major == 140


def test_macos_application_stands_for_the_program_in_it(tmp_path: Path) -> None:
    program = put(tmp_path, "Applications/Google Chrome.app/Contents/MacOS/Google Chrome", CHROME.format(131))
    driver = put(tmp_path, "driver", DRIVER.format(131))
    named = Named(str(tmp_path / "Applications" / "Google Chrome.app"), driver)
    assert find(named=named, machine=machine(tmp_path, "darwin")).browser == program


def test_paths_that_other_programs_are_told_count_but_do_not_bind(tmp_path: Path) -> None:
    browser, driver = put(tmp_path, "a", CHROME.format(131)), put(tmp_path, "b", DRIVER.format(131))
    assert find(machine=machine(tmp_path, CHROME_BIN=browser, SE_CHROMEDRIVER=driver)).browser == browser
    put(tmp_path, "/usr/lib/chromium/chromium", CHROMIUM.format(140))
    put(tmp_path, "/usr/lib/chromium/chromedriver", DRIVER.format(140))
    assert find(machine=machine(tmp_path, CHROME_BIN=browser, SE_CHROMEDRIVER="/nowhere")).major == 140


def crawled(folder: Path, *options: object, path: str = "") -> tuple[int, str]:
    (folder / "keywords.txt").write_text("cat\n", "utf-8")
    words = ["--keywords", folder / "keywords.txt", "--dataset", folder / "data", "--engines", "bing", *options]
    done = called("crawler", *words, environment={"PATH": path or str(folder)})
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--browser", "/nowhere/chrome"], "--browser /nowhere/chrome: there is no such program"),
        (["--browser", "no-such-browser"], "--browser no-such-browser: there is no such program"),
        (["--driver", "keywords.txt"], "--driver keywords.txt"),
        (["--browser", "{folder}"], "there is no such program"),
        (["--driver", "{folder}/keywords.txt"], "may not be run"),
        (["--browser", "chromium", "--grid", "http://127.0.0.1:1"], "--grid uses those of others"),
    ],
)
def test_wrong_program_is_wrong_use(tmp_path: Path, options: Sequence[str], said: str) -> None:
    code, text = crawled(tmp_path, *(option.format(folder=tmp_path) for option in options))
    assert code == 2
    assert said in " ".join(text.split())
    assert not (tmp_path / "data" / "images").exists()


def test_real_browser_is_started_by_the_names_given_for_it(tmp_path: Path) -> None:
    browser, driver = tmp_path / "brauser mit leerzeichen", tmp_path / "드라이버"
    browser.symlink_to(program(BROWSERS))
    driver.symlink_to(program(["chromedriver"]))
    (tmp_path / "bin").mkdir()
    paths = find(str(tmp_path / "bin"), Named(str(browser), str(driver)))
    inside = BrowserPaths(paths.browser, paths.driver, paths.major, tmp_path / "profiles" / "here")
    with Session(Settings(), inside) as session:
        assert "HeadlessChrome/" in session.driver.execute_script("return navigator.userAgent")
        assert [place.name for place in (tmp_path / "profiles" / "here").glob("*/profile")] == ["profile"]
    assert not list((tmp_path / "profiles" / "here").iterdir())


def test_command_uses_the_named_pair(tmp_path: Path) -> None:
    path = os.pathsep.join([str(Path(program(["chromedriver"])).parent), "/usr/bin", "/bin"])
    pair = ["--browser", program(BROWSERS), "--driver", program(["chromedriver"])]
    closed = ["--engine-url", "bing=http://127.0.0.1:9", "--allow-private", "--json"]
    code, text = crawled(tmp_path, *pair, *closed, path=path)
    assert code == 3, text
    code, text = crawled(tmp_path, "--browser", put(tmp_path, "old", CHROME.format(9)), *closed, path=path)
    assert code == 2
    assert "old is version 9, but" in " ".join(text.split())
