"""What is imported is pinned, with a reason, and what is installed is what is pinned."""

from __future__ import annotations

import re
import sys
from importlib import metadata
from pathlib import Path

import pytest

from tests.source_rules import MAY_IMPORT, OURS, imports, sources

REPOSITORY = Path(__file__).resolve().parent.parent
LINE = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)\s+# (?P<reason>.{3,})")


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(file: str) -> dict[str, str]:
    lines = (REPOSITORY / file).read_text("utf-8").splitlines()
    found = {line: LINE.fullmatch(line) for line in lines if line and not line.startswith(("#", "-r"))}
    assert [line for line, match in found.items() if not match] == [], "name==version  # reason"
    return {plain(match["name"]): match["version"] for match in found.values() if match}


def imported(tops: set[str]) -> set[str]:
    names = {found.top for source in sources(REPOSITORY) if source.top in tops for found in imports(source)}
    return names - OURS - set(sys.stdlib_module_names)


@pytest.mark.parametrize(
    ("tops", "files"),
    [
        (set(MAY_IMPORT), ["requirements.txt", "requirements-extras.txt"]),
        ({"tests", "benchmarks"}, ["requirements.txt", "requirements-extras.txt", "requirements-dev.txt"]),
    ],
)
def test_every_imported_package_is_pinned(tops: set[str], files: list[str]) -> None:
    pinned = {name for file in files for name in pins(file)}
    packages = metadata.packages_distributions()
    missing = {name for name in imported(tops) if not {plain(package) for package in packages.get(name, [])} & pinned}
    assert missing == set()


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-extras.txt", "requirements-dev.txt"])
def test_installed_versions_are_the_pinned_ones(file: str) -> None:
    installed = {name: metadata.version(name).partition("+")[0] for name in pins(file)}
    assert installed == pins(file)
