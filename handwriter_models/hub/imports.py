"""Which installed packages the Python files of a folder import, read off their syntax; nothing is run.

A Space needs the packages of the files it holds, and no list of them by hand stays right for long.
"""

from __future__ import annotations

import ast
import re
import sys
from importlib import metadata
from pathlib import Path


def imported_packages(folder: Path) -> set[str]:
    """Names of the packages, as an index normalises them, that are imported anywhere below."""
    ours = {path.name.removesuffix(".py") for path in folder.iterdir()}
    tops = {top for file in sorted(folder.rglob("*.py")) for top in _imported(file)} - ours - sys.stdlib_module_names
    packages = metadata.packages_distributions()
    return {re.sub(r"[-_.]+", "-", name).lower() for top in tops for name in packages.get(top, [top])}


def _imported(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"), str(file))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found
